"""Lists on the terminal, for risk staff: which there are, who stands on one, and changes from a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from book.state import Book
from commands.calendar import local_text, zone
from console.documents import the_book
from console.output import Output
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from gateway.list_files import changed
from schemas.payees import payee_key
from schemas.publishing import PublishDocument

KIND = "list"


def list_lists(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Show the lists in force."""
    at, found = the_book(home, settings, book)
    lists = found.in_force.ruling.lists
    rows: list[dict[str, Any]] = [
        {
            "list": name,
            "version": one.version,
            "purpose": one.purpose,
            "of": one.of,
            "entries": len(one.until_ms),
            "ended": sum(1 for until_ms in one.until_ms.values() if until_ms and until_ms <= at),
        }
        for name, one in sorted(lists.items())
    ]
    output.table(
        "",
        ["list", ">version", "purpose", "of", ">entries", ">of which ended"],
        [tuple(row.values()) for row in rows],
    )
    if not rows:
        output.say("There are no lists.")
    for row in rows:
        output.emit(**row)


def show(output: Output, home: Home, settings: Settings, name: str, of: str | None, book: str | None) -> bool:
    """Show who stands on a list, or whether one does; False where that one does not."""
    at, found = the_book(home, settings, book)
    body = _body(found, name)
    wanted = None if of is None else {of, payee_key(of)}
    entries = [one for one in body["entries"] if wanted is None or one["id"] in wanted]
    output.say(f"{name}: {body['purpose']} list of {body['of']}, version {_version(found, name)}.")
    output.table(
        "",
        ["entry", "until", "note"],
        [(one["id"], _until(found, one, at), one.get("note", "")) for one in entries],
    )
    for one in entries:
        ended = 0 < (one.get("until_ms") or 0) <= at
        output.emit(
            list=name, entry=one["id"], until_ms=one.get("until_ms"), note=one.get("note", ""), ended=ended
        )
    stands = any(not 0 < (one.get("until_ms") or 0) <= at for one in entries)
    if of is not None and not stands:
        output.fail(f"{of} does not stand on {name}.")
        return False
    return True


def _until(book: Book, entry: dict[str, Any], at_ms: int) -> str:
    until_ms = entry.get("until_ms")
    if until_ms is None:
        return ""
    return local_text(book.time_zone, until_ms) + (", ended" if until_ms <= at_ms else "")


def _body(book: Book, name: str) -> dict[str, Any]:
    """The list's newest version, in force or still to come. Raises WrongUse where there is none."""
    shelf = book.documents.get(f"{KIND}/{name}")
    if shelf is None:
        raise WrongUse(f"There is no list {name}.", "`daybook lists list` has them; publish a new one first.")
    if shelf.pending:
        return shelf.pending[max(shelf.pending)].body
    return shelf.body


def _version(book: Book, name: str) -> int:
    return book.documents[f"{KIND}/{name}"].latest


def change(
    output: Output,
    home: Home,
    settings: Settings,
    name: str,
    file: Path,
    book: str | None,
    *,
    named: str | None,
    check: bool,
) -> bool:
    """Publish the next version; False where it was refused. Raises DocumentsWrong for a file with bad lines,
    and nothing is sent then.
    """
    _, found = the_book(home, settings, book)
    shelf = found.documents.get(f"{KIND}/{name}")
    if shelf is not None and shelf.pending:
        raise WrongUse(
            f"A version of {name} is still to come, and would be replaced.",
            "Wait until it is in force, or publish the whole list with `daybook documents publish`.",
        )
    body = _body(found, name)
    time_zone = zone(found.time_zone)
    assert time_zone is not None, "a book's time zone was looked up when it was opened"
    began = time.perf_counter()
    new = changed(file, body, time_zone)
    told = {"list": name, "added": new.added, "removed": new.removed, "changed": new.moved}
    output.say(
        f"{name}: {new.added:,} to add, {new.removed:,} to remove, {new.moved:,} to change; "
        f"{len(new.body['entries']):,} would stand on it ({time.perf_counter() - began:.1f} s)."
    )
    if new.body == body:
        output.say("Nothing changes.")
        output.emit(**told)
        return True
    if check:
        output.emit(**told)
        return True
    outcome = send(
        output,
        home,
        settings,
        PublishDocument,
        named,
        found.id,
        None,
        kind=KIND,
        document=name,
        version=_version(found, name) + 1,
        body=new.body,
    )
    return not outcome.rejected
