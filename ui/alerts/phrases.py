"""Alerts in words: rule, severity, status, subject, what to do; of rules that are not known here
the words that came with the alert."""

from datetime import datetime

from scout_core.alerts import source_row
from scout_core.alerts.register import Alert
from ui.parts.text import catalogue, clean, moment, plain, t

SEVERITIES = {
    # severity -> colour, icon
    "FAIL": ("red", "error"),
    "WARN": ("orange", "warning"),
    "INFO": ("gray", "info"),
}
STATUSES = {
    "OPEN": ("orange", "notifications_active"),
    "ACKNOWLEDGED": ("blue", "visibility"),
    "MUTED": ("gray", "notifications_off"),
    "RESOLVED": ("green", "check_circle"),
}
SHORT_KEY = 8


def rule_of(rule: str) -> str:
    """What a rule is called; a check of the sources by the name of the check."""
    for key in (f"alerts.rule_{rule}", f"quality.name_{rule.removeprefix('QUALITY_').lower()}"):
        if key in catalogue():
            return t(key)
    return clean(rule)


def told_rules() -> list[str]:
    """The rules that have words here; those of the checks of the sources have theirs there."""
    parts = (key.partition(".") for key in catalogue())
    return [
        name.removeprefix("rule_")
        for file, _, name in parts
        if file == "alerts" and name.startswith("rule_")
    ]


def severity_of(severity: str) -> str:
    """The word of a severity."""
    return t(f"alerts.severity_{severity}")


def severity_badge(severity: str) -> str:
    """A severity as markdown: icon, word, colour."""
    colour, icon = SEVERITIES[severity]
    return f":{colour}-badge[:material/{icon}: {severity_of(severity)}]"


def status_of(status: str) -> str:
    """The word of a status."""
    return t(f"alerts.status_{status}")


def status_badge(alert: Alert) -> str:
    """A status as markdown; a mute with its end."""
    colour, icon = STATUSES[alert.status]
    word = status_of(alert.status)
    if alert.status == "MUTED":
        word = t("alerts.muted_until", time=moment(alert.muted_until))
    return f":{colour}-badge[:material/{icon}: {word}]"


def subject_of(alert: Alert) -> str:
    """What is wrong, short: a person by the beginning of the key, a row by table and key."""
    if alert.subject == alert.person_key:
        return alert.subject[:SHORT_KEY]
    row = source_row.row_of(alert.subject)
    if row is None:
        key = f"alerts.subject_{alert.subject}"
        return t(key) if key in catalogue() else clean(alert.subject)
    table = row[0].rpartition(".")[2].removeprefix("module_ct_")
    return clean(f"{table} {row[1]}")


def next_of(rule: str) -> str:
    """What to do about a rule."""
    key = f"alerts.next_{rule}"
    if key in catalogue():
        return t(key)
    return t("alerts.next_QUALITY" if rule.startswith("QUALITY_") else "alerts.next_other")


def told(alert: Alert) -> str:
    """The sentence of an alert, for markdown: in the language of the page where its rule has one,
    else as it was written."""
    key = f"alerts.what_{alert.rule}"
    return t(key) if key in catalogue() else plain(alert.text)


def event_of(event: str, actor: str | None, at: datetime) -> str:
    """One line of the life of an alert: when, what, who."""
    word = t(f"alerts.event_{event}")
    who = t("alerts.by_itself") if actor is None else t("alerts.by", actor=plain(actor))
    return f"{moment(at)} · **{word}** · {who}"
