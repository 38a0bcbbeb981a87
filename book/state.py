"""The state of one book, and of the partition that carries it, as plain slotted classes.

They are msgspec structs only so that a snapshot and a digest are one call each; nothing here decides.
"""

from __future__ import annotations

import msgspec

from book.accruals import Bearing, EndOfDay
from book.case import Cases
from book.crossings import Crossings
from book.deferred import Deferred
from book.features.counts import AccountCounts, BookCounts, PartyCounts
from book.flag import Flags
from book.fx import Fx
from book.hold import Hold
from book.in_force import InForce
from book.known_ids import KnownIds
from book.month_ends import Closing
from book.order import Orders
from book.payment import Payments
from book.receipt import Receipts
from book.repeats import Repeats
from book.shelf import Shelf
from book.timers import Timers
from book.usage import Raise, Tally, Usage
from book.waiting import Approvals
from schemas.access import Permit, Scope
from schemas.documents.charts import NormalSide
from schemas.fees import Fee
from schemas.fields import AccountKind, Clock, Direction, PartyKind, PartyRisk, PartyStatus, Screening
from schemas.message import Date
from schemas.reserves import Use

SYSTEM_BOOK = "~system"
"""The id of every partition's system book. No client can open a book of this name."""


class Block(msgspec.Struct, gc=False):
    """Why an account may not be debited, credited or both."""

    direction: Direction
    authority: str
    reason: str
    expires_at_ms: int | None


class Account(msgspec.Struct, gc=False):
    """An account. Amounts are minor units; positive is credit: a deposit is positive, cash at a nostro not.

    available = booked - held + overdraft, for kind `customer`; the bank's own accounts have no floor.
    blocks: None where there never was one, which is nearly always.
    interest: of an account that bears any.
    usage: what is used of the limits and packages that count by account, by the key of the line.
    raises: limits that are higher for a while, by `document/line`.
    opened_hour: when it was opened, in hours since 1970.   counts: what rules look at, where any asks for it.
    """

    kind: AccountKind
    currency: str
    party: str
    product: str
    branch: str
    ledger: str
    booked: int = 0
    held: int = 0
    overdraft: int = 0
    is_open: bool = True
    blocks: dict[str, Block] | None = None
    usage: dict[str, Usage] | None = None
    interest: Bearing | None = None
    raises: dict[str, Raise] | None = None
    opened_hour: int = 0
    counts: AccountCounts | None = None


class Party(msgspec.Struct, gc=False):
    """A person or business. open_accounts: how many accounts it has that are not closed.

    known_hour, changed_hour: when it was registered, and when its profile was changed last, in hours since
    1970; -1 for never.   counts: what rules look at, where any asks for it.
    """

    kind: PartyKind
    status: PartyStatus
    name: str
    country: str
    born_on: Date | None
    number: str
    segment: str
    branch: str
    risk: PartyRisk = "unrated"
    open_accounts: int = 0
    usage: dict[str, Usage] | None = None
    raises: dict[str, Raise] | None = None
    screening: Screening = "cleared"
    known_hour: int = 0
    changed_hour: int = -1
    counts: PartyCounts | None = None


class Actor(msgspec.Struct):
    """A user (person is set) or a system. party: on whose behalf a user acts, or empty."""

    person: str
    party: str
    suspended: bool = False
    roles: list[str] = []


class Role(msgspec.Struct):
    """What a role permits, as defined, and what the check reads: scopes by command type, `()` for none."""

    permits: tuple[Permit, ...]
    scopes: dict[str, tuple[Scope, ...]]


class Posted(msgspec.Struct, gc=False):
    """A transfer that can still be taken back.

    legs: (account, signed amount) pairs, without those of its fees.
    uses: the limits that it counts against, to be given back with it.
    """

    legs: tuple[tuple[str, int], ...]
    currency: str
    refunded: int = 0
    reversed: bool = False
    uses: tuple[Use, ...] = ()


