"""Events as detection reads them: the few types and fields that it needs, and nothing else decoded.

Every other type of event is only recognised. A face has the names and types of its event's fields; a test
keeps the two alike.
"""

from __future__ import annotations

from typing import Any, Final, Union

import msgspec

from detection.face import Face
from detection.refusals import REFUSALS
from engine.errors import LogCorrupt
from engine.log.records import Record
from schemas.accounts import AccountClosed, AccountOpened
from schemas.books import BookOpened, BusinessDateRolled
from schemas.catalogue import EVENTS
from schemas.crossbook import CrossBookCompleted, CrossBookReceived, CrossBookReleased, CrossBookSent
from schemas.exchange import Exchanged
from schemas.message import Date, Event
from schemas.parties import PartyProfileChanged, PartyRegistered
from schemas.payments import PaymentCancelled, PaymentDispatched, PaymentSubmitted
from schemas.payments_in import ReceiptCredited, ReceiptParked, ReceiptReturned, SuspenseResolved
from schemas.publishing import DocumentPublished, DocumentTookEffect
from schemas.rail_reports import PaymentFailed, PaymentReturned, PaymentSettled
from schemas.reviews import PaymentDeclined
from schemas.risk import RiskAssessed
from schemas.transfers import TransferPosted, TransferReversed


class PostingFace(msgspec.Struct, gc=False, frozen=True):
    account: str
    amount: int
    balance: int


class OriginFace(msgspec.Struct, gc=False, frozen=True):
    device: str = ""
    country: str = ""


class OtherFace(msgspec.Struct, gc=False, frozen=True):
    """The other side of a payment."""

    account: str = ""
    country: str = ""


class LineFace(msgspec.Struct, gc=False, frozen=True):
    currency: str
    amount: int


Postings = tuple[PostingFace, ...]
NOWHERE: Final = OriginFace()


class TransferFace(Face, gc=False, frozen=True, tag="TransferPosted"):
    debit: str
    credit: str
    amount: int
    currency: str
    postings: Postings
    channel: str = ""
    origin: OriginFace | None = None


class ReversedFace(Face, gc=False, frozen=True, tag="TransferReversed"):
    transfer: int
    postings: Postings


class SubmittedFace(Face, gc=False, frozen=True, tag="PaymentSubmitted"):
    payment: str
    account: str
    channel: str
    origin: OriginFace | None = None


class DispatchedFace(Face, gc=False, frozen=True, tag="PaymentDispatched"):
    payment: str
    account: str
    amount: int
    currency: str
    payee: OtherFace
    postings: Postings


class CancelledFace(Face, gc=False, frozen=True, tag="PaymentCancelled"):
    payment: str


class DeclinedFace(Face, gc=False, frozen=True, tag="PaymentDeclined"):
    payment: str


class SettledFace(Face, gc=False, frozen=True, tag="PaymentSettled"):
    payment: str


class FailedFace(Face, gc=False, frozen=True, tag="PaymentFailed"):
    payment: str
    account: str
    amount: int
    currency: str


class ReturnedFace(Face, gc=False, frozen=True, tag="PaymentReturned"):
    payment: str
    account: str
    amount: int
    currency: str
    returned_after: int
    left: int


class CreditedFace(Face, gc=False, frozen=True, tag="ReceiptCredited"):
    receipt: str
    account: str
    amount: int
    currency: str
    payer: OtherFace
    postings: Postings


class ParkedFace(Face, gc=False, frozen=True, tag="ReceiptParked"):
    receipt: str
    payer: OtherFace


class ResolvedFace(Face, gc=False, frozen=True, tag="SuspenseResolved"):
    receipt: str
    account: str
    amount: int
    currency: str
    postings: Postings


class SentBackFace(Face, gc=False, frozen=True, tag="ReceiptReturned"):
    receipt: str


class CrossSentFace(Face, gc=False, frozen=True, tag="CrossBookSent"):
    transfer: str
    to_book: str
    to_account: str
    number: int


