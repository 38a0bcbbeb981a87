"""Interest: what accounts accrue each day, to the exact minor unit, and when it is booked to them.

An account's interest of a day is a fraction of a minor unit over `UNITS`. Whole minor units are accrued; the
rest, below one, is carried to the next day and travels with the event, so that over any number of days
nothing is lost or created.
"""

from __future__ import annotations

import msgspec

from schemas.fields import AccountId
from schemas.message import Command, Date, Event
from schemas.postings import Posting

RATE_SCALE = 10**12
"""Rates have at most 12 decimal places."""
YEARS = 26_280
"""The least common multiple of 365 and 360: a day of either year is a whole number of it."""
UNITS = RATE_SCALE * YEARS
"""What the rest of an accrual is counted in: so many of them are one minor unit. It fits 64 bits."""


class Accrual(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one account accrued on one side.

    amount: minor units, corrections included; negative where a correction takes back.
    accrued: all that is accrued and not capitalised, afterwards.   rest: carried, 0 <= rest < UNITS.
    """

    account: str
    amount: int
    accrued: int
    rest: int


class Correction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Interest of days that were accrued already and had another balance, by a posting with an earlier value
    date. first, last: the days.   credit, debit: by how many minor units the accruals beside it differ from
    the closed day's own.
    """

    account: str
    first: Date
    last: Date
    credit: int
    debit: int


class InterestAccrued(Event, tag="InterestAccrued"):
    """A slice of the interest of a closed business date: on the balances by value date at its end.

    business_date: the day that it is for.   first, last: the slice, as numbers of the book's interest-bearing
        accounts, `last` not included.
    credits: what the bank owes more.   debits: what it is owed more.   Accounts that accrue nothing and carry
        no other rest than before stand in neither.
    corrections: what of it is for earlier days.
    unaccrued: accounts whose interest would leave the range of 64 bits, and that accrue nothing.
    postings: sums over the slice.
    """

    business_date: Date
    first: int
    last: int
    credits: tuple[Accrual, ...]
    debits: tuple[Accrual, ...]
    corrections: tuple[Correction, ...]
    unaccrued: tuple[str, ...]
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


class Capitalisation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Accrued interest of an account that is booked to it. Minor units.

    credit: what the account receives.   debit: what it pays.   What it cannot pay stays accrued.
    credit_left, debit_left: still accrued afterwards.
    """

    account: str
    credit: int
    debit: int
    credit_left: int
    debit_left: int


class InterestCapitalised(Event, tag="InterestCapitalised"):
    """Accrued interest was booked to its accounts: in slices at the end of a period, or by command.

    through: interest up to and including this day.   value_date: the day after it, or that of the command.
    """

    through: Date
    capitalised: tuple[Capitalisation, ...]
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


class CapitaliseInterest(Command, tag="CapitaliseInterest"):
    """Book an account's accrued interest to it now, whatever its schedule: before it is closed, say."""

    account: AccountId


COMMANDS = (CapitaliseInterest,)
EVENTS = (InterestAccrued, InterestCapitalised)
