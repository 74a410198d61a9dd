"""`health`, `explain`, `conflicts`: look at the whole, at one person, at what needs a decision."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from scout_core.cli import output, session

if TYPE_CHECKING:
    from scout_core.health.verdict import Reason, Verdict

CODES = {"OK": 0, "WARN": 1, "STALE": 1, "FAIL": 2, "UNKNOWN": 3}
NAMES = {
    "overall": "Verdict",
    "satisfactory": "Scout satisfactory",
    "conflicts": "Open conflicts",
    "last_run": "Last run",
    "scheduler": "Scheduler",
    "sources": "Sources",
}
LIGHTS = ("scheduler", "last_run", "sources")


@click.command()
@click.option(
    "--light",
    "light_name",
    type=click.Choice(LIGHTS),
    help="Exit with the state of this light instead of the verdict's.",
)
@click.option(
    "--history",
    "count",
    is_flag=False,
    flag_value=20,
    type=click.IntRange(1, 100_000),
    help="List the last changes of state too, 20 or as many as are asked for.",
)
@output.json_option
def health(light_name: str | None, count: int | None) -> int:
    """Say how things are: exit code 0 OK, 1 WARN or STALE, 2 FAIL, 3 UNKNOWN.

    The verdict is the worst of satisfactory share, open conflicts and last run. Scheduler and
    sources are lights beside it: told, but only with --light in the exit code.
    """
    from scout_core.db.database import LOOK
    from scout_core.health import verdict as health_module

    with session.database().transaction(LOOK) as conn:
        verdict = health_module.assess(conn, session.settings(), datetime.now(UTC))
        changes = health_module.list_changes(conn, limit=count) if count else []
    light = next((r for r in verdict.lights if r.indicator == light_name), None)
    status = light.status if light else verdict.status

    def render() -> None:
        output.say(_first_line(verdict, light))
        output.table(
            ("State", "Indicator", "Value", "Threshold", "Since (UTC)"),
            [
                (r.status, NAMES[r.indicator], r.text, r.threshold, _time(r.since))
                for r in verdict.told
            ],
        )
        if count:
            _section(
                "Changes of state, newest first",
                ("When (UTC)", "Indicator", "From", "To", "With", "Run"),
                [
                    (
                        _time(c.changed_at),
                        NAMES[c.indicator],
                        c.from_status,
                        c.to_status,
                        c.value,
                        c.run_id,
                    )
                    for c in changes
                ],
                "No state was recorded yet: the server and every run do it.",
            )

    told = {"status": status, "reasons": verdict.reasons, "lights": verdict.lights}
    output.emit(told | ({"history": changes} if count else {}), render)
    return CODES[status]


def _first_line(verdict: "Verdict", light: "Reason | None") -> str:
    """What a monitor shows: the state, why, and the lights that do not count but are not OK."""
    if light is not None:
        return f"{light.status}: {light.text}."
    worst = [r.text for r in verdict.reasons if r.status == verdict.status]
    said = f"{verdict.status}: {'; '.join(worst)}."
    bad = [
        r
        for r in verdict.lights
        if r not in verdict.reasons and r.status in {"WARN", "STALE", "FAIL"}
    ]
    if bad:
        said += " Beside: " + "; ".join(f"{r.indicator} {r.status}, {r.text}" for r in bad) + "."
    return said


@click.command()
@click.argument("person_key")
@output.json_option
def explain(person_key: str) -> None:
    """Tell everything about one person: why this scout, why none, what next."""
    from dataclasses import asdict

    from scout_core.alerts import register
    from scout_core.attribution import persons
    from scout_core.db.database import LOOK

    with session.database().transaction(LOOK) as conn:
        told = persons.explain(conn, person_key)
        standing = register.by_person(conn, person_key, datetime.now(UTC))

    def render() -> None:
        output.say(f"{told.state['person_key']}: {told.verdict}")
        output.say(f"Why: {told.why}.")
        output.say(f"Next: {told.next_action}")
        if told.state["erased_at"] is not None:
            at, by = _time(told.state["erased_at"]), told.state["erased_run_id"]
            output.say(f"Erased at {at} UTC by run {by}: phones, licences and names are not shown.")
        _section(
            "Evidence, oldest first",
            ("Date", "Scout", "Source", "Row"),
            [
                (e["attribution_date"], e["scout_id"], e["source_table"], e["source_pk"])
                for e in told.evidence
            ],
            "No source names a scout for this person.",
        )
        _section(
            "Alerts",
            ("Alert", "Severity", "Status", "Rule", "Since (UTC)", "What"),
            [
                (a.alert_id, a.severity, a.status, a.rule, _time(a.opened_at), a.text)
                for a in standing
            ],
        )
        _section(
            "Values that cannot be used",
            ("Rule", "Source", "Row", "Value"),
            [(i["rule"], i["source_table"], i["source_pk"], i["raw_excerpt"]) for i in told.issues],
        )
        _section(
            "Decisions",
            ("When (UTC)", "Outcome", "Scout", "By", "Reason", "Run"),
            [
                (
                    _time(d["decided_at"]),
                    d["outcome"],
                    d["scout_id"],
                    d["actor"],
                    f"{d['reason_code']}: {d['note']}",
                    d["run_id"],
                )
                for d in told.decisions
            ],
        )
        _section(
            "Holds",
            ("Hold", "Since (UTC)", "By", "Reason", "Run"),
            [
                (h["hold_id"], _time(h["held_at"]), h["actor"], h["reason"], h["run_id"])
                for h in told.holds
            ],
        )
        _section(
            "Changes of the ledger",
            ("When (UTC)", "Method", "From", "To", "Run", "By"),
            [
                (
                    _time(a["backfill_timestamp"]),
                    a["backfill_method"],
                    a["old_attributed_scout_id"],
                    a["new_attributed_scout_id"],
                    a["run_id"],
                    a["actor"],
                )
                for a in told.ledger_audit
            ],
        )
        _section(
            "Links made by runs",
            ("When (UTC)", "Action", "Rule", "Source", "Row", "Run"),
            [
                (
                    _time(a["backfill_timestamp"]),
                    a["action_type"],
                    a["match_method"],
                    a["source_table"],
                    a["source_pk"],
                    a["run_id"],
                )
                for a in told.link_audit
            ],
        )

    output.emit({**asdict(told), "alerts": standing}, render)


@click.command()
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many to list.",
)
@output.json_option
def conflicts(limit: int) -> None:
    """List the open conflicts, newest evidence first."""
    from scout_core.attribution import conflicts as conflicts_module
    from scout_core.db.database import LOOK
    from scout_core.lists.paging import MAX_PAGE_SIZE

    with session.database().transaction(LOOK) as conn:
        page = conflicts_module.list_open(conn, page_size=min(limit, MAX_PAGE_SIZE))
        total, listed = page.total, list(page.rows)
        while page.after and len(listed) < limit:
            size = min(limit - len(listed), MAX_PAGE_SIZE)
            page = conflicts_module.list_open(conn, after=page.after, page_size=size, total=total)
            listed += page.rows

    def render() -> None:
        if not listed:
            output.say("No conflict is open.")
            return
        output.table(
            ("Person", "Kind", "Scouts", "Ledger", "Sources", "Last evidence"),
            [
                (
                    c.person_key,
                    c.conflict_kind,
                    ", ".join(map(str, c.scout_ids)),
                    c.ledger_scout_id,
                    ", ".join(s.partition(".")[2] for s in c.sources),
                    c.last_event_date,
                )
                for c in listed
            ],
            title=f"{total:,} open"
            + (f", the first {len(listed):,}" if len(listed) < total else ""),
        )
        output.say("`python -m scout_core explain PERSON_KEY` tells all about one.")

    output.emit({"total": total, "conflicts": listed}, render)


def _section(
    title: str, headers: tuple[str, ...], rows: list[tuple[Any, ...]], empty: str = ""
) -> None:
    if not rows and not empty:
        return
    output.say("")
    if rows:
        output.table(headers, rows, title=title)
    else:
        output.say(empty)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
