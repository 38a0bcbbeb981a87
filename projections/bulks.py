"""`bulks` and `bulk_instructions`: what was submitted together, and what became of each instruction.

The events of a bulk follow it in its outcome, in the order of its instructions, and an outcome is never in
two batches: so the number of an instruction is known by counting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Table
from projections.view import AT, BOOK, CURRENCY, SEQ, View, amount, refused, shown
from schemas.bulk import BulkAccepted, InstructionRefused
from schemas.message import Event
from schemas.payments import PaymentSubmitted
from schemas.transfers import TransferPosted

BULKS = Table(
    "bulks",
    (
        ("book", "text NOT NULL"),
        ("bulk", "text NOT NULL"),
        ("mode", "text NOT NULL"),
        ("instructions", "integer NOT NULL"),
        ("accepted", "integer NOT NULL"),
        ("refused", "integer NOT NULL"),
        ("totals", "jsonb NOT NULL"),
        ("actor", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "bulk"),
)
INSTRUCTIONS = Table(
    "bulk_instructions",
    (
        ("book", "text NOT NULL"),
        ("bulk", "text NOT NULL"),
        ("index", "integer NOT NULL"),
        ("state", "text NOT NULL"),
        ("account", "text"),
        ("credit", "text"),
        ("payment", "text"),
        ("amount", "bigint"),
        ("currency", "text"),
        ("reason", "text"),
        ("figures", "jsonb"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "bulk", "index"),
)
TABLES = (BULKS, INSTRUCTIONS)


def _insert(table: Table) -> str:
    names = [name for name, _ in table.columns]
    values = ["%s::jsonb" if kind.startswith("jsonb") else "%s" for _, kind in table.columns]
    return f"INSERT INTO {{schema}}.{table.name} ({', '.join(names)}) VALUES ({', '.join(values)})"


_BULK, _INSTRUCTION = _insert(BULKS) + BULKS.again(), _insert(INSTRUCTIONS)
_OF_BEFORE = "DELETE FROM {schema}.bulk_instructions WHERE book = %s AND bulk = %s"


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each bulk, and one for each of its instructions; the newest, where an id is used anew."""
    bulks: list[tuple[Any, ...]] = []
    instructions: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    if any(type(event) is BulkAccepted for event in batch.others):
        for index, event in enumerate(batch.events):
            if isinstance(event, BulkAccepted):
                rows = list(_rows(event, batch.events[index + 1 :]))
                refused = sum(1 for row in rows if row[3] == "refused")
                bulks.append(_bulk(event, len(rows) - refused, refused))
                instructions[event.book, event.bulk] = rows
    if bulks:
        yield Execute(_BULK, bulks)
        yield Execute(_OF_BEFORE, list(instructions))
        yield Execute(_INSTRUCTION, [row for rows in instructions.values() for row in rows])


def _bulk(event: BulkAccepted, accepted: int, refused: int) -> tuple[Any, ...]:
    return (
        event.book,
        event.bulk,
        event.mode,
        event.instructions,
        accepted,
        refused,
        json_text([[one.currency, one.count, one.amount] for one in event.totals]),
        event.actor,
        instant(event.at),
        event.seq,
    )


def _rows(bulk: BulkAccepted, events: list[Event]) -> Iterator[tuple[Any, ...]]:
    index = 0
    for event in events:
        if index == bulk.instructions:
            return
        match event:
            case TransferPosted():
                what = ("accepted", event.debit, event.credit, None, event.amount, event.currency, None, None)
            case PaymentSubmitted():
                pays = (event.account, None, event.payment, event.amount, event.currency)
                what = ("accepted", *pays, None, None)  # type: ignore[assignment]
            case InstructionRefused():
                why = (event.reason, json_text(event.figures))
                what = ("refused", None, None, None, None, None, *why)  # type: ignore[assignment]
            case _:
                continue
        yield (bulk.book, bulk.bulk, index, *what, event.seq)
        index += 1


VIEWS = (
    View(
        "bulks",
        "What was submitted together.",
        "{schema}.bulks AS t",
        shown(
            {
                "book": BOOK,
                "bulk": "The bulk's id, unique in its book.",
                "mode": "all_or_nothing, or each instruction on its own.",
                "instructions": "How many there are.",
                "accepted": "How many of them were accepted.",
                "refused": "How many of them were refused.",
                "totals": "Currency, count and sum in minor units, as the sender counted.",
                "actor": "Who submitted it, or approved it last.",
                "at": AT,
                "seq": SEQ,
            }
        ),
    ),
    View(
        "bulk_instructions",
        "What became of each instruction of a bulk.",
        "{schema}.bulk_instructions AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "bulk": "The bulk's id.",
                    "index": "Which instruction, counted from 0.",
                    "state": "accepted or refused.",
                    "account": "Who pays; null where it was refused.",
                    "credit": "Who is paid, where it is an account of the book.",
                    "payment": "The payment's id, where it leaves the bank; see payments for its state.",
                }
            ),
            amount("amount", "What is paid, above zero; null where it was refused."),
            *shown(
                {
                    "currency": CURRENCY,
                    "seq": SEQ,
                }
            ),
            *refused("Why it was refused.", "The values behind the refusal."),
        ),
    ),
)
