"""`standing_orders` and `standing_order_runs`: what is to be paid again, and what came of each run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, instant_or_null, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import ACCOUNT, AT, BOOK, CURRENCY, SEQ, View, amount, refused, shown
from schemas.instructions import To, ToAccount
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

ORDERS = Table(
    "standing_orders",
    (
        ("book", "text NOT NULL"),
        ("order_id", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("payee", "text NOT NULL"),
        ("rail", "text"),
        ("amount", "bigint NOT NULL"),
        ("above", "bigint"),
        ("currency", "text NOT NULL"),
        ("every", "text NOT NULL"),
        ("calendar", "text NOT NULL"),
        ("until", "date"),
        ("state", "text NOT NULL"),
        ("next_date", "date"),
        ("due_at", "timestamptz"),
        ("made", "integer NOT NULL"),
        ("reference", "text NOT NULL"),
        ("created_by", "text NOT NULL"),
        ("created_at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "order_id"),
    indexes=(Index("standing_orders_account", "(account, book, order_id)"),),
    personal=("payee",),
)
RUNS = Table(
    "standing_order_runs",
    (
        ("book", "text NOT NULL"),
        ("order_id", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("date", "date NOT NULL"),
        ("outcome", "text NOT NULL"),
        ("attempt", "integer"),
        ("amount", "bigint"),
        ("reason", "text"),
        ("figures", "jsonb"),
        ("at", "timestamptz NOT NULL"),
    ),
    key=("book", "order_id", "seq"),
)
TABLES = (ORDERS, RUNS)

_NAMES = [name for name, _ in ORDERS.columns]
_CREATE = (
    f"INSERT INTO {{schema}}.standing_orders ({', '.join(_NAMES)}) VALUES ({', '.join('%s' for _ in _NAMES)})"
    + ORDERS.again()
)
_RUN = (
    "INSERT INTO {schema}.standing_order_runs (book, order_id, seq, date, outcome, attempt, amount, reason, "
    "figures, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)"
)
_WHERE = " WHERE book = %s AND order_id = %s"


def _set(*columns: str) -> str:
    return f"UPDATE {{schema}}.standing_orders SET {', '.join(columns)}{_WHERE}"


_CHANGE = _set(
    "amount = %s",
    "until = %s",
    "reference = %s",
    "state = CASE WHEN %s THEN 'ended' ELSE state END",
    "due_at = CASE WHEN %s THEN NULL ELSE due_at END",
    "next_date = CASE WHEN %s THEN NULL ELSE next_date END",
)
_STATE = _set("state = %s", "next_date = NULL", "due_at = NULL")
_PAUSE = _set("state = 'paused'", "due_at = NULL")
_NEXT = _set("state = %s", "next_date = %s", "due_at = %s", "made = made + %s")
_DUE = _set("due_at = %s")


def changes(batch: Batch) -> Iterator[Change]:
    """Statements in the order of the events, since each builds on the one before."""
    for event in batch.others:
        yield from _changes(event)


def _changes(event: object) -> Iterator[Change]:
    match event:
        case StandingOrderCreated():
            yield Execute(_CREATE, [_created(event)])
        case StandingOrderChanged():
            ended = event.ended
            fields = (event.amount, event.until, event.reference, ended, ended, ended)
            yield Execute(_CHANGE, [(*fields, event.book, event.order)])
        case StandingOrderPaused():
            yield Execute(_PAUSE, [(event.book, event.order)])
        case StandingOrderCancelled():
            yield Execute(_STATE, [("cancelled", event.book, event.order)])
        case StandingOrderResumed():
            yield _next(event, event.date, 0)
        case StandingOrderMoved():
            yield Execute(_DUE, [(instant(event.due_ms), event.book, event.order)])
            yield _run(event, "moved", None, None, None, None)
        case StandingOrderRun():
            yield _next(event, event.next_date, 1)
            yield _run(event, "made", None, event.amount, None, None)
        case StandingOrderMissed():
            yield Execute(_DUE, [(instant(event.due_ms), event.book, event.order)])
            yield _run(event, "missed", event.attempt, event.amount, event.reason, json_text(event.figures))
        case StandingOrderSkipped():
            yield _next(event, event.next_date, 0)
            why = (event.reason, json_text(event.figures)) if event.reason else (None, None)
            yield _run(event, "skipped", event.attempt, None, *why)
        case _:
            pass


def _next(event: Any, date: Any, made: int) -> Execute:
    state = "ended" if date is None else "active"
    due = instant_or_null(event.due_ms)
    return Execute(_NEXT, [(state, date, due, made, event.book, event.order)])


def _run(
    event: Any, outcome: str, attempt: int | None, paid: int | None, reason: str | None, figures: str | None
) -> Execute:
    key = (event.book, event.order, event.seq, event.date)
    return Execute(_RUN, [(*key, outcome, attempt, paid, reason, figures, instant(event.at))])


def _created(event: StandingOrderCreated) -> tuple[Any, ...]:
    return (
        event.book,
        event.order,
        event.account,
        *_whom(event.to),
        event.amount,
        event.above,
        event.currency,
        event.every,
        event.calendar,
        event.until,
        "active",
        event.date,
        instant(event.due_ms),
        0,
        event.reference,
        event.creator,
        instant(event.at),
        event.seq,
    )


def _whom(to: To) -> tuple[str, str | None]:
    return (to.account, None) if isinstance(to, ToAccount) else (to.payee.account, to.rail)


VIEWS = (
    View(
        "standing_orders",
        "Payments that are scheduled, and orders that pay again and again, as they are now.",
        "{schema}.standing_orders AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "order_id": "The order's id, unique in its book.",
                    "account": ACCOUNT,
                    "rail": "By which rail it leaves the bank; null for an account of the book.",
                    "every": "once, day, week, month, quarter or year.",
                    "state": "active, paused, ended or cancelled.",
                }
            ),
            amount("amount", "Of each run or, where above is given, the most of one."),
            amount("above", "What is to stay available; a run pays what is above it."),
            *shown(
                {
                    "currency": CURRENCY,
                    "calendar": "Whose banking days it keeps; empty for every day.",
                    "until": "No date after it.",
                    "next_date": "The next date, before the calendar moves it.",
                    "due_at": "Book time of the next run, or of the next attempt at it.",
                    "made": "How many runs were made.",
                    "reference": "What the payee is told.",
                    "created_by": "Who created it.",
                    "created_at": "Book time of its creation.",
                    "seq": "Number of the event that created it.",
                }
            ),
        ),
    ),
    View(
        "standing_order_runs",
        "What came of each run of an order, and of each attempt at it.",
        "{schema}.standing_order_runs AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "order_id": "The order's id.",
                    "seq": SEQ,
                    "date": "Which of the order's dates it was for.",
                    "outcome": "made, missed (and tried again), skipped, or moved to another day.",
                    "attempt": "Which attempt was refused.",
                }
            ),
            amount("amount", "What was paid, or would have been."),
            *refused("Why it was refused.", "The values behind the refusal."),
            *shown({"at": AT}),
        ),
    ),
)
