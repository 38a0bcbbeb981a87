"""`daybook init`: a home, its keys, its log with the system book and a first administrator; and a book."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from console.options import Clock, StoredLog
from console.outcomes import Outcome, outcome_of
from console.output import Output
from console.sites import Topics, administrator, at_home, make_home
from engine.credentials import has_credential, new_secret, set_credential
from engine.embedded import Connection, connect
from engine.files import write_whole
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
    second_admin: str,
    topics: Topics | None = None,
) -> Outcome | None:
    """Make a home, or use the one that is there, and open a book in it. A book that follows the wall clock
    opens with four eyes: the second administrator gets a credential, to be handed over. Without one it is a
    demo.
    """
    root = settings.home or Path.cwd() / NAME
    made = make_home(root, settings, HomeFile(1, user, log=log), topics)
    home = Home(root)
    user = settings.actor or home.read().user
    output.say(f"{'Made' if made else 'There is already'} a home in {root}; its administrator is {user}.")
    outcome = None
    if book is not None:
        with (
            at_home(settings.model_copy(update={"home": root})) as (_, found),
            connect(home, found, founding=True) as connection,
        ):
            outcome = open_book(
                connection,
                user,
                book,
                currency=currency,
                time_zone=time_zone,
                clock=clock,
                second_admin=second_admin,
            )
        output.say(outcome.sentence() if outcome.rejected else f"Opened the book {book} in {currency}.")
        if clock == "wall" and second_admin and not outcome.rejected:
            hand_over(output, home, second_admin)
    output.emit(home=str(root), made=made, user=user, book=outcome.fields() if outcome else None)
    return outcome


def open_book(
    connection: Connection,
    user: str,
    book: str,
    *,
    currency: str,
    time_zone: str,
    clock: Clock,
    second_admin: str = "",
) -> Outcome:
    """Open a book as the home's administrator, who administers the book as well, with a second person where
    it is not for imports and simulation.
    """
    four_eyes = clock == "wall" and bool(second_admin)
    command = OpenBook(
        id=f"open-{uuid.uuid4()}",
        book=book,
        actor=user,
        issued_at_ms=time.time_ns() // 1_000_000,
        name=book,
        currency=currency,
        administrators=(administrator(user), *([administrator(second_admin)] if four_eyes else [])),
        four_eyes=four_eyes,
        time_zone=time_zone,
        clock=clock,
    )
    return outcome_of(connection.submit([Out(command.book.encode(), encode(command))])[0])


def hand_over(output: Output, home: Home, user: str) -> None:
    """Make a credential for the second administrator, in a file for that person to take away."""
    if has_credential(home, user):
        return
    secret = new_secret()
    set_credential(home, user, secret)
    home.handovers.mkdir(mode=0o700, exist_ok=True)
    file = home.handover(user)
    write_whole(file, secret.encode() + b"\n")
    output.say(
        f"Roles, users, documents and policies need a second administrator, {user}. The credential is in "
        f"{file}: hand it to that person, and remove the file."
    )
