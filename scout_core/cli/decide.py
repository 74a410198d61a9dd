"""`decide`, `undo`, `hold`, `review`: what people decide, and how it is taken back."""

from typing import Any

import click

from scout_core.cli import output, session
from scout_core.decide.reasons import REASON_CODES

PARTIAL = 4
REASON = click.option("--reason", required=True, help="Why, kept for good: 10 to 1,000 characters.")
ROWS = click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many rows."
)
CODES = sorted({code for codes in REASON_CODES.values() for code in codes})


@click.command()
@click.argument("person_key")
@click.option("--scout", type=click.IntRange(1, 2**31 - 1), help="Assign this scout.")
@click.option("--none", "is_none", is_flag=True, help="Nobody brought this person.")
@click.option("--reopen", is_flag=True, help="Take the decision in force back.")
@REASON
@click.option(
    "--code",
    type=click.Choice(CODES),
    default="OTHER",
    show_default=True,
    metavar="CODE",
    help="The reason in a word: " + ", ".join(CODES) + ".",
)
@click.option("--seen", help="What `explain` gave out: refused when the evidence changed since.")
@output.json_option
def decide(
    person_key: str,
    scout: int | None,
    is_none: bool,
    reopen: bool,
    reason: str,
    code: str,
    seen: str | None,
) -> None:
    """Decide who brought a person: the job never writes over it, new evidence asks again."""
    if (scout is not None) + is_none + reopen != 1:
        raise click.UsageError("Give one of --scout N, --none and --reopen.")
    from scout_core.access import permissions
    from scout_core.db.database import LOOK
    from scout_core.decide import decisions

    outcome = "REOPEN" if reopen else "NO_SCOUT" if is_none else "ASSIGN"
    database, actor = session.database(), session.actor()
    permissions.require(actor, "decide")
    if seen is None:
        with database.transaction(LOOK) as conn:
            found = decisions.preview(conn, person_key, outcome=outcome, scout_id=scout)
        seen = found.seen or ""
    result = decisions.decide(
        database,
        actor=actor,
        person_key=person_key,
        outcome=outcome,
        scout_id=scout,
        reason_code=code,
        note=reason,
        seen=seen,
    )
    seal = session.seal_of(result.run_id)

    def render() -> None:
        done = result.decided[0]
        output.say(
            {
                "ASSIGN": f"Scout {scout} it is: decision {done.decision_id} stands until new "
                "evidence appears or it is reopened.",
                "NO_SCOUT": f"No scout it is: decision {done.decision_id} stands until new "
                "evidence appears or it is reopened.",
                "REOPEN": "Reopened: the ledger has what it had before, and the rules apply again.",
            }[outcome]
        )
        output.seal(seal)
        output.say(f"`python -m scout_core undo {result.run_id} --reason TEXT` takes it back.")

    for key, amount in result.paid.items():
        output.note(f"{key} was already paid for: {amount} soles. Nothing of that was changed.")
    output.emit({"decision": result, "seal": seal}, render)


@click.command()
@click.argument("run_id", type=click.IntRange(1, 2**31 - 1))
@click.option("--dry-run", is_flag=True, help="Show what would be undone and write nothing.")
@click.option("--reason", help="Why, kept for good: 10 to 1,000 characters. Not for --dry-run.")
@output.json_option
def undo(run_id: int, dry_run: bool, reason: str | None) -> int:
    """Take back what a run wrote, where nobody has changed it since; hold what was undone.

    Exit code 4 when some of it stays because it was changed later.
    """
    from scout_core.db.database import CHECK
    from scout_core.decide import undo as topic

    if dry_run:
        with session.database().transaction(CHECK) as conn:
            plan = topic.preview(conn, run_id)
        output.emit({"plan": plan}, lambda: _render_plan(plan))
        return 0
    if reason is None:
        raise click.UsageError("Give --reason TEXT, or --dry-run to look first.")
    result = topic.run_undo(session.database(), actor=session.actor(), run_id=run_id, reason=reason)
    seal = session.seal_of(result.run_id)

    def render() -> None:
        output.table(
            ("What", "Rows"),
            [
                ("undone", result.undone),
                ("  scouts in the ledger", result.ledger_rows),
                ("  decisions", result.decisions),
                ("  links", result.links),
                ("  rows set aside", result.dismissals),
                ("  persons that the run had made, removed", result.persons_removed),
                ("changed later, left", result.changed_later),
                ("undone before", result.already_undone),
                ("persons held", result.held_persons),
                ("source rows held", result.held_rows),
            ],
            title=f"Run {run_id} undone by run {result.run_id}",
        )
        _render_items(result.items)
        if result.held_persons or result.held_rows:
            output.say("No run writes or links them again until `hold release`; `hold list`.")
        output.seal(seal)

    output.emit({"undo": result, "seal": seal}, render)
    return PARTIAL if result.is_partial else 0


