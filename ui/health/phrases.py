"""The verdict in words: what, since when, how far, what next."""

import math
from datetime import datetime, timedelta

from scout_core.attribution.coverage import Snapshot
from scout_core.health.last_runs import Pulse
from scout_core.health.verdict import Change, Reason, Verdict
from scout_core.settings import Settings
from ui.parts.text import (
    NOTHING,
    ago,
    clean,
    clock,
    counted,
    duration,
    joined,
    moment,
    number,
    percent,
    plain,
    t,
)


def title(verdict: Verdict, snapshot: Snapshot) -> str:
    """The first of the worst indicators, as what is wrong."""
    if verdict.status == "OK":
        return t("health.title_lights" if _beside(verdict) else "health.all_fine")
    if _hidden(verdict):
        return t("health.title_hidden")
    worst = next(r for r in verdict.reasons if r.status == verdict.status)
    if worst.indicator == "satisfactory":
        return t("health.title_satisfactory" if snapshot.total_persons else "health.title_nobody")
    if worst.indicator == "conflicts":
        return t("health.title_conflicts")
    return t(f"health.title_run_{_kind_of_run(worst)}")


def body(
    verdict: Verdict, snapshot: Snapshot, pulse: Pulse, settings: Settings, now: datetime
) -> str:
    """How far each bad indicator is, the next attempt, and which ones are fine."""
    if verdict.status == "OK":
        share, conflicts, _ = verdict.reasons
        ended = pulse.last.completed_at if pulse.last else None
        told = t(
            "health.all_fine_body",
            share=percent(_float(share.value)),
            conflicts=number(_float(conflicts.value)),
            ago=ago(ended, now),
        )
        return " ".join([told, *_beside(verdict)])
    hidden = _hidden(verdict)
    bad = [
        r
        for r in verdict.reasons
        if r.status != "OK" and not (hidden and r.status == "UNKNOWN" and r.value is None)
    ]
    fine = [t(f"health.name_{r.indicator}") for r in verdict.reasons if r.status == "OK"]
    said = [_how_far(r, snapshot, pulse, settings, now) for r in bad]
    if any(r.indicator == "last_run" for r in bad) and pulse.next_at and pulse.next_at > now:
        said.append(t("health.body_next", time=clock(pulse.next_at)))
    if fine:
        said.append(t("health.body_fine", names=", ".join(fine)))
    if hidden:
        said.insert(0, t("health.body_hidden", tables=plain(hidden)))
        return " ".join(said)
    return " ".join([*said, *_beside(verdict)])


def indicator(reason: Reason, pulse: Pulse, settings: Settings, now: datetime) -> str:
    """Name and value of an indicator, as markdown."""
    if reason.indicator == "satisfactory":
        whom = t(f"health.whom_{settings.health_population}")
        return t("health.indicator_satisfactory", value=percent(_float(reason.value)), whom=whom)
    if reason.indicator == "conflicts":
        return t("health.indicator_conflicts", value=number(_float(reason.value)))
    return t("health.indicator_last_run", value=_run_value(reason, pulse, now))


def rule(reason: Reason, settings: Settings) -> str:
    """From where on an indicator is fine, and since when it is as it is."""
    threshold = {
        "satisfactory": percent(settings.health_satisfactory_ok_pct, 0),
        "conflicts": number(settings.health_conflicts_warn),
        "last_run": duration(timedelta(minutes=settings.health_late_minutes)),
    }[reason.indicator]
    said = t(f"health.rule_{reason.indicator}", threshold=threshold)
    if reason.indicator == "last_run" and _kind_of_run(reason) == "stuck":
        allowed = timedelta(minutes=settings.health_stuck_minutes)
        said = t("health.rule_stuck", threshold=duration(allowed))
    if reason.since is None:
        return said
    return f"{said} · {t('health.since', time=moment(reason.since))}"


def light(reason: Reason) -> str:
    """A light as a badge says it."""
    if reason.indicator == "scheduler":
        if reason.status == "UNKNOWN" and reason.value is not None:
            return t("health.scheduler_clock")
        return t(f"health.scheduler_{reason.status}")
    if reason.indicator == "sources":
        if reason.status in {"OK", "UNKNOWN"}:
            return t(f"health.fresh_{reason.status}")
        if reason.status == "FAIL":
            return counted("health.fresh_hidden", len(str(reason.value).split(", ")))
        return counted("health.fresh_late", len(str(reason.value).split(", ")))
    return t(f"health.light_last_run_{reason.status}")


