"""What is decided about interest: the slices of a closed day, and capitalisation by command.

A slice never fails: what cannot be accrued or booked is left where it is, and the event says so.
"""

from __future__ import annotations

import datetime
from typing import Literal

from book.accruals import Bearing, InterestInForce
from book.dates import months_later
from book.interest import interest_key, side_of, terms_on
from book.state import Account, Book
from commands.accounts import is_blocked
from commands.accrual import day_weight, yearly
from commands.calendars import adjusted
from commands.decision import Decide, Decision
from commands.slices import Slice, Sums, chargeable
from schemas.fields import INT64_MAX
from schemas.interest import (
    UNITS,
    Accrual,
    Capitalisation,
    CapitaliseInterest,
    Correction,
    InterestAccrued,
    InterestCapitalised,
)
from schemas.message import Date
from schemas.rejections import reject

_A_DAY = datetime.timedelta(days=1)
SLICE = 1_000
"""How many days of accounts one slice accrues: a few milliseconds."""
CAPITALISED, SEARCHED = 500, 5_000
"""How many accounts one slice capitalises at most, and how many it asks."""
Name = Literal["credit", "debit"]
Day = tuple[InterestInForce, int]
"""The terms of an account on a day, and what the day counts for."""


class _Accruing:
    """One slice of accruals, as it comes together."""

    def __init__(self, book: Book, day: Date) -> None:
        self.book = book
        self.day = day
        self.ordinal = day.toordinal()
        self.days: dict[tuple[str, str, int], Day] = {}
        self.sums = Sums(book)
        self.credits: list[Accrual] = []
        self.debits: list[Accrual] = []
        self.corrections: list[Correction] = []
        self.unaccrued: list[str] = []

    def terms(self, account: Account, day: int) -> Day:
        """Each is looked up once a slice."""
        key = (account.product, account.currency, day)
        found = self.days.get(key)
        if found is None:
            terms = terms_on(self.book, interest_key(account.product, account.currency), day)
            found = (terms, day_weight(terms.day_count, Date.fromordinal(day)))
            self.days[key] = found
        return found

    def account(self, account_id: str, account: Account, interest: Bearing) -> int:
        """Accrue the day, and what late postings change about earlier ones; returns how many those are."""
        terms, weight = self.terms(account, self.ordinal)
        balance = interest.balance(account.booked, self.ordinal)
        credit, debit = _units(terms, weight, balance, interest, self.ordinal)
        more_credit = more_debit = days = 0
        if interest.late is not None:
            more_credit, more_debit, days = self._changed(account, interest)
        if credit or more_credit or debit or more_debit:
            self._add(account_id, account, interest, (credit, debit), (more_credit, more_debit))
        return days

    def _changed(self, account: Account, interest: Bearing) -> tuple[int, int, int]:
        """By how much the days since the earliest late posting differ, and how many days they are."""
        late = interest.late or []
        first = max(late[0], interest.known)
        credit = debit = before = index = 0
        for day in range(first, interest.through + 1):
            while index < len(late) and late[index] <= day:
                before += late[index + 1]
                index += 2
            terms, weight = self.terms(account, day)
            balance = interest.balance(account.booked, day)
            now = _units(terms, weight, balance, interest, day)
            then = _units(terms, weight, balance - before, interest, day)
            credit += now[0] - then[0]
            debit += now[1] - then[1]
        return credit, debit, interest.through + 1 - first

    def _add(
        self,
        account_id: str,
        account: Account,
        interest: Bearing,
        of_day: tuple[int, int],
        more: tuple[int, int],
    ) -> None:
        credit, credit_rest, more_credit = _carried(interest.credit_rest, of_day[0], more[0])
        debit, debit_rest, more_debit = _carried(interest.debit_rest, of_day[1], more[1])
        if (
            abs(interest.credit + credit) > INT64_MAX
            or abs(interest.debit + debit) > INT64_MAX
            or not self.sums.add(
                [*self.legs(account, "credit", credit), *self.legs(account, "debit", -debit)]
            )
        ):
            self.unaccrued.append(account_id)
            return
        if credit or credit_rest != interest.credit_rest:
            self.credits.append(Accrual(account_id, credit, interest.credit + credit, credit_rest))
        if debit or debit_rest != interest.debit_rest:
            self.debits.append(Accrual(account_id, debit, interest.debit + debit, debit_rest))
        if interest.late is not None:
            first, last = max(interest.late[0], interest.known), interest.through
            self.corrections.append(
                Correction(
                    account_id, Date.fromordinal(first), Date.fromordinal(last), more_credit, more_debit
                )
            )

    def legs(self, account: Account, name: Name, owed: int) -> list[tuple[str, int]]:
        """Accrue what the bank owes (credit) or is owed (debit, negative)."""
        if not owed:
            return []
        side = side_of(self.book, interest_key(account.product, account.currency), name)
        assert side is not None, "interest was accrued by terms that say where"
        return [(side.booked_on, -owed), (side.accrued_on, owed)]


def _units(terms: InterestInForce, weight: int, balance: int, interest: Bearing, day: int) -> tuple[int, int]:
    """Credit and debit interest of a day, in `UNITS` of a minor unit."""
    if balance == 0 or (interest.matures and day >= interest.matures):
        return 0, 0
    if balance > 0:
        return (yearly(terms.credit, balance) * weight if terms.credit is not None else 0), 0
    return 0, (yearly(terms.debit, -balance) * weight if terms.debit is not None else 0)


