"""The sixteen patterns, one function each: what happens to the account that is to be found.

They share no code with what finds them. The account is empty, or has what `MONEY` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final, TypeVar

from gateway.planted_parts import DAY_MS, HOUR_MS, Level, Parts, Step, parts_of, reach, share_of
from schemas.parties import ChangePartyProfile

T = TypeVar("T")
Pattern = Callable[[Parts, Level, str, int], Iterator[Step]]
BENFORD: Final = (301_030, 176_091, 124_939, 96_910, 79_181, 66_947, 57_992, 51_153, 45_757)
"""Of a million amounts, how many begin with 1 to 9."""
MONEY: Final = {
    "fan_out": 50_000_00,
    "spike": 100_000_00,
    "repeated_amounts": 50_000_00,
    "round_amounts": 50_000_00,
    "benford": 200_000_00,
    "dormant_active": 50_000_00,
    "circular_flow": 20_000_00,
    "high_risk_country": 5_000_00,
    "profile_then_payout": 8_000_00,
}
"""What the account needs before the pattern begins, minor units; nothing where there is no entry."""


def _set(one: T | None) -> T:
    assert one is not None, "a pattern is planted only where its typology has a set of parameters"
    return one


def structuring(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Cash just under the threshold, a bit more than a day apart."""
    one = _set(p.sets.structuring)
    count = reach(level, one.count, one.count + 2)
    apart = min(26 * HOUR_MS, one.within_days * DAY_MS // count)
    near = p.amount(one.threshold) * (one.near + 3 * (1_000 - one.near) // 4) // 1_000
    for n in range(count):
        yield p.move(at_ms + n * apart, p.cash, account, near - p.draw.below(50_00), _channel(one.channels))


def aggregation(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Cash in parts, all within a day, that reach the threshold together."""
    one = _set(p.sets.aggregation)
    parts = parts_of(reach(level, p.amount(one.threshold)), one.count + 1)
    for n, part in enumerate(parts):
        at = at_ms + n * one.within_hours * HOUR_MS // (len(parts) + 1)
        yield p.move(at, p.cash, account, part, _channel(one.channels))


def pass_through(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """In, and out again hours later."""
    one = _set(p.sets.pass_through)
    amount = reach(level, p.amount(one.least), 3 * p.amount(one.least))
    yield p.move(at_ms, p.helper(), account, amount)
    yield p.move(at_ms + 5 * HOUR_MS, account, p.helper(), share_of(level, amount, one.share))


def fan_in(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Many pay one."""
    one = _set(p.sets.fan_in)
    yield from _many(p, level, at_ms, one.count, one.within_days, p.amount(one.least), to=account)


def fan_out(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """One pays many."""
    one = _set(p.sets.fan_out)
    yield from _many(p, level, at_ms, one.count, one.within_days, p.amount(one.least), by=account)


def _many(
    p: Parts, level: Level, at_ms: int, least: int, days: int, amount: int, *, by: str = "", to: str = ""
) -> Iterator[Step]:
    count = reach(level, least)
    total = amount if level == "at" else 3 * amount
    for n, (other, part) in enumerate(zip(p.helpers(count), parts_of(total, count), strict=True)):
        yield p.move(at_ms + n * days * DAY_MS // (count + 1), by or other, to or other, part)


def dormant_active(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """After long quiet, much at once."""
    least = p.amount(_set(p.sets.dormant_active).least)
    yield p.move(at_ms, account, p.helper(), reach(level, least, 3 * least))


def spike(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Payments around a mean, each one deviation from it, and then one far away."""
    one = _set(p.sets.spike)
    mean, deviation = p.amount(one.least), p.amount(one.least) // 10
    count = one.earlier + one.earlier % 2
    apart = min(DAY_MS, one.history_days * DAY_MS // (count + 2))
    for n in range(count):
        amount = mean + (deviation if n % 2 else -deviation)
        yield p.move(at_ms + n * apart, account, p.helper(), amount)
    far = reach(level, one.deviations * deviation, 3 * one.deviations * deviation)
    yield p.move(at_ms + count * apart, account, p.helper(), mean + far)


def repeated_amounts(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Nearly the same amount, to several others."""
    one = _set(p.sets.repeated_amounts)
    count = reach(level, one.count)
    amount = 2 * p.amount(one.least)
    others = p.helpers(one.others)
    for n in range(count):
        near = amount - p.draw.below(amount * one.tolerance // 2_000)
        at = at_ms + n * one.within_days * DAY_MS // (count + 1)
        yield p.move(at, account, others[n % len(others)], near)


def round_amounts(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Many payments in hundreds, and a few that are not."""
    one = _set(p.sets.round_amounts)
    unit = p.amount(one.units)
    count = min(reach(level, -(-one.payments * one.share // 1_000), one.payments), one.payments)
    others = p.helpers(3)
    for n in range(one.payments):
        amount = unit * p.draw.between(1, 9) + (0 if n >= one.payments - count else p.draw.between(1, 99))
        yield p.move(at_ms + n * 12 * HOUR_MS, account, others[n % 3], amount)


def layering(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """In at once, and out in parts over most of the window."""
    one = _set(p.sets.layering)
    amount = reach(level, p.amount(one.least), 3 * p.amount(one.least))
    yield p.move(at_ms, p.helper(), account, amount)
    parts = parts_of(share_of(level, amount, one.share), one.payments + 1)
    for n, part in enumerate(parts, 1):
        at = at_ms + n * (one.within_hours - 6) * HOUR_MS // len(parts)
        yield p.move(at, account, p.helper(), part)


def new_account_velocity(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """A new account gets several wages at once, and passes some of it on."""
    one = _set(p.sets.new_account_velocity)
    out = one.payments // 3
    turnover = p.amount(one.turnover)
    parts = parts_of(reach(level, turnover, 2 * turnover), one.payments - out)
    others = p.helpers(4)
    for n, part in enumerate(parts[:-1]):
        yield p.move(at_ms + n * 6 * HOUR_MS, others[n % 4], account, part)
    at_ms += len(parts) * 6 * HOUR_MS
    for n in range(out):
        yield p.move(at_ms + n * HOUR_MS, account, others[n % 4], parts[0] // 3)
    yield p.move(at_ms + out * HOUR_MS, others[0], account, parts[-1])


def profile_then_payout(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Other data, and then most of the money leaves: well within the time, at its end, or just behind it."""
    one = _set(p.sets.profile_then_payout)
    after_ms = {
        "below": one.within_hours * HOUR_MS + 60_000,
        "at": one.within_hours * HOUR_MS,
        "above": 2 * HOUR_MS,
    }
    yield Step(at_ms, ChangePartyProfile, {"party": account, "number": f"changed-{p.draw.below(10**6)}"})
    yield p.move(at_ms + after_ms[level], account, p.helper(), MONEY["profile_then_payout"] * 9 // 10)


def circular_flow(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Out, through as many others as are needed, and back, a little less at each step."""
    one = _set(p.sets.circular_flow)
    least = p.amount(one.least)
    back = reach(level, least, 4 * least)
    first = back * 1_000 // (1_000 - one.similar) if level == "at" else back * 103 // 100
    stops = [account, *p.helpers(one.through - 1), account]
    steps = len(stops) - 1
    apart = one.within_hours * HOUR_MS // steps - (HOUR_MS if level == "above" else 0)
    for n in range(steps):
        amount = first - (first - back) * n // (steps - 1)
        yield p.move(at_ms + n * apart, stops[n], stops[n + 1], amount)


def high_risk_country(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Money for somebody in a country on the list."""
    least = p.amount(_set(p.sets.high_risk_country).least)
    yield p.move(at_ms, account, p.abroad, reach(level, least, 5 * least))


def benford(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Payments whose first digits are just not far enough from the law, just far enough, or all as
    frequent.
    """
    one = _set(p.sets.benford)
    counts = first_digits(level, one.payments, one.chi_square)
    wanted = [digit for digit, count in enumerate(counts, 1) for _ in range(count)]
    for n in range(len(wanted) - 1, 0, -1):
        m = p.draw.below(n + 1)
        wanted[n], wanted[m] = wanted[m], wanted[n]
    unit = 10 ** len(str(p.amount(one.least) - 1))
    others = p.helpers(5)
    for n, digit in enumerate(wanted):
        # Both ends of the spread are there; most lie between them.
        power = {0: 0, 1: 3}.get(n, p.draw.below(3))
        amount = (digit * 100 + p.draw.below(100)) * unit * 10**power // 100
        yield p.move(at_ms + n * 4 * HOUR_MS, account, others[n % 5], amount)


def first_digits(level: Level, payments: int, critical: int) -> list[int]:
    """How many payments begin with 1 to 9: from Benford's law on, one after another from the most expected
    digit to the least expected, until the statistic has just reached `critical`, in thousandths; below, one
    less.
    """
    if level == "above":
        return [payments // 9 + (n < payments % 9) for n in range(9)]
    counts = [payments * share // 1_000_000 for share in BENFORD]
    counts[0] += payments - sum(counts)
    while True:
        before = counts[:]
        most = max(
            range(9), key=lambda n: Fraction(counts[n] * 1_000_000, payments * BENFORD[n]) if n < 4 else -1
        )
        counts[most] -= 1
        counts[8] += 1
        if _chi_square(counts) * 1_000 >= critical:
            return counts if level == "at" else before


def _chi_square(counts: Sequence[int]) -> Fraction:
    n = sum(counts)
    expected = [Fraction(n * share, 1_000_000) for share in BENFORD]
    return sum(((c - e) ** 2 / e for c, e in zip(counts, expected, strict=True)), Fraction(0))


def collection_account(p: Parts, level: Level, account: str, at_ms: int) -> Iterator[Step]:
    """Many pay in, and it goes on to one."""
    one = _set(p.sets.collection_account)
    payers = reach(level, one.payers)
    total = p.amount(one.least) * (1 if level == "at" else 3)
    half_ms = one.within_days * DAY_MS // 2
    for n, (payer, part) in enumerate(zip(p.helpers(payers), parts_of(total, payers), strict=True)):
        yield p.move(at_ms + n * half_ms // payers, payer, account, part)
    yield p.move(at_ms + half_ms, account, p.helper(), share_of(level, total, one.share))


def _channel(channels: Sequence[str]) -> str:
    return channels[0] if channels else ""


PATTERNS: Final[dict[str, Pattern]] = {
    "structuring": structuring,
    "aggregation": aggregation,
    "pass_through": pass_through,
    "fan_in": fan_in,
    "fan_out": fan_out,
    "dormant_active": dormant_active,
    "spike": spike,
    "repeated_amounts": repeated_amounts,
    "round_amounts": round_amounts,
    "layering": layering,
    "new_account_velocity": new_account_velocity,
    "profile_then_payout": profile_then_payout,
    "circular_flow": circular_flow,
    "high_risk_country": high_risk_country,
    "benford": benford,
    "collection_account": collection_account,
}
"""By the typology that is to find it."""
