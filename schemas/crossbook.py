"""Payments between books, in two phases: the source reserves, the destination credits or refuses, the source
pays or releases.

The two books share nothing. A relay brings what one has recorded to the other, as often as it likes and in
any order; a payment is told by the number that its source gave it, counted for each destination.
"""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fees import Fee
from schemas.fields import (
    INT64_MAX,
    AccountId,
    Amount,
    BookId,
    Currency,
    Id,
    Label,
    NewId,
    Seq,
    SignedAmount,
    Text,
)
from schemas.message import Command, Date, Event
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.reserves import Reserve, Use

Number = Annotated[int, Meta(ge=1, le=INT64_MAX), at.Ge(1), at.Le(INT64_MAX)]
"""Counts the payments from one book to another: 1, 2, 3..."""
Figures = Annotated[dict[Label, SignedAmount | Text], Meta(max_length=20), at.MaxLen(20)]
SeqOrNone = Annotated[int, Meta(ge=0, le=INT64_MAX), at.Ge(0), at.Le(INT64_MAX)]


class SendToBook(Command, tag="SendToBook"):
    """Pay from an account of this book to one of another book. Funds, fees and limits are reserved until that
    book has answered, however long it takes.

    transfer: names the payment while it is on its way.   amount: minor units of `currency`.
    value_date: on or before the booking date, within the open period; the booking date if not given.
    channel, corridor: as for a transfer; limits and fees ask.
    """

    transfer: NewId
    account: AccountId
    amount: Amount
    currency: Currency
    to_book: BookId
    to_account: AccountId
    value_date: Date | None = None
    reference: Text = ""
    channel: Label = ""
    corridor: Label = ""


class ReceiveFromBook(Command, tag="ReceiveFromBook"):
    """From the relay: the book `from_book` has recorded that it sends a payment.

    number, sent_seq: its number, and the seq of its CrossBookSent there.   account: whom to credit.
    """

    transfer: Id
    from_book: BookId
    number: Number
    sent_seq: Seq
    account: AccountId
    amount: Amount
    currency: Currency
    value_date: Date
    reference: Text = ""


class CompleteCrossBook(Command, tag="CompleteCrossBook"):
    """From the relay: the book `to_book` has recorded, at its `answer_seq`, that it credited the payment."""

    transfer: Id
    to_book: BookId
    number: Number
    answer_seq: Seq


class ReleaseCrossBook(Command, tag="ReleaseCrossBook"):
    """From the relay: the book `to_book` has recorded, at its `answer_seq`, that it refuses the payment."""

    transfer: Id
    to_book: BookId
    number: Number
    answer_seq: Seq
    reason: Reason
    figures: Figures = {}


class AcknowledgeCrossBook(Command, tag="AcknowledgeCrossBook"):
    """From the relay: the book `from_book` has settled the payment and will never ask for it again.

    settled_seq: the seq at which it did, there; 0 where it has forgotten that.
    """

    from_book: BookId
    number: Number
    settled_seq: SeqOrNone = 0


class CrossBookSent(Event, tag="CrossBookSent"):
    """A payment is on its way; the other book has not answered.

    number: counts the payments to `to_book`.   inter_book: the account that will receive from `account`.
    fees: the fees it costs when it is completed.   reserves: amount and fees on `account`, and the amount
    on `inter_book`, where what is held is what is on its way.
    """

    transfer: str
    number: int
    account: str
    amount: int
    currency: str
    to_book: str
    to_account: str
    inter_book: str
    value_date: Date
    reference: str
    fees: tuple[Fee, ...]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    channel: str = ""
    corridor: str = ""


class CrossBookReceived(Event, tag="CrossBookReceived"):
    """A payment from another book was credited. It is remembered until that book has settled it.

    sent_date: the value date that the source asked for; `value_date` is the nearest one open here.
    """

    transfer: str
    from_book: str
    number: int
    sent_seq: int
    account: str
    amount: int
    currency: str
    reference: str
    sent_date: Date
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    fees: tuple[Fee, ...]
    uses: tuple[Use, ...]


class CrossBookRefused(Event, tag="CrossBookRefused"):
    """A payment from another book was refused, for good. It is remembered until that book has released it.

    reason, figures: as a rejection has them.
    """

    transfer: str
    from_book: str
    number: int
    sent_seq: int
    account: str
    amount: int
    currency: str
    reference: str
    sent_date: Date
    reason: Reason
    figures: dict[str, int | str]


class CrossBookCompleted(Event, tag="CrossBookCompleted"):
    """The other book has credited the payment, and the payer's account has paid it and its fees.

    answer_seq: of the other book's CrossBookReceived.
    """

    transfer: str
    to_book: str
    number: int
    answer_seq: int
    account: str
    amount: int
    currency: str
    reference: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    fees: tuple[Fee, ...]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


class CrossBookReleased(Event, tag="CrossBookReleased"):
    """The other book has refused the payment, and nothing is reserved for it any more.

    answer_seq: of the other book's CrossBookRefused.   reason, figures: why.
    """

    transfer: str
    to_book: str
    number: int
    answer_seq: int
    account: str
    amount: int
    currency: str
    reason: Reason
    figures: dict[str, int | str]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


class CrossBookAcknowledged(Event, tag="CrossBookAcknowledged"):
    """The other book has settled the payment, and this book has forgotten it.

    settled_through: every payment of that book up to this number is settled.
    """

    from_book: str
    number: int
    settled_seq: int
    settled_through: int


COMMANDS = (SendToBook, ReceiveFromBook, CompleteCrossBook, ReleaseCrossBook, AcknowledgeCrossBook)
EVENTS = (
    CrossBookSent,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookCompleted,
    CrossBookReleased,
    CrossBookAcknowledged,
)
