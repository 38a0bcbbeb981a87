"""The public outcomes of a home's commands: from their topic on Kafka, else derived from the events here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from book.state import SYSTEM_BOOK
from console.output import Output, utc
from engine.derivation import AT_ONCE, next_pages
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import BEFORE_FIRST, BookLog
from engine.publisher import published
from engine.settings import Settings
from engine.site import Site
from schemas.outcomes import CommandOutcome, decode_outcome
from schemas.rejections import sentence

WAIT_S = 0.2


class _Source(Protocol):
    def new(self) -> Iterator[bytes]:
        """The records that were not given yet, in order."""
        ...


def outcomes(
    output: Output, home: Home, settings: Settings, book: str | None, *, from_seq: int, follow: bool
) -> None:
    """Print the outcomes of a book, or of all books."""
    site = Site(home, settings)
    everywhere = book is None or book == SYSTEM_BOOK
    partitions = site.partitions if everywhere else [site.partition_of(book or "")]
    with contextlib.ExitStack() as stack:
        sources = [_source(site, partition, stack) for partition in partitions]
        found = False
        while True:
            for source in sources:
                for value in source.new():
                    one = decode_outcome(value)
                    if book not in (None, one.book):
                        continue
                    found = True
                    if one.seq >= from_seq:
                        output.line(value)
                        output.say(_line(one))
            if not follow:
                break
            time.sleep(WAIT_S)
    if book is not None and not found:
        raise WrongUse(f"No command of a book {book} was answered.", "Leave --book out to see all books.")


def _source(site: Site, partition: int, stack: contextlib.ExitStack) -> _Source:
    if site.kind != "kafka":
        return _Derived(stack.enter_context(site.read(partition)))
    return _Stored(site, partition, stack)


class _Derived:
    def __init__(self, log: BookLog) -> None:
        self._log = log
        self._after = BEFORE_FIRST

    def new(self) -> Iterator[bytes]:
        while page := next_pages(iter(self._log.events(self._after)), AT_ONCE):
            self._after = page[-1].offset
            yield from (out.value for out in published(page))


class _Stored:
    def __init__(self, site: Site, partition: int, stack: contextlib.ExitStack) -> None:
        from engine.log.tail import Tail  # noqa: PLC0415 - the client, for whom it concerns

        self._tail = stack.enter_context(contextlib.closing(Tail(site.kafka, site.kafka.outcomes, partition)))
        self._after = BEFORE_FIRST

    def new(self) -> Iterator[bytes]:
        for record in self._tail.all(self._after):
            self._after = record.offset
            yield record.value


def _line(one: CommandOutcome) -> str:
    """One line for people."""
    return (
        f"{one.seq:>8}  {utc(one.at)}  {one.book}  {one.command or '?'}  {one.actor or '?'}  "
        f"{one.verdict}  {_detail(one)}"
    )


def _detail(one: CommandOutcome) -> str:
    if one.verdict == "rejected":
        return f"{one.reason}: {sentence(one.reason, one.figures)}"
    if one.verdict == "repeated":
        return (
            f"it was {f'rejected ({one.reason})' if one.reason else 'accepted'} before, seq {one.first_seq}"
        )
    parts = [name if count == 1 else f"{count} {name}" for name, count in one.events.items()]
    parts += [f"{name} {value}" for name, value in one.named.items()]
    parts += [f"refused: {refused.reason}" for refused in one.refused[:3]]
    return ", ".join(parts)
