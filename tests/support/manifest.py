"""sql/manifest.json, made of a fresh installation.

python -m tests.support.manifest    # writes it; `make manifest`
"""

from scout_core.db.database import ADMIN
from scout_core.install import manifest
from tests.support import looking, server
from tests.support.installing import settings

if __name__ == "__main__":
    server.use_test_environment()
    server.enter_session()
    try:
        url = server.start().url_of("postgres")
        with looking.installed(url) as database, database.transaction(ADMIN) as connection:
            text = manifest.as_text(connection, settings().source_timezone)
        manifest.PATH.write_text(text, encoding="utf-8")
    finally:
        server.leave_session()
