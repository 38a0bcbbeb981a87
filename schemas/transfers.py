"""Transfers: money between accounts of one book, in double entry, and how it is taken back."""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fees import Fee
from schemas.fields import AccountId, Amount, Currency, Label, Seq, SignedAmount, Text
from schemas.message import Command, Date, Event, Value
from schemas.postings import Posting
from schemas.reserves import Reserve, Use
from schemas.risk import Origin

MOST_LEGS = 1_000


class Transfer(Command, tag="Transfer"):
    """Move an amount from one account to another.

    debit: the account that pays.   credit: the account that receives.   amount: minor units of `currency`.
    value_date: within the open period, or up to 366 days ahead; the booking date if not given. What is
    credited with a value date ahead is booked, and cannot be spent before that day.
    channel, corridor: by which it was asked for, and from which country to which; limits and fees ask.
    origin: where and with what it was asked for, as far as is known; rules ask.
    """

    debit: AccountId
    credit: AccountId
    amount: Amount
    currency: Currency
    value_date: Date | None = None
    reference: Text = ""
    channel: Label = ""
    corridor: Label = ""
    origin: Origin | None = None


class Leg(Value):
    """One side of a posting with several. amount: minor units, positive credits the account, never zero."""

    account: AccountId
    amount: SignedAmount
    currency: Currency


class PostEntries(Command, tag="PostEntries"):
    """Post several legs at once, all or none. They sum to zero in every currency.

    It is bookkeeping: no limit counts it and no tariff charges it, so few should be permitted to send it.
    """

    legs: Annotated[tuple[Leg, ...], Meta(max_length=100_000), at.MaxLen(100_000)]
    value_date: Date | None = None
    reference: Text = ""


class ReverseTransfer(Command, tag="ReverseTransfer"):
    """Take a transfer or posting back, whole and once, with its fees. transfer: the seq of its event."""

    transfer: Seq
    reason: Text


class RefundTransfer(Command, tag="RefundTransfer"):
    """Give a part of a transfer back; all parts together never exceed it. Its fees stay where they are.

    transfer: the seq of its event.
    """

    transfer: Seq
    amount: Amount
    reason: Text


class TransferPosted(Event, tag="TransferPosted", omit_defaults=True):
    """Money moved from `debit` to `credit`. Its seq names it for reversal and refund.

    postings: first those of the amount, then two for each of the `fees`.   uses: the limits that count it.
    """

    debit: str
    credit: str
    amount: int
    currency: str
    booking_date: Date
    value_date: Date
    reference: str
    postings: tuple[Posting, ...]
    fees: tuple[Fee, ...] = ()
    uses: tuple[Use, ...] = ()
    channel: str = ""
    corridor: str = ""
    reserves: tuple[Reserve, ...] = ()
    available_at_ms: int = 0
    origin: Origin | None = None


class EntriesPosted(Event, tag="EntriesPosted"):
    """Several legs were posted at once. Its seq names it for reversal.

    reserves, available_at_ms: as in TransferPosted.
    """

    booking_date: Date
    value_date: Date
    reference: str
    postings: tuple[Posting, ...]
    reserves: tuple[Reserve, ...] = ()
    available_at_ms: int = 0


class TransferReversed(Event, tag="TransferReversed"):
    """A transfer or posting was taken back whole. transfer: the seq of what was reversed.

    value_date: today, or that of the transfer where it is still ahead.   reserves: what of it was reserved.
    """

    transfer: int
    booking_date: Date
    value_date: Date
    reason: str
    postings: tuple[Posting, ...]
    uses: tuple[Use, ...] = ()
    reserves: tuple[Reserve, ...] = ()


class TransferRefunded(Event, tag="TransferRefunded"):
    """A part was given back. refunded_after: the sum of all parts so far, minor units.

    value_date, reserves: as in TransferReversed.
    """

    transfer: int
    amount: int
    currency: str
    refunded_after: int
    booking_date: Date
    value_date: Date
    reason: str
    postings: tuple[Posting, ...]
    uses: tuple[Use, ...] = ()
    reserves: tuple[Reserve, ...] = ()


COMMANDS = (Transfer, PostEntries, ReverseTransfer, RefundTransfer)
EVENTS = (TransferPosted, EntriesPosted, TransferReversed, TransferRefunded)