class CrossDoneFace(Face, gc=False, frozen=True, tag="CrossBookCompleted"):
    transfer: str
    to_book: str
    number: int
    account: str
    amount: int
    currency: str
    postings: Postings


class CrossReleasedFace(Face, gc=False, frozen=True, tag="CrossBookReleased"):
    to_book: str
    number: int


class CrossReceivedFace(Face, gc=False, frozen=True, tag="CrossBookReceived"):
    transfer: str
    from_book: str
    account: str
    amount: int
    currency: str
    postings: Postings


class ExchangedFace(Face, gc=False, frozen=True, tag="Exchanged"):
    debit: str
    credit: str
    lines: tuple[LineFace, ...]
    channel: str
    postings: Postings


class OpenedFace(Face, gc=False, frozen=True, tag="BookOpened"):
    time_zone: str
    business_date: Date


class DayFace(Face, gc=False, frozen=True, tag="BusinessDateRolled"):
    business_date: Date


class AccountFace(Face, gc=False, frozen=True, tag="AccountOpened"):
    account: str
    currency: str
    party: str
    kind: str
    product: str


class ClosedFace(Face, gc=False, frozen=True, tag="AccountClosed"):
    account: str


class PartyFace(Face, gc=False, frozen=True, tag="PartyRegistered"):
    party: str
    country: str


class ProfileFace(Face, gc=False, frozen=True, tag="PartyProfileChanged"):
    party: str
    country: str


class PublishedFace(Face, frozen=True, tag="DocumentPublished"):
    kind: str
    document: str
    version: int
    body: msgspec.Raw
    effective_from_ms: int


class EffectFace(Face, gc=False, frozen=True, tag="DocumentTookEffect"):
    kind: str
    document: str
    version: int


FACES: Final[dict[type[Event], type[Face]]] = {
    TransferPosted: TransferFace,
    TransferReversed: ReversedFace,
    PaymentSubmitted: SubmittedFace,
    PaymentDispatched: DispatchedFace,
    PaymentCancelled: CancelledFace,
    PaymentDeclined: DeclinedFace,
    PaymentSettled: SettledFace,
    PaymentFailed: FailedFace,
    PaymentReturned: ReturnedFace,
    ReceiptCredited: CreditedFace,
    ReceiptParked: ParkedFace,
    SuspenseResolved: ResolvedFace,
    ReceiptReturned: SentBackFace,
    CrossBookSent: CrossSentFace,
    CrossBookCompleted: CrossDoneFace,
    CrossBookReleased: CrossReleasedFace,
    CrossBookReceived: CrossReceivedFace,
    Exchanged: ExchangedFace,
    BookOpened: OpenedFace,
    BusinessDateRolled: DayFace,
    AccountOpened: AccountFace,
    AccountClosed: ClosedFace,
    PartyRegistered: PartyFace,
    PartyProfileChanged: ProfileFace,
    DocumentPublished: PublishedFace,
    DocumentTookEffect: EffectFace,
    **REFUSALS,
}
"""The events that detection reads, each by its face."""


class Nothing(msgspec.Struct, frozen=True, gc=False):
    """An event that detection reads nothing of."""


_OTHERS: Final = [
    msgspec.defstruct(kind.__name__, [], bases=(Nothing,), tag=kind.__struct_config__.tag, tag_field="type")
    for kind in EVENTS
    if kind not in FACES and kind is not RiskAssessed
]
decode_fact = msgspec.json.Decoder(Union[(*FACES.values(), RiskAssessed, *_OTHERS)]).decode


def fact_of(record: Record) -> Any:
    """The event as detection reads it: a face, a RiskAssessed, or a `Nothing`. Raises LogCorrupt."""
    try:
        return decode_fact(record.value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LogCorrupt(f"The event at offset {record.offset} cannot be decoded: {error}.") from error
