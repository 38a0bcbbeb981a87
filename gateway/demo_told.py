"""What came of the commands of the demo's day in a bank, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from schemas.approvals import ApprovalRequested
from schemas.message import Event
from schemas.money import format_minor
from schemas.rejections import CommandRejected, sentence


class Line(msgspec.Struct, frozen=True):
    """What was said, by whom, and what came of it. why: what it shows.   meant: it came as it was meant."""

    at_ms: int
    actor: str
    said: str
    came_of: str
    why: str
    meant: bool


def told(events: Sequence[Event]) -> str:
    """What happened, in words; with the fees that it cost."""
    first = events[0]
    if isinstance(first, CommandRejected):
        return f"refused: {sentence(first.reason, first.figures)}"
    if isinstance(first, ApprovalRequested):
        return f"waits for a second person (policy {first.by.policy.removeprefix('~')})"
    names = dict.fromkeys(re.sub(r"(?<!^)(?=[A-Z])", " ", type(one).__name__).lower() for one in events)
    fees = [
        f"fee {format_minor(fee.amount, 2)} {fee.currency} by {fee.tariff}/{fee.line}"
        for one in events
        for fee in getattr(one, "fees", ())
    ]
    return ", ".join([*names, *fees])
