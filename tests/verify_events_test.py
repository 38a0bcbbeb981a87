"""verify names one event that is wrong, whatever is wrong with it, in a log whose links all fit."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.log.memory import MemoryLog
from replay.verify import verify
from schemas.catalogue import encode
from schemas.message import ENVELOPE, Event
from schemas.postings import Posting
from schemas.rejections import CommandRejected
from schemas.transfers import TransferPosted
from tests.histories import Recorded, busy_bank

A_DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank()


Change = Callable[[Recorded, int], None]


def posted(event: Any) -> bool:
    return type(event) is TransferPosted and event.debit.startswith("a")


def with_postings(log: Recorded, index: int, *changes: dict[str, Any]) -> None:
    postings: list[Posting] = [
        msgspec.structs.replace(posting, **change)
        for posting, change in zip(log.event(index).postings, changes, strict=True)
    ]
    log.change(index, postings=tuple(postings))


def unbalanced(log: Recorded, index: int) -> None:
    _, other = log.event(index).postings
    with_postings(log, index, {}, {"amount": other.amount + 1, "balance": other.balance + 1})


def balance_off(log: Recorded, index: int) -> None:
    one, _ = log.event(index).postings
    with_postings(log, index, {"balance": one.balance - 7}, {})


def below_floor(log: Recorded, index: int) -> None:
    one, other = log.event(index).postings
    amount = 10_000_000
    log.change(index, amount=amount)
    with_postings(
        log,
        index,
        {"amount": -amount, "balance": one.balance - one.amount - amount},
        {"amount": amount, "balance": other.balance - other.amount + amount},
    )


def another_currency(log: Recorded, index: int) -> None:
    with_postings(log, index, {"currency": "USD"}, {"currency": "USD"})


def amount_not_posted(log: Recorded, index: int) -> None:
    log.change(index, amount=log.event(index).amount + 1)


def valued_tomorrow(log: Recorded, index: int) -> None:
    log.change(index, value_date=log.event(index).booking_date + A_DAY)


def valued_long_ago(log: Recorded, index: int) -> None:
    log.change(index, value_date=datetime.date(2020, 1, 1))


def booked_yesterday(log: Recorded, index: int) -> None:
    day = log.event(index).booking_date - A_DAY
    log.change(index, booking_date=day, value_date=day)


def back_in_time(log: Recorded, index: int) -> None:
    log.change(index, at=1)


def no_such_account(log: Recorded, index: int) -> None:
    with_postings(log, index, {"account": "a99"}, {})


def other_book(log: Recorded, index: int) -> None:
    log.change(index, book="wall" if log.event(index).book == "main" else "main")


def seq_twice(log: Recorded, index: int) -> None:
    log.change(index, seq=log.event(index).seq - 1)


def other_command(log: Recorded, index: int) -> None:
    log.change(index, command="c0")


def other_actor(log: Recorded, index: int) -> None:
    log.change(index, actor="somebody")


def other_fingerprint(log: Recorded, index: int) -> None:
    log.change(index, fingerprint="0" * 16)


def no_fingerprint(log: Recorded, index: int) -> None:
    log.change(index, fingerprint="")


def nameless(log: Recorded, index: int) -> None:
    log.change(index, command="", actor="", fingerprint="")


def answers_nothing(log: Recorded, index: int) -> None:
    log.change(index, cause=-1)


def answers_the_one_before(log: Recorded, index: int) -> None:
    log.change(index, cause=log.event(index).cause - 1)


def answers_the_one_behind(log: Recorded, index: int) -> None:
    log.change(index, cause=log.event(index).cause + 1)


def undecodable(log: Recorded, index: int) -> None:
    record = log.event_records[index]
    log.event_records[index] = msgspec.structs.replace(record, value=record.value[:-1])


def unknown_type(log: Recorded, index: int) -> None:
    record = log.event_records[index]
    value = record.value.replace(b"TransferPosted", b"TransferLost")
    log.event_records[index] = msgspec.structs.replace(record, value=value)


def answers_nothing_at_all(log: Recorded, index: int) -> None:
    log.change(index, cause=-1, command="", actor="", fingerprint="")


def refused_without_a_name(log: Recorded, index: int) -> None:
    becomes(log, index, CommandRejected, reason="busy", command="", actor="", fingerprint="")


def refused_without_a_fingerprint(log: Recorded, index: int) -> None:
    becomes(log, index, CommandRejected, reason="insufficient_funds", fingerprint="")


def becomes(log: Recorded, index: int, kind: type[Event], **fields: Any) -> None:
    """Another event in the place and envelope of this one."""
    envelope = {name: getattr(log.event(index), name) for name in ENVELOPE}
    value = encode(kind(**{**envelope, **fields}))
    log.event_records[index] = msgspec.structs.replace(log.event_records[index], value=value)


WRONG: list[tuple[Change, str]] = [
    (unbalanced, "sum to 1, not to zero"),
    (balance_off, "and the balance says"),
    (below_floor, "below its floor"),
    (another_currency, "is kept in EUR, and USD was posted"),
    (amount_not_posted, "its postings are not"),
    (valued_tomorrow, "its value date"),
    (valued_long_ago, "its value date"),
    (booked_yesterday, "and the business date is"),
    (back_in_time, "its time 1 is before the book's"),
    (no_such_account, "there is no account a99"),
    (other_book, "stands under the key of book"),
    (seq_twice, "belongs"),
    (other_command, "but its outcome names c0 of"),
    (other_actor, "of somebody"),
    (other_fingerprint, "as stored is not the one that was decided"),
    (no_fingerprint, "has no fingerprint"),
    (nameless, "does not name it"),
    (answers_nothing, "answers no command and is no timer's"),
    (answers_nothing_at_all, "answers no command and is no timer's"),
    (refused_without_a_name, "does not name it"),
    (refused_without_a_fingerprint, "has no fingerprint"),
    (answers_the_one_before, "is answered"),
    (answers_the_one_behind, "has no outcome before this event"),
    (undecodable, "cannot be decoded"),
    (unknown_type, "cannot be decoded"),
]


@pytest.mark.parametrize(("change", "what"), WRONG, ids=[change.__name__ for change, _ in WRONG])
def test_one_wrong_event_is_named(bank: MemoryLog, change: Change, what: str) -> None:
    log = Recorded(bank)
    index = log.find(posted, 20)
    event, record = log.event(index), log.event_records[index]
    change(log, index)
    log.relink()
    result = verify(log)
    first = result.problems[0]
    assert what in first.what
    assert (first.offset, first.book) == (record.offset, event.book)
    assert first.seq in (event.seq, event.seq - 1)


def test_an_event_that_is_broken_is_blamed_alone(bank: MemoryLog) -> None:
    log = Recorded(bank)
    log.change(log.find(posted, 20), at=1)
    log.relink()
    assert len(verify(log).problems) == 1
