"""What the close of a business date keeps for the revaluation of positions, which comes after it."""

from __future__ import annotations

from book.fx import Closing, Held
from book.rates import RatesInForce
from book.state import Book
from schemas.message import Date


def revaluing(book: Book) -> RatesInForce | None:
    """The table by which positions are revalued, if there is one."""
    return next((one for one in book.in_force.rates.values() if one.rates.revaluation is not None), None)


def day_closed(book: Book, closed: Date) -> None:
    """A business date is over: what is held now is valued at the rates of now, however late that is done."""
    table = revaluing(book)
    if table is None or not book.fx.positions:
        return
    book.fx.closing[closed.toordinal()] = Closing(
        table,
        tuple(
            Held(account, one.amount, one.cost, one.realised) for account, one in book.fx.positions.items()
        ),
    )
