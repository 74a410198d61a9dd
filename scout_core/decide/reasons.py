"""Why somebody decides: the one list of reason codes."""

from collections.abc import Mapping
from typing import Literal

from scout_core.errors import BadInput

Outcome = Literal["ASSIGN", "NO_SCOUT", "REOPEN"]

OUTCOMES: tuple[Outcome, ...] = ("ASSIGN", "NO_SCOUT", "REOPEN")
# what may be given for each outcome; ASSIGN of a scout whom no evidence names wants a stronger one
REASON_CODES: Mapping[Outcome, tuple[str, ...]] = {
    "ASSIGN": (
        "FIRST_TO_REGISTER",
        "NEWEST_EVIDENCE",
        "STRONGER_SOURCE",
        "CONFIRMED_BY_PERSON",
        "CONFIRMED_BY_SCOUTS",
        "OTHER_EVIDENCE_WRONG",
        "DOCUMENT_SHOWN",
        "ORDERED_BY_SUPERVISOR",
        "OTHER",
    ),
    "NO_SCOUT": (
        "CAME_ALONE",
        "EVIDENCE_INVALID",
        "SAME_PERSON_TWICE",
        "ORDERED_BY_SUPERVISOR",
        "OTHER",
    ),
    "REOPEN": ("DECIDED_BY_MISTAKE", "NEW_INFORMATION", "ORDERED_BY_SUPERVISOR", "OTHER"),
}
STRONG_CODES = (
    "CONFIRMED_BY_PERSON",
    "CONFIRMED_BY_SCOUTS",
    "DOCUMENT_SHOWN",
    "ORDERED_BY_SUPERVISOR",
)
# what an undo writes; nobody gives it
UNDONE = "UNDONE"


def checked_outcome(outcome: str) -> Outcome:
    """The outcome. BadInput when it is none."""
    for known in OUTCOMES:
        if outcome == known:
            return known
    raise BadInput(
        f"outcome must be one of {', '.join(OUTCOMES)}.",
        parameter="outcome",
        allowed=f"one of {', '.join(OUTCOMES)}",
    )


def checked_code(outcome: Outcome, reason_code: str) -> str:
    """The reason code. BadInput when it is none of this outcome."""
    allowed = REASON_CODES[outcome]
    if reason_code not in allowed:
        raise BadInput(
            f"reason_code of {outcome} must be one of {', '.join(allowed)}.",
            parameter="reason_code",
            allowed=f"one of {', '.join(allowed)} with {outcome}",
        )
    return reason_code
