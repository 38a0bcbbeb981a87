"""What changes when a bulk is accepted; its instructions are events of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features.counting import declined
from book.state import Book
from schemas.bulk import BulkAccepted, InstructionRefused


def bulk_accepted(book: Book, event: BulkAccepted) -> None:
    """Its id is taken."""
    assert event.bulk not in book.bulks.ids, "a bulk is accepted once"
    book.bulks.add(event.bulk, event.at)


def instruction_refused(book: Book, event: InstructionRefused) -> None:
    """It is said so that nobody has to guess; where rules have declined it, it counts."""
    declined(book, event)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    BulkAccepted: bulk_accepted,
    InstructionRefused: instruction_refused,
}
