"""What must hold of exchanges and revaluations beside their postings, found again from what they say."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from book.state import Book
from commands.decision import digits_of
from commands.rates import exact
from schemas.exchange import Exchanged, Line
from schemas.message import Event
from schemas.positions import Revalued

Found = Callable[[str], None]


def _exchanged(book: Book, event: Exchanged, found: Found) -> None:
    sold, bought = event.lines
    legs = [(one.account, one.amount, one.currency) for one in event.postings]
    if (
        len(legs) != 4 + 2 * len(event.fees)
        or legs[0] != (event.debit, -sold.amount, sold.currency)
        or legs[1][1:] != (sold.amount, sold.currency)
        or legs[2][1:] != (-bought.amount, bought.currency)
        or legs[3] != (event.credit, bought.amount, bought.currency)
    ):
        found(f"its postings are not {sold.amount} {sold.currency} for {bought.amount} {bought.currency}")
        return
    for name in (legs[1][0], legs[2][0]):
        if name not in book.accounts or book.accounts[name].kind != "fx_position":
            found(f"{name} is no position")
    if not _at_rate(book, event, sold, bought):
        found(f"{bought.amount} for {sold.amount} is not the rate {event.rate}, rounded once")
    _positions(book, event, found)
    if event.quote:
        quote = book.fx.quotes.get(event.quote)
        if quote is None or (quote.lines, quote.rate) != (event.lines, event.rate):
            found(f"it is not what the quote {event.quote} says")


def _at_rate(book: Book, event: Exchanged, sold: Line, bought: Line) -> bool:
    """Whether one side follows from the other by the rate, to within what its rounding allows."""
    if sold.currency not in (event.base, event.counter) or bought.currency not in (event.base, event.counter):
        return False
    rate = exact(event.rate)
    gives = rate if event.base == sold.currency else 1 / rate
    units = Fraction(10 ** digits_of(book, bought.currency), 10 ** digits_of(book, sold.currency))
    for one, value in ((bought, sold.amount * gives * units), (sold, bought.amount / (gives * units))):
        match one.rounding:
            case "half-even":
                if one.amount != round(value):
                    return False
            case "down":  # half-even would be more than the mid rate is worth
                if one.amount >= round(value):
                    return False
            case "up":
                if one.amount <= round(value):
                    return False
            case "given":
                pass
    return sorted((sold.rounding == "given", bought.rounding == "given")) == [False, True]


def _positions(book: Book, event: Exchanged, found: Found) -> None:
    """Amounts follow from the postings; what was paid is either still cost or realised."""
    told = {one.account: one for one in event.positions}
    for posting, paid in ((event.postings[1], event.worth), (event.postings[2], -event.worth)):
        if posting.currency == book.currency:
            if posting.account in told:
                found(f"{posting.account} is in the book's own currency, and no position")
            continue
        after, before = told.get(posting.account), book.fx.positions.get(posting.account)
        amount, basis = (before.amount, before.cost - before.realised) if before else (0, 0)
        if (
            after is None
            or after.amount != amount + posting.amount
            or after.cost - after.realised != basis + paid
        ):
            found(f"the position {posting.account} does not follow from the one before")


def _revalued(book: Book, event: Revalued, found: Found) -> None:
    change = 0
    for one in event.values:
        position = book.fx.positions.get(one.account)
        if position is None or position.result + one.change != one.result:
            found(f"the result of {one.account} does not follow from the one before")
        if one.value - one.cost + one.realised != one.result:
            found(f"the result of {one.account} is not its value less its cost")
        change += one.change
    booked = sum(
        posting.amount
        for posting in event.postings
        if posting.account in book.accounts and book.accounts[posting.account].kind in ("income", "expense")
    )
    if booked != change:
        found(f"results changed by {change}, and {booked} was booked")


MONEY: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    Exchanged: _exchanged,
    Revalued: _revalued,
}