def source(name: str) -> str:
    """A source by its short name."""
    return name.rsplit(".", maxsplit=1)[-1].removeprefix("module_ct_")


def name(indicator: str) -> str:
    """An indicator or light, or the verdict itself, as a table names it."""
    said = t(f"health.name_{indicator}")
    return said[0].upper() + said[1:]


def change_value(change: Change) -> str:
    """What was seen when a state changed."""
    value = change.value
    if value is None or change.indicator == "scheduler":
        return NOTHING
    if change.indicator == "satisfactory":
        return percent(float(value))
    if change.indicator == "conflicts":
        return number(int(value))
    if change.indicator == "last_run":
        return t(f"common.state_{value}")
    if change.indicator == "overall":
        return joined(t(f"health.name_{name}") for name in value.split(", "))
    return joined(plain(source(name)) for name in value.split(", "))


def _hidden(verdict: Verdict) -> str | None:
    """Tables that cannot be read whole or are others than at the installation; null = none."""
    light = next(r for r in verdict.lights if r.indicator == "sources")
    if light.status != "FAIL":
        return None
    return str(light.value).replace("schema scout", t("health.our_views"))


def _beside(verdict: Verdict) -> list[str]:
    """The lights that do not count but ask for attention, as one sentence or none."""
    bad = [
        r
        for r in verdict.lights
        if r not in verdict.reasons and r.status in {"WARN", "STALE", "FAIL"}
    ]
    if not bad:
        return []
    said = ", ".join(light(r)[0].lower() + light(r)[1:] for r in bad)
    return [t("health.body_beside", lights=said)]


def _how_far(
    reason: Reason, snapshot: Snapshot, pulse: Pulse, settings: Settings, now: datetime
) -> str:
    if reason.indicator == "satisfactory":
        if not snapshot.total_persons:
            return t("health.body_nobody")
        return t(
            f"health.body_satisfactory_{settings.health_population}",
            count=number(_lacking(snapshot, settings)),
            threshold=percent(settings.health_satisfactory_ok_pct, 0),
        )
    if reason.indicator == "conflicts":
        return t(
            "health.body_conflicts",
            count=number(_float(reason.value)),
            threshold=number(settings.health_conflicts_warn),
        )
    kind = _kind_of_run(reason)
    if kind == "failed":
        why = clean(pulse.last.error if pulse.last and pulse.last.error else "", 160)
        return t("health.body_run_failed", reason=plain(why)).strip()
    if kind == "stuck":
        return t("health.body_run_stuck", ago=ago(reason.since, now))
    if kind == "clock":
        return t("health.body_run_clock")
    if kind == "late":
        ended = pulse.last.completed_at if pulse.last else None
        return t("health.body_run_late", ago=ago(ended, now))
    return t("health.body_run_never")


def _kind_of_run(reason: Reason) -> str:
    if reason.status == "UNKNOWN" and reason.value is not None:
        return "clock"
    if reason.value == "FAILED":
        return "failed"
    if reason.value == "RUNNING":
        return "stuck"
    return "late" if reason.value == "COMPLETED" else "never"


def _run_value(reason: Reason, pulse: Pulse, now: datetime) -> str:
    if reason.value == "FAILED":
        return t("health.run_value_failed", ago=ago(reason.since, now))
    if _kind_of_run(reason) == "clock":
        return t("health.run_value_clock")
    if reason.value == "RUNNING":
        return t("health.run_value_running", time=clock(reason.since))
    if reason.value is None or pulse.last is None:
        return t("health.run_value_never")
    return ago(pulse.last.completed_at, now)


def _lacking(snapshot: Snapshot, settings: Settings) -> int:
    """How many more with a scout put the share above the threshold."""
    if settings.health_population == "leads":
        have, total = snapshot.satisfactory_lead_persons, snapshot.lead_persons
    else:
        have, total = snapshot.persons_with_scout_satisfactory, snapshot.total_persons
    return max(0, math.floor(settings.health_satisfactory_ok_pct * total / 100) + 1 - have)


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
