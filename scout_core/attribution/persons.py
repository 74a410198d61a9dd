"""One person explained: the evidence, who decided, why this scout or why none, what next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from scout_core.attribution.fingerprint import checked_key, seen_of
from scout_core.attribution.stakes import Money, by_person
from scout_core.db import sql
from scout_core.errors import NotFound

# reason_code -> why the person has no scout, what to do
REASONS: Mapping[str, tuple[str, str]] = {
    "DECIDED_NO_SCOUT": (
        "somebody decided that no scout brought this person",
        "Nothing, unless new evidence appears.",
    ),
    "HELD_AFTER_UNDO": (
        "the person is held since a run was undone",
        "Release the hold when the case is clear.",
    ),
    "SEVERAL_SCOUTS": ("the events name several scouts", "Decide the conflict."),
    "OTHER_SOURCE_DISAGREES": (
        "the events name one scout, another source names another",
        "Decide the conflict.",
    ),
    "UNREADABLE_SCOUT": (
        "a source row holds a scout that cannot be read; it may be a second one",
        "Correct the value in the source.",
    ),
    "UNKNOWN_SCOUT": (
        "the scout of the events is not in the list of scouts",
        "Add the scout to the list, or correct the event.",
    ),
    "WAITING_FOR_NEXT_RUN": (
        "nothing is in the way: the evidence names one known scout",
        "Nothing: the next run writes it.",
    ),
    "SCOUT_ONLY_IN_OTHER_SOURCE": (
        "no event names a scout, only another source does",
        "Look at that source and assign by hand.",
    ),
    "EVENTS_WITHOUT_SCOUT": (
        "there are events, and none names a scout",
        "Complete the scout in the event's source.",
    ),
    "NO_EVENTS": ("there are no events at all", "Nothing: a driver from before, without a lead."),
}
CONFLICTS: Mapping[str, str] = {
    "SEVERAL_SCOUTS": "the evidence names several scouts and the ledger has none",
    "CONTRADICTS_LEDGER": "the evidence names another scout than the ledger",
    "NEW_EVIDENCE": "evidence names a scout that the decision did not consider",
}
# reasons that say already that there is a conflict
TOLD_AS_CONFLICT = frozenset({"SEVERAL_SCOUTS", "OTHER_SOURCE_DISAGREES"})
WRITERS: Mapping[str, str] = {
    "BACKFILL_SINGLE_SCOUT_FROM_EVENTS": "run {run_id} wrote it: all evidence named this scout",
    "MANUAL_DECISION": "{actor} decided it",
    "EXTERNAL_CHANGE": "{actor} wrote it with SQL",
    "REVERT": "an undo restored it (run {run_id})",
}


@dataclass(frozen=True)
class Explanation:
    """Everything known of one person. Lists in time order; verdict, why, next_action in words.

    seen: the fingerprint of the evidence, which goes back with a decision; runs: the ids of those
    that wrote, linked, decided or held here, oldest first.
    """

    state: dict[str, Any]
    seen: str
    verdict: str
    why: str
    next_action: str
    evidence: list[dict[str, Any]]
    ledger_audit: list[dict[str, Any]]
    link_audit: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    holds: list[dict[str, Any]]
    issues: list[dict[str, Any]]
    money: Money
    runs: tuple[int, ...]


def explain(conn: Connection, person_key: str) -> Explanation:
    """The person of this key explained. NotFound when nobody is registered under it.

    Reads scout.v_person_attribution, ops.v_scout_attribution_raw and the audit tables.
    """
    key = checked_key(person_key)
    states = _rows(conn, "state", key)
    if not states:
        raise NotFound(
            f"Nobody is registered under {key}: check the key against "
            "canon.identity_registry.person_key."
        )
    state = states[0]
    ledger_audit = _rows(conn, "ledger_audit", key)
    verdict, why, next_action = _reason(state, ledger_audit)
    link_audit, decisions, holds = (
        _rows(conn, n, key) for n in ("link_audit", "decisions", "holds")
    )
    written = (
        row["run_id"] for rows in (ledger_audit, link_audit, decisions, holds) for row in rows
    )
    return Explanation(
        state=state,
        seen=seen_of(conn, [key])[key],
        verdict=verdict,
        why=why,
        next_action=next_action,
        evidence=_rows(conn, "evidence", key),
        ledger_audit=ledger_audit,
        link_audit=link_audit,
        decisions=decisions,
        holds=holds,
        issues=_rows(conn, "issues", key),
        money=by_person(conn, [key])[key],
        runs=tuple(sorted({run_id for run_id in written if run_id is not None})),
    )


def _reason(state: dict[str, Any], audit: list[dict[str, Any]]) -> tuple[str, str, str]:
    scout = state["ledger_scout_id"]
    conflict = CONFLICTS.get(state["conflict_kind"] or "")
    if scout is None:
        why, next_action = REASONS[state["reason_code"]]
        verdict = f"No scout (category {state['category']}, {state['reason_code']})"
        if conflict is not None and state["reason_code"] not in TOLD_AS_CONFLICT:
            verdict = f"{verdict}, in conflict ({state['conflict_kind']})"
            why = f"{why}; {conflict}"
        return verdict, why, "Decide the conflict." if conflict else next_action
    # an erasure changes evidence, never the scout
    writers = [
        row
        for row in audit
        if row["new_attributed_scout_id"] == scout and row["backfill_method"] != "ERASURE"
    ]
    why = (
        WRITERS[writers[-1]["backfill_method"]].format(**writers[-1])
        if writers and writers[-1]["backfill_method"] in WRITERS
        else "the ledger had it before this product was there"
    )
    if conflict is not None:
        return (
            f"Scout {scout}, in conflict ({state['conflict_kind']})",
            f"{why}; {conflict}",
            ("Decide the conflict."),
        )
    return f"Scout {scout}", why, "Nothing: the person is attributed."


def _rows(conn: Connection, name: str, key: str) -> list[dict[str, Any]]:
    rows = conn.execute(sql.query("attribution/persons", name), {"person_key": key}).mappings()
    return [dict(row) for row in rows]
