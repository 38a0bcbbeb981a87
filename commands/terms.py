"""What a movement of money is up against: the limits that hold for it and the fees that it costs.

Transfers, payments, exchanges and holds all ask here, once, before they decide about funds. An account whose
product is not in force, or that has none, has no terms. Reading what limits have counted so far and saying
what they count afterwards is written out in one loop, since every movement pays for it.
"""

from __future__ import annotations

import msgspec

from book.plans import DAY, MONTH, KindPlan
from book.state import Account, Book
from commands.filters import concerns
from commands.limits import exceeded, raised, raised_for
from commands.movements import Movement, MovementKind
from commands.pricing import fees_of
from schemas.fees import Fee
from schemas.rejections import Rejection, reject
from schemas.reserves import Use

__all__ = ["NO_TERMS", "Movement", "MovementKind", "Terms", "fee_legs", "may_receive", "terms_of"]


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What the movement costs and which limits it uses up."""

    fees: tuple[Fee, ...] = ()
    uses: tuple[Use, ...] = ()

    def fee_amount(self) -> int:
        """All fees together, minor units."""
        return sum(fee.amount for fee in self.fees)


NO_TERMS = Terms()


def terms_of(book: Book, movement: Movement, at_ms: int, *, reserved: bool = False) -> Terms | Rejection:
    """The terms of a movement by the documents in force, or why it may not be: movement_not_allowed,
    limit_exceeded, or account_not_open where a fee could not be received.

    reserved: what is used is not final yet (a hold, a payment that waits) and is settled or given back later.
    """
    account = movement.account
    product = book.in_force.plans.get(account.product)
    if product is None:
        return NO_TERMS
    kind = movement.kind
    plan = (product.currencies.get(movement.currency) or product.rest).kinds[kind]
    if not (plan.receives if kind == "payment_in" else plan.pays):
        return not_allowed(movement.account_id, account, kind)
    uses: list[Use] = []
    if plan.checks and (refused := _within(book, plan, movement, at_ms, reserved, uses)) is not None:
        return refused
    if not plan.fees:
        return Terms((), tuple(uses)) if uses else NO_TERMS
    fees = fees_of(book, plan.fees, movement, at_ms, reserved, uses)
    return fees if isinstance(fees, Rejection) else Terms(fees, tuple(uses))


def _within(  # noqa: C901, PLR0912 - see above
    book: Book, plan: KindPlan, movement: Movement, at_ms: int, reserved: bool, uses: list[Use]
) -> Rejection | None:
    """Add what each limit counts to `uses`, or say which one is exceeded."""
    account, amount, account_id = movement.account, movement.amount, movement.account_id
    usages_here = account.usage
    today = book.business_date
    for number, (limit, most, width, slices, counted_by, sums, only) in enumerate(plan.checks):
        if only is not None and not concerns(
            book, only, account, amount, movement.channel, movement.corridor, at_ms
        ):
            continue
        if width > 0:
            bucket = at_ms // width
            first = bucket - slices
        elif width == DAY:
            first = bucket = today.toordinal()
        elif width == MONTH:
            first = bucket = today.year * 12 + today.month - 1
        else:
            if amount > most and amount > raised(plan.limits[number], account.raises, at_ms):
                return exceeded(book, plan.limits[number], "account", account_id, 0, 0, amount, 0, at_ms)
            continue
        total = used = held = 0
        by: str = counted_by
        if by == "account" or (by == "party" and not account.party):
            by, key = "account", account_id
            usage = None if usages_here is None else usages_here.get(limit)
        elif by == "party":
            key = account.party
            usages = book.parties[key].usage
            usage = None if usages is None else usages.get(limit)
        else:
            key = account.product if by == "product" else getattr(movement, by)
            usage = None
            tally = book.usage.get(limit)
            if tally is not None:
                total, held = tally.slice_of(bucket, key) or (0, 0)
                used = tally.since(first, key)
        if usage is not None:
            if usage.bucket == bucket:
                total, held = usage.total, usage.reserved
                used = total + usage.before
            else:
                used = usage.since(first)
        wanted = amount if sums else 1
        if used + wanted > most:
            line = plan.limits[number]
            if used + wanted > raised_for(book, line, by, key, at_ms):
                return exceeded(book, line, by, key, bucket, first, wanted, used, at_ms)
        if reserved:
            held += wanted
        uses.append(Use(limit, by, key, bucket, first, wanted, total + wanted, held))
    return None


def may_receive(book: Book, account_id: str, account: Account, kind: MovementKind) -> Rejection | None:
    """Why a product forbids that its account is given money by a movement of this kind, or None."""
    product = book.in_force.plans.get(account.product)
    if product is None or product.rest.kinds[kind].receives:
        return None
    return not_allowed(account_id, account, kind)


def not_allowed(account_id: str, account: Account, kind: MovementKind) -> Rejection:
    """The product does not provide for it."""
    return reject("movement_not_allowed", account=account_id, product=account.product, movement=kind)


def fee_legs(fees: tuple[Fee, ...]) -> list[tuple[str, int]]:
    """The postings that pay the fees, as (account, signed amount)."""
    return [leg for fee in fees for leg in ((fee.account, -fee.amount), (fee.income, fee.amount))]
