"""/metrics: what a monitor scrapes, as OpenMetrics or as the Prometheus text format. Counts and
times, no keys of persons.

The numbers are read when they are asked for; only what the API itself did is counted on the way.
"""

import time
from collections.abc import Callable, Iterator, MutableMapping
from datetime import datetime
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Histogram, exposition
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from api.services import Services, now
from scout_core import __version__
from scout_core.attribution import coverage, settle
from scout_core.db.database import API
from scout_core.errors import ScoutError
from scout_core.health import last_runs
from scout_core.health import verdict as health
from scout_core.health.states import Status
from scout_core.notify import outbox

OPENMETRICS, TEXT = "application/openmetrics-text", "text/plain"
CONTENT_TYPES = {
    OPENMETRICS: openmetrics.CONTENT_TYPE_LATEST,
    TEXT: exposition.CONTENT_TYPE_PLAIN_0_0_4,
}

_counted = CollectorRegistry(auto_describe=False)
_requests = Histogram(
    "scout_api_request_seconds",
    "Time to answer a request of the API, by route and status.",
    ["method", "route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10),
    registry=_counted,
)


class Clock:
    """Counts an answer of the API when its head is sent."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.scope, self.began = scope, time.perf_counter()

    def note(self, status: int) -> None:
        """The request was answered with this status."""
        # the pattern of the route, never the address that was asked for
        route = getattr(self.scope.get("route"), "path", "none")
        method = self.scope["method"] if self.scope["method"] in {"GET", "POST"} else "other"
        _requests.labels(method, route, str(status)).observe(time.perf_counter() - self.began)


def scrape(services: Services, accept: str | None) -> tuple[bytes, str]:
    """Everything now and its content type: the form that the Accept header prefers, OpenMetrics
    where it takes both or names neither. Without the database scout_up is 0 and what it would tell
    is left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(services))
    form = preferred(accept)
    if form == TEXT:
        return b"".join(exposition.generate_latest(part) for part in (registry, _counted)), (
            CONTENT_TYPES[TEXT]
        )
    texts = [
        openmetrics.generate_latest(part)  # type: ignore[no-untyped-call]
        for part in (registry, _counted)
    ]
    whole = b"".join([*(text.removesuffix(b"# EOF\n") for text in texts), b"# EOF\n"])
    return whole, CONTENT_TYPES[OPENMETRICS]


def preferred(accept: str | None) -> str:
    """OPENMETRICS or TEXT, by the weights of an Accept header."""
    weights: dict[str, float] = {}
    for part in (accept or "*/*").lower().split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            weights[media] = max(float(weight), weights.get(media, 0.0))
        except ValueError:
            continue

    def weight_of(form: str) -> float:
        kind = form.partition("/")[0]
        return next((weights[m] for m in (form, f"{kind}/*", "*/*") if m in weights), 0.0)

    return TEXT if weight_of(TEXT) > weight_of(OPENMETRICS) else OPENMETRICS


class _Now(Collector):
    def __init__(self, services: Services) -> None:
        self.services = services

    def collect(self) -> Iterator[Any]:
        """One reading of the database."""
        yield InfoMetricFamily("scout", "Version of the product.", value={"version": __version__})
        found = self._read(self._numbers)
        yield _gauge("scout_up", "Whether the database answers.", float(found is not None))
        yield from found or ()

    def _read(self, part: Callable[[Connection, datetime], list[Any]]) -> list[Any] | None:
        try:
            with self.services.read_database().transaction(API) as conn:
                return part(conn, now())
        except ScoutError:
            return None

    def _numbers(self, conn: Connection, at: datetime) -> list[Any]:
        settings = self.services.settings()
        snapshot = coverage.snapshot(conn)
        beat = last_runs.take(conn)
        verdict = health.assess(conn, settings, at)
        state = settle.state(conn)
        waiting = outbox.count_waiting(conn)
        persons = GaugeMetricFamily(
            "scout_persons",
            "Persons registered, by whether they have their scout.",
            labels=["has_scout"],
        )
        persons.add_metric(["true"], snapshot.persons_with_scout_satisfactory)
        persons.add_metric(["false"], snapshot.persons_missing_scout)
        backlog = GaugeMetricFamily(
            "scout_backlog_persons",
            "Persons without a scout, by category and reason.",
            labels=["category", "reason"],
        )
        for row in coverage.count_reasons(conn):
            backlog.add_metric([row.category, row.reason_code], row.person_count)
        found = [
            persons,
            backlog,
            _gauge("scout_open_conflicts", "Open conflicts.", snapshot.conflicts_count),
            _gauge("scout_lead_persons", "Persons who are leads.", snapshot.lead_persons),
            _gauge(
                "scout_lead_persons_with_scout",
                "Of those, persons who have their scout.",
                snapshot.satisfactory_lead_persons,
            ),
            _gauge(
                "scout_pending_rows",
                "Touched source rows that wait to be settled.",
                state.pending_count,
            ),
            _gauge(
                "scout_outbox_pending",
                "Messages that wait for a channel to take them.",
                waiting.pending_count,
            ),
            _gauge(
                "scout_outbox_dead",
                "Messages given up for a channel, until somebody retries or drops them.",
                waiting.dead_count,
            ),
            _gauge("scout_run_running", "Whether the job runs.", float(beat.running is not None)),
            _state("scout_health", "The verdict; 1 for the state that it is.", verdict.status),
            *_states(verdict),
        ]
        if beat.last_completed is not None and beat.last_completed.completed_at is not None:
            done = beat.last_completed
            ended = beat.last_completed.completed_at
            found += [
                _gauge(
                    "scout_last_success_timestamp_seconds",
                    "When the last run ended that ended well.",
                    ended.timestamp(),
                ),
                _gauge(
                    "scout_last_success_duration_seconds",
                    "How long it took.",
                    (ended - done.started_at).total_seconds(),
                ),
                _gauge(
                    "scout_last_success_changed_rows",
                    "Links and ledger rows that it wrote.",
                    done.changed_rows or 0,
                ),
            ]
        if beat.last is not None:
            failed = float(beat.last.is_failed)
            found.append(_gauge("scout_last_run_failed", "Whether the last run failed.", failed))
        return found


def _states(verdict: health.Verdict) -> list[Any]:
    indicator = GaugeMetricFamily(
        "scout_health_indicator",
        "State of an indicator of the verdict or of a light beside it; 1 for the one it is in.",
        labels=["indicator", "state"],
    )
    for reason in verdict.told:
        _mark(indicator, reason.indicator, reason.status)
    newest = GaugeMetricFamily(
        "scout_source_newest_timestamp_seconds",
        "When the newest row of a source is from.",
        labels=["source"],
    )
    late = GaugeMetricFamily(
        "scout_source_state",
        "State of a source; 1 for the one that it is in.",
        labels=["source", "state"],
    )
    for source in verdict.sources:
        if source.newest_at is not None:
            newest.add_metric([source.name], source.newest_at.timestamp())
        _mark(late, source.name, source.status)
    return [indicator, newest, late]


def _mark(family: GaugeMetricFamily, name: str, current: Status) -> None:
    for state in get_args(Status):
        family.add_metric([name, state], float(state == current))


def _gauge(name: str, meaning: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _state(name: str, meaning: str, current: str) -> GaugeMetricFamily:
    found = GaugeMetricFamily(name, meaning, labels=["state"])
    for state in get_args(Status):
        found.add_metric([state], float(state == current))
    return found
