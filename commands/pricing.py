"""What a tariff charges for a movement: exact in whole numbers, rounded once, by the rule of the line."""

from __future__ import annotations

from collections.abc import Sequence

from book.plans import DAY, FeePlan, StepPlan
from book.state import Account, Book
from commands.filters import concerns, segment_of
from commands.movements import Movement
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
    decided: set[str] | None = None
    for line in lines:
        group = line.group
        if group and decided is not None and group in decided:
            continue
        if line.only is not None and not concerns(
            book, line.only, account, amount, movement.channel, movement.corridor, at_ms
        ):
            continue
        if group:
            decided = decided or set()
            decided.add(group)
        moved = 0
        if line.volume_key:
            moved = _count(book, movement, line.volume_key, line.period, amount, reserved, uses)
            if moved > INT64_MAX:
                return reject("overflow", account=movement.account_id)
        if (line.waived_segments or line.waived_parties) and waived(book, line, account):
            continue
        if line.package_key and _is_free(book, movement, line, reserved, uses):
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


def price(line: FeePlan, amount: int, moved: int) -> int:
    """The fee of one movement, minor units. moved: the volume so far, this movement included.

    In units of 1 / line.per, so that nothing is lost before it is rounded.
    """
    per = line.per
    exact = line.flat * per + amount * line.rate
    if line.steps:
        if line.volume_key:
            exact += _slabs(line, amount, moved - amount, moved)
        else:
            exact += _slabs(line, amount, 0, amount)
    exact = max(exact, line.least * per)
    if line.most:
        exact = min(exact, line.most * per)
    whole, rest = divmod(exact, per)
    if rest == 0 or line.rounding == "down":
        return whole
    if line.rounding == "up":
        return whole + 1
    # Half of a minor unit goes up, or to the even neighbour.
    if rest * 2 > per or (rest * 2 == per and (line.rounding == "half_up" or whole % 2)):
        return whole + 1
    return whole


def _slabs(line: FeePlan, amount: int, begin: int, end: int) -> int:
    """What the slabs add, in units of 1 / line.per, for a movement from above `begin` up to `end`."""
    if line.marginal:
        return sum(
            step.flat * line.per + part * step.rate
            for step in line.steps
            if (part := min(end, step.up_to or end) - max(begin, step.above)) > 0
        )
    step = _slab_at(line.steps, end)
    return step.flat * line.per + amount * step.rate


def _slab_at(steps: Sequence[StepPlan], at: int) -> StepPlan:
    return next(step for step in steps if step.above < at and (at <= step.up_to or not step.up_to))


def waived(book: Book, line: FeePlan, account: Account) -> bool:
    """Whether the party of the account does not pay."""
    return account.party in line.waived_parties or segment_of(book, account) in line.waived_segments


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
    taken, _ = _so_far(movement, key, _bucket(book, period), uses)
    if taken >= line.package_units:
        return False
    _count(book, movement, key, period, 1, reserved, uses)
    return True


def _count(
    book: Book, movement: Movement, key: str, period: int, amount: int, reserved: bool, uses: list[Use]
) -> int:
    """Count an amount, or a time, within a period; returns the total afterwards."""
    bucket = _bucket(book, period)
    total, held = _so_far(movement, key, bucket, uses)
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
