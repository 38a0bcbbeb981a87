"""The events of a book, as they stand in the log."""

from __future__ import annotations

import time

import msgspec

from book.state import SYSTEM_BOOK
from console.choices import the_only
from console.output import Output
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import BEFORE_FIRST, Record
from engine.settings import Settings
from engine.site import Site
from schemas.catalogue import EVENT_TYPES
from schemas.message import ENVELOPE

WAIT_S = 1.0


class _Head(msgspec.Struct):
    type: str
    seq: int


_decode_head = msgspec.json.Decoder(_Head).decode


def events(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    from_seq: int,
    kind: str | None,
    follow: bool,
) -> None:
    """Print a book's events as they stand in the log."""
    if kind is not None and kind not in EVENT_TYPES:
        raise WrongUse(f"There is no event type {kind}.", f"The types are: {', '.join(sorted(EVENT_TYPES))}.")
    site = Site(home, settings)
    book = book or only_book(site)
    with site.read_book(book) as log:
        key, after, found = book.encode(), BEFORE_FIRST, False
        while True:
            for record in log.events(after):
                after = record.offset
                if record.key != key:
                    continue
                found = True
                head = _decode_head(record.value)
                if head.seq >= from_seq and kind in (None, head.type):
                    print_event(output, record)
            if not found:
                raise WrongUse(f"There is no book {book}.", "Leave --book out to see which there are.")
            if not follow:
                return
            log.wait_events(after, WAIT_S)


def only_book(site: Site) -> str:
    """The one book of a home. Raises WrongUse where there is none, or more than one."""
    keys = {record.key for _, log in site.readers() for record in log.events(BEFORE_FIRST)}
    return the_only(sorted(key.decode() for key in keys if key != SYSTEM_BOOK.encode()))


def print_event(output: Output, record: Record) -> None:
    """An event as it stands in the log; one line for people."""
    if output.json:
        output.line(record.value)
        return
    event = msgspec.json.decode(record.value)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event["at"] / 1000))
    body = {name: value for name, value in event.items() if name not in ENVELOPE and name != "type"}
    by = event["actor"] or ("timer" if event["timer"] else SYSTEM_BOOK)
    output.say(f"{event['seq']:>8}  {at}  {event['type']}  {by}  {msgspec.json.encode(body).decode()}")
