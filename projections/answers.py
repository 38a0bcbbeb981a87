"""What the read models answer: a type for each kind of row. Amounts are minor units, positive is credit."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import msgspec

By = Literal["booking-date", "value-date"]


class AccountRow(msgspec.Struct, frozen=True):
    """An account. available: None for the bank's own, which have no floor.   blocks: by id."""

    book: str
    account: str
    kind: str
    status: str
    currency: str
    party: str
    product: str
    branch: str
    ledger: str
    booked: int
    held: int
    overdraft: int
    available: int | None
    blocks: dict[str, dict[str, Any]]
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None
    seq: int


class Line(msgspec.Struct, frozen=True):
    """A posting on a statement. balance: the statement's running balance, in its own order."""

    booking_date: datetime.date
    value_date: datetime.date
    seq: int
    leg: int
    at: datetime.datetime
    type: str
    counter_account: str
    reference: str
    amount: int
    balance: int


class Statement(msgspec.Struct, frozen=True):
    """An account's postings from `first` to `last`, both included, by booking or by value date.

    opening + the sum of all amounts = closing.
    """

    account: AccountRow
    by: By
    first: datetime.date | None
    last: datetime.date | None
    opening: int
    lines: list[Line]
    closing: int


class AuditRow(msgspec.Struct, frozen=True):
    """An event: who, when, what. event: all of it, restricted details and personal data included."""

    book: str
    seq: int
    at: datetime.datetime
    type: str
    actor: str
    command: str
    timer: str
    event: dict[str, Any]


class OutcomeRow(msgspec.Struct, frozen=True):
    """What came of a record: accepted, rejected or repeated. cause: its offset in the log of commands.

    claimed: the id that it claims, where nothing proves it.   seq, last_seq: the events that answer it.
    first_outcome_seq: of a repeated command, where its first outcome began.
    """

    book: str
    actor: str
    command: str
    claimed: str
    outcome: str
    reason: str
    figures: dict[str, int | str] | None
    seq: int
    last_seq: int
    first_outcome_seq: int | None
    cause: int
    at: datetime.datetime
    issued_at: datetime.datetime | None


class LedgerRow(msgspec.Struct, frozen=True):
    """A line of the trial balance in one currency. balance = credit - debit."""

    ledger: str
    name: str
    kind: str
    currency: str
    debit: int
    credit: int
    balance: int


class BusinessDayRow(msgspec.Struct, frozen=True):
    """A business day of a book. ended_at, last_seq: None for the day that it is on."""

    business_date: datetime.date
    began_at: datetime.datetime
    ended_at: datetime.datetime | None
    first_seq: int
    last_seq: int | None
