"""The words in which interest is told: a product with interest, the bank's accounts for it, days going by."""

from __future__ import annotations

import datetime
from typing import Any

from book.accruals import Bearing
from schemas.publishing import PublishDocument
from tests.story import DAY_MS, Said, Word, advance, internal, later, say, story, the_account, when

MIDNIGHT_MS = 1_715_817_600_000
"""When 16 May 2024 begins, the day after a story does."""
BANK: Word = [
    internal("interest-paid", "expense"),
    internal("interest-received", "income"),
    internal("payable", "accrued"),
    internal("receivable", "accrued"),
]


def tiers(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"from_minor": floor, "rate": rate} for floor, rate in steps]


def side(*steps: tuple[int, str], of: str = "credit", **fields: Any) -> dict[str, Any]:
    on = {"credit": ("interest-paid", "payable"), "debit": ("interest-received", "receivable")}[of]
    return {"tiers": tiers(*steps), "booked_on": on[0], "accrued_on": on[1], **fields}


def interest(
    credit: str | dict[str, Any] | None = None, debit: str | dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """Interest in EUR, ACT/365 unless it says so; a rate alone is one tier."""
    return {
        "currency": "EUR",
        "day_count": "ACT/365",
        "credit": side((0, credit)) if isinstance(credit, str) else credit,
        "debit": side((0, debit), of="debit") if isinstance(debit, str) else debit,
        **fields,
    }


def product(*interest: dict[str, Any], of: str = "savings", version: int = 1, **fields: Any) -> Said:
    body = {"name": of.title(), "interest": list(interest)}
    return say(PublishDocument, kind="product", document=of, version=version, body=body, **fields)


def bearing(account_id: str) -> Bearing:
    found = the_account(account_id).interest
    assert found is not None
    return found


def days_go_by(days: int = 1) -> Word:
    """Each with its end of day, done by one in the morning."""
    now = story().now
    morning = now - now % DAY_MS + 3_600_000
    words: list[Word] = []
    for day in range(1, days + 1):
        to_ms = morning + day * DAY_MS
        words += [later(ms=to_ms - now), advance(to_ms)]
        now = to_ms + 2
    return words


def pass_days(days: int = 1) -> None:
    for _ in range(days):
        when(days_go_by())


def on(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
