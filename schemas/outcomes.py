"""The public record of what came of a command: one a command, and nothing in it that only staff may know.

It is made from the command's events, but from their public faces: structs with the few fields that this
module names. Nothing else of an event is ever decoded here, so no restricted or personal field can get into
a record by way of code; a new field of an event stays out of it until somebody names it below.

A bulk's record says how many events of each type there are; which ones, `seq` to `last_seq` say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Union

import msgspec

from schemas import case_reports, case_work, cases, flags, risk
from schemas.access import PersonRegistered, RoleDefined, SystemRegistered, UserRegistered
from schemas.accounts import AccountBlocked, AccountOpened, BlockLifted
from schemas.approvals import (
    AmountCounted,
    ApprovalDeclined,
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    DelegationGiven,
    TermsChanged,
)
from schemas.books import AssetRegistered, BookRegistered
from schemas.bulk import BulkAccepted, InstructionRefused
from schemas.catalogue import EVENTS
from schemas.crossbook import CrossBookReceived, CrossBookRefused, CrossBookSent
from schemas.exchange import Exchanged, QuoteGiven
from schemas.holds import HoldPlaced
from schemas.message import Event, Message
from schemas.orders import StandingOrderCreated
from schemas.parties import PartyRegistered, PartyRiskRated
from schemas.payments import PartyScreened, PaymentScreened, PaymentSubmitted
from schemas.payments_in import ReceiptCredited, ReceiptParked
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.reviews import PaymentDeclined, ReviewBegan, ReviewEscalated, ReviewReleased
from schemas.stops import PaymentsStopped
from schemas.transfers import EntriesPosted, TransferPosted
from schemas.value_dates import BackValuedPosted
from schemas.withheld import DECLINED, told

Verdict = Literal["accepted", "waiting", "rejected", "repeated"]

FOR_STAFF: Final[frozenset[type[Event]]] = frozenset(
    {
        PartyScreened,
        PaymentScreened,
        PartyRiskRated,
        AccountBlocked,
        BlockLifted,
        AmountCounted,
        *flags.EVENTS,
        *cases.EVENTS,
        *case_work.EVENTS,
        *case_reports.EVENTS,
        ReviewBegan,
        ReviewEscalated,
        ReviewReleased,
        *risk.EVENTS,
    }
)
"""Events that a public record does not even name: that somebody is looked at must not be told to them."""
BY_STAFF: Final[frozenset[type[Event]]] = FOR_STAFF - {ReviewBegan, AmountCounted, *risk.EVENTS} | {
    PaymentDeclined
}
"""Events that only commands of staff make. Of what was accepted with one of them the record says no more than
that: what else happened would tell whom staff is at work on.
"""

WANTED_BY_STAFF: Final = frozenset({"released", "declined", "passed on", "screened"})
"""What only staff wants of a payment, in the figures of `payment_state_conflict`."""

NAMED: Final[Mapping[type[Event], Mapping[str, str]]] = {
    BookRegistered: {"book": "opened"},
    AssetRegistered: {"asset": "asset"},
    PersonRegistered: {"person": "person"},
    UserRegistered: {"user": "user"},
    SystemRegistered: {"system": "system"},
    RoleDefined: {"role": "role"},
    PartyRegistered: {"party": "party"},
    AccountOpened: {"account": "account"},
    TransferPosted: {"transfer": "seq"},
    EntriesPosted: {"transfer": "seq"},
    BackValuedPosted: {"transfer": "seq"},
    Exchanged: {"transfer": "seq"},
    CrossBookSent: {"crossing": "transfer", "number": "number"},
    CrossBookReceived: {"crossing": "transfer", "number": "number"},
    CrossBookRefused: {"crossing": "transfer", "number": "number"},
    ApprovalRequested: {"approval": "seq", "expires_at_ms": "expires_at_ms"},
    ApprovalGiven: {"approval": "approval", "missing": "missing"},
    ApprovalFailed: {"approval": "approval"},
    TermsChanged: {"approval": "approval"},
    ApprovalDeclined: {"approval": "approval"},
    ApprovalWithdrawn: {"approval": "approval"},
    DelegationGiven: {"delegation": "delegation"},
    BulkAccepted: {"bulk": "bulk"},
    StandingOrderCreated: {"order": "order"},
    ReceiptCredited: {"receipt": "receipt"},
    ReceiptParked: {"receipt": "receipt"},
    HoldPlaced: {"hold": "hold"},
    PaymentSubmitted: {"payment": "payment"},
    PaymentsStopped: {"stop": "stop"},
    QuoteGiven: {"quote": "quote", "expires_at_ms": "expires_at_ms"},
}
"""What the record says, by which field of the event: what was made, or what was decided on."""

_ENVELOPE: Final = ("seq", "book", "at", "cause", "epoch", "command", "actor")
_REFUSED: Final = ("reason", "figures")
_MORE: Final[Mapping[type[Event], tuple[str, ...]]] = {
    CommandRejected: _REFUSED,
    CommandRepeated: ("first_seq", "reason"),
    ApprovalFailed: _REFUSED,
    InstructionRefused: ("index", *_REFUSED),
}


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was refused within a command that was accepted: an instruction of a bulk, by its index from 0, or
    what had been approved and could no longer be done (index -1).   reason, figures: as in a rejection.
    """

    reason: str
    figures: dict[str, int | str] = {}
    index: int = -1


