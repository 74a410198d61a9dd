"""`refresh`, `plan`, `status`, `verify`: run the job, see what it would do and what it did."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from scout_core.cli import output, session


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and write nothing: the same as `plan`."
)
@click.option("--force", is_flag=True, help="Run although the guard would stop it; needs --reason.")
@click.option("--reason", help="Why, kept with the run: 10 to 1,000 characters.")
@click.option(
    "--trigger",
    type=click.Choice(["cron", "manual"]),
    default="manual",
    show_default=True,
    help="Who starts it: only cron counts as a sign of life of the scheduler.",
)
@output.json_option
def refresh(dry_run: bool, force: bool, reason: str | None, trigger: Any) -> None:
    """Run the job once: link scouting rows to persons, give persons their scout, record it."""
    if dry_run:
        _show_plan(rows=10)
        return
    from scout_core.alerts import rounds
    from scout_core.job.refresh import run_refresh
    from scout_core.notify.heartbeat import Pinging

    settings = session.settings()
    with (
        Pinging(settings, is_scheduled=trigger == "cron") as ping,
        output.step_progress() as progress,
    ):
        database = session.database()
        result = run_refresh(
            database,
            settings,
            actor=session.actor(),
            trigger=trigger,
            force=force,
            reason=reason,
            progress=progress,
            opened=ping.started,
        )
    output.emit({"run": result}, lambda: render_run(result))
    # the run stands, and its lock is free: what follows may take its time
    rounds.after_run(database, settings, datetime.now(UTC), result.run_id)


@click.command()
@click.option(
    "--rows",
    default=10,
    show_default=True,
    type=click.IntRange(0, 100_000),
    help="How many rows of each list to print.",
)
@output.json_option
def plan(rows: int) -> None:
    """Show exactly what the next run would change, by rule and reason. Writes nothing."""
    _show_plan(rows)


@click.command()
@click.option(
    "--limit",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many runs to list.",
)
@output.json_option
def status(limit: int) -> None:
    """Show the numbers now and the last runs."""
    from scout_core.attribution import coverage
    from scout_core.db.database import LOOK
    from scout_core.runs import record as runs

    with session.database().transaction(LOOK) as conn:
        snapshot = coverage.snapshot(conn)
        reasons = coverage.count_reasons(conn)
        newest = runs.list_newest(conn, limit=limit)

    def render() -> None:
        output.table(
            ("Persons", "Number", "Share"),
            [
                ("registered", f"{snapshot.total_persons:,}", ""),
                (
                    "  with their scout",
                    f"{snapshot.persons_with_scout_satisfactory:,}",
                    _pct(snapshot.pct_scout_satisfactory),
                ),
                ("  without scout", f"{snapshot.persons_missing_scout:,}", ""),
                ("lead persons", f"{snapshot.lead_persons:,}", ""),
                (
                    "  with their scout",
                    f"{snapshot.satisfactory_lead_persons:,}",
                    _pct(snapshot.pct_scout_satisfactory_leads),
                ),
                ("in conflict", f"{snapshot.conflicts_count:,}", ""),
            ],
        )
        output.say("")
        output.table(
            ("Category", "Reason", "Persons"),
            [(r.category, r.reason_code, r.person_count) for r in reasons],
            title="Without scout, by reason",
        )
        output.say("")
        if not newest:
            output.say("The job has never run: `python -m scout_core refresh` runs it.")
            return
        output.table(
            ("Run", "Kind", "Started (UTC)", "Trigger", "By", "Status", "Reason of failure"),
            [
                (
                    r.run_id,
                    r.job_type.removeprefix("scout_attribution_"),
                    f"{r.started_at:%Y-%m-%d %H:%M:%S}",
                    r.trigger,
                    r.actor,
                    r.status,
                    r.error,
                )
                for r in newest
            ],
            title="Last runs",
        )

    output.emit({"snapshot": snapshot, "reasons": reasons, "runs": newest}, render)


def _count(by_rule: Mapping[str, int]) -> str:
    return f"{sum(by_rule.values()):,}"


@click.command()
@click.option("--full", is_flag=True, help="Every person, also where there are more than 200,000.")
@click.option(
    "--seal",
    help="A seal that was kept outside, from the summary, log line or message of a run: it must be "
    "in the chain.",
)
@output.json_option
def verify(full: bool, seal: str | None) -> int:
    """Check the invariants: audit, seals, ledger, links, numbers; exit code 1 when one breaks.

    Seals are reckoned anew from the rows, and functions, triggers, tables and views compared with
    those of this version. Whoever owns the database can still cut the newest seals, or make the
    whole chain anew: that shows with --seal only.

    Where the stored state of persons is not what the sources say (changes while triggers were
    off: a restore, a replica), it is settled anew, and alerts are compared with all that is wrong;
    the exit code still tells of it.
    """
    from scout_core.alerts import rounds
    from scout_core.attribution import settle
    from scout_core.health import invariants

    database = session.database()
    kept = None if seal is None else invariants.seal_is_known(database, seal)
    results = invariants.verify(database, is_full=full, settings=session.settings())
    if kept is not None:
        results.append(kept.result)
    broken = [result for result in results if not result.holds]
    healed = None
    if any(result.name in invariants.STATE_CHECKS for result in broken):
        healed = settle.build(database)
    news = None
    if any(result.name == invariants.ALERT_CHECK for result in broken):
        now = datetime.now(UTC)
        news = rounds.make_round(database, session.settings(), now, is_whole=True)

    def render() -> None:
        output.table(
            ("", "Invariant", "Rows"),
            [("ok" if r.holds else "BROKEN", r.label, r.offending_count) for r in results],
        )
        for result in broken:
            output.say("")
            output.say(f"{result.name}: {result.label}")
            for row in result.sample:
                output.say("  " + ", ".join(f"{k} {v}" for k, v in row.items()))
        output.say("")
        if kept is not None and kept.place is not None:
            output.say(_place(kept.place))
        output.say(
            f"All {len(results)} invariants hold."
            if not broken
            else f"{len(broken)} of {len(results)} invariants are broken: see the rows above and "
            "sql/checks for what each looks at."
        )
        if healed is not None:
            output.say(
                f"Every person was settled anew ({healed.changed:,} changed): run verify again, "
                "the numbers and lists are right now."
            )
        if news is not None:
            output.say(
                f"The alerts were compared with all that is wrong ({_count(news.opened)} opened, "
                f"{_count(news.reopened)} open again, {_count(news.resolved)} resolved)."
            )

    output.emit(
        {
            "holds": not broken,
            "checks": results,
            "seal": kept and kept.place,
            "settled_anew": healed,
            "alerts_compared": news,
        },
        render,
    )
    return 1 if broken else 0


def _place(place: Any) -> str:
    if not place.newer_seals:
        return f"The seal that was given is the newest: number {place.seal_no}."
    return (
        f"The seal that was given is number {place.seal_no}, of run {place.run_id}; "
        f"seals after it: {place.newer_seals:,}, later runs that sealed: {place.newer_runs:,}."
    )


def _show_plan(rows: int) -> None:
    from scout_core.db.database import CHECK
    from scout_core.job import refresh as job

    with session.database().transaction(CHECK) as conn:
        planned = job.plan(conn, session.settings())
    links = [link for link in planned.links if link.outcome == "LINK"]
    left = [link for link in planned.links if link.outcome != "LINK"]
    by_rule = Counter(link.match_rule for link in links)
    by_reason = Counter(link.reason_code for link in left)

    def render() -> None:
        output.table(
            ("Step", "Would", "By", "Rows"),
            [
                ("link", "link a scouting row", rule, n)
                for rule, n in sorted(by_rule.items(), key=str)
            ]
            + [("link", "leave it", reason, n) for reason, n in sorted(by_reason.items(), key=str)]
            + [("link", "write a new reason", "", sum(link.is_new_reason for link in left))]
            + [
                (
                    "propagate",
                    "give a scout",
                    "BACKFILL_SINGLE_SCOUT_FROM_EVENTS",
                    len(planned.scouts),
                )
            ]
            + [
                ("propagate", "leave without", reason, n)
                for reason, n in planned.skipped_scouts.items()
            ],
            title=f"The next run would change {planned.changed_rows:,} rows. Nothing was written.",
        )
        if links:
            output.say("")
            output.table(
                ("Scouting row", "Scout", "Rule", "Person"),
                [
                    (
                        x.source_pk,
                        x.scout_id,
                        x.match_rule,
                        ("new " if x.is_new_person else "")
                        + (x.person_key or "")
                        + (f", moved from {x.moved_from}" if x.moved_from else ""),
                    )
                    for x in links[:rows]
                ],
                title=f"Links (first {min(rows, len(links))} of {len(links):,})",
            )
        if planned.scouts:
            output.say("")
            output.table(
                ("Person", "Scout", "Ledger row"),
                [
                    (x.person_key, x.scout_id, "updated" if x.has_ledger_row else "new")
                    for x in planned.scouts[:rows]
                ],
                title=f"Scouts (first {min(rows, len(planned.scouts))} of {len(planned.scouts):,})",
            )
        if planned.guard:
            output.say("")
            output.say(
                f"The guard would stop it: {planned.guard}. To run it all the same: "
                "`refresh --force --reason TEXT`."
            )

    output.emit(
        {
            "changed_rows": planned.changed_rows,
            "total_persons": planned.total_persons,
            "is_first_run": planned.is_first_run,
            "guard": planned.guard,
            "links_by_rule": dict(by_rule),
            "left_by_reason": dict(by_reason),
            "links": planned.links,
            "scouts": planned.scouts,
            "skipped_scouts": planned.skipped_scouts,
        },
        render,
    )


def render_run(result: Any) -> None:
    """Print how a refresh ended."""
    if result.is_attached:
        output.say(f"Run {result.run_id} answers this request already ({result.status}).")
        return
    steps = result.stats["steps"]
    link, propagate, record = steps["link"], steps["propagate"], steps["record"]
    rows: list[tuple[object, ...]] = [("link", "scouting rows without link", link["seen"])]
    rows += [("", f"linked, {rule}", n) for rule, n in link["by_rule"].items() if n]
    rows += [("", f"left, {reason}", n) for reason, n in link["skipped"].items()]
    rows += [("propagate", "persons with a scout in their events only", propagate["seen"])]
    rows += [("", "given their scout", propagate["changed"])]
    rows += [("", f"left, {reason}", n) for reason, n in propagate["skipped"].items()]
    rows += [("record", "open issues of the sources", record["issues"]["open"])]
    rows += [("", rule, n) for rule, n in sorted(record["issues"]["by_rule"].items())]
    seconds = (result.completed_at - result.started_at).total_seconds()
    output.table(
        ("Step", "What", "Rows"),
        rows,
        title=f"Run {result.run_id} completed in {seconds:.1f} s: "
        f"{link['changed']:,} links, {propagate['changed']:,} scouts.",
    )
    lost = steps.get("sources", {}).get("lost")
    if lost:
        output.say(
            f"Look at this: {lost}. Scheduled runs stop until the rows are back, or until "
            "`refresh --force --reason TEXT`."
        )
    seal = result.stats["seal"]
    output.seal(seal)
    if seal.get("of_others"):
        output.say(f"Sealed before it: {seal['of_others']:,} rows that no run had sealed.")


def _pct(share: object) -> str:
    return "n/a" if share is None else f"{share} %"
