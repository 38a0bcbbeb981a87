"""Holds: funds that are reserved on an account until they are captured, released or expire."""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fees import Fee
from schemas.fields import AccountId, Amount, Currency, HoldId, Label, NewId, Text
from schemas.message import Command, Date, Event
from schemas.postings import Posting
from schemas.reserves import Reserve, Use

DAY_S = 86_400
HoldSeconds = Annotated[int, Meta(ge=1, le=366 * DAY_S), at.Ge(1), at.Le(366 * DAY_S)]


class PlaceHold(Command, tag="PlaceHold"):
    """Reserve funds on an account until they are captured, released or expire.

    amount: minor units of `currency`, the account's.   expires_after_s: seconds of book time.
    counterparty, channel: who it is for and how it was asked for, where limits and fees depend on them.
    """

    hold: NewId
    account: AccountId
    amount: Amount
    currency: Currency
    expires_after_s: HoldSeconds = 7 * DAY_S
    counterparty: Label = ""
    channel: Label = ""
    reference: Text = ""


class RaiseHold(Command, tag="RaiseHold"):
    """Reserve more under a hold. amount: how much more.   expires_after_s: from now; else as it was."""

    hold: HoldId
    amount: Amount
    expires_after_s: HoldSeconds | None = None


class CaptureHold(Command, tag="CaptureHold"):
    """Take held funds, in part or whole, to the account `credit`. All captures never exceed the hold.

    final: nothing more will be captured, so the rest is released.
    """

    hold: HoldId
    amount: Amount
    credit: AccountId
    final: bool = False
    reference: Text = ""


class ReleaseHold(Command, tag="ReleaseHold"):
    """Give back what is left of a hold."""

    hold: HoldId
    reason: Text


class HoldPlaced(Event, tag="HoldPlaced"):
    """Funds are held: the amount and the fees that capturing all of it would cost."""

    hold: str
    account: str
    amount: int
    currency: str
    expires_at_ms: int
    counterparty: str
    channel: str
    reference: str
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]


class HoldRaised(Event, tag="HoldRaised"):
    """More is held. amount: how much more.   amount_after: of the whole hold, captured parts included.

    fees: what capturing the additional amount would cost.
    """

    hold: str
    account: str
    amount: int
    amount_after: int
    currency: str
    expires_at_ms: int
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]


class HoldCaptured(Event, tag="HoldCaptured"):
    """Held funds were taken. captured_after: all captures so far.   left: what can still be captured.

    A fee that was quoted for the whole is charged in proportion to what is captured, rounded down in sum.
    charged: of each fee of the hold, so far.
    Where nothing is left the hold has ended; `reserves` and `uses` give back what was not captured.
    """

    hold: str
    account: str
    credit: str
    amount: int
    currency: str
    captured_after: int
    left: int
    booking_date: Date
    value_date: Date
    reference: str
    postings: tuple[Posting, ...]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    charged: tuple[int, ...]


class HoldReleased(Event, tag="HoldReleased"):
    """What was left of a hold was given back, by command or, where `expired`, by its timer.

    amount: what was left to capture.   captured: what had been captured before.
    """

    hold: str
    account: str
    amount: int
    captured: int
    currency: str
    reason: str
    expired: bool
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


COMMANDS = (PlaceHold, RaiseHold, CaptureHold, ReleaseHold)
EVENTS = (HoldPlaced, HoldRaised, HoldCaptured, HoldReleased)
