"""What is decided about positions: what an exchange makes of them, and what they are worth after a day."""

from __future__ import annotations

from book.fx import Closing, Position
from book.state import Book
from commands.rates import MARGIN_PLACES, decimal_text, mid_of, valued
from commands.slices import Slice, Sums
from schemas.fields import INT64_MAX
from schemas.message import Date
from schemas.positions import PositionMoved, Revalued, Valued

SLICE = 100
"""How many positions are valued in a slice: about a millisecond of work."""
EMPTY = Position("")


def moved(account: str, position: Position, amount: int, worth: int) -> PositionMoved:
    """The position after it took in `amount` for `worth`, both signed, in the book's currency.

    What adds to a position adds to its cost. What takes from it takes as much of the cost, half-even, and the
    difference to what it brought in is realised; all of a position takes all of its cost, so nothing is lost
    to rounding. What turns it around does both. Cost less realised is always the sum of all that was paid.
    """
    held, cost, realised = position.amount, position.cost, position.realised
    if held and (held < 0) != (amount < 0):
        closing = amount if abs(amount) <= abs(held) else -held
        # The part of this exchange that closes, and the part of the cost that goes with it.
        brought = -worth if closing == amount else -round_half_even(worth * closing, amount)
        gone = cost if closing == -held else round_half_even(cost * -closing, held)
        realised += brought - gone
        cost -= gone
        worth += brought
    return PositionMoved(account, held + amount, cost + worth, realised)


def round_half_even(dividend: int, divisor: int) -> int:
    """The nearest whole quotient, of two the even one."""
    if divisor < 0:
        dividend, divisor = -dividend, -divisor
    whole, rest = divmod(dividend, divisor)
    return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))


def revalue(book: Book, day: Date, done: int) -> Slice:
    """Value the positions as they were when the day closed, at the rates of then, and book by how much their
    result differs from what is booked. A position without a rate keeps its value, one whose result would
    leave 64 bits, or cannot be booked since an account for it was closed, its result.
    """
    closing = book.fx.closing.get(day.toordinal())
    if closing is None:
        return (), None
    revaluation = closing.table.rates.revaluation
    assert revaluation is not None, "only a table that says where to book revalues"
    sums = Sums(book)
    values: list[Valued] = []
    upto = min(done + SLICE, len(closing.held))
    for index in range(done, upto):
        value = _valued(book, closing, index)
        if value is None:
            continue
        change = value.change
        on = revaluation.income if change > 0 else revaluation.expense
        if (
            abs(value.result) <= INT64_MAX
            and abs(value.value) <= INT64_MAX
            and (not change or _can_be_booked(book, on, revaluation.contra))
            and (not change or sums.add([(on, change), (revaluation.contra, -change)]))
        ):
            values.append(value)
    last = upto == len(closing.held)
    event = Revalued(
        business_date=day,
        booking_date=book.business_date,
        value_date=max(day, book.open_from),
        documents=(closing.table.name(),),
        values=tuple(values),
        done=upto,
        last=last,
        postings=sums.postings(),
    )
    return (event,), None if last else upto


def _can_be_booked(book: Book, *accounts: str) -> bool:
    return all(book.accounts[one].is_open for one in accounts)


def _valued(book: Book, closing: Closing, index: int) -> Valued | None:
    held = closing.held[index]
    currency = book.accounts[held.account].currency
    value = valued(book, closing.table, currency, held.amount)
    mid = mid_of(closing.table, currency, book.currency)
    if value is None or mid is None:
        return None
    result = value - held.cost + held.realised
    return Valued(
        account=held.account,
        currency=currency,
        amount=held.amount,
        cost=held.cost,
        realised=held.realised,
        mid=decimal_text(mid, MARGIN_PLACES),
        value=value,
        result=result,
        change=result - book.fx.positions[held.account].result,
    )