class PostedDay(msgspec.Struct):
    """The transfers of a business day, and its fees that can still be given back, by seq of their event."""

    business_date: Date
    first_seq: int
    transfers: dict[int, Posted] = {}
    fees: dict[int, tuple[Fee, ...]] = {}


class ChartEntry(msgspec.Struct, gc=False):
    """A line of the chart of accounts. kind: of the accounts below; None where lines are below.

    parent: the line that it sums up to; empty at the top.   side: where its balance usually is.
    """

    name: str
    kind: AccountKind | None
    parent: str
    side: NormalSide


class Book(msgspec.Struct):
    """All that is true of one book.

    seq, at: of its newest event.   opened: the books registered here; only a system book has any.
    posted: by business day, oldest first.   assets: decimal places by code, beyond ISO 4217.
    documents: what was published, by `kind/id`.   in_force: what is in force of it, ready to be asked.
    usage: of limits and packages that count neither by account nor by party.
    end_of_day: the work that closed days left.   closing: months that have ended and are still open.
    crossings: payments between this book and others.
    four_eyes: whether roles, documents and policies need two persons whatever documents say.
    approvals: what waits for other people's yes.
    holds: those that are open.   payments: out, whatever became of them.
    approvals: what waits for other people's yes.   bulks: the ids of those that were accepted.
    fx: quotes and positions.   deferred: what cannot be spent before its value date, by seq of the transfer.
    orders: that stand.   receipts: payments in, and those that wait in suspense.
    flags: that stand on parties, accounts, payees and devices.
    counts: of payees and devices, for rules that ask.
    """

    id: str
    name: str
    currency: str
    time_zone: str
    clock: Clock
    repeats: Repeats
    business_date: Date
    open_from: Date
    reversible_days: int
    seq: int = 0
    at: int = 0
    clock_confirmed_ms: int = 0
    opened: dict[str, int] = {}
    chart: dict[str, ChartEntry] = {}
    assets: dict[str, int] = {}
    persons: dict[str, str] = {}
    actors: dict[str, Actor] = {}
    roles: dict[str, Role] = {}
    parties: dict[str, Party] = {}
    accounts: dict[str, Account] = {}
    posted: list[PostedDay] = []
    timers: Timers = msgspec.field(default_factory=Timers)
    documents: dict[str, Shelf] = {}
    in_force: InForce = msgspec.field(default_factory=InForce)
    end_of_day: EndOfDay = msgspec.field(default_factory=EndOfDay)
    closing: Closing = msgspec.field(default_factory=Closing)
    crossings: Crossings = msgspec.field(default_factory=Crossings)
    four_eyes: bool = False
    approvals: Approvals = msgspec.field(default_factory=Approvals)
    usage: dict[str, Tally] = {}
    holds: dict[str, Hold] = {}
    payments: Payments = msgspec.field(default_factory=Payments)
    bulks: KnownIds = msgspec.field(default_factory=KnownIds)
    fx: Fx = msgspec.field(default_factory=Fx)
    deferred: dict[int, Deferred] = {}
    orders: Orders = msgspec.field(default_factory=Orders)
    receipts: Receipts = msgspec.field(default_factory=Receipts)
    cases: Cases = msgspec.field(default_factory=Cases)
    flags: Flags = msgspec.field(default_factory=Flags)
    counts: BookCounts = msgspec.field(default_factory=BookCounts)


class Partition(msgspec.Struct):
    """What one log partition carries: its books, the system book among them, and how far they are answered.

    position: offset of the newest command that has its outcome, -1 for none; counted in the log's `epoch`.
    release: the version of deciding that is in force.   epoch_id: names the log the epoch is bound to.
    """

    books: dict[str, Book] = {}
    position: int = -1
    epoch: int = 0
    epoch_id: str = ""
    release: int = 0

    @property
    def system(self) -> Book:
        """The system book; the log has not begun where there is none (KeyError)."""
        return self.books[SYSTEM_BOOK]
