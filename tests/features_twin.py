"""The naive twin of every feature: it reads the list of all that happened, each time anew.

It shares no code with `book/features/` and `commands/features/`, and knows neither slices that are kept nor
windows that roll: only the definitions that `schemas/features.py` gives.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from zoneinfo import ZoneInfo

from schemas.accounts import AccountOpened, OverdraftSet
from schemas.countries import MIDDLES
from schemas.crossbook import CrossBookReceived, CrossBookSent
from schemas.message import Event
from schemas.parties import PartyProfileChanged, PartyRegistered
from schemas.payments import PaymentSubmitted
from schemas.payments_in import ReceiptCredited, SuspenseResolved
from schemas.rail_reports import PaymentFailed, PaymentReturned
from schemas.rejections import CommandRejected
from schemas.risk import Origin
from schemas.transfers import TransferPosted

NOTHING = -1
TOP = 2**63 - 1
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY_MINUTES = 24 * 60
SLICES = {"1h": (600_000, 6), "24h": (HOUR, 24), "7d": (24 * HOUR, 7), "30d": (24 * HOUR, 30)}


@dataclass(frozen=True)
class Asked:
    """The movement that features are asked about."""

    account: str
    amount: int
    currency: str
    counterparty: str
    at_ms: int
    channel: str = ""
    corridor: str = ""
    origin: Origin | None = None


@dataclass(frozen=True)
class Gone:
    """A movement out, as the twin remembers it."""

    at: int
    account: str
    currency: str
    amount: int
    payee: str
    channel: str
    corridor: str
    origin: Origin | None


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
                account, payee, corridor, origin = one.debit, one.credit, one.corridor, one.origin
            elif isinstance(one, PaymentSubmitted):
                account, payee, origin = one.account, one.payee.account, one.origin
                corridor = f"{self.country(account, one.at)}-{one.payee.country}"
            elif isinstance(one, CrossBookSent):
                account, payee, corridor = one.account, f"{one.to_book}/{one.to_account}", one.corridor
                origin = None
            else:
                continue
            if account in self.customers:
                found.append(
                    Gone(
                        one.at,
                        account,
                        one.currency,
                        one.amount,
                        plain(payee),
                        one.channel,
                        corridor,
                        origin,
                    )
                )
        return found

    def of(self, asked: Asked) -> list[Gone]:
        """What left the account."""
        return [one for one in self.outs() if one.account == asked.account]

    def country(self, account: str, at_ms: int) -> str:
        """Of the account's party, at a time."""
        known = [
            one.country
            for one in self.all
            if isinstance(one, (PartyRegistered, PartyProfileChanged))
            and one.party == self.party(account)
            and one.at <= at_ms
        ]
        return known[-1]

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


def plain(payee: str) -> str:
    return payee.replace(" ", "").upper()


def newest(things: Iterable[tuple[str, int]], most: int) -> list[tuple[str, int, int]]:
    """(name, first seen, last seen) of the newest so many; who comes again after that many others is new."""
    known: list[tuple[str, int, int]] = []
    for name, at in things:
        first = next((one[1] for one in known if one[0] == name), at)
        known = [one for one in known if one[0] != name] + [(name, first, at)]
        known = known[-most:]
    return known


def minutes_ago(now_ms: int, then_ms: int) -> int:
    return now_ms // MINUTE - then_ms // MINUTE


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


def payees(twin: Twin, asked: Asked) -> list[tuple[str, int, int]]:
    return newest(((one.payee, one.at) for one in twin.of(asked)), 48)


def distinct_payees(days: int) -> Value:
    def distinct(twin: Twin, asked: Asked) -> int:
        found = {
            name
            for name, _, last in payees(twin, asked)
            if minutes_ago(asked.at_ms, last) <= days * DAY_MINUTES
        }
        return min(len(found | {plain(asked.counterparty)}), 48)

    return distinct


def payee_known(twin: Twin, asked: Asked) -> int:
    found = [first for name, first, _ in payees(twin, asked) if name == plain(asked.counterparty)]
    return minutes_ago(asked.at_ms, found[0]) // DAY_MINUTES if found else NOTHING


def recent(twin: Twin, asked: Asked, days: int) -> list[Gone]:
    return [one for one in twin.of(asked)[-32:] if minutes_ago(asked.at_ms, one.at) <= days * DAY_MINUTES]


def to_payee(days: int) -> Value:
    return lambda twin, asked: (
        1 + sum(one.payee == plain(asked.counterparty) for one in recent(twin, asked, days))
    )


def same_amount(twin: Twin, asked: Asked) -> int:
    return 1 + sum(one.amount == asked.amount for one in recent(twin, asked, 1))


def parties_in_a_week(twin: Twin, asked: Asked, some: Iterable[Gone]) -> int:
    seen = newest(((twin.party(one.account), one.at) for one in some), 32)
    lately = {name for name, _, last in seen if minutes_ago(asked.at_ms, last) <= 7 * DAY_MINUTES}
    return min(len(lately | {twin.party(asked.account)}), 32)


