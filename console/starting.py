"""`daybook init`: a home, its keys, its log with the system book and a first administrator; and a book."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from console.options import Clock, StoredLog
from console.outcomes import Outcome, outcome_of
from console.output import Output
from console.sites import administrator, at_home, make_home
from engine.embedded import Connection, connect
from engine.home import NAME, Home, HomeFile
from engine.log.records import Out
from engine.settings import Settings
from schemas.books import OpenBook
from schemas.catalogue import encode


def init(
    output: Output,
    settings: Settings,
    *,
    user: str,
    log: StoredLog,
    book: str | None,
    currency: str,
    time_zone: str,
    clock: Clock,
) -> Outcome | None:
    """Make a home, or use the one that is there, and open a book in it."""
    root = settings.home or Path.cwd() / NAME
    made = make_home(root, settings, HomeFile(1, user, log=log))
    home = Home(root)
    user = settings.actor or home.read().user
    output.say(f"{'Made' if made else 'There is already'} a home in {root}; its administrator is {user}.")
    outcome = None
    if book is not None:
        with (
            at_home(settings.model_copy(update={"home": root})) as (_, found),
            connect(home, found) as connection,
        ):
            outcome = open_book(connection, user, book, currency=currency, time_zone=time_zone, clock=clock)
        output.say(outcome.sentence() if outcome.rejected else f"Opened the book {book} in {currency}.")
    output.emit(home=str(root), made=made, user=user, book=outcome.fields() if outcome else None)
    return outcome


def open_book(
    connection: Connection, user: str, book: str, *, currency: str, time_zone: str, clock: Clock
) -> Outcome:
    """Open a book as the home's administrator, who administers the book as well."""
    command = OpenBook(
        id=f"open-{uuid.uuid4()}",
        book=book,
        actor=user,
        issued_at_ms=time.time_ns() // 1_000_000,
        name=book,
        currency=currency,
        administrators=(administrator(user),),
        time_zone=time_zone,
        clock=clock,
    )
    return outcome_of(connection.submit([Out(command.book.encode(), encode(command))])[0])
