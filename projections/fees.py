"""`fees`: every fee that was charged, by which line of which tariff, and whether it was given back."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import cell, rows_of
from projections.tables import Batch, Change, Execute, Index, Insert, Table
from projections.view import ACCOUNT, AT, BOOK, CURRENCY, SEQ, Column, View, shown
from schemas.catalogue import MONEY_EVENTS
from schemas.fees import FeeWaived
from schemas.rail_reports import PaymentFailed
from schemas.transfers import TransferReversed

FEES = Table(
    "fees",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("number", "integer NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("account", "text NOT NULL"),
        ("tariff", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        ("line", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("income", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("returned_seq", "bigint"),
    ),
    key=("book", "seq", "number"),
    indexes=(Index("fees_account", "(book, account, seq)"),),
)
TABLES = (FEES,)

_WAIVED = (
    "UPDATE {schema}.fees SET status = 'waived', returned_seq = %s WHERE book = %s AND seq = %s "
    "AND account = %s AND line = %s AND status = 'charged'"
)
_REVERSED = (
    "UPDATE {schema}.fees SET status = 'reversed', returned_seq = %s "
    "WHERE book = %s AND seq = %s AND status = 'charged'"
)


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each fee, then what was given back."""
    lines: list[str] = []
    returned: list[Change] = []
    for event, at in zip(batch.events, batch.times, strict=True):
        # Without postings they are only reserved; a payment that failed gives its fees back.
        charges = type(event) in MONEY_EVENTS and type(event) is not PaymentFailed
        for number, fee in enumerate(getattr(event, "fees", ()) if charges else (), 1):
            lines.append(
                f"{cell(event.book)}\t{event.seq}\t{number}\t{at}\t{cell(fee.account)}\t{cell(fee.tariff)}\t"
                f"{fee.version}\t{cell(fee.line)}\t{fee.amount}\t{cell(fee.currency)}\t{cell(fee.income)}\t"
                "charged\t\\N\n"
            )
        if type(event) is FeeWaived:
            fee = event.fee
            returned.append(Execute(_WAIVED, [(event.seq, event.book, event.charged, fee.account, fee.line)]))
        elif type(event) is TransferReversed:
            returned.append(Execute(_REVERSED, [(event.seq, event.book, event.transfer)]))
        elif type(event) is PaymentFailed:
            returned.append(Execute(_REVERSED, [(event.seq, event.book, event.charged)]))
    if lines:
        yield Insert(FEES, rows_of(lines))
    yield from returned


VIEWS = (
    View(
        "fees",
        "Every fee that was charged. Each is a posting of its own to an income account.",
        "{schema}.fees AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "seq": SEQ,
                    "number": "Number of the fee within its event, from 1.",
                    "at": AT,
                    "account": ACCOUNT,
                    "tariff": "The tariff document that charges it.",
                    "version": "The version of it that was in force.",
                    "line": "The line of it.",
                }
            ),
            Column("amount_minor", "t.amount", "What was charged. Minor units of the currency, above zero."),
            *shown(
                {
                    "currency": CURRENCY,
                    "income": "The income account that received it.",
                    "status": "charged, waived (given back by a person), or reversed with what it was for.",
                    "returned_seq": "Number of the event that gave it back; null where it was not.",
                }
            ),
        ),
    ),
)
