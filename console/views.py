"""What the read models answer, on the terminal: an account, its statement, the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import orjson

from console.choices import book_named, days_of
from console.options import By
from console.output import Output
from console.read_models import read_models
from engine.home import Home
from engine.settings import Settings
from projections.answers import AccountRow
from projections.database import Session, connect
from projections.queries import account as find_account
from projections.queries import audit as find_audit
from projections.queries import books as find_books
from projections.queries import digits, outcomes
from projections.queries import statement as find_statement
from schemas.message import ENVELOPE
from schemas.money import format_minor


@contextmanager
def reading(output: Output, home: Home, settings: Settings) -> Iterator[Session]:
    with read_models(output, home, settings) as database, connect(database.dsn) as session:
        yield session


def account(output: Output, home: Home, settings: Settings, book: str | None, id: str) -> bool:
    """Show an account; False where there is none."""
    with reading(output, home, settings) as session:
        book = book_named(book, find_books(session))
        found = find_account(session, book, id)
        if found is None:
            output.fail(f"There is no account {id} in the book {book}.")
            return False
        places = digits(session, book, found.currency)
    output.table("", ["", ""], [(name, value) for name, value in _described(found, places)])
    output.emit(**msgspec.to_builtins(found))
    return True


def _described(found: AccountRow, places: int) -> Iterator[tuple[str, str]]:
    yield "account", f"{found.account} ({found.kind}, {found.status})"
    if found.party:
        yield "party", found.party
    for name in ("product", "branch", "ledger"):
        if getattr(found, name):
            yield name, getattr(found, name)
    for name in ("booked", "held", "overdraft", "available"):
        amount = getattr(found, name)
        if amount is not None:
            yield name, f"{format_minor(amount, places)} {found.currency}"
    for block, about in found.blocks.items():
        yield f"block {block}", f"{about['direction']}: {about['reason']} ({about['authority']})"
    yield "opened", found.opened_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    yield "as of", f"seq {found.seq}"


def statement(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    id: str,
    first: str | None,
    last: str | None,
    by: By,
) -> bool:
    """Show an account's statement; False where there is no such account."""
    days = days_of(first, last)
    with reading(output, home, settings) as session:
        book = book_named(book, find_books(session))
        found = find_statement(session, book, id, *days, by)
        if found is None:
            output.fail(f"There is no account {id} in the book {book}.")
            return False
        places = digits(session, book, found.account.currency)
    output.say(f"{id}, {found.account.currency}, by {by.replace('-', ' ')}")
    output.table(
        "",
        ["booked", "value", ">seq", "what", "with", "reference", ">amount", ">balance"],
        [
            ("", "", "", "opening balance", "", "", "", format_minor(found.opening, places)),
            *(
                (
                    line.booking_date.isoformat(),
                    line.value_date.isoformat(),
                    line.seq,
                    line.type,
                    line.counter_account,
                    line.reference,
                    format_minor(line.amount, places),
                    format_minor(line.balance, places),
                )
                for line in found.lines
            ),
            ("", "", "", "closing balance", "", "", "", format_minor(found.closing, places)),
        ],
    )
    output.emit(**msgspec.to_builtins(found))
    return True


def audit(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    actor: str | None,
    entity: str | None,
    command: str | None,
    limit: int,
) -> None:
    """Show the newest events that fit, oldest first; with a command id, also what came of it."""
    with reading(output, home, settings) as session:
        book = None if book is None else book_named(book, find_books(session))
        rows = find_audit(session, book=book, actor=actor, entity=entity, command=command, limit=limit)
        answers = outcomes(session, command, book=book, actor=actor) if command is not None else []
    output.table(
        "",
        ["at (UTC)", "book", ">seq", "who", "what", "about"],
        [
            (
                row.at.strftime("%Y-%m-%d %H:%M:%S"),
                row.book,
                row.seq,
                row.actor or ("timer" if row.timer else "engine"),
                row.type,
                _about(row.event),
            )
            for row in rows
        ],
    )
    for answer in answers:
        output.say(f"{answer.actor}/{answer.command}: {answer.outcome} {answer.reason}, seq {answer.seq}")
    for row in rows:
        output.emit(**msgspec.to_builtins(row))


def _about(event: dict[str, object]) -> str:
    body = {name: value for name, value in event.items() if name not in ENVELOPE and name != "type" and value}
    return orjson.dumps(body).decode()
