"""What a tariff charges for a movement: exact in whole numbers, rounded once, by the rule of the line."""

from __future__ import annotations

from collections.abc import Sequence

from book.plans import DAY, FeePlan, StepPlan
from book.state import Account, Book
from commands.filters import concerns, segment_of
from commands.movements import Movement
from schemas.documents.tariffs import Rounding
from schemas.fees import Fee
from schemas.fields import INT64_MAX
from schemas.rejections import Rejection, reject
from schemas.reserves import Use


def fees_of(
    book: Book,
    lines: Sequence[FeePlan],
    movement: Movement,
    at_ms: int,
    reserved: bool,
    uses: list[Use],
) -> tuple[Fee, ...] | Rejection:
    """The fees of a movement. What packages and volumes count is added to `uses`.

    account_not_open where the income account was closed; overflow where a volume or fee leaves 64 bits.
    """
    account, amount = movement.account, movement.amount
    found: tuple[Fee, ...] = ()
    decided: set[str] = set()
    for line in lines:
        moved = 0
        if not line.plain:
            if line.group in decided or not _is_for(book, line, movement, at_ms):
                continue
            if line.group:
                decided.add(line.group)
            if line.volume_key:
                moved = _count(book, movement, line.volume_key, line.period, amount, reserved, uses)
                if moved > INT64_MAX:
                    return reject("overflow", account=movement.account_id)
            if waived(book, line, account) or _is_free(book, movement, line, reserved, uses):
                continue
        fee = price(line, amount, moved)
        if fee == 0:
            continue
        if fee > INT64_MAX:
            return reject("overflow", account=movement.account_id)
        if not book.accounts[line.income].is_open:
            return reject("account_not_open", account=line.income)
        found += (
            Fee(line.tariff, line.version, line.line, movement.account_id, line.income, fee, line.currency),
        )
    return found


def _is_for(book: Book, line: FeePlan, movement: Movement, at_ms: int) -> bool:
    only = line.only
    return only is None or concerns(
        book, only, movement.account, movement.amount, movement.channel, movement.corridor, at_ms
    )


def price(line: FeePlan, amount: int, moved: int) -> int:
    """The fee of one movement, minor units. moved: the volume so far, this movement included.

    In units of 1 / line.per, so that nothing is lost before it is rounded.
    """
    exact = line.flat + amount * line.rate
    if line.steps:
        exact += _slabs(line, amount, moved - amount, moved) if moved else _slabs(line, amount, 0, amount)
    if exact < line.least:
        exact = line.least
    elif line.most and exact > line.most:
        exact = line.most
    per = line.per
    whole = exact // per
    rest = exact - whole * per
    return whole + 1 if rest and _rounds_up(line.rounding, whole, rest * 2 - per) else whole


def _rounds_up(rounding: Rounding, whole: int, past_half: int) -> bool:
    """past_half: by how much the rest is past half of a minor unit; below zero where it falls short."""
    match rounding:
        case "half_even":
            return past_half > 0 or (past_half == 0 and whole % 2 == 1)
        case "half_up":
            return past_half >= 0
        case "up":
            return True
        case "down":
            return False


def _slabs(line: FeePlan, amount: int, begin: int, end: int) -> int:
    """What the slabs add, in units of 1 / line.per, for a movement from above `begin` up to `end`."""
    if line.marginal:
        return sum(
            step.flat + part * step.rate
            for step in line.steps
            if (part := min(end, step.up_to or end) - max(begin, step.above)) > 0
        )
    step = _slab_at(line.steps, end)
    return step.flat + amount * step.rate


def _slab_at(steps: Sequence[StepPlan], at: int) -> StepPlan:
    return next(step for step in steps if step.above < at and (at <= step.up_to or not step.up_to))


def waived(book: Book, line: FeePlan, account: Account) -> bool:
    """Whether the party of the account does not pay."""
    if account.party in line.waived_parties:
        return True
    return bool(line.waived_segments) and segment_of(book, account) in line.waived_segments


def _bucket(book: Book, period: int) -> int:
    today = book.business_date
    return today.toordinal() if period == DAY else today.year * 12 + today.month - 1


def _so_far(movement: Movement, key: str, bucket: int, uses: list[Use]) -> tuple[int, int]:
    """Total and reserved of a package or volume; lines of one movement count on from each other."""
    for one in reversed(uses):
        if one.limit == key:
            return one.total, one.reserved
    usage = None if movement.account.usage is None else movement.account.usage.get(key)
    return (usage.total, usage.reserved) if usage is not None and usage.bucket == bucket else (0, 0)


def _is_free(book: Book, movement: Movement, line: FeePlan, reserved: bool, uses: list[Use]) -> bool:
    """Whether a unit of the package is left; then it is taken."""
    key, period = line.package_key, line.package_period
    if not key:
        return False
    taken, _ = _so_far(movement, key, _bucket(book, period), uses)
    if taken >= line.package_units:
        return False
    _count(book, movement, key, period, 1, reserved, uses)
    return True


def _count(
    book: Book, movement: Movement, key: str, period: int, amount: int, reserved: bool, uses: list[Use]
) -> int:
    """Count an amount, or a time, within a period; returns the total afterwards. It stays within 64 bits:
    what goes round may be more than there is, and no slab begins up there.
    """
    bucket = _bucket(book, period)
    total, held = _so_far(movement, key, bucket, uses)
    amount = min(amount, INT64_MAX - total)
    total += amount
    uses.append(
        Use(
            key,
            "account",
            movement.account_id,
            bucket,
            bucket,
            amount,
            total,
            held + amount if reserved else held,
        )
    )
    return total
