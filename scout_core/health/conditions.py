"""What is wrong now, and what became of it: the words between those who look and those who tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["INFO", "WARN", "FAIL"]  # the worst last


@dataclass(frozen=True)
class Condition:
    """Something that asks for attention now. (rule, subject) names it: one alert, one cause.

    subject: a person key, a row, a source, an indicator; never a phone, licence or name.
    text: one sentence in English for logs, messages and the API; person_key null = of nobody.
    """

    rule: str
    subject: str
    severity: Severity
    text: str
    person_key: str | None = None


@dataclass(frozen=True)
class News:
    """What looking again changed: alerts by rule, and up to three subjects of each new one.

    reopened: was resolved, muted until now, or acknowledged and got worse.
    """

    opened: Mapping[str, int] = field(default_factory=dict)
    reopened: Mapping[str, int] = field(default_factory=dict)
    resolved: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing that anybody has to be told."""
        return not (self.opened or self.reopened or self.resolved)
