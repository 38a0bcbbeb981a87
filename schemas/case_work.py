"""What is done about a case while somebody has it, and the second look at one that is closed. For staff only,
as all of `schemas/cases.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.cases import CaseLabel, CaseNote, CasePriority, CaseText, Due, Ids, People
from schemas.documents.document import LineId
from schemas.fields import END, Id, Millis, NoNul, PersonalText
from schemas.message import Command, Event

SHA256 = r"^[0-9a-f]{64}$"
Sha256 = Annotated[str, Meta(pattern=SHA256 + END), StringConstraints(pattern=SHA256)]
"""A SHA-256, in hex."""
MediaType = Annotated[str, Meta(min_length=1, max_length=127), at.Len(1, 127), NoNul]
Size = Annotated[int, Meta(ge=0, le=2**40), at.Ge(0), at.Le(2**40)]
Found = Literal["upheld", "remarks", "overturned"]
"""What a second look found of a decision.   remarks: right, and could have been done better."""


class PauseCase(Command, tag="PauseCase"):
    """Wait for something from outside: the clock stands still. until_ms: when the case goes on by itself."""

    case: Id
    reason: CaseNote
    until_ms: Millis | None = None


class ResumeCase(Command, tag="ResumeCase"):
    """Go on with a case that waits."""

    case: Id


class TickItem(Command, tag="TickItem"):
    """Say of something on the checklist that it is done, or is not after all. note: what came of it."""

    case: Id
    item: LineId
    done: bool = True
    note: PersonalText = ""


class AddCaseNote(Command, tag="AddCaseNote"):
    """Write something down about a case."""

    case: Id
    text: CaseNote


class AttachToCase(Command, tag="AttachToCase"):
    """Put a paper to a case. digest: of its bytes, which are kept elsewhere, encrypted.   size: in bytes."""

    case: Id
    digest: Sha256
    name: PersonalText
    media_type: MediaType
    size: Size


class LinkToCase(Command, tag="LinkToCase"):
    """Say what else a case concerns. cases: that have to do with it; each is linked to the other."""

    case: Id
    parties: Ids = ()
    accounts: Ids = ()
    payments: Ids = ()
    cases: Ids = ()


class RestrictCase(Command, tag="RestrictCase"):
    """Say who may see a case and act on it, beside whoever has it; nobody named is everybody with a role."""

    case: Id
    people: People


class PrioritiseCase(Command, tag="PrioritiseCase"):
    """Say how urgent a case is. Clocks become shorter by it, and never longer."""

    case: Id
    priority: CasePriority
    reason: CaseNote


class ReviewQuality(Command, tag="ReviewQuality"):
    """Look again at a closed case that was drawn for it. `overturned` reopens it."""

    case: Id
    found: Found
    finding: CaseNote


class CaseWaiting(Event, tag="CaseWaiting"):
    """A case waits. until_ms: goes on by itself then."""

    case: str
    reason: CaseText
    until_ms: int | None
    due: Due


class CaseResumed(Event, tag="CaseResumed"):
    """A case that waited goes on, with whoever has it."""

    case: str
    due: Due


class ItemTicked(Event, tag="ItemTicked"):
    """Something on the checklist is done, or is not after all."""

    case: str
    item: str
    done: bool
    note: PersonalText


class CaseNoteAdded(Event, tag="CaseNoteAdded"):
    """Somebody wrote something down."""

    case: str
    text: CaseText


class CaseAttached(Event, tag="CaseAttached"):
    """A paper belongs to a case."""

    case: str
    digest: str
    name: PersonalText
    media_type: str
    size: int


class CaseLinked(Event, tag="CaseLinked"):
    """A case concerns more: what it did not before. parties: also those that accounts and payments are of."""

    case: str
    parties: tuple[str, ...]
    accounts: tuple[str, ...]
    payments: tuple[str, ...]
    cases: tuple[str, ...]


class CaseRestricted(Event, tag="CaseRestricted"):
    """Other people may see a case than before."""

    case: str
    before: tuple[str, ...]
    people: tuple[str, ...]


class CasePrioritised(Event, tag="CasePrioritised"):
    """A case is of another priority."""

    case: str
    before: int
    priority: int
    reason: CaseText
    due: Due


class QualityReviewed(Event, tag="QualityReviewed"):
    """Another person looked again at a closed case. closing: which of its decisions it was about."""

    case: str
    closing: int
    label: CaseLabel
    found: Found
    finding: CaseText
    person: str


COMMANDS = (
    PauseCase,
    ResumeCase,
    TickItem,
    AddCaseNote,
    AttachToCase,
    LinkToCase,
    RestrictCase,
    PrioritiseCase,
    ReviewQuality,
)
EVENTS = (
    CaseWaiting,
    CaseResumed,
    ItemTicked,
    CaseNoteAdded,
    CaseAttached,
    CaseLinked,
    CaseRestricted,
    CasePrioritised,
    QualityReviewed,
)
