"""The embedded PostgreSQL: one server per data folder, shared by every process that asks for it.

The server runs in a session of its own and stays up until `stop`; no Python process has to live
for it. What a data folder holds:

    server.lock          one process at a time starts or stops the server
    pg/                  0700, the server's account
        data/            the cluster (PG_VERSION, postgresql.conf, scout.conf, log/)
        password         0600, of the login `postgres`
        startup.log      what the server said before its own log opened
        .s.PGSQL.5432    the socket, unless the path is too long for one
"""

from scout_core.embedded.binaries import find_binaries
from scout_core.embedded.connection import Server
from scout_core.embedded.psql import psql
from scout_core.embedded.server import start, status, stop

__all__ = ["Server", "find_binaries", "psql", "start", "status", "stop"]
