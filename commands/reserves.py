"""What a decision says about funds that it reserves or releases, and limits that it settles or gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from book.reserves import slice_of
from book.state import Book
from schemas.reserves import Reserve, Use


def reserving(book: Book, account: str, amount: int) -> Reserve:
    """Reserve funds of an account or, where the amount is negative, release them."""
    return Reserve(account, amount, book.accounts[account].held + amount)


def settled(book: Book, uses: Sequence[Use]) -> tuple[Use, ...]:
    """What was used for the time being is used for good. What counts no longer is left out."""
    return _changed(book, uses, lambda one: (0, -one.amount))


def given_back(book: Book, uses: Sequence[Use], *, reserved: bool = True) -> tuple[Use, ...]:
    """What was used is used no longer; what counts no longer is left out. reserved: it was not final yet."""
    return _changed(book, uses, lambda one: (-one.amount, -one.amount if reserved else 0))


def given_back_part(book: Book, uses: Sequence[Use], amount: int, of: int, left: int) -> tuple[Use, ...]:
    """A part of a movement is given back: sums by that part, numbers of times when nothing is left of it.

    amount: the part.   of: the whole movement.   left: what is left of it afterwards. All of it was final.
    """

    def part(one: Use) -> tuple[int, int]:
        if one.amount == of:
            return -amount, 0
        return (0 if left else -one.amount), 0

    return tuple(one for one in _changed(book, uses, part) if one.amount)


def given_back_in_part(book: Book, uses: Sequence[Use], part: int, whole: int) -> tuple[Use, ...]:
    """Of what was used for the time being, `part` of `whole` is used no longer, and the rest for good.

    Rounded down, so that a number of times stays used, and a limit may refuse early and never passes late.
    """
    return _changed(book, uses, lambda one: (-(one.amount * part // whole), -one.amount))


def _changed(book: Book, uses: Sequence[Use], change: Callable[[Use], tuple[int, int]]) -> tuple[Use, ...]:
    """Uses after a change of (total, reserved) each, in one event: those of one slice follow each other."""
    slices: dict[tuple[str, str, str, int], tuple[int, int]] = {}
    found = []
    for one in uses:
        where = (one.limit, one.by, one.key, one.bucket)
        now = slices.get(where) or slice_of(book, *where)
        if now is None:
            continue
        amount, final = change(one)
        total, reserved = now[0] + amount, now[1] + final
        assert 0 <= reserved <= total, "no more is settled or given back than was used"
        slices[where] = total, reserved
        found.append(Use(one.limit, one.by, one.key, one.bucket, one.first, amount, total, reserved))
    return tuple(found)
