"""Every error that the product raises on purpose.

    ScoutError                     1   anything below
    ├── SettingsError              2   a setting is wrong
    ├── BadInput                   2   a filter, sort, cursor, size or text that cannot be
    │   └── CannotBeKept               a letter that the encoding of the database lacks
    ├── Refused                    3   not done, on purpose
    │   ├── GuardStopped               too many rows would change
    │   ├── PermissionDenied           the actor's role may not
    │   ├── ChangedMeanwhile           somebody or something was faster
    │   ├── KeyReused                  the request key is of another request
    │   ├── NothingToUndo              it was undone, or changed nothing
    │   ├── RowsHidden                 row level security hides evidence
    │   ├── SourcesChanged             a source is another relation than at the last init
    │   └── DemoRefused                the database holds something else
    ├── Unavailable               75   try again later
    │   ├── DatabaseAway
    │   ├── DatabaseReadOnly
    │   ├── RunBusy                    another run holds the lock
    │   └── Stopped                    this process was asked to end (exit code 143, 130)
    ├── DatabaseError              1   the driver said no
    ├── WrongDatabase              1   URL, password, name or version
    ├── InstallError               1
    │   ├── MissingTables
    │   ├── SchemaFileChanged
    │   └── ForeignObject
    ├── NotInstalled               1
    ├── NotFound                   1   no such person or run
    ├── RunFailed                  1
    ├── ScheduleError              1   cron or the Task Scheduler said no
    └── ServerError                1   the embedded server

A class docstring is the default message. A message says what happened with the value, why, and
what to do; never a phone, license, document or name of a person.
"""

from typing import ClassVar


class ScoutError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, **facts: object) -> None:
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return str(self.args[0])


class SettingsError(ScoutError):
    """A setting is wrong. `python -m scout_core config` lists them all."""

    exit_code = 2


class BadInput(ScoutError):
    """A value cannot be read. The message names it and the values that are allowed.

    allowed: the same without the value, for who must not be told what was sent. personal: which
    kind of personal data a text looked like it held; null for other faults.
    """

    exit_code = 2
    parameter: str | None = None
    allowed: str | None = None
    personal: str | None = None


class CannotBeKept(BadInput):
    """A text has a character that this database cannot keep: write it without."""

    character: str = ""
    encoding: str = ""


class Refused(ScoutError):
    """Refused: nothing was changed."""

    exit_code = 3


class GuardStopped(Refused):
    """The run would change more than the guard allows. Look at `plan`, then run
    `refresh --force --reason TEXT`."""


class PermissionDenied(Refused):
    """The role of this actor does not allow this action."""


class ChangedMeanwhile(Refused):
    """What was on screen has changed meanwhile: nothing was written. Look at it again."""


class KeyReused(Refused):
    """This request key was used before with another actor, route or body: nothing was done. Send
    this request under a new key."""


class NothingToUndo(Refused):
    """Nothing of this run is left to undo."""


class RowsHidden(Refused):
    """Row level security hides rows from us: nothing was changed. `doctor` says of which table."""

    tables: list[str] | None = None


class SourcesChanged(Refused):
    """A source is another relation than at the last init: nothing was changed. Run init."""

    tables: list[str] | None = None


class DemoRefused(Refused):
    """The database is not empty and holds no demo data: nothing was loaded. Use an empty one."""


class Unavailable(ScoutError):
    """The database cannot do this now. Try again later."""

    exit_code = 75


class DatabaseAway(Unavailable):
    """The database does not answer. Check that it runs and can be reached, then try again."""


class DatabaseReadOnly(Unavailable):
    """The database is read-only (a standby, or set so). Use the primary to write."""


class RunBusy(Unavailable):
    """Another run holds the lock. Try again when it has ended."""

    run_id: int | None = None


class Stopped(Unavailable):
    """This process was asked to end: what was not committed was rolled back."""

    signal_number: int | None = None


class DatabaseError(ScoutError):
    """The database refused a statement."""


class WrongDatabase(ScoutError):
    """This database cannot be used: check the address, database name, password and version in
    DATABASE_URL."""


class InstallError(ScoutError):
    """The installation stopped; what was begun was rolled back."""


class MissingTables(InstallError):
    """Source tables are missing. Point DATABASE_URL at the database that has them, or try
    `python -m scout_core demo` on an empty one."""


class SchemaFileChanged(InstallError):
    """A schema file was edited after it was applied. Restore it and add a new file."""


class ForeignObject(InstallError):
    """An object that is not ours is in the way or stands on one of ours."""


class NotInstalled(ScoutError):
    """The product is not installed on this database. Run `python -m scout_core init`."""


class NotFound(ScoutError):
    """There is nothing under this key."""


class RunFailed(ScoutError):
    """The run failed: what it had not committed was rolled back."""

    run_id: int | None = None


class ScheduleError(ScoutError):
    """The scheduler of this machine refused, or there is none."""


class ServerError(ScoutError):
    """The embedded PostgreSQL did not start. Look at the log in the data folder, or set
    DATABASE_URL."""
