"""What creates, changes and ends orders, and what each run leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features.counting import declined
from book.order import Order
from book.state import Book
from schemas.orders import (
    StandingOrderCancelled,
    StandingOrderChanged,
    StandingOrderCreated,
    StandingOrderMissed,
    StandingOrderMoved,
    StandingOrderPaused,
    StandingOrderResumed,
    StandingOrderRun,
    StandingOrderSkipped,
)


def order_timer(order: str) -> str:
    """The id of the timer that makes the next run. The day's first is the change of the business date."""
    return f"standing_order\n{order}"


def created(book: Book, event: StandingOrderCreated) -> None:
    """The order stands, and its first run is due."""
    assert event.order not in book.orders.standing, "an order is created once"
    book.orders.known.add(event.order, event.at)
    book.orders.standing[event.order] = Order(
        account=event.account,
        amount=event.amount,
        currency=event.currency,
        to=event.to,
        every=event.every,
        first=event.first,
        day=event.day,
        until=event.until,
        runs=event.runs,
        above=event.above,
        reference=event.reference,
        channel=event.channel,
        calendar=event.calendar,
        convention=event.convention,
        retries=event.retries,
        number=event.number,
        date=event.date,
        creator=event.creator,
        command=event.command,
        issued_at_ms=event.issued_at_ms,
    )
    book.timers.set(order_timer(event.order), event.due_ms)


def changed(book: Book, event: StandingOrderChanged) -> None:
    """The runs to come are others."""
    order = book.orders.standing[event.order]
    order.amount, order.until, order.reference = event.amount, event.until, event.reference
    if event.ended:
        _end(book, event.order)


def paused(book: Book, event: StandingOrderPaused) -> None:
    """Nothing is due."""
    book.orders.standing[event.order].paused = True
    book.timers.remove(order_timer(event.order))


def resumed(book: Book, event: StandingOrderResumed) -> None:
    """The next date that has not gone by is due."""
    order = book.orders.standing[event.order]
    order.paused = False
    order.attempt = 0
    order.passed += event.passed
    if event.date is None or event.due_ms is None:
        _end(book, event.order)
    else:
        order.number, order.date = event.number, event.date
        book.timers.set(order_timer(event.order), event.due_ms)


def cancelled(book: Book, event: StandingOrderCancelled) -> None:
    """It is over."""
    _end(book, event.order)


def moved(book: Book, event: StandingOrderMoved) -> None:
    """The run is due on another day."""
    book.timers.set(order_timer(event.order), event.due_ms)


def run(book: Book, event: StandingOrderRun) -> None:
    """A run is made, and the next one is due."""
    order = book.orders.standing[event.order]
    assert event.run == order.made + 1, "runs are counted"
    order.made = event.run
    _next(book, order, event)


def missed(book: Book, event: StandingOrderMissed) -> None:
    """The run is tried again."""
    order = book.orders.standing[event.order]
    assert event.attempt == order.attempt + 1, "attempts are counted"
    order.attempt = event.attempt
    book.timers.set(order_timer(event.order), event.due_ms)
    declined(book, event)


def skipped(book: Book, event: StandingOrderSkipped) -> None:
    """The run does not happen, and the next one is due."""
    declined(book, event)
    _next(book, book.orders.standing[event.order], event)


def _next(book: Book, order: Order, event: StandingOrderRun | StandingOrderSkipped) -> None:
    order.attempt = 0
    order.passed += 1 + event.passed
    if event.next_date is None or event.due_ms is None:
        _end(book, event.order)
    else:
        order.number, order.date = event.number, event.next_date
        book.timers.set(order_timer(event.order), event.due_ms)


def _end(book: Book, order: str) -> None:
    del book.orders.standing[order]
    book.timers.remove(order_timer(order))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    StandingOrderCreated: created,
    StandingOrderChanged: changed,
    StandingOrderPaused: paused,
    StandingOrderResumed: resumed,
    StandingOrderCancelled: cancelled,
    StandingOrderMoved: moved,
    StandingOrderRun: run,
    StandingOrderMissed: missed,
    StandingOrderSkipped: skipped,
}
