"""What is decided about limits themselves: what a refusal says, and raises for a while."""

from __future__ import annotations

import datetime

from book.plans import DAY, MONTH, TRANSACTION, LimitPlan
from book.state import Account, Book, Party
from book.usage import Raise
from commands.calendar import midnight_ms
from commands.decision import Decide, Decision
from schemas.limits import LimitRaised, LimitRaiseExpired, RaiseLimit
from schemas.rejections import Rejection, reject

_A_DAY = datetime.timedelta(days=1)


def raised(line: LimitPlan, raises: dict[str, Raise] | None, at_ms: int) -> int:
    """How high a limit is with its raise, where there is one that has not expired; else as it stands."""
    one = None if raises is None else raises.get(line.name)
    return line.most if one is None or one.until_ms <= at_ms else max(one.most, line.most)


def raised_for(book: Book, line: LimitPlan, by: str, key: str, at_ms: int) -> int:
    """The same, given whose count it is."""
    holder = _holder(book, by, key)
    return line.most if holder is None else raised(line, holder.raises, at_ms)


def _holder(book: Book, by: str, key: str) -> Account | Party | None:
    return book.accounts[key] if by == "account" else book.parties[key] if by == "party" else None


def exceeded(
    book: Book,
    line: LimitPlan,
    by: str,
    key: str,
    bucket: int,
    first: int,
    wanted: int,
    used: int,
    at_ms: int,
) -> Rejection:
    """limit_exceeded, with the figures behind it. What others have used is for staff only."""
    holder = _holder(book, by, key)
    most = raised_for(book, line, by, key, at_ms)
    figures: dict[str, int | str] = {"limit": line.name, "most": most, "wanted": wanted}
    if line.width_ms != TRANSACTION:
        figures["resets_at_ms"] = resets_at_ms(book, line, by, key, bucket, first)
    if holder is None:
        return Rejection("limit_exceeded", figures, f"{used} used by {by} {key}")
    usage = (holder.usage or {}).get(line.key)
    reserved = 0 if usage is None else usage.reserved_since(first)
    figures.update(used=used - reserved, reserved=reserved, left=max(0, most - used))
    return Rejection("limit_exceeded", figures)


def resets_at_ms(book: Book, line: LimitPlan, by: str, key: str, bucket: int, first: int) -> int:
    """When something that was used counts no longer; of a window that nothing was used in, its end."""
    today = book.business_date
    if line.width_ms == DAY:
        return midnight_ms(book.time_zone, today + _A_DAY)
    if line.width_ms == MONTH:
        return midnight_ms(book.time_zone, (today.replace(day=1) + 31 * _A_DAY).replace(day=1))
    return (_oldest(book, line, by, key, bucket, first) + line.slices + 1) * line.width_ms


def _oldest(book: Book, line: LimitPlan, by: str, key: str, bucket: int, first: int) -> int:
    """The oldest slice that still counts and in which something was used, else the current one."""
    holder = _holder(book, by, key)
    if holder is not None:
        usage = (holder.usage or {}).get(line.key)
        used = [] if usage is None else usage.buckets()
    else:
        tally = book.usage.get(line.key)
        used = [] if tally is None else tally.buckets(key)
    return min((one for one in used if one >= first), default=bucket)


def raise_limit(book: Book, command: RaiseLimit, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, party_not_found, limit_not_found,
    expiry_in_past, nothing_to_change (it is no higher than without).
    """
    name = f"{command.limits}/{command.line}"
    holder: Account | Party | None
    if command.by == "account":
        holder = account = book.accounts.get(command.holder)
        if account is None:
            return reject("account_not_found", account=command.holder)
        if not account.is_open:
            return reject("account_not_open", account=command.holder)
        held_by = {account.product}
    else:
        holder = book.parties.get(command.holder)
        if holder is None:
            return reject("party_not_found", party=command.holder)
        held_by = set(book.in_force.products)
    line = next((one for one in book.in_force.limits.get(command.limits, ()) if one.name == name), None)
    products = [book.in_force.products[one] for one in held_by if one in book.in_force.products]
    if (
        line is None
        or line.by != command.by
        or not any(command.limits in product.limits for product in products)
    ):
        return reject("limit_not_found", limit=name, by=command.by, holder=command.holder)
    if command.until_ms <= at_ms:
        return reject("expiry_in_past", expires_at_ms=command.until_ms, at=at_ms)
    if command.most <= line.most:
        return reject("nothing_to_change")
    return LimitRaised(
        limit=name,
        by=command.by,
        holder=command.holder,
        most=command.most,
        without=line.most,
        until_ms=command.until_ms,
        reason=command.reason,
    )


def expire_raise(book: Book, rest: str, due_ms: int) -> LimitRaiseExpired:
    """The timer of a raise: the limit is what its document says."""
    by, holder, limit = rest.split("\n")
    return LimitRaiseExpired(limit=limit, by=by, holder=holder)  # type: ignore[arg-type]


DECIDE: dict[type, Decide] = {RaiseLimit: raise_limit}
