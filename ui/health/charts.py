"""Charts of the health page: 30 days, coverage, last runs."""

from datetime import date, datetime
from statistics import median
from typing import Any

from scout_core.attribution.trend import Day, Funnel, Mark
from scout_core.health.last_runs import JobRun
from ui.parts import charts
from ui.parts.charts import Inks, axis, note
from ui.parts.text import LIMA, clean, duration, moment, number, percent, plain, short_day, t

SLOW_TIMES, SLOW_SECONDS = 3, 10  # a run is slow beyond both: times the median, seconds


def trend(data: tuple[tuple[Day, ...], tuple[Mark, ...], float], inks: Inks) -> dict[str, Any]:
    """Three panels over one time axis: shares, persons without scout, open conflicts."""
    days, marks, threshold = data
    x = [day.metric_date.isoformat() for day in days]
    leads = [_float(day.pct_satisfactory_leads) for day in days]
    persons = [_float(day.pct_satisfactory) for day in days]
    estimated = [day.is_estimated for day in days]
    traces = [
        *_line(x, persons, estimated, t("health.series_persons"), charts.NEUTRAL, 1.5),
        *_line(x, leads, estimated, t("health.series_leads"), charts.ACCENT, 2),
        _steps(x, [day.missing_count for day in days], t("health.series_missing"), "y2"),
        _steps(x, [day.conflicts_count for day in days], t("health.series_conflicts"), "y3"),
    ]
    known = [value for value in (*leads, *persons) if value is not None]
    top = max([threshold + 8, *(value + 6 for value in known)])
    notes = [
        note(
            inks,
            t("health.threshold", value=percent(threshold, 0)),
            x[0],
            threshold,
            xanchor="left",
            yanchor="bottom",
        ),
        note(inks, t("health.series_missing"), x[0], 0.44, yref="paper", xanchor="left"),
        note(inks, t("health.series_conflicts"), x[0], 0.175, yref="paper", xanchor="left"),
    ]
    for values, name in ((leads, "series_leads"), (persons, "series_persons")):
        if values[-1] is not None:
            words = f"{t(f'health.{name}')} {percent(values[-1])}"
            notes.append(note(inks, words, x[-1], values[-1], xanchor="right", yshift=11))
    last = days[-1]
    for panel, count in (("y2", last.missing_count), ("y3", last.conflicts_count)):
        notes.append(
            note(inks, number(count), x[-1], count or 0, yref=panel, xanchor="right", yshift=9)
        )
    first_known = next((i for i, is_guess in enumerate(estimated) if not is_guess), None)
    if first_known is not None and first_known > 3 and persons[first_known // 2] is not None:
        middle = first_known // 2
        notes.append(note(inks, t("health.estimated"), x[middle], persons[middle], yshift=-12))
    shapes = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": threshold,
            "y1": threshold,
            "line": {"color": charts.OK, "width": 1, "dash": "dash"},
        }
    ]
    for place, mark in enumerate(marks, 1):
        failed = mark.status == "FAILED"
        at = mark.started_at.astimezone(LIMA).date().isoformat()
        shapes.append(
            {
                "type": "line",
                "yref": "paper",
                "x0": at,
                "x1": at,
                "y0": 0,
                "y1": 1,
                "line": {
                    "color": charts.FAIL if failed else charts.NEUTRAL,
                    "width": 1,
                    "dash": "dot",
                },
            }
        )
        notes.append(
            note(
                inks,
                f"{place} ✕" if failed else str(place),
                at,
                1,
                yref="paper",
                yanchor="bottom",
            )
        )
    ticks = list(range(len(days) - 1, -1, -7))[::-1]
    return {
        "data": traces,
        "layout": {
            "hovermode": "x unified",
            "hoversubplots": "axis",
            "xaxis": axis(
                inks,
                type="date",
                anchor="y3",
                tickvals=[x[i] for i in ticks],
                ticktext=[short_day(days[i].metric_date) for i in ticks],
                showgrid=False,
                hoverformat="%d/%m/%Y",
            ),
            "yaxis": axis(
                inks,
                domain=[0.5, 1],
                range=[0, top],
                tickvals=(shares := _ticks(top)),
                ticktext=[percent(value, 0) for value in shares],
            ),
            "yaxis2": _panel(inks, [0.25, 0.41], [day.missing_count for day in days]),
            "yaxis3": _panel(inks, [0, 0.14], [day.conflicts_count or 0 for day in days]),
            "margin": {"l": 0, "r": 0, "b": 0, "t": 20},
            "shapes": shapes,
            "annotations": notes,
        },
    }


def coverage(data: tuple[Funnel, int | None], inks: Inks) -> dict[str, Any]:
    """Bars from one baseline: registered, leads, named, in the ledger, with a claim."""
    steps = funnel_steps(*data)
    texts, before = [], None
    for _, count in steps:
        share = "" if before in (None, 0) else f"  {percent(100 * count / before)}"
        texts.append(f"<b>{number(count)}</b>{share}")
        before = count
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": [name for name, _ in steps],
                "x": [count for _, count in steps],
                "text": texts,
                "textposition": "outside",
                "textangle": 0,
                "constraintext": "none",
                "cliponaxis": False,
                "textfont": {"color": inks.text, "size": 12},
                "marker": {"color": [charts.NEUTRAL] + [charts.ACCENT] * (len(steps) - 1)},
                "width": 0.5,
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": axis(
                inks, visible=False, range=[0, max(1, *(count for _, count in steps)) * 1.3]
            ),
            "yaxis": axis(inks, autorange="reversed", showgrid=False, ticksuffix=" "),
        },
    }


