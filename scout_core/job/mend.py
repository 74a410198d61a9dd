"""What a run does first where a source is another relation than at the last init: init, where the
login may. Where it may not, or where that does not help, the run stops and says why."""

from scout_core import logs
from scout_core.db import grounds
from scout_core.db.database import LOOK, Database
from scout_core.errors import ScoutError, Unavailable
from scout_core.install.init import init
from scout_core.settings import Settings

_log = logs.get_logger("sources")


def mend_sources(db: Database, settings: Settings) -> None:
    """Make our views read the relations that have the names of the sources now, by init. The run
    looks again, so nothing that goes wrong here is raised."""
    try:
        with db.transaction(LOOK) as conn:
            changed = [t for t in grounds.list_stopping(conn) if isinstance(t, grounds.Trouble)]
    except Unavailable:
        raise
    except ScoutError:
        # not installed, of an older version: whoever comes next says so
        return
    if not changed:
        return
    _log.warning("sources changed, init makes the views anew", reason=grounds.changed(changed))
    try:
        init(db, settings, report=lambda line: _log.info("init", did=line))
    except ScoutError as exc:
        _log.warning("the views were not made anew", reason=exc.message)
