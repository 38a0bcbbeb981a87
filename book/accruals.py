"""What an interest-bearing account and the interest of a product in force are: plain state, without `Book`.

A balance by value date is found from the end: what is booked, less what moves after that day. So it is the
same whenever it is asked, however far the book has moved on.
"""

from __future__ import annotations

import bisect

import msgspec

from schemas.documents.calendars import Convention
from schemas.documents.interest import Capitalised, DayCount
from schemas.fees import Fee

REMEMBERED_DAYS = 400
"""For how many days movements and terms are kept at most, where no period is closed. A posting with an older
value date changes interest from the oldest day on that is remembered.
"""


class Bearing(msgspec.Struct, gc=False):
    """The interest of one account. Days are proleptic ordinals, amounts minor units, rests `UNITS`.

    through: the last day that is accrued; at first the day before interest begins.
    known: the first day whose balance is known; what comes late changes interest from here on.
    matures: the first day that it bears none any more; 0 for never.
    credit, debit: accrued and not capitalised.   credit_rest, debit_rest: carried to the next day.
    moves: day, amount, day, amount...: what moved the balance on each of the last days, by value date.
    late: the same of what came, by its value date, after that day was accrued; None for none.
    """

    through: int
    known: int
    matures: int = 0
    credit: int = 0
    credit_rest: int = 0
    debit: int = 0
    debit_rest: int = 0
    moves: list[int] = []
    late: list[int] | None = None

    def move(self, day: int, amount: int) -> None:
        """The balance moves, by value date."""
        moves = self.moves
        if moves and moves[-2] == day:
            moves[-1] += amount
        elif not moves or moves[-2] < day:
            moves += (day, amount)
        else:
            _insert(moves, day, amount)
        if day <= self.through and self.known <= self.through:
            self.late = self.late or []
            _insert(self.late, max(day, self.known), amount)

    def balance(self, booked: int, day: int) -> int:
        """The balance by value date at the end of the day. booked: all that is booked."""
        moves = self.moves
        index = len(moves) - 2
        while index >= 0 and moves[index] > day:
            booked -= moves[index + 1]
            index -= 2
        return booked

    def accrued(self, day: int, keep_from: int) -> None:
        """The day is accrued, and movements before `keep_from` need not be told apart any more."""
        self.through = day
        self.late = None
        self.known = max(self.known, keep_from)
        moves = self.moves
        gone = 0
        while gone < len(moves) and moves[gone] < keep_from:
            gone += 2
        del moves[:gone]


def _insert(moves: list[int], day: int, amount: int) -> None:
    index = 2 * bisect.bisect_left(moves[::2], day)
    if index < len(moves) and moves[index] == day:
        moves[index + 1] += amount
    else:
        moves[index:index] = (day, amount)


class Side(msgspec.Struct, frozen=True, gc=False):
    """Credit or debit interest. floors: where tiers begin, minor units.   rates: of a year, `RATE_SCALE`."""

    floors: tuple[int, ...]
    rates: tuple[int, ...]
    whole: bool
    booked_on: str
    accrued_on: str


class InterestInForce(msgspec.Struct, frozen=True, gc=False):
    """The interest of a product in one currency from a day on; without sides it bears none.

    calendar: empty for none.
    """

    from_day: int
    day_count: DayCount
    capitalised: Capitalised
    term_months: int | None
    credit: Side | None
    debit: Side | None
    calendar: str = ""
    convention: Convention = "following"


class EndOfDay(msgspec.Struct):
    """The work that closed days left. pending: days that are not finished, as ordinals, oldest first.

    step, done: what of the oldest one is being done, and how far; empty before it began.
    due_ms: book time of the next slice; None where there is nothing to do.
    bearing: the interest-bearing accounts, in a fixed order.   ended: how many of them bear none any more.
    unpaid: monthly fees that could not be charged, by account.
    """

    pending: list[int] = []
    step: str = ""
    done: int = 0
    due_ms: int | None = None
    bearing: list[str] = []
    ended: int = 0
    unpaid: dict[str, tuple[Fee, ...]] = {}
