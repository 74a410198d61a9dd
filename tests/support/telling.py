"""Short ways to write messages and to say who is told, for the tests of notifications."""

from datetime import UTC, datetime

from scout_core.db.database import CONTROL, Database
from scout_core.health.conditions import News
from scout_core.notify import outbox
from scout_core.settings import Settings
from tests.support import job
from tests.support.job import key

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
ANA = str(key("ana"))
NEWS = News(opened={"NEW_CONFLICT": 2}, resolved={"JOB_LATE": 1}, samples={"NEW_CONFLICT": (ANA,)})


def told(*urls: str, **environ: str) -> Settings:
    given = {"SCOUT_NOTIFY_URLS": ", ".join(urls), "SCOUT_NOTIFY_TIMEOUT_SECONDS": "1", **environ}
    return job.settings(**given)


def write(
    db: Database, settings: Settings, *, run_id: int | None = None, news: News = NEWS
) -> int | None:
    with db.transaction(CONTROL) as conn:
        return outbox.enqueue(
            conn, run_id=run_id, news=news, status="WARN", now=NOW, settings=settings
        )
