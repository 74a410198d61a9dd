"""The round that looks again: what is wrong now, what became of the alerts, whom to tell.

A refresh looks in its own commit (`look`); between refreshes a keeper in the server makes a round
each minute, so that a job that never started is seen too.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection

from scout_core import logs
from scout_core.access import request_keys
from scout_core.alerts import register
from scout_core.db.database import SETTLE, Database
from scout_core.errors import ScoutError
from scout_core.health import freshness, source_checks
from scout_core.health import verdict as health
from scout_core.health.conditions import News
from scout_core.health.states import Status
from scout_core.notify import outbox
from scout_core.settings import Settings

_log = logs.get_logger("rounds")


def look(
    conn: Connection,
    settings: Settings,
    now: datetime,
    *,
    run_id: int | None = None,
    is_whole: bool = False,
) -> tuple[News, Status]:
    """Look at everything once, in the caller's transaction: health, conditions, alerts, the message
    that is to be sent; what changed, and the verdict. run_id: the run that is about to commit; null
    = between two runs. is_whole: also at persons and rows that nobody touched."""
    verdict = health.assess(conn, settings, now, completing=run_id)
    health.record_changes(conn, verdict, now, run_id)
    found = [*health.conditions(verdict), *source_checks.conditions(conn)]
    news = register.sync(conn, found, now, run_id=run_id, is_whole=is_whole)
    outbox.enqueue(
        conn, run_id=run_id, news=news, status=verdict.status, now=now, settings=settings
    )
    return news, verdict.status


def make_round(
    db: Database, settings: Settings, now: datetime, *, is_whole: bool = False
) -> News | None:
    """One round: count the sources where that is due, look, in one transaction, then send what is
    due. Null when somebody else is looking, who does the same."""
    freshness.look_if_due(db, settings, now)
    with db.transaction(SETTLE) as conn:
        if not register.try_lock(conn):
            return None
        news, _ = look(conn, settings, now, is_whole=is_whole)
        request_keys.forget(conn, now)
    outbox.send_soon(db, settings, now)
    return news


def round_soon(db: Database, settings: Settings, now: datetime) -> None:
    """A round beside something else, which stands, whatever comes of it."""
    try:
        make_round(db, settings, now)
    except ScoutError as exc:
        _log.warning("no round was made, the next one does it", reason=exc.message)


def after_run(db: Database, settings: Settings, now: datetime, run_id: int) -> None:
    """What follows a run that stands, where no server may be up: the checks of the sources that
    are due today, and its message. Whatever comes of it."""
    try:
        ran = source_checks.run_due(db, settings, now, run_id=run_id)
    except ScoutError as exc:
        _log.warning("sources not checked, the next run does it", reason=exc.message)
        ran = ()
    if ran:
        round_soon(db, settings, now)
    else:
        outbox.send_soon(db, settings, now)


class Keeper:
    """Makes a round each minute beside the server. Trouble is no trouble: pages say that the
    database is away, and the next round tries again."""

    PAUSE_SECONDS = 60.0

    def __init__(
        self, open_database: Callable[[], Database], settings: Callable[[], Settings]
    ) -> None:
        self._open_database = open_database
        self._settings = settings
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="round keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the round at work."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stopped.wait(self.PAUSE_SECONDS):
            try:
                db, settings = self._open_database(), self._settings()
                source_checks.run_due(db, settings, datetime.now(UTC))
                news = make_round(db, settings, datetime.now(UTC))
            except ScoutError as exc:
                # away, read-only or not installed: the pages say so
                _log.debug("no round", reason=exc.message)
            else:
                if news is not None and not news.is_empty:
                    _log.info(
                        "news",
                        opened=dict(news.opened),
                        reopened=dict(news.reopened),
                        resolved=dict(news.resolved),
                    )