def _carried(rest: int, units: int, more: int) -> tuple[int, int, int]:
    """The whole minor units of all that is to be accrued, what is carried, and which part is `more`'s."""
    alone = (rest + units) // UNITS
    amount, rest = divmod(rest + units + more, UNITS)
    return amount, rest, amount - alone


def accrue(book: Book, day: Date, done: int) -> Slice:
    """The interest of a closed day, a slice of the interest-bearing accounts at a time."""
    bearing = book.end_of_day.bearing
    if done >= len(bearing):
        return (), None
    accruing = _Accruing(book, day)
    last, work = done, 0
    while last < len(bearing) and work < SLICE:
        account_id = bearing[last]
        account = book.accounts[account_id]
        interest = account.interest
        work += 1
        if interest is not None and interest.through < accruing.ordinal:
            work += accruing.account(account_id, account, interest)
        last += 1
    event = InterestAccrued(
        business_date=day,
        first=done,
        last=last,
        credits=tuple(accruing.credits),
        debits=tuple(accruing.debits),
        corrections=tuple(accruing.corrections),
        unaccrued=tuple(accruing.unaccrued),
        booking_date=book.business_date,
        value_date=day,
        postings=accruing.sums.postings(),
    )
    return (event,), last if last < len(bearing) else None


def ends_on(book: Book, terms: InterestInForce, day: Date) -> bool:
    """Whether a period whose interest is booked together ends with that day, by schedule and calendar."""
    months = {"monthly": 1, "quarterly": 3, "yearly": 12}.get(terms.capitalised)
    if months is None:
        return False
    this_month = months_later(day.replace(day=1), 1) - _A_DAY
    for end in (this_month, day.replace(day=1) - _A_DAY):
        if end.month % months == 0 and adjusted(book, terms.calendar, end, terms.convention) == day:
            return True
    return False


def capitalise(book: Book, day: Date, done: int) -> Slice:
    """Book accrued interest to the accounts whose period ends with that day, a slice of them at a time."""
    ordinal = day.toordinal()
    terms_of = {key: terms_on(book, key, ordinal) for key in book.in_force.interest}
    ending = {key for key, terms in terms_of.items() if ends_on(book, terms, day)}
    maturing = {key for key, terms in terms_of.items() if terms.capitalised == "at_maturity"}
    if not ending and not maturing:
        return (), None
    bearing = book.end_of_day.bearing
    sums = Sums(book)
    found: list[Capitalisation] = []
    index = done
    while index < len(bearing) and len(found) < CAPITALISED and index - done < SEARCHED:
        account_id = bearing[index]
        index += 1
        account = book.accounts[account_id]
        interest = account.interest
        if interest is None or not (interest.credit or interest.debit):
            continue
        key = interest_key(account.product, account.currency)
        due = key in ending or (key in maturing and interest.matures == ordinal + 1)
        if due and (one := _capitalisation(book, account_id, account, interest, sums)):
            found.append(one)
    left = index if index < len(bearing) else None
    if not found:
        return (), left
    event = InterestCapitalised(
        through=day,
        capitalised=tuple(found),
        booking_date=book.business_date,
        value_date=max(day + _A_DAY, book.open_from),
        postings=sums.postings(),
    )
    return (event,), left


def _capitalisation(
    book: Book, account_id: str, account: Account, interest: Bearing, sums: Sums
) -> Capitalisation | None:
    """What of an account's accrued interest can be booked to it now; None where that is nothing.

    Interest is a movement as any other: no block, no customer who may not, no floor is passed by it.
    """
    credit, debit = interest.credit, -interest.debit
    received = max(credit, 0) + max(debit, 0)
    if is_blocked(account, "credits", book.at):
        credit, debit, received = min(credit, 0), min(debit, 0), 0
    available = chargeable(book, account, received)
    if credit < 0:
        credit = -min(-credit, available)
        available += credit
    if debit < 0:
        debit = -min(-debit, available)
    legs: list[tuple[str, int]] = []
    sides: tuple[tuple[Name, int], ...] = (("credit", credit), ("debit", debit))
    for name, amount in sides:
        side = side_of(book, interest_key(account.product, account.currency), name)
        if amount and side is not None:
            legs += [(account_id, amount), (side.accrued_on, -amount)]
    if not legs or not sums.add(legs):
        return None
    return Capitalisation(account_id, credit, -debit, interest.credit - credit, interest.debit + debit)


def capitalise_interest(book: Book, command: CapitaliseInterest, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, no_interest_accrued (none that can be
    booked: a block, or nothing that is available for what is owed).
    """
    account = book.accounts.get(command.account)
    if account is None:
        return reject("account_not_found", account=command.account)
    if not account.is_open:
        return reject("account_not_open", account=command.account)
    interest, sums = account.interest, Sums(book)
    if interest is None or (one := _capitalisation(book, command.account, account, interest, sums)) is None:
        return reject("no_interest_accrued", account=command.account)
    return InterestCapitalised(
        through=Date.fromordinal(interest.through),
        capitalised=(one,),
        booking_date=book.business_date,
        value_date=book.business_date,
        postings=sums.postings(),
    )


DECIDE: dict[type, Decide] = {CapitaliseInterest: capitalise_interest}
