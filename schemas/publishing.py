"""Publishing documents: a version of a document is said once, whole, and in force from a time on."""

from __future__ import annotations

from typing import Annotated, Any

import annotated_types as at
from msgspec import Meta

from schemas.documents.kinds import DocumentKind
from schemas.fields import Millis, NewId
from schemas.message import Command, Event

VersionNumber = Annotated[int, Meta(ge=1, le=2**31 - 1), at.Ge(1), at.Le(2**31 - 1)]


class PublishDocument(Command, tag="PublishDocument"):
    """Publish a version of a document.

    version: above every earlier one.   body: the document whole.
    effective_from_ms: book time from when it is in force; at once where it is not given.
    """

    kind: DocumentKind
    document: NewId
    version: VersionNumber
    body: dict[str, Any]
    effective_from_ms: Millis | None = None


class DocumentPublished(Event, tag="DocumentPublished"):
    """A version is published, and in force where `effective_from_ms` is not after the event's time.

    body: the document whole, with what was left out as it is understood.
    digest: SHA-256, in hex, over the body as canonical JSON.
    """

    kind: DocumentKind
    document: str
    version: int
    body: dict[str, Any]
    digest: str
    effective_from_ms: int


class DocumentTookEffect(Event, tag="DocumentTookEffect"):
    """A version that was published before is in force from here on."""

    kind: DocumentKind
    document: str
    version: int


COMMANDS = (PublishDocument,)
EVENTS = (DocumentPublished, DocumentTookEffect)
