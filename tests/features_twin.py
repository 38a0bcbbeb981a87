"""The naive twin of every feature: it reads the list of all that happened, each time anew.

It shares no code with `book/features/` and `commands/features/`, and knows neither slices that are kept nor
windows that roll: only the definitions that `schemas/features.py` gives.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.accounts import AccountOpened, OverdraftSet
from schemas.crossbook import CrossBookReceived, CrossBookSent
from schemas.message import Event
from schemas.parties import PartyProfileChanged, PartyRegistered
from schemas.payments import PaymentSubmitted
from schemas.payments_in import ReceiptCredited, SuspenseResolved
from schemas.transfers import TransferPosted

NOTHING = -1
TOP = 2**63 - 1
HOUR = 3_600_000
SLICES = {"1h": (600_000, 6), "24h": (HOUR, 24), "7d": (24 * HOUR, 7), "30d": (24 * HOUR, 30)}


@dataclass(frozen=True)
class Asked:
    """The movement that features are asked about."""

    account: str
    amount: int
    currency: str
    counterparty: str
    at_ms: int


@dataclass(frozen=True)
class Gone:
    """A movement out, as the twin remembers it."""

    at: int
    account: str
    currency: str
    amount: int


class Twin:
    """happened: every event of the book.   since_ms: from when features were counted.   balance: what is
    booked on an account, less what is held.
    """

    def __init__(self, happened: Sequence[Event], since_ms: int, zone: str, balance: int) -> None:
        self.all = happened
        self.seen = [one for one in happened if one.at > since_ms]
        self.since_ms = since_ms
        self.zone = ZoneInfo(zone)
        self.balance = balance
        self.opened = {one.account: one for one in happened if isinstance(one, AccountOpened)}
        self.customers = {name for name, one in self.opened.items() if one.kind == "customer"}

    def outs(self) -> list[Gone]:
        found = []
        for one in self.seen:
            if isinstance(one, TransferPosted):
                found.append(Gone(one.at, one.debit, one.currency, one.amount))
            elif isinstance(one, (PaymentSubmitted, CrossBookSent)):
                found.append(Gone(one.at, one.account, one.currency, one.amount))
        return [one for one in found if one.account in self.customers]

    def ins(self, account: str) -> list[tuple[int, int]]:
        incoming = (ReceiptCredited, SuspenseResolved, CrossBookReceived)
        found = [
            (one.at, one.amount)
            for one in self.seen
            if (isinstance(one, TransferPosted) and one.credit == account)
            or (isinstance(one, incoming) and one.account == account)
        ]
        return found if account in self.customers else []

    def party(self, account: str) -> str:
        return self.opened[account].party

    def value(self, name: str, asked: Asked) -> int:
        return min(VALUES[name](self, asked), TOP)


def within(span: str, then_ms: int, now_ms: int) -> bool:
    width, slices = SLICES[span]
    return then_ms // width >= now_ms // width - slices


def out_count(span: str) -> Value:
    return lambda twin, asked: (
        1 + sum(one.account == asked.account and within(span, one.at, asked.at_ms) for one in twin.outs())
    )


def out_sum(span: str) -> Value:
    return lambda twin, asked: (
        asked.amount
        + sum(
            one.amount
            for one in twin.outs()
            if one.account == asked.account and within(span, one.at, asked.at_ms)
        )
    )


def in_count(span: str) -> Value:
    return lambda twin, asked: sum(within(span, at, asked.at_ms) for at, _ in twin.ins(asked.account))


def in_sum(span: str) -> Value:
    return lambda twin, asked: sum(
        amount for at, amount in twin.ins(asked.account) if within(span, at, asked.at_ms)
    )


def party_out_count(span: str) -> Value:
    return lambda twin, asked: (
        1
        + sum(
            twin.party(one.account) == twin.party(asked.account) and within(span, one.at, asked.at_ms)
            for one in twin.outs()
        )
    )


def party_out_sum(span: str) -> Value:
    return lambda twin, asked: (
        asked.amount
        + sum(
            one.amount
            for one in twin.outs()
            if twin.party(one.account) == twin.party(asked.account)
            and one.currency == asked.currency
            and within(span, one.at, asked.at_ms)
        )
    )


def passed_on(twin: Twin, asked: Asked) -> int:
    came = in_sum("24h")(twin, asked)
    return out_sum("24h")(twin, asked) * 1_000 // came if came else NOTHING


def local(twin: Twin, at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms // 1_000, twin.zone)


def round_by(units: int) -> Value:
    digits = {"EUR": 2, "USD": 2, "JPY": 0, "BHD": 3}
    return lambda twin, asked: int(asked.amount % (units * 10 ** digits[asked.currency]) == 0)


def share_of_balance(twin: Twin, asked: Asked) -> int:
    return asked.amount * 1_000 // twin.balance if twin.balance > 0 else NOTHING


def overdraft_use(twin: Twin, asked: Asked) -> int:
    changes = [
        one.overdraft
        for one in twin.all
        if isinstance(one, (AccountOpened, OverdraftSet)) and one.account == asked.account
    ]
    overdraft = changes[-1]
    return max(asked.amount - twin.balance, 0) * 1_000 // overdraft if overdraft else NOTHING


def days(now_ms: int, then_ms: int) -> int:
    """In whole hours first, as the book keeps them."""
    return (now_ms // HOUR - then_ms // HOUR) // 24


def account_age(twin: Twin, asked: Asked) -> int:
    return days(asked.at_ms, twin.opened[asked.account].at)


def party_age(twin: Twin, asked: Asked) -> int:
    (at,) = (
        one.at
        for one in twin.all
        if isinstance(one, PartyRegistered) and one.party == twin.party(asked.account)
    )
    return days(asked.at_ms, at)


def profile_change(twin: Twin, asked: Asked) -> int:
    changes = [
        one.at
        for one in twin.all
        if isinstance(one, PartyProfileChanged) and one.party == twin.party(asked.account)
    ]
    return days(asked.at_ms, changes[-1]) if changes else NOTHING


def since_out(twin: Twin, asked: Asked) -> int:
    found = [one.at for one in twin.outs() if one.account == asked.account]
    return asked.at_ms - found[-1] if found else NOTHING


def since_in(twin: Twin, asked: Asked) -> int:
    found = twin.ins(asked.account)
    return asked.at_ms - found[-1][0] if found else NOTHING


def dormant_days(twin: Twin, asked: Asked) -> int:
    moved = [one.at for one in twin.outs() if one.account == asked.account]
    moved += [at for at, _ in twin.ins(asked.account)]
    opened = twin.opened[asked.account].at // HOUR * HOUR
    return (asked.at_ms - max(twin.since_ms, opened, *moved)) // (24 * HOUR)


Value = Callable[[Twin, Asked], int]
VALUES: dict[str, Value] = {
    "amount": lambda twin, asked: asked.amount,
    "local_minute": lambda twin, asked: local(twin, asked.at_ms).hour * 60 + local(twin, asked.at_ms).minute,
    "night": lambda twin, asked: int(local(twin, asked.at_ms).hour < 6),
    "weekend": lambda twin, asked: int(local(twin, asked.at_ms).strftime("%a") in ("Sat", "Sun")),
    "round_hundreds": round_by(100),
    "round_thousands": round_by(1_000),
    "share_of_balance": share_of_balance,
    "overdraft_use": overdraft_use,
    **{f"out_count_{span}": out_count(span) for span in SLICES},
    **{f"out_sum_{span}": out_sum(span) for span in SLICES},
    **{f"in_count_{span}": in_count(span) for span in ("24h", "7d")},
    **{f"in_sum_{span}": in_sum(span) for span in ("24h", "7d")},
    **{f"party_out_count_{span}": party_out_count(span) for span in ("24h", "7d")},
    **{f"party_out_sum_{span}": party_out_sum(span) for span in ("24h", "7d")},
    "passed_on_24h": passed_on,
    "account_age_days": account_age,
    "party_age_days": party_age,
    "profile_change_days": profile_change,
    "since_last_out_ms": since_out,
    "since_last_in_ms": since_in,
    "dormant_days": dormant_days,
}
