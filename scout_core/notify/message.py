"""What a message says: made when it is sent, from the row that was written with what it tells of.

Counts by rule, up to three keys of each, the run, the seal and where to look; never a phone,
licence or name, whatever a row holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from scout_core.notify.channels import Tone
from scout_core.settings import Settings

Language = Literal["es", "en"]

LIMA = ZoneInfo("America/Lima")
SAMPLES = 3
LONGEST_REASON = 300
TONES: Mapping[str, Tone] = {"OK": "success", "FAIL": "failure"}

_LANGUAGES: tuple[Language, ...] = ("es", "en")
_WORDS: Mapping[str, tuple[str, str]] = {
    "OK": ("En orden", "OK"),
    "WARN": ("Atención", "Attention"),
    "STALE": ("Atrasado", "Stale"),
    "UNKNOWN": ("Sin dato", "Unknown"),
    "FAIL": ("Falla", "Failing"),
    "title": ("Scouts · {status}: {parts}", "Scouts · {status}: {parts}"),
    "opened": ("{n} nuevas", "{n} new"),
    "opened_one": ("1 nueva", "1 new"),
    "reopened": ("{n} de vuelta", "{n} back"),
    "reopened_one": ("1 de vuelta", "1 back"),
    "resolved": ("{n} resueltas", "{n} resolved"),
    "resolved_one": ("1 resuelta", "1 resolved"),
    "head_opened": ("Alertas nuevas", "New alerts"),
    "head_reopened": ("Alertas de vuelta", "Alerts that are back"),
    "head_resolved": ("Alertas resueltas", "Resolved alerts"),
    "run": ("Corrida {run}", "Run {run}"),
    "between": ("Entre dos corridas", "Between two runs"),
    "at": (" · {when}, hora de Lima", " · {when}, Lima time"),
    "failure": ("La corrida {run} falló: {reason}", "Run {run} failed: {reason}"),
    "no_reason": ("sin motivo registrado", "no reason was recorded"),
    "see_run": ("La corrida", "The run"),
    "see_alerts": ("Las alertas", "The alerts"),
    "seal": ("Sello {number}: {hash}", "Seal {number}: {hash}"),
    "test_title": ("Scouts · mensaje de prueba", "Scouts · test message"),
    "test_body": (
        "Este canal recibe los avisos de la atribución de scouts.",
        "This channel gets the notifications of scout attribution.",
    ),
}
_RULES: Mapping[str, tuple[str, str]] = {
    "NEW_CONFLICT": ("Conflicto por decidir", "Conflict to decide"),
    "IDENTITY_TO_REVIEW": ("Identidad por revisar", "Identity to review"),
    "UNREADABLE_SCOUT": ("Scout que no se puede leer", "Scout that cannot be read"),
    "UNKNOWN_SCOUT": ("Scout fuera de la lista", "Scout not in the list"),
    "PAYLOAD_SHAPE": ("Payload que no es un objeto", "Payload that is no object"),
    "PAYLOAD_TOO_LARGE": ("Payload demasiado grande", "Payload too large"),
    "SIMILAR_KEY": ("Clave parecida a scout_id", "Key similar to scout_id"),
    "DATE_OUT_OF_RANGE": ("Fecha imposible", "Impossible date"),
    "ROW_WITHOUT_ID": ("Fila sin número", "Row without a number"),
    "REPEATED_ID": ("Número repetido", "Repeated number"),
    "CABINET_LEAD_WITHOUT_SCOUT": ("Lead de cabinet sin scout", "Cabinet lead without a scout"),
    "JOB_FAILED": ("La corrida falló", "The run failed"),
    "JOB_LATE": ("La corrida está atrasada", "The run is late"),
    "WORKER_LOST": ("La corrida se quedó sin proceso", "The run lost its process"),
    "GUARD_STOPPED": ("La guarda detuvo una corrida", "The guard stopped a run"),
    "HEALTH_CHANGED": ("La salud cambió", "Health changed"),
    "SOURCE_STALE": ("Fuente sin datos nuevos", "Source without new data"),
    "QUALITY_ANCIENT_DATES": ("Fechas de antes de empezar", "Dates from before the start"),
    "QUALITY_DUPLICATE_SCOUTING_ROWS": ("Filas de scouting repetidas", "Repeated scouting rows"),
    "QUALITY_FUTURE_DATES": ("Fechas futuras", "Dates still to come"),
    "QUALITY_LICENSES_THAT_ARE_NONE": ("Licencias que no lo son", "Licences that are none"),
    "QUALITY_PAYMENTS_TO_OTHERS": ("Pagos a otro scout", "Payments to another scout"),
    "QUALITY_PHONES_THAT_ARE_NONE": ("Teléfonos que no lo son", "Phones that are none"),
    "QUALITY_REPEATED_PAYMENT_RULES": ("Reglas de pago repetidas", "Repeated payment rules"),
    "QUALITY_SHARED_PHONES": ("Teléfonos compartidos", "Shared phones"),
    "QUALITY_VOLUME_DROPS": ("Caídas de volumen", "Drops in volume"),
    "QUALITY_CHECK_FAILED": ("Una revisión no se pudo correr", "A check could not be run"),
}

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/#-]{0,119}")
_OPAQUE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
# a Peruvian mobile with or without 51 before it, or letters before digits like a licence
_PERSONAL = re.compile(
    r"(?<!\d)(?:00)?(?:51)?9\d{8}(?!\d)|(?<![A-Za-z0-9_])[A-Za-z]{1,2}-?\d{6,9}(?![A-Za-z0-9])"
)
_MANY_DIGITS = re.compile(r"\d[\d .()-]{5,}\d")


@dataclass(frozen=True)
class Said:
    """A message as a channel gets it, plain text."""

    title: str
    body: str
    tone: Tone


def render(row: Mapping[str, Any], settings: Settings) -> Said:
    """What a claimed delivery says; `row` is one of the statement `claim` of sql/notify/outbox."""
    say = _speaker(settings.notify_language)
    totals = {kind: sum(row[kind].values()) for kind in ("opened", "reopened", "resolved")}
    parts = [
        say(kind if total > 1 else f"{kind}_one", n=f"{total:,}")
        for kind, total in totals.items()
        if total
    ]
    title = say("title", status=say(row["status"]), parts=", ".join(parts))
    when = row["created_at"].astimezone(LIMA).strftime("%d/%m/%Y %H:%M")
    what = say("between") if row["run_id"] is None else say("run", run=row["run_id"])
    lines = [what + say("at", when=when)]
    if row["failed_run_id"] is not None:
        reason = _scrubbed(row["failed_error"]) or say("no_reason")
        lines.append(say("failure", run=row["failed_run_id"], reason=reason))
    for kind in ("opened", "reopened", "resolved"):
        if row[kind]:
            shown = {} if kind == "resolved" else row["samples"]
            lines += ["", say(f"head_{kind}"), *_by_rule(row[kind], shown, settings)]
    lines += ["", *_links(row, settings)]
    if row["seal_hash"] is not None:
        lines.append(say("seal", number=row["seal_no"], hash=row["seal_hash"]))
    return Said(title, "\n".join(lines), TONES.get(row["status"], "warning"))


def render_test(settings: Settings, now: datetime) -> tuple[str, str]:
    """Title and body of a test message."""
    say = _speaker(settings.notify_language)
    when = now.astimezone(LIMA).strftime("%d/%m/%Y %H:%M")
    return say("test_title"), say("test_body") + say("at", when=when) + "\n" + settings.public_url


def safe_samples(samples: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The first three subjects of each rule that are keys; what may be a phone, licence or name
    is left out."""
    kept = {rule: [s for s in given if is_key(s)][:SAMPLES] for rule, given in samples.items()}
    return {rule: subjects for rule, subjects in kept.items() if subjects}


