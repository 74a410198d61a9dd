"""`erase PERSON_KEY`: a person's values go, keys stay (Ley 29733)."""

from collections.abc import Mapping, Sequence

import click

from scout_core.cli import output, session
from scout_core.decide.erasure import MAX_LEFT, LeftRow

WORDS = {
    "registry_rows": "phone, licence, document and name in canon.identity_registry",
    "ledger_rows": "evidence of yours in observational.lead_ledger",
    "kept_evidence": "older evidence of yours, kept for an undo",
    "excerpts": "excerpts of bad values",
    "quality_rows": "details of what checks of the sources found",
    "unmatched_rows": "details and candidates in canon.identity_unmatched",
    "held_rows": "scouting rows with the same phone or licence, held so that no run registers them",
}
TODO = {
    "ROW": "delete it, or empty phone, licence and name",
    "PAYLOAD": "look what its payload holds of the person",
    "EVIDENCE": "empty its evidence",
    "AUDIT": "sealed by an older version, it stays",
}


@click.command()
@click.argument("person_key")
@click.option("--dry-run", is_flag=True, help="Show what would go and what stays, write nothing.")
@click.option("--reason", help="Why, kept for good: 10 to 1,000 characters. Not for --dry-run.")
@output.json_option
def erase(person_key: str, dry_run: bool, reason: str | None) -> None:
    """Erase a person's phones, licences and names, and tell which rows of yours hold them still.

    Scout, decisions and audit stay, as keys; an erasure cannot be undone. Only an admin may.
    """
    from scout_core.access import permissions
    from scout_core.db.database import CHECK
    from scout_core.decide import erasure

    if dry_run:
        permissions.require(session.actor(), "erase")
        with session.database().transaction(CHECK) as conn:
            plan = erasure.preview(conn, person_key)
        title = f"Erasing {plan.person_key} would take. Nothing was written."
        output.emit(
            {"plan": plan}, lambda: _render(title, plan.counts, plan.left, plan.note_run_ids)
        )
        return
    if reason is None:
        raise click.UsageError("Give --reason TEXT, or --dry-run to look first.")
    done = erasure.erase(
        session.database(), actor=session.actor(), person_key=person_key, reason=reason
    )
    title = (
        f"{done.person_key} was erased before, and nothing has come back."
        if done.run_id is None
        else f"{done.person_key} erased by run {done.run_id}. It cannot be undone."
    )
    output.emit(
        {"erasure": done}, lambda: _render(title, done.counts, done.left, done.note_run_ids)
    )


def _render(
    title: str, counts: Mapping[str, int], left: Sequence[LeftRow], note_run_ids: Sequence[int]
) -> None:
    output.table(("What", "Rows"), [(WORDS[part], n) for part, n in counts.items()], title=title)
    if left:
        output.say("")
        output.table(
            ("Table", "Row", "What to do there"),
            [(row.source_table, row.source_pk, TODO[row.what]) for row in left],
            title="Left to you: the product does not write these tables"
            + (f" (the first {MAX_LEFT:,})" if len(left) == MAX_LEFT else ""),
        )
    if note_run_ids:
        runs = ", ".join(map(str, note_run_ids[:20]))
        output.say(f"Reasons that people wrote stay, sealed: look at runs {runs} for names.")