@click.group()
def hold() -> None:
    """Persons and source rows that no run writes or links since they were undone."""


@hold.command("list")
@click.option("--run", "run_id", type=int, help="Only those of this undo.")
@ROWS
@output.json_option
def hold_list(run_id: int | None, limit: int) -> None:
    """List the holds that nobody has released, newest first."""
    from scout_core.db.database import LOOK
    from scout_core.decide import holds

    with session.database().transaction(LOOK) as conn:
        page = holds.list_open(conn, run_id=run_id, page_size=min(limit, 1000))

    def render() -> None:
        if not page.rows:
            output.say("Nothing is held.")
            return
        output.table(
            ("Hold", "Held", "Since (UTC)", "By", "Run", "Reason"),
            [
                (
                    row.hold_id,
                    row.person_key or f"{row.source_table} {row.source_pk}",
                    f"{row.held_at:%Y-%m-%d %H:%M}",
                    row.actor,
                    row.run_id,
                    row.reason,
                )
                for row in page.rows
            ],
            title=f"{page.total:,} held",
        )

    output.emit({"total": page.total, "holds": page.rows}, render)


@hold.command("release")
@click.argument("hold_id", type=int, required=False)
@click.option("--run", "run_id", type=int, help="All that this undo holds.")
@REASON
@output.json_option
def hold_release(hold_id: int | None, run_id: int | None, reason: str) -> None:
    """Let runs write or link again what is held: one hold, or all of an undo."""
    if (hold_id is None) == (run_id is None):
        raise click.UsageError("Give a HOLD_ID, or --run RUN_ID.")
    from scout_core.decide import holds

    database, actor = session.database(), session.actor()
    if hold_id is not None:
        result = holds.release(database, actor=actor, hold_id=hold_id, reason=reason)
    else:
        result = holds.release_of_run(database, actor=actor, run_id=run_id or 0, reason=reason)
    seal = session.seal_of(result.run_id)

    def render() -> None:
        output.say(f"Released {len(result.hold_ids):,}: the next run judges them again.")
        output.seal(seal)

    output.emit({"release": result, "seal": seal}, render)


@click.group()
def review() -> None:
    """Scouting rows that no rule could link to a person."""


@review.command("list")
@click.argument("source_pk", required=False)
@ROWS
@output.json_option
def review_list(source_pk: str | None, limit: int) -> None:
    """List the rows that wait, newest first; with a SOURCE_PK tell who that one may be."""
    from scout_core.db.database import LOOK
    from scout_core.decide import review as topic

    with session.database().transaction(LOOK) as conn:
        if source_pk is not None:
            row = topic.by_row(conn, source_pk)
            output.emit({"row": row}, lambda: _render_row(row))
            return
        page = topic.list_open(conn, page_size=min(limit, 1000))

    def render() -> None:
        if not page.rows:
            output.say("No scouting row waits for a review.")
            return
        output.table(
            ("Row", "Scout", "Registered", "Why no rule links it", "Candidates", "Held"),
            [
                (
                    r.source_pk,
                    r.scout_id,
                    r.registered_on,
                    r.reason_code,
                    len(r.candidate_person_keys),
                    r.is_held,
                )
                for r in page.rows
            ],
            title=f"{page.total:,} wait",
        )
        output.say("`python -m scout_core review list SOURCE_PK` tells who one of them may be.")

    output.emit({"total": page.total, "rows": page.rows}, render)