def funnel_steps(funnel: Funnel, with_claim: int | None) -> list[tuple[str, int]]:
    """The steps with their words; the claims step is left out when it is unknown."""
    steps = [
        (t("health.step_registered"), funnel.registered),
        (t("health.step_leads"), funnel.leads),
        (t("health.step_named"), funnel.named),
        (t("health.step_ledger"), funnel.in_ledger),
    ]
    return steps if with_claim is None else [*steps, (t("health.step_claim"), with_claim)]


def runs(data: tuple[JobRun, ...], inks: Inks) -> dict[str, Any]:
    """How long each run took, oldest left; failed ones marked, slow ones named."""
    shown = data[::-1]
    seconds = [_seconds(run) for run in shown]
    usual = median(s for s in seconds) if seconds else 0
    slow = [s > SLOW_TIMES * usual and s > SLOW_SECONDS for s in seconds]
    highest = max([1.0, *seconds])
    fills = [
        charts.FAIL if run.is_failed else charts.WARN if is_slow else charts.OK
        for run, is_slow in zip(shown, slow, strict=True)
    ]
    marks = [
        "✕" if run.is_failed else t("health.slow") if is_slow else ""
        for run, is_slow in zip(shown, slow, strict=True)
    ]
    ticks = list(range(0, len(shown), 6))
    return {
        "data": [
            {
                "type": "bar",
                "x": list(range(len(shown))),
                # a run of no time would have no bar to point at
                "y": [max(s, highest * 0.02) for s in seconds],
                "marker": {"color": fills},
                "width": 0.7,
                "text": marks,
                "textposition": "outside",
                "textangle": 0,
                "constraintext": "none",
                "cliponaxis": False,
                "textfont": {"color": inks.text, "size": 12},
                "hovertext": [
                    t(
                        "health.hover_run",
                        run_id=run.run_id,
                        time=moment(run.started_at),
                        state=t(f"common.state_{run.status}").lower(),
                        took=duration(_seconds(run)),
                    )
                    for run in shown
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": axis(
                inks,
                tickvals=ticks,
                ticktext=[moment(shown[i].started_at) for i in ticks],
                showgrid=False,
            ),
            "yaxis": axis(
                inks,
                range=[0, highest * 1.25],
                tickvals=[0, highest / 2, highest],
                ticktext=["0", duration(highest / 2), duration(highest)],
            ),
        },
    }


def marks_in_words(marks: tuple[Mark, ...]) -> str:
    """What the numbered lines of the trend are."""
    told = []
    for place, mark in enumerate(marks, 1):
        if mark.status == "FAILED":
            words = t("health.mark_failed", day=_day(mark.started_at))
        elif mark.is_first:
            words = t("health.mark_first")
        else:
            words = t("health.mark_forced", actor=plain(clean(mark.actor or "", 20)))
        told.append(f"{place} {words}")
    return " · ".join(told)


def _day(at: datetime) -> str:
    local: date = at.astimezone(LIMA).date()
    return short_day(local)


def _line(
    x: list[str], y: list[float | None], estimated: list[bool], name: str, colour: str, width: float
) -> list[dict[str, Any]]:
    """A line whose estimated days are dotted; both parts share the day where they meet."""
    known = [None if guess else value for value, guess in zip(y, estimated, strict=True)]
    near = [
        value
        if guess or (i and estimated[i - 1]) or (i + 1 < len(y) and estimated[i + 1])
        else None
        for i, (value, guess) in enumerate(zip(y, estimated, strict=True))
    ]
    hover = f"{name} %{{y:.1f}} %<extra></extra>"
    parts: list[dict[str, Any]] = []
    for values, dash, template in ((near, "dot", None), (known, "solid", hover)):
        if any(value is not None for value in values):
            parts.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": x,
                    "y": values,
                    "line": {"color": colour, "width": width, "dash": dash},
                    "name": name,
                    "hoverinfo": "skip" if template is None else "all",
                    "hovertemplate": template,
                }
            )
    if y[-1] is not None:
        parts.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x[-1:],
                "y": y[-1:],
                "marker": {"color": colour, "size": 7},
                "hoverinfo": "skip",
            }
        )
    return parts


def _steps(x: list[str], y: list[int | None], name: str, panel: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "yaxis": panel,
        "line": {"color": charts.NEUTRAL, "width": 1.5, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": "rgba(122,134,153,0.16)",
        "name": name,
        "hovertemplate": f"{name} %{{y:,d}}<extra></extra>",
    }


def _panel(inks: Inks, domain: list[float], values: list[int]) -> dict[str, Any]:
    highest = max([1, *values])
    return axis(
        inks,
        domain=domain,
        range=[0, highest * 1.3],
        tickvals=[0, highest],
        ticktext=["0", number(highest)],
    )


def _ticks(top: float) -> list[int]:
    return [value for value in (0, 20, 40, 60, 80, 100) if value <= top]


def _seconds(run: JobRun) -> float:
    if run.completed_at is None:
        return 0.0
    return max(0.0, (run.completed_at - run.started_at).total_seconds())


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
