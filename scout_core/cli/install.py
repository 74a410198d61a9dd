"""`init`, `uninstall`, `doctor`: the product on a database."""

import click

from scout_core.cli import output, session

ICONS = {"OK": "✓", "WARN": "!", "FAIL": "✗"}


@click.command()
@output.json_option
def init() -> None:
    """Install on the database, or bring an installation up to date.

    Run it as often as you like: it does only what is missing.
    """
    from scout_core.install import init as install

    settings = session.settings()
    report = install.init(session.database(), settings, report=output.say)
    output.emit(
        {
            "done": report.done,
            "lost": report.lost,
            "has_separate_roles": report.has_separate_roles,
        },
        lambda: output.say("Nothing to do." if report.is_nothing else "Installed."),
    )


@click.command()
@click.option("--yes", is_flag=True, help="Do it; without this nothing is changed.")
@output.json_option
def uninstall(yes: bool) -> None:
    """Take the product away from the database; the audit tables and the source data stay."""
    from scout_core.install.uninstall import count_judgement
    from scout_core.install.uninstall import uninstall as take_away

    if not yes:
        going = count_judgement(session.database())
        raise click.UsageError(
            f"This drops the views, triggers, indexes, roles, and schema scout with {going} and "
            f"all its history: say --yes to do it. {going.consequence}".strip()
        )
    report = take_away(session.database(), report=output.say)
    output.emit(
        {
            "done": report.done,
            "lost": report.lost,
            "decisions": report.judgement.decisions,
            "holds": report.judgement.holds,
        },
        lambda: output.say("Nothing to do." if report.is_nothing else "Uninstalled."),
    )


@click.command()
@output.json_option
def doctor() -> int:
    """Say layer by layer what is right, what is not, and what to do. Exit code 1 on a FAIL."""
    from scout_core.install import doctor as examination

    settings = session.settings()
    findings = examination.examine(session.database(), settings)
    worst = "OK"
    for state in ("WARN", "FAIL"):
        worst = state if any(f.state == state for f in findings) else worst
    output.emit(
        {"status": worst, "findings": findings},
        lambda: output.table(
            ("", "layer", "subject", "what", "to do"),
            [(f"{ICONS[f.state]} {f.state}", f.layer, f.name, f.what, f.todo) for f in findings],
        ),
    )
    return 1 if worst == "FAIL" else 0