def is_key(subject: str) -> bool:
    """Whether a subject is a key of ours or of a table, and nothing personal."""
    if not _KEY.fullmatch(subject):
        return False
    return not _PERSONAL.search(_OPAQUE.sub("", subject))


def rule_words(rule: str, language: Language) -> str:
    """A rule in the words of a message; one that is not known here, as it is."""
    if rule in _RULES:
        return _RULES[rule][_LANGUAGES.index(language)]
    return rule.replace("_", " ").capitalize()


def _by_rule(
    counts: Mapping[str, int], samples: Mapping[str, Sequence[str]], settings: Settings
) -> list[str]:
    lines = []
    for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        keys = samples.get(rule, ())
        shown = f" ({', '.join(keys)}{', …' if count > len(keys) else ''})" if keys else ""
        lines.append(f"- {rule_words(rule, settings.notify_language)}: {count:,}{shown}")
    return lines


def _links(row: Mapping[str, Any], settings: Settings) -> list[str]:
    say = _speaker(settings.notify_language)
    lang = {} if settings.notify_language == "es" else {"lang": "en"}
    run_id = row["run_id"] or row["failed_run_id"]
    lines = []
    if run_id is not None:
        query = urlencode({"run": run_id, **lang})
        lines.append(f"{say('see_run')}: {settings.public_url}/scouts/runs?{query}")
    query = f"?{urlencode(lang)}" if lang else ""
    lines.append(f"{say('see_alerts')}: {settings.public_url}/scouts/alerts{query}")
    return lines


def _scrubbed(reason: str | None) -> str:
    """A reason of failure in one line, without anything that may be a phone or a licence."""
    line = " ".join((reason or "").split())
    return _MANY_DIGITS.sub("•••", _PERSONAL.sub("•••", line))[:LONGEST_REASON]


def _speaker(language: Language) -> Any:
    at = _LANGUAGES.index(language)

    def say(key: str, **values: object) -> str:
        return _WORDS[key][at].format(**values)

    return say
