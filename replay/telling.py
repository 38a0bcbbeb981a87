"""A case told for people, in plain text: what was noticed, who did what when, what was found.

It says nothing that the files beside it do not say, and the same case always reads the same.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from schemas.alerts import Alert
from schemas.message import ENVELOPE, Event
from schemas.money import EXPONENTS, format_minor

if TYPE_CHECKING:
    from replay.evidence import Evidence

FORMAT: Final = 1
"""Raised where the same case reads otherwise than before: nobody should take that for another history."""
WIDTH: Final = 100
_NOT_TOLD: Final = frozenset({*ENVELOPE, "case", "alerts", "due", "checklist"})
"""What stands elsewhere in the text, or is for machines."""


def told(evidence: Evidence) -> str:
    """The whole text."""
    return "\n".join(_lines(evidence)) + "\n"


def _lines(evidence: Evidence) -> Iterator[str]:
    yield f"CASE {evidence.case} OF BOOK {evidence.book}"
    yield f"As known after event {evidence.through}, {_utc(evidence.at_ms)}. All times are book times."
    yield ""
    yield f"ALERTS ({len(evidence.alerts)})"
    for number, alert in enumerate(evidence.alerts, 1):
        yield from _alert(number, alert)
    yield ""
    yield f"PAYMENTS ({len(evidence.payments)})"
    yield from (f"  {one}" for one in evidence.payments)
    yield ""
    yield f"HISTORY ({len(evidence.history)} events)"
    for event in evidence.history:
        yield from _event(event)


def _alert(number: int, alert: Alert) -> Iterator[str]:
    yield f"  {number}. {_utc(alert.at)}  {alert.kind} ({alert.source}, version {alert.version})"
    if alert.words:
        yield from _wrapped(alert.words)
    about = [
        f"{name} {value}"
        for name in ("party", "account", "movement", "payee", "device")
        if (value := getattr(alert, name))
    ]
    if alert.amount:
        about.append(f"amount {_money(alert.amount, alert.currency)}")
    about.append(f"confidence {alert.confidence} per mille")
    yield from _wrapped(", ".join(about))
    if alert.figures:
        yield from _wrapped(", ".join(f"{name} {value}" for name, value in sorted(alert.figures.items())))
    if alert.evidence:
        yield from _wrapped("evidence: " + ", ".join(f"{one.book} {one.seq}" for one in alert.evidence))


def _event(event: Event) -> Iterator[str]:
    who = event.actor or ("a timer" if event.timer else "the engine")
    yield f"  {_utc(event.at)}  event {event.seq}  {type(event).__name__}  by {who}"
    yield from _wrapped("; ".join(_said(event)))


def _said(event: Event) -> Iterator[str]:
    for field in msgspec.structs.fields(type(event)):
        value = getattr(event, field.name)
        if field.name not in _NOT_TOLD and value not in ("", (), None, {}, False):
            yield f"{field.name.replace('_', ' ')}: {_plain(field.name, value)}"


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes"
    if name.endswith("_ms") and isinstance(value, int) and value > 10**12:
        return _utc(value)
    if isinstance(value, tuple):
        return ", ".join(_plain("", one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in sorted(value.items()))
    if isinstance(value, msgspec.Struct):
        parts = (getattr(value, one.name) for one in msgspec.structs.fields(type(value)))
        return " ".join(_plain("", one) for one in parts if one not in ("", (), None))
    return str(value)


def _money(amount: int, currency: str) -> str:
    if currency in EXPONENTS:
        return f"{format_minor(amount, EXPONENTS[currency])} {currency}"
    return f"{amount} minor units {currency}"


def _wrapped(text: str) -> Iterator[str]:
    """Indented; what people wrote keeps its lines."""
    for line in text.splitlines():
        yield from textwrap.wrap(
            line, WIDTH, initial_indent="     ", subsequent_indent="     ", break_on_hyphens=False
        ) or [""]


def _utc(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_ms // 1000))
