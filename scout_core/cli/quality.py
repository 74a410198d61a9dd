"""`quality`: what the checks of the sources found, run them now, list the rows of one."""

from datetime import UTC, datetime

import click

from scout_core.cli import output, session
from scout_core.health.source_checks import CHECK_NAMES, CheckResult, QualityRow


@click.command()
@click.argument("check", required=False, type=click.Choice(CHECK_NAMES), metavar="[CHECK]")
@click.option("--run", is_flag=True, help="Run the checks now, or only CHECK.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many rows of CHECK to list.",
)
@output.json_option
def quality(check: str | None, run: bool, limit: int) -> int:
    """Show what the checks of the sources found, and the rows of CHECK.

    They run once a day by themselves; exit code 1 when one could not be run.
    """
    from scout_core.db.database import LOOK
    from scout_core.health import source_checks as quality_module
    from scout_core.lists.paging import MAX_PAGE_SIZE

    database = session.database()
    if run:
        quality_module.run_checks(
            database,
            session.settings(),
            datetime.now(UTC),
            actor=session.actor(),
            check=check,
        )
    with database.transaction(LOOK) as conn:
        results = quality_module.list_results(conn)
        if check is not None:
            results = tuple(r for r in results if r.check.name == check)
        total = 0
        listed: list[QualityRow] = []
        after, given = None, quality_module.QualityFilters(check)
        while check is not None and len(listed) < limit:
            size = min(limit - len(listed), MAX_PAGE_SIZE)
            page = quality_module.list_rows(conn, given, after=after, page_size=size)
            total, after = page.total, page.after
            listed += page.rows
            if after is None:
                break

    def render() -> None:
        output.table(
            ("Check", "Severity", "State", "Rows", "Change", "Ran (UTC)"),
            [
                (
                    r.check.name,
                    r.check.severity,
                    "never ran" if r.last is None else r.last.state,
                    None if r.last is None else r.last.row_count,
                    _change(r),
                    None if r.last is None else f"{r.last.ran_at:%Y-%m-%d %H:%M}",
                )
                for r in results
            ],
        )
        for result in results:
            if result.last is not None and result.last.error is not None:
                output.say(f"{result.check.name} could not be run: {result.last.error}")
        if check is None:
            output.say("`python -m scout_core quality CHECK` lists the rows of one.")
            return
        output.say(results[0].check.finds)
        if listed:
            shown = f", the first {len(listed):,}" if len(listed) < total else ""
            output.say("")
            output.table(
                ("Source", "Row", "Person", "Detail", "Day", "Found (UTC)"),
                [
                    (
                        row.source_table,
                        row.source_pk,
                        row.person_key,
                        row.detail,
                        row.on_date,
                        f"{row.found_at:%Y-%m-%d %H:%M}",
                    )
                    for row in listed
                ],
                title=f"{total:,} rows{shown}",
            )

    told = {"checks": results}
    output.emit(told if check is None else {**told, "total": total, "rows": listed}, render)
    return int(any(r.last is not None and r.last.state == "FAILED" for r in results))


def _change(result: CheckResult) -> str | None:
    if result.last is None or result.last.row_count is None or result.count_before is None:
        return None
    return f"{result.last.row_count - result.count_before:+,}"
