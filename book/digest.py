"""The digest of a book's state: equal digests mean equal books, on every log and machine.

The state holds no offset, no link and no wall time of a commanded book, so nothing has to be left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

import msgspec

from book.state import SYSTEM_BOOK, Book, Partition

_encode = msgspec.json.Encoder().encode


def book_digest(book: Book) -> str:
    """SHA-256, in hex, over the book's state as JSON: fields in the order of their class, keys in the order
    in which they came, which the log fixes.

    The order of a timer queue is an accident of its heap, so what is due stands for it.
    """
    queue, book.timers.queue = book.timers.queue, []
    try:
        return hashlib.sha256(_encode(book)).hexdigest()
    finally:
        book.timers.queue = queue


def partition_digest(partition: Partition) -> str:
    """The digest of the only book of the partition, or one over the digests of all of them by id.

    The system book is left out: it carries wall times.
    """
    return joint_digest({name: book_digest(book) for name, book in partition.books.items()})


def joint_digest(books: Mapping[str, str]) -> str:
    """The digest of a partition from those of its books, by id."""
    digests = {name: digest for name, digest in books.items() if name != SYSTEM_BOOK}
    if len(digests) == 1:
        return next(iter(digests.values()))
    return hashlib.sha256(
        "".join(f"{name} {digests[name]}\n" for name in sorted(digests)).encode()
    ).hexdigest()


@cache
def schema_digest() -> str:
    """SHA-256, in hex, over the shape of the state. A snapshot serves only a release with the same one."""
    return hashlib.sha256(msgspec.json.encode(msgspec.json.schema(Partition), order="sorted")).hexdigest()
