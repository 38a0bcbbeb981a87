"""Publishing documents: a version of a document is said once, whole, and in force from a time on."""

from __future__ import annotations

from typing import Annotated, Any

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.documents.kinds import DocumentKind
from schemas.fields import END, Millis, NewId
from schemas.message import Command, Event


def _without_nul(value: Any) -> bool:
    """Whether no text of a JSON value holds the character NUL, names of fields included."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, dict):
        return all(_without_nul(name) and _without_nul(one) for name, one in value.items())
    return not isinstance(value, list | tuple) or all(map(_without_nul, value))


Body = Annotated[dict[str, Any], at.Predicate(_without_nul)]
_PROOF = "^([0-9a-f]{64})?$"
Proof = Annotated[str, Meta(pattern=_PROOF + END), StringConstraints(pattern=_PROOF)]
"""SHA-256, in hex, over a result as canonical JSON; or empty."""
VersionNumber = Annotated[int, Meta(ge=1, le=2**31 - 1), at.Ge(1), at.Le(2**31 - 1)]


class PublishDocument(Command, tag="PublishDocument"):
    """Publish a version of a document.

    version: above every earlier one.   body: the document whole.
    effective_from_ms: book time from when it is in force; at once where it is not given.
    proof: the digest of a what-if that shows what it would have changed; whoever approves it can ask for the
    same and compare.
    """

    kind: DocumentKind
    document: NewId
    version: VersionNumber
    body: Body
    effective_from_ms: Millis | None = None
    proof: Proof = ""


class DocumentPublished(Event, tag="DocumentPublished"):
    """A version is published, and in force where `effective_from_ms` is not after the event's time.

    body: the document whole, with what was left out as it is understood.
    digest: SHA-256, in hex, over the body as canonical JSON.   proof: as in the command.
    """

    kind: DocumentKind
    document: str
    version: int
    body: dict[str, Any]
    digest: str
    effective_from_ms: int
    proof: str = ""


class DocumentTookEffect(Event, tag="DocumentTookEffect"):
    """A version that was published before is in force from here on."""

    kind: DocumentKind
    document: str
    version: int


COMMANDS = (PublishDocument,)
EVENTS = (DocumentPublished, DocumentTookEffect)
