"""What a decision says about funds that it reserves or releases, and limits that it settles or gives back."""

from __future__ import annotations

from collections.abc import Sequence

from book.reserves import usages_of
from book.state import Book
from schemas.reserves import Reserve, Use


def reserving(book: Book, account: str, amount: int) -> Reserve:
    """Reserve funds of an account or, where the amount is negative, release them."""
    return Reserve(account, amount, book.accounts[account].held + amount)


def settled(book: Book, uses: Sequence[Use]) -> tuple[Use, ...]:
    """What was used for the time being is used for good."""
    return tuple(_changed(book, one, used=0) for one in uses)


def given_back(book: Book, uses: Sequence[Use], *, reserved: bool = True) -> tuple[Use, ...]:
    """What was used is used no longer, where its time still counts. reserved: it was not final yet."""
    return tuple(_changed(book, one, used=-one.amount, final=not reserved) for one in uses)


def _changed(book: Book, one: Use, *, used: int, final: bool = False) -> Use:
    usages, key = usages_of(book, one.by, one.limit, one.key)
    usage = usages[key]
    total = max(0, usage.in_bucket(one.bucket) + used)
    reserved = usage.reserved if final else usage.reserved - one.amount
    assert reserved >= 0, "no more is settled or given back than was reserved"
    return Use(one.limit, one.by, one.key, one.bucket, one.first, used, total, reserved)
