"""Documents that nobody has published: whether a book would take them, and the book with them in force.

Nothing is stored; the book is somebody's own copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from msgspec.structs import force_setattr

from book.documents import document_published
from book.shelf import Shelf
from book.state import Book
from commands.documents import publish_document
from schemas.documents.kinds import DocumentKind
from schemas.publishing import DocumentPublished, PublishDocument
from schemas.rejections import Rejection

NUMBER = 2**31 - 1
"""The version that a draft has while it is tried, so that no version published later is in its way."""


class Drafted(msgspec.Struct, frozen=True):
    """effective_from_ms: from when it would be in force; as soon as it is published, where there is none."""

    kind: str
    document: str
    body: dict[str, Any]
    effective_from_ms: int | None = None


class Refused(msgspec.Struct, frozen=True):
    """A draft that the book would not take, by its place in the list."""

    index: int
    rejection: Rejection


class Tried(msgspec.Struct, frozen=True):
    """A draft. digest: of its body, as the book would have published it; empty where it would not have."""

    kind: str
    document: str
    digest: str


def tried(book: Book, drafts: Sequence[Drafted]) -> list[Tried]:
    """The drafts as they stand in the book in which they were published."""
    found = []
    for draft in drafts:
        shelf = book.documents.get(f"{draft.kind}/{draft.document}") or Shelf()
        pending = shelf.pending.get(NUMBER)
        digest = pending.digest if pending is not None else shelf.digest if shelf.in_force == NUMBER else ""
        found.append(Tried(draft.kind, draft.document, digest))
    return found


def publish_drafts(book: Book, drafts: Sequence[Drafted], at_ms: int) -> list[Refused]:
    """Publish the drafts in the book, one after the other, and say which ones it does not take.

    Each may name those before it. The book's seq and the documents' version numbers stay as they are.
    """
    refused: list[Refused] = []
    for index, draft in enumerate(drafts):
        effective_from_ms = max(at_ms, draft.effective_from_ms or at_ms)
        assert draft.kind in get_args(DocumentKind), "the kind was looked up when the draft was read"
        shelf = book.documents.get(f"{draft.kind}/{draft.document}") or Shelf()
        latest = shelf.latest
        decided = publish_document(
            book,
            PublishDocument(
                id="draft",
                book=book.id,
                actor="draft",
                issued_at_ms=at_ms,
                kind=draft.kind,  # type: ignore[arg-type]
                document=draft.document,
                version=latest + 1,
                body=draft.body,
                effective_from_ms=effective_from_ms,
            ),
            at_ms,
        )
        if isinstance(decided, Rejection):
            refused.append(Refused(index, decided))
            continue
        assert isinstance(decided, DocumentPublished), "a document is published by one event"
        for name, value in (("book", book.id), ("at", at_ms), ("seq", book.seq), ("version", NUMBER)):
            force_setattr(decided, name, value)
        document_published(book, decided)
        book.documents[f"{draft.kind}/{draft.document}"].latest = latest
    return refused
