"""The lock of a job: one run at a time, and a dead one does not keep the next from starting."""

import random
import socket
import time
from collections.abc import Mapping
from typing import Any

import psutil
from sqlalchemy import Connection

from scout_core.db import stopping
from scout_core.db.database import CONTROL, DECIDE, JOB, Database, Profile, Transaction
from scout_core.db.driver_errors import wrapped_errors
from scout_core.db.locks import LOCK_CLASS
from scout_core.errors import RunBusy
from scout_core.runs.record import JOB_TYPES, Kind, execute

LOCK_OF_JOB: Mapping[str, int] = {job: n for n, job in enumerate(dict.fromkeys(JOB_TYPES.values()))}
TAKEOVER_SECONDS = 3.0
LOOK_SECONDS = 2.0
# decisions take a few hundredths of a second each and wait for each other; a refresh is told of
WAIT_SECONDS: Mapping[Kind, float] = {
    "decision": 10.0,
    "review": 10.0,
    "erase": 10.0,
    "undo": 0.0,
    "refresh": 0.0,
}
PROFILES: Mapping[Kind, Profile] = {
    "refresh": JOB,
    "undo": JOB,
    "decision": DECIDE,
    "review": DECIDE,
    "erase": DECIDE,
}


def take(db: Database, kind: Kind) -> Transaction:
    """The work transaction with the lock of the job; RunBusy when somebody alive has it.

    A holder whose process is gone loses its connection within two seconds, so a start on the same
    host waits for that instead of answering "busy" with a dead run.
    """
    begun = time.monotonic()
    give_up = begun + TAKEOVER_SECONDS
    look_until = begun + max(LOOK_SECONDS, WAIT_SECONDS[kind])
    while True:
        stopping.check()
        transaction = db.begin(PROFILES[kind])
        try:
            if try_lock(transaction.conn, kind):
                return transaction
        except BaseException:
            transaction.rollback()
            raise
        transaction.rollback()
        with db.transaction(CONTROL) as conn:
            row = execute(conn, "running", job_type=JOB_TYPES[kind]).mappings().one_or_none()
        now = time.monotonic()
        if now < begun + WAIT_SECONDS[kind]:
            time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - jitter, no secret
            continue
        if row is None and now < look_until:
            time.sleep(0.05)  # the holder has not written its run yet
            continue
        if row is not None and _is_dead(row) and now < give_up:
            time.sleep(0.1)
            continue
        if row is None:
            raise RunBusy("Another run is starting: try again in a moment.", run_id=None)
        raise RunBusy(
            f"Run {row['run_id']} is already running (started "
            f"{row['started_at']:%Y-%m-%d %H:%M:%S} UTC by {row['actor']}): wait for its end.",
            run_id=row["run_id"],
        )


def _is_dead(row: Mapping[str, Any]) -> bool:
    return row["host"] == socket.gethostname() and not psutil.pid_exists(row["process_id"])


def try_lock(conn: Connection, kind: Kind) -> bool:
    """Take the lock for the transaction; False when somebody has it."""
    with wrapped_errors():
        return bool(
            execute(
                conn, "try_lock", lock_class=LOCK_CLASS, lock_key=LOCK_OF_JOB[JOB_TYPES[kind]]
            ).scalar()
        )