@review.command("link")
@click.argument("source_pk")
@click.argument("person_key")
@REASON
@output.json_option
def review_link(source_pk: str, person_key: str, reason: str) -> None:
    """Link a scouting row to a person."""
    from scout_core.decide import review as topic

    _reviewed(
        topic.link(
            session.database(),
            actor=session.actor(),
            source_pk=source_pk,
            person_key=person_key,
            reason=reason,
        )
    )


@review.command("move")
@click.argument("source_pk")
@click.argument("person_key")
@REASON
@output.json_option
def review_move(source_pk: str, person_key: str, reason: str) -> None:
    """Move the link of a scouting row to another person."""
    from scout_core.decide import review as topic

    _reviewed(
        topic.move(
            session.database(),
            actor=session.actor(),
            source_pk=source_pk,
            person_key=person_key,
            reason=reason,
        )
    )


@review.command("create")
@click.argument("source_pk")
@REASON
@output.json_option
def review_create(source_pk: str, reason: str) -> None:
    """Register a new person for a scouting row."""
    from scout_core.decide import review as topic

    _reviewed(
        topic.create(session.database(), actor=session.actor(), source_pk=source_pk, reason=reason)
    )


@review.command("dismiss")
@click.argument("source_pk")
@REASON
@output.json_option
def review_dismiss(source_pk: str, reason: str) -> None:
    """Set a scouting row aside as nobody: no run links it."""
    from scout_core.decide import review as topic

    _reviewed(
        topic.dismiss(session.database(), actor=session.actor(), source_pk=source_pk, reason=reason)
    )


def _reviewed(result: Any) -> None:
    seal = session.seal_of(result.run_id)

    def render() -> None:
        output.say(
            f"Row {result.source_pk} was set aside."
            if result.person_key is None
            else f"Row {result.source_pk} is linked to {result.person_key}."
        )
        output.seal(seal)
        output.say(f"`python -m scout_core undo {result.run_id} --reason TEXT` takes it back.")

    output.emit({"review": result, "seal": seal}, render)


def _render_plan(plan: Any) -> None:
    if plan.is_empty:
        output.say(f"Run {plan.run_id} wrote no scout, link or decision.")
        return
    output.table(
        ("What", "Outcome", "Rows"),
        [
            (subject, outcome, count)
            for subject, outcomes in plan.counts.items()
            for outcome, count in outcomes.items()
        ],
        title=f"Undoing run {plan.run_id} ({plan.kind})",
    )
    if plan.founded_count:
        output.say(
            f"Of {plan.founded_count:,} persons that it made, {plan.removable_count:,} would go."
        )
    if plan.paid_persons:
        output.say(f"{plan.paid_persons:,} persons were already paid for: {plan.paid_pen} soles.")
    _render_items([item for item in plan.items if item.outcome != "UNDO"])
    output.say("Nothing was written.")


def _render_items(items: Any) -> None:
    if not items:
        return
    output.say("")
    output.table(
        ("Stays", "Outcome", "Changed by", "In run", "How", "When (UTC)"),
        [
            (
                item.person_key
                if item.source_pk is None
                else f"{item.source_table} {item.source_pk}",
                item.outcome,
                item.later_actor,
                item.later_run_id,
                item.later_method,
                None if item.later_at is None else f"{item.later_at:%Y-%m-%d %H:%M:%S}",
            )
            for item in items
        ],
    )


def _render_row(row: Any) -> None:
    output.say(
        f"Scouting row {row.source_pk}: scout {row.scout_id}, registered {row.registered_on}, "
        f"licence {row.license or 'none'}, phone {row.phone or 'none'}."
    )
    if row.person_key:
        output.say(f"It is linked to {row.person_key}.")
    elif row.reason_code:
        output.say(f"No rule links it: {row.reason_code} ({row.status}).")
    if row.outdated_person_key:
        output.say(
            f"Its link to {row.outdated_person_key} does not count: the row said something else."
        )
    if row.candidates:
        output.table(
            ("May be", "Licence", "Phone", "Other licence", "Scout", "Named scouts"),
            [
                (
                    c.person_key,
                    "same" if c.shares_license else c.license,
                    "same" if c.shares_phone else c.phone,
                    c.has_other_license,
                    c.ledger_scout_id,
                    ", ".join(map(str, c.scout_ids)),
                )
                for c in row.candidates
            ],
        )
