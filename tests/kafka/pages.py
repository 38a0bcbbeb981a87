"""The log by itself: pages linked by digests, books counted without gaps, each where it belongs."""

import hashlib
from collections.abc import Iterator

from tests.kafka.client import Seen, partition_of
from tests.kafka.evidence import SYSTEM, Problem, Said, decoded

_FIRST = bytes(32)


def pages(partition: int, records: list[Seen], problems: list[Problem]) -> list[Said]:
    """The events, each with the number of its commit. Finds: link_broken, page_unfinished, undecodable."""
    found: list[Said] = []
    previous, page, number = _FIRST, b"", 0
    for record in records:
        says = decoded(record.value)
        where = f"events {partition}/{record.offset}"
        if says is None or "type" not in says:
            problems.append(Problem("undecodable", where, repr(record.value[:80])))
            says = {"type": "", "book": record.key.decode(errors="replace")}
        page += record.value
        found.append(Said(record, says, partition, number))
        link = dict(record.headers).get("link")
        if link is not None:
            if link != hashlib.sha256(previous + page).digest():
                problems.append(Problem("link_broken", where, f"link {link.hex()[:16]}"))
            previous, page, number = link, b"", number + 1
    if page:
        problems.append(Problem("page_unfinished", f"events {partition}/{records[-1].offset}"))
    return found


def counted(partition: int, partitions: int, events: list[Said]) -> Iterator[Problem]:
    """Finds: seq_gap, time_backwards, key_differs, book_astray."""
    seqs: dict[str, int] = {}
    times: dict[str, int] = {}
    for event in events:
        book, seq, at = str(event.says["book"]), int(event.says.get("seq", 0)), int(event.says.get("at", 0))
        if seq != seqs.get(book, 0) + 1:
            yield Problem("seq_gap", event.where, f"{book}: {seq} follows {seqs.get(book, 0)}")
        if at < times.get(book, 0):
            yield Problem("time_backwards", event.where, f"{book}: {at} follows {times[book]}")
        if event.record.key != book.encode():
            yield Problem("key_differs", event.where, f"{event.record.key!r} is not {book}")
        if book != SYSTEM and partition_of(book.encode(), partitions) != partition:
            yield Problem("book_astray", event.where, book)
        seqs[book], times[book] = seq, at