class CommandOutcome(Message, tag="CommandOutcome", omit_defaults=True):
    """What came of one command. There is exactly one for every record of the commands topic.

    verdict: accepted; waiting (for the approval that `named` says); rejected (see reason); repeated (the
        command is known: its first outcome begins at `first_seq`, and was a rejection if there is a reason).
    book: whose events the outcome is; `~system` where the record named no book that there is.
    command, actor: the command's; empty where the record could not be read or nothing proved its actor.
    cause, epoch: the command's offset in its partition, and the epoch of the log that it counts in.
    seq, last_seq: of the outcome's first and last event in the book, as far as they are not for staff only;
    last_seq is left out for a single one.
    at: book time, Unix milliseconds.   reason, figures: of a rejection, see rejections.json.
    events: how many of each type there are, in order of the first; what only staff may know of is left out.
    named: what was made or decided on, such as `{"transfer": 17}`; of several of a kind, the first.
    refused: what was refused within a command that was accepted.
    """

    verdict: Verdict
    book: str
    cause: int
    seq: int
    at: int
    command: str = ""
    actor: str = ""
    epoch: int = 0
    last_seq: int = 0
    first_seq: int = 0
    reason: str = ""
    figures: dict[str, int | str] = {}
    events: dict[str, int] = {}
    named: dict[str, int | str] = {}
    refused: tuple[Refused, ...] = ()

    @property
    def through_seq(self) -> int:
        """Seq of the last event in the book."""
        return self.last_seq or self.seq


def _face(kind: type[Event]) -> type[msgspec.Struct]:
    """The part of an event type that may be seen."""
    names = {*_ENVELOPE, *NAMED.get(kind, {}).values(), *_MORE.get(kind, ())}
    fields: list[Any] = [
        (field.name, field.type)
        if field.default is msgspec.NODEFAULT
        else (field.name, field.type, field.default)
        for field in sorted(msgspec.structs.fields(kind), key=lambda one: not one.required)
        if field.name in names
    ]
    return msgspec.defstruct(
        kind.__name__, fields, tag=kind.__struct_config__.tag, tag_field="type", frozen=True, gc=False
    )


FACES: Final[Mapping[type[Event], type[msgspec.Struct]]] = {kind: _face(kind) for kind in EVENTS}
"""Each event type's public face."""

decode_face = msgspec.json.Decoder(Union[tuple(FACES.values())]).decode  # noqa: UP007 - made from a table
"""An event's public face from its bytes. Raises msgspec.MsgspecError."""
encode_outcome = msgspec.json.Encoder().encode
decode_outcome = msgspec.json.Decoder(CommandOutcome).decode

_REJECTED: Final = FACES[CommandRejected]
_REPEATED: Final = FACES[CommandRepeated]
_WAITING: Final = FACES[ApprovalRequested]
_WITHIN: Final = frozenset({FACES[InstructionRefused], FACES[ApprovalFailed]})
_NAMES: Final = {FACES[kind]: kind.__name__ for kind in EVENTS if kind not in FOR_STAFF}
_BY_STAFF: Final = frozenset(FACES[kind] for kind in BY_STAFF)
_NAMED: Final = {FACES[kind]: tuple(fields.items()) for kind, fields in NAMED.items()}


def outcome_of(events: Sequence[bytes]) -> CommandOutcome:
    """The outcome that these events are: all of one command's, as stored, in order."""
    return outcome_of_faces([decode_face(value) for value in events])


def outcome_of_faces(faces: Sequence[Any]) -> CommandOutcome:
    """As `outcome_of`, for events that were decoded to their public faces."""
    first = faces[0]
    kind = type(first)
    if kind is _REJECTED:
        reason, figures = told(first.reason, first.figures)
        if reason == "payment_state_conflict" and figures.get("wanted") in WANTED_BY_STAFF:
            reason, figures = DECLINED, {}
        return CommandOutcome(
            verdict="rejected",
            book=first.book,
            cause=first.cause,
            seq=first.seq,
            at=first.at,
            command=first.command,
            actor=first.actor,
            epoch=first.epoch,
            reason=reason,
            figures=figures,
        )
    if kind is _REPEATED:
        return CommandOutcome(
            verdict="repeated",
            book=first.book,
            cause=first.cause,
            seq=first.seq,
            at=first.at,
            command=first.command,
            actor=first.actor,
            epoch=first.epoch,
            first_seq=first.first_seq,
            reason=told(first.reason, {})[0],
        )
    return _accepted(first, kind, faces)


def _accepted(first: Any, kind: type, faces: Sequence[Any]) -> CommandOutcome:
    events: dict[str, int] = {}
    named: dict[str, int | str] = {}
    refused: list[Refused] = []
    last_seq = 0
    for face in faces if _BY_STAFF.isdisjoint(map(type, faces)) else ():
        of = type(face)
        name = _NAMES.get(of)
        if name is not None:
            events[name] = events.get(name, 0) + 1
            for what, field in _NAMED.get(of, ()):
                named.setdefault(what, getattr(face, field))
            if of in _WITHIN:
                reason, figures = told(face.reason, face.figures)
                refused.append(Refused(reason=reason, figures=figures, index=getattr(face, "index", -1)))
            if face is not first and face.book == first.book:
                last_seq = face.seq
    return CommandOutcome(
        verdict="waiting" if kind is _WAITING else "accepted",
        book=first.book,
        cause=first.cause,
        seq=first.seq,
        at=first.at,
        command=first.command,
        actor=first.actor,
        epoch=first.epoch,
        last_seq=last_seq,
        events=events,
        named=named,
        refused=tuple(refused),
    )


def grouped(faces: Iterable[Any]) -> Iterator[list[Any]]:
    """The events of each command, together; a timer's answer none. They stand side by side in a page.

    The faces are of whole pages.
    """
    together: list[Any] = []
    for face in faces:
        if face.cause < 0:
            continue
        if together and (face.cause != together[0].cause or face.epoch != together[0].epoch):
            yield together
            together = []
        together.append(face)
    if together:
        yield together
