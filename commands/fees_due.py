"""What accounts cost each month, charged at the end of its last day, a slice of them at a time.

What an account cannot pay is not lost: it is asked for again at the end of every day.
"""

from __future__ import annotations

from itertools import islice

from book.end_of_day import has_monthly_fees, is_months_last
from book.state import Book
from commands.fees import periodic_fees
from commands.slices import Slice, Sums, chargeable
from schemas.fees import Fee
from schemas.fees_due import FeesCharged
from schemas.message import Date

CHARGED = 500
"""How many accounts one slice charges, or asks again, at most."""
SEARCHED = 5_000
"""How many accounts one slice looks at."""


def charge(book: Book, day: Date, done: int) -> Slice:
    """After a month's last day every account's fees of the month, else what was not paid before."""
    if not (is_months_last(day) and has_monthly_fees(book)):
        return _again(book, day, done)
    charging = _Charging(book)
    looked = asked = 0
    for account_id, account in islice(book.accounts.items(), done, done + SEARCHED):
        looked += 1
        before = book.end_of_day.unpaid.get(account_id, ())
        if fees := (*before, *(periodic_fees(book, account_id, account) if account.product else ())):
            charging.account(account_id, fees, before)
            asked += 1
            if asked == CHARGED:
                break
    done += looked
    return charging.events(day), done if done < len(book.accounts) else None


def _again(book: Book, day: Date, done: int) -> Slice:
    """The accounts that pay now leave the list; those that cannot stay, and `done` counts them."""
    unpaid = book.end_of_day.unpaid
    charging = _Charging(book)
    left = done
    for account_id, fees in islice(unpaid.items(), done, done + CHARGED):
        if not charging.account(account_id, fees, fees):
            left += 1
    more = len(unpaid) > done + CHARGED
    return charging.events(day), left if more else None


class _Charging:
    """One slice of fees, as it comes together."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.sums = Sums(book)
        self.fees: list[Fee] = []
        self.unpaid: list[Fee] = []
        self.settled: list[str] = []

    def account(self, account_id: str, fees: tuple[Fee, ...], before: tuple[Fee, ...]) -> bool:
        """Charge an account what it can pay, fee by fee; whether that is all. before: what it owed."""
        available = chargeable(self.book, self.book.accounts[account_id])
        paid, left = [], []
        for fee in fees:
            open_ = self.book.accounts[fee.income].is_open
            if fee.amount <= available and open_ and self._take(fee):
                available -= fee.amount
                paid.append(fee)
            else:
                left.append(fee)
        self.fees += paid
        if left and tuple(left) != before:
            self.unpaid += left
        if before and not left:
            self.settled.append(account_id)
        return not left

    def _take(self, fee: Fee) -> bool:
        return self.sums.add([(fee.account, -fee.amount), (fee.income, fee.amount)])

    def events(self, day: Date) -> tuple[FeesCharged, ...]:
        """None where nothing changes."""
        if not self.fees and not self.unpaid:
            return ()
        return (
            FeesCharged(
                business_date=day,
                fees=tuple(self.fees),
                unpaid=tuple(self.unpaid),
                settled=tuple(self.settled),
                booking_date=self.book.business_date,
                value_date=day,
                postings=self.sums.postings(),
            ),
        )
