"""What gives a quote, ends it, and moves money from one currency to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.fx import Position, Quote
from book.reserves import use
from book.state import Book
from book.transfers import post
from schemas.exchange import Exchanged, QuoteExpired, QuoteGiven

QUOTE_TIMER = "quote"


def quote_timer(quote: str) -> str:
    """The id of the timer that ends a quote. No id holds a line feed."""
    return f"{QUOTE_TIMER}\n{quote}"


def quote_given(book: Book, event: QuoteGiven) -> None:
    """The rate can be had until it expires."""
    book.fx.quotes[event.quote] = Quote(
        party=event.party,
        debit=event.debit,
        credit=event.credit,
        lines=event.lines,
        base=event.base,
        counter=event.counter,
        rate=event.rate,
        mid=event.mid,
        margin=event.margin,
        worth=event.worth,
        documents=event.documents,
        positions=event.positions,
        expires_at_ms=event.expires_at_ms,
    )
    book.timers.set(quote_timer(event.quote), event.expires_at_ms)


def quote_expired(book: Book, event: QuoteExpired) -> None:
    """The rate can be had no longer."""
    book.fx.end(event.quote, "expired")
    book.timers.remove(quote_timer(event.quote))


def exchanged(book: Book, event: Exchanged) -> None:
    """Money and positions moved; a quote is used once."""
    post(book, event.postings)
    use(book, event.uses)
    for one in event.positions:
        position = book.fx.positions.get(one.account)
        if position is None:
            position = book.fx.positions[one.account] = Position(book.accounts[one.account].currency)
        position.amount, position.cost, position.realised = one.amount, one.cost, one.realised
    if event.quote:
        book.fx.end(event.quote, "used")
        book.timers.remove(quote_timer(event.quote))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    QuoteGiven: quote_given,
    QuoteExpired: quote_expired,
    Exchanged: exchanged,
}
