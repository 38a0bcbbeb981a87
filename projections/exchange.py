"""`rate_tables`, `quotes` and `exchanges`: rates in force, what was given of them, and what was exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import AT, BOOK, CURRENCY, SEQ, Column, View, shown
from schemas.exchange import Exchanged, QuoteExpired, QuoteGiven
from schemas.publishing import DocumentPublished, DocumentTookEffect

_PRICE = (
    ("sell", "text NOT NULL"),
    ("sell_amount", "bigint NOT NULL"),
    ("sell_rounding", "text NOT NULL"),
    ("buy", "text NOT NULL"),
    ("buy_amount", "bigint NOT NULL"),
    ("buy_rounding", "text NOT NULL"),
    ("base", "text NOT NULL"),
    ("counter", "text NOT NULL"),
    ("rate", "numeric NOT NULL"),
    ("mid", "numeric NOT NULL"),
    ("margin", "numeric NOT NULL"),
    ("worth", "bigint NOT NULL"),
    ("documents", "text[] NOT NULL"),
)
RATE_TABLES = Table(
    "rate_tables",
    (
        ("book", "text NOT NULL"),
        ("document", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        ("in_force", "boolean NOT NULL"),
        ("effective_from", "timestamptz NOT NULL"),
        ("body", "jsonb NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    # Tables change often: of those that are over, the log and the audit log tell.
    key=("book", "document", "version"),
)
QUOTES = Table(
    "quotes",
    (
        ("book", "text NOT NULL"),
        ("quote", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("debit", "text NOT NULL"),
        ("credit", "text NOT NULL"),
        *_PRICE,
        ("given_at", "timestamptz NOT NULL"),
        ("expires_at", "timestamptz NOT NULL"),
        ("ended_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    # An id may be given again once the book has forgotten it.
    key=("book", "quote", "given_at"),
    indexes=(
        Index("quotes_open", "(book, expires_at) WHERE status = 'open'"),
        Index("quotes_seq", "(book, seq)"),
    ),
)
EXCHANGES = Table(
    "exchanges",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("quote", "text NOT NULL"),
        ("debit", "text NOT NULL"),
        ("credit", "text NOT NULL"),
        *_PRICE,
        ("booking_date", "date NOT NULL"),
        ("reference", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
    ),
    key=("book", "seq"),
    indexes=(
        Index("exchanges_debit", "(book, debit, seq)"),
        Index("exchanges_credit", "(book, credit, seq)"),
    ),
)
TABLES = (RATE_TABLES, QUOTES, EXCHANGES)

_PUBLISHED = "INSERT INTO {schema}.rate_tables VALUES (%s, %s, %s, FALSE, %s, %s::jsonb, %s)"
_IN_FORCE = (
    "UPDATE {schema}.rate_tables SET in_force = TRUE, seq = %s "
    "WHERE book = %s AND document = %s AND version = %s"
)
_OVER = "DELETE FROM {schema}.rate_tables WHERE book = %s AND document = %s AND version < %s"
_GIVEN = "INSERT INTO {schema}.quotes VALUES (" + ", ".join(["%s"] * len(QUOTES.columns)) + ")"
_ENDED = (
    "UPDATE {schema}.quotes SET status = %s, ended_at = %s, seq = %s "
    "WHERE book = %s AND quote = %s AND status = 'open'"
)
_EXCHANGED = "INSERT INTO {schema}.exchanges VALUES (" + ", ".join(["%s"] * len(EXCHANGES.columns)) + ")"


def changes(batch: Batch) -> Iterator[Change]:
    """Quotes that were given before those that ended, which may be the same; exchanges together."""
    given: list[tuple[Any, ...]] = []
    ended: list[tuple[Any, ...]] = []
    exchanged: list[tuple[Any, ...]] = []
    for event in batch.others:
        match event:
            case DocumentPublished(kind="rates"):
                yield Execute(_PUBLISHED, [_table(event)])
                if event.effective_from_ms <= event.at:
                    yield from _took_effect(event)
            case DocumentTookEffect(kind="rates"):
                yield from _took_effect(event)
            case QuoteGiven():
                given.append(_quote(event))
            case QuoteExpired():
                ended.append(("expired", instant(event.at), event.seq, event.book, event.quote))
            case Exchanged():
                exchanged.append(_exchange(event))
                if event.quote:
                    ended.append(("used", instant(event.at), event.seq, event.book, event.quote))
            case _:
                pass
    for statement, rows in ((_GIVEN, given), (_ENDED, ended), (_EXCHANGED, exchanged)):
        if rows:
            yield Execute(statement, rows)


def _table(event: DocumentPublished) -> tuple[Any, ...]:
    from_ = instant(event.effective_from_ms)
    return (event.book, event.document, event.version, from_, json_text(event.body), event.seq)


def _took_effect(event: DocumentPublished | DocumentTookEffect) -> Iterator[Change]:
    yield Execute(_IN_FORCE, [(event.seq, event.book, event.document, event.version)])
    yield Execute(_OVER, [(event.book, event.document, event.version)])


def _price(event: QuoteGiven | Exchanged) -> tuple[Any, ...]:
    sold, bought = event.lines
    return (
        *(sold.currency, sold.amount, sold.rounding),
        *(bought.currency, bought.amount, bought.rounding),
        *(event.base, event.counter, event.rate, event.mid, event.margin, event.worth),
        list(event.documents),
    )


def _quote(event: QuoteGiven) -> tuple[Any, ...]:
    return (
        *(event.book, event.quote, "open", event.party, event.debit, event.credit),
        *_price(event),
        *(instant(event.at), instant(event.expires_at_ms), None, event.seq),
    )


def _exchange(event: Exchanged) -> tuple[Any, ...]:
    return (
        *(event.book, event.seq, event.quote, event.debit, event.credit),
        *_price(event),
        *(str(event.booking_date), event.reference, instant(event.at)),
    )


_PRICE_SHOWN = (
    *shown({"sell": "What the customer gives. " + CURRENCY}),
    Column("sell_minor", "t.sell_amount", "How much of it. Minor units of that currency, above zero."),
    *shown(
        {
            "sell_rounding": "given, or how its last unit was found: half-even, or up for the bank.",
            "buy": "What the customer gets. " + CURRENCY,
        }
    ),
    Column("buy_minor", "t.buy_amount", "How much of it. Minor units of that currency, above zero."),
    *shown(
        {
            "buy_rounding": "given, or how its last unit was found: half-even, or down for the bank.",
            "base": "The rate is units of counter for one unit of this.",
            "counter": "The currency that the rate counts.",
            "rate": "What the customer was given.",
            "mid": "The rate without margin, to 12 places.",
            "margin": "What the bank keeps, as a part of mid.",
        }
    ),
    Column(
        "worth_minor",
        "t.worth",
        "Minor units of the book's currency: the side that is in it, or else what is sold at mid.",
    ),
    *shown({"documents": "The table of rates and its version."}),
)
VIEWS = (
    View(
        "exchange_rates",
        "The rates in force: one row a pair of each table.",
        "{schema}.rate_tables AS t CROSS JOIN LATERAL jsonb_array_elements(t.body -> 'pairs') AS p (pair) "
        "WHERE t.in_force",
        (
            *shown({"book": BOOK, "document": "The table.", "version": "Its version."}),
            Column("as_of", "(t.body ->> 'as_of')::date", "Of which day the rates are."),
            Column("base", "p.pair ->> 'base'", "The rate is units of quote for one unit of this."),
            Column("quote", "p.pair ->> 'quote'", "The currency that the rate counts."),
            Column("mid", "(p.pair ->> 'mid')::numeric", "The rate without margin."),
            Column(
                "margin_buy",
                "(p.pair #>> '{{margin,buy}}')::numeric",
                "What the bank keeps where it buys the base, as a part of mid.",
            ),
            Column(
                "margin_sell",
                "(p.pair #>> '{{margin,sell}}')::numeric",
                "What the bank keeps where it sells the base, as a part of mid.",
            ),
            *shown({"effective_from": "Book time since which it is in force."}),
        ),
    ),
    View(
        "quotes",
        "Every rate that was given to hold for a while, and what became of it.",
        "{schema}.quotes AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "quote": "The quote's id.",
                    "status": "open, used or expired.",
                    "party": "Whose it is; empty for the bank's own.",
                    "debit": "The account that pays, where it was said.",
                    "credit": "The account that is paid, where it was said.",
                }
            ),
            *_PRICE_SHOWN,
            *shown(
                {
                    "given_at": "Book time at which it was given.",
                    "expires_at": "Book time until which it can be used.",
                    "ended_at": "Book time at which it was used or expired; null while it is open.",
                    "seq": "Number of the newest event about it.",
                }
            ),
        ),
    ),
    View(
        "exchanges",
        "Every exchange of one currency for another.",
        "{schema}.exchanges AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "seq": SEQ,
                    "quote": "The quote that it used; empty where it took the table's rate of the moment.",
                    "debit": "The account that paid.",
                    "credit": "The account that was paid.",
                }
            ),
            *_PRICE_SHOWN,
            *shown(
                {
                    "booking_date": "Business day on which it was booked.",
                    "reference": "What the sender wrote.",
                    "at": AT,
                }
            ),
        ),
    ),
)
