"""verify finds what is wrong with an exchange, a revaluation or a value date, where all links fit."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from replay.verify import verify
from schemas.exchange import Exchanged
from schemas.message import Event
from schemas.positions import Revalued
from schemas.transfers import EntriesPosted, TransferPosted, TransferReversed
from schemas.value_dates import BackValuedPosted, CreditReleased
from tests.approvals_words import approve, line, policy, staff
from tests.currencies_words import BANK, REVALUATION, back_valued, exchange, pair, quote, rates, table
from tests.histories import Recorded
from tests.interest_words import days_go_by
from tests.story import TODAY, account, entries, given, grant, reversal, role, story, transfer, when

A_DAY = datetime.timedelta(days=1)
TOMORROW = TODAY + A_DAY


def a_week() -> Recorded:
    body = table(pair("EUR/USD", "1.25"), pair("EUR/JPY", "160"), revaluation=REVALUATION)
    given(
        staff(),
        role("poster", "PostBackValued"),
        grant("mia", "poster"),
        policy(line("PostBackValued")),
        BANK,
        rates(body),
        account("ann", 1_000_00),
        account("ann-usd", 1_000_00, currency="USD", party_id="p-ann"),
        account("ann-jpy", currency="JPY", party_id="p-ann"),
        account("bob"),
        quote("q", "EUR", "USD", 100_00, debit="ann"),
        exchange("ann", "ann-usd", quote="q"),
        exchange("ann-usd", "ann-jpy", 50_00),
        transfer("ann", "bob", 1_00, value_date=TOMORROW),
        entries(("ann", -2_00), ("bob", 2_00), value_date=TOMORROW, reference="whole"),
        reversal("whole"),
        rates({**body, "pairs": [pair("EUR/USD", "1.00"), pair("EUR/JPY", "160")]}, 2),
        back_valued(("ann", -1), ("bob", 1), value_date=datetime.date(2024, 4, 30)).by("mia"),
    )
    when(approve("cora"))
    when(days_go_by())
    return Recorded(story().log)


Change = Callable[[Any], dict[str, Any]]


def line_with(event: Any, index: int, **fields: Any) -> dict[str, Any]:
    lines = list(event.lines)
    lines[index] = msgspec.structs.replace(lines[index], **fields)
    return {"lines": tuple(lines)}


def first_with(event: Any, name: str, **fields: Any) -> dict[str, Any]:
    first, *others = getattr(event, name)
    return {name: (msgspec.structs.replace(first, **fields), *others)}


WRONG: list[tuple[str, type[Event], int, Change, str]] = [
    ("amount", Exchanged, 0, lambda e: line_with(e, 1, amount=e.lines[1].amount + 1), "its postings are not"),
    ("rate", Exchanged, 0, lambda e: {"rate": "1.2600"}, "is not the rate 1.2600"),
    ("rounding", Exchanged, 0, lambda e: line_with(e, 1, rounding="down"), "is not the rate"),
    ("both given", Exchanged, 0, lambda e: line_with(e, 1, rounding="given"), "is not the rate"),
    ("base", Exchanged, 0, lambda e: {"base": "JPY"}, "is not the rate"),
    ("quote", Exchanged, 1, lambda e: {"quote": "q"}, "it is not what the quote q says"),
    ("position", Exchanged, 0, lambda e: {"positions": ()}, "does not follow from the one before"),
    ("worth", Exchanged, 1, lambda e: {"worth": e.worth + 1}, "does not follow from the one before"),
    (
        "result",
        Revalued,
        0,
        lambda e: first_with(e, "values", result=7),
        "does not follow from the one before",
    ),
    ("value", Revalued, 0, lambda e: first_with(e, "values", value=7), "is not its value less its cost"),
    ("change", Revalued, 0, lambda e: {"postings": ()}, "was booked"),
    (
        "too far",
        TransferPosted,
        -1,
        lambda e: {"value_date": TODAY + 367 * A_DAY},
        "more than 366 days ahead",
    ),
    ("unreserved", TransferPosted, -1, lambda e: {"reserves": ()}, "can be spent before"),
    ("at once", TransferPosted, -1, lambda e: {"available_at_ms": e.at}, "can be spent before"),
    (
        "less",
        EntriesPosted,
        -1,
        lambda e: first_with(e, "reserves", amount=1, held=101),
        "can be spent before",
    ),
    (
        "back ahead",
        TransferReversed,
        0,
        lambda e: {"value_date": TODAY + 2 * A_DAY},
        "that of what it takes back",
    ),
    ("too soon", CreditReleased, 0, lambda e: {"value_date": TOMORROW + A_DAY}, "which does not wait for"),
    (
        "closed year",
        BackValuedPosted,
        0,
        lambda e: {"value_date": datetime.date(2023, 12, 31)},
        "in a closed year",
    ),
]


@pytest.mark.parametrize(
    ("kind", "nth", "change", "what"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG]
)
def test_one_wrong_event_is_named(kind: type[Event], nth: int, change: Change, what: str) -> None:
    log = a_week()
    index = log.find(lambda event: type(event) is kind, nth)
    log.change(index, **change(log.event(index)))
    log.relink()
    found = verify(log).problems
    assert what in " ".join(one.what for one in found if one.seq == log.event(index).seq), found


def test_nothing_but_a_transfer_counts_later_and_nothing_but_what_was_approved_before() -> None:
    log = a_week()
    kinds = [type(log.event(index)) for index in range(len(log.event_records))]
    for kind, day in ((Exchanged, TOMORROW), (TransferPosted, datetime.date(2024, 4, 30))):
        index = kinds.index(kind)
        log.change(index, value_date=day)
        assert any(
            "the open period" in one.what for one in verify(log).problems if one.seq == log.event(index).seq
        )