def payee_payers(twin: Twin, asked: Asked) -> int:
    return parties_in_a_week(
        twin, asked, (one for one in twin.outs() if one.payee == plain(asked.counterparty))
    )


def amount_to_mean(twin: Twin, asked: Asked) -> int:
    amounts = [one.amount for one in twin.of(asked)]
    if not amounts:
        return NOTHING
    return int(Fraction(asked.amount) / Fraction(sum(amounts), len(amounts)) * 1_000)


def amount_deviation(twin: Twin, asked: Asked) -> int:
    amounts = [one.amount for one in twin.of(asked)]
    if len(set(amounts)) < 2:
        return NOTHING
    mean = Fraction(sum(amounts), len(amounts))
    variance = sum(((one - mean) ** 2 for one in amounts), Fraction()) / len(amounts)
    if asked.amount <= mean:
        return 0
    squared = (asked.amount - mean) ** 2 / variance * 1_000_000
    return isqrt(squared.numerator // squared.denominator)


def is_new(of: Callable[[Gone], str], asked_for: Callable[[Asked], str], most: int) -> Value:
    def new(twin: Twin, asked: Asked) -> int:
        wanted = asked_for(asked)
        if not wanted:
            return NOTHING
        known = newest(((of(one), one.at) for one in twin.of(asked) if of(one)), most)
        return int(wanted not in [name for name, _, _ in known])

    return new


def to_country(one: Gone | Asked) -> str:
    country = one.corridor.partition("-")[2]
    return country if len(country) == 2 else ""


def from_country(one: Gone | Asked) -> str:
    return one.origin.country if one.origin else ""


def device(one: Gone | Asked) -> str:
    return one.origin.device if one.origin else ""


def country_speed(twin: Twin, asked: Asked) -> int:
    before = [one for one in twin.of(asked) if from_country(one)]
    if not before or not from_country(asked):
        return NOTHING
    here, there = MIDDLES.get(from_country(before[-1])), MIDDLES.get(from_country(asked))
    if here is None or there is None:
        return NOTHING
    return kilometres(here, there) * HOUR // max(asked.at_ms - before[-1].at, MINUTE)


def kilometres(here: tuple[int, int], there: tuple[int, int]) -> int:
    """By the haversine formula, in floats."""
    (a, b), (c, d) = ((math.radians(one / 10) for one in place) for place in (here, there))
    half = math.sin((a - c) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((b - d) / 2) ** 2
    return round(2 * 6_371 * math.asin(min(1.0, math.sqrt(half))))


def device_age(twin: Twin, asked: Asked) -> int:
    if not device(asked):
        return NOTHING
    known = newest(((device(one), one.at) for one in twin.of(asked) if device(one)), 8)
    found = [first for name, first, _ in known if name == device(asked)]
    return minutes_ago(asked.at_ms, found[0]) // DAY_MINUTES if found else 0


def device_parties(twin: Twin, asked: Asked) -> int:
    if not device(asked):
        return NOTHING
    return parties_in_a_week(twin, asked, (one for one in twin.outs() if device(one) == device(asked)))


def declined(twin: Twin, asked: Asked) -> int:
    found = 0
    for one in twin.seen:
        if (
            isinstance(one, CommandRejected)
            and one.reason == "declined"
            and within("24h", one.at, asked.at_ms)
        ):
            found += json.loads(one.restricted)["account"] == asked.account
    return found


def failed(twin: Twin, asked: Asked) -> int:
    return sum(
        one.account == asked.account and within("30d", one.at, asked.at_ms)
        for one in twin.seen
        if isinstance(one, PaymentFailed) or (isinstance(one, PaymentReturned) and not one.recalled)
    )


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
    "declined_24h": declined,
    "failed_30d": failed,
    "distinct_payees_24h": distinct_payees(1),
    "distinct_payees_7d": distinct_payees(7),
    "distinct_payees_30d": distinct_payees(30),
    "new_payee": lambda twin, asked: int(payee_known(twin, asked) == NOTHING),
    "payee_known_days": payee_known,
    "to_payee_count_24h": to_payee(1),
    "to_payee_count_30d": to_payee(30),
    "payee_payers_7d": payee_payers,
    "same_amount_24h": same_amount,
    "payments_seen": lambda twin, asked: len(twin.of(asked)),
    "amount_to_mean": amount_to_mean,
    "amount_deviation": amount_deviation,
    "new_channel": is_new(lambda one: one.channel, lambda asked: asked.channel, 8),
    "new_corridor": is_new(lambda one: one.corridor, lambda asked: asked.corridor, 16),
    "new_payee_country": is_new(to_country, to_country, 16),
    "new_country": is_new(from_country, from_country, 16),
    "country_speed": country_speed,
    "new_device": is_new(device, device, 8),
    "device_age_days": device_age,
    "device_parties_7d": device_parties,
}
