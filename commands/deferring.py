"""What a decision says about money whose value date is still to come."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from book.state import Book
from book.value_dates import credited
from commands.calendar import midnight_ms
from commands.reserves import reserving
from schemas.fields import INT64_MAX
from schemas.message import Date
from schemas.postings import Posting
from schemas.rejections import Rejection, reject
from schemas.reserves import Reserve

AT_ONCE: tuple[tuple[Reserve, ...], int] = ((), 0)
"""What a posting defers that counts from today on, or from earlier."""


class TakenBack(msgspec.Struct, frozen=True):
    """What taking a transfer back says of its value date. freed: by account, what is reserved no longer."""

    value_date: Date
    reserves: tuple[Reserve, ...] = ()
    freed: dict[str, int] = {}


def deferred(
    book: Book, value_date: Date, postings: Sequence[Posting]
) -> tuple[tuple[Reserve, ...], int] | Rejection:
    """What is reserved until the value date, and the book time at which it begins; or overflow."""
    if value_date <= book.business_date:
        return AT_ONCE
    reserves = tuple(reserving(book, name, amount) for name, amount in credited(book, postings).items())
    for one in reserves:
        if one.held > INT64_MAX:
            return reject("overflow", account=one.account)
    return reserves, midnight_ms(book.time_zone, value_date)


def taken_back(book: Book, transfer: int, amount: int | None = None) -> TakenBack:
    """What of a transfer is still reserved and is so no longer, of one account where an amount is given.

    It counts from the day that the transfer does, so that by value date it never happened.
    """
    waiting = book.deferred.get(transfer)
    if waiting is None:
        return TakenBack(book.business_date)
    freed = {name: amount or held for name, held in waiting.reserved.items() if held}
    return TakenBack(
        waiting.value_date, tuple(reserving(book, name, -held) for name, held in freed.items()), freed
    )
