"""What a movement of money is up against: the limits that hold for it and the fees that it costs.

Transfers, payments, exchanges and holds all ask here, once, before they decide about funds. An account whose
product is not in force, or that has none, has no terms. Reading what limits have counted so far and saying
what they count afterwards is written out in one loop, since every movement pays for it.
"""

from __future__ import annotations

import msgspec

from book.plans import DAY, TRANSACTION, KindPlan
from book.state import Account, Book
from commands.filters import concerns
from commands.limits import exceeded, raised
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
    plan = product.of(movement.currency).kinds[movement.kind]
    if not (plan.receives if movement.kind == "payment_in" else plan.pays):
        return not_allowed(movement.account_id, account, movement.kind)
    uses: list[Use] = []
    if plan.limits and (refused := _within(book, plan, movement, at_ms, reserved, uses)) is not None:
        return refused
    if not plan.fees:
        return Terms((), tuple(uses)) if uses else NO_TERMS
    fees = fees_of(book, plan.fees, movement, at_ms, reserved, uses)
    return fees if isinstance(fees, Rejection) else Terms(fees, tuple(uses))


def _within(  # noqa: C901, PLR0912 - see above
    book: Book, plan: KindPlan, movement: Movement, at_ms: int, reserved: bool, uses: list[Use]
) -> Rejection | None:
    """Add what each limit counts to `uses`, or say which one is exceeded."""
    account, amount = movement.account, movement.amount
    today = book.business_date
    for line in plan.limits:
        if line.only is not None and not concerns(
            book, line.only, account, amount, movement.channel, movement.corridor, at_ms
        ):
            continue
        width = line.width_ms
        if width > 0:
            bucket = at_ms // width
        elif width == DAY:
            bucket = today.toordinal()
        elif width == TRANSACTION:
            if amount > line.most and amount > raised(line, account.raises, at_ms):
                return exceeded(book, line, "account", movement.account_id, 0, 0, amount, 0, at_ms)
            continue
        else:
            bucket = today.year * 12 + today.month - 1
        first = bucket - line.slices
        by = line.by
        if by == "account" or (by == "party" and not account.party):
            by, key, usages, raises = "account", movement.account_id, account.usage, account.raises
        elif by == "party":
            party = book.parties[account.party]
            key, usages, raises = account.party, party.usage, party.raises
        else:
            key = account.product if by == "product" else getattr(movement, by)
            usages = raises = None
        total = used = held = 0
        if usages is not None:
            usage = usages.get(line.key)
            if usage is not None:
                if usage.bucket == bucket:
                    total, held = usage.total, usage.reserved
                    used = total + usage.before
                else:
                    used = usage.since(first)
        elif by not in ("account", "party") and (tally := book.usage.get(line.key)) is not None:
            total, held = tally.slice_of(bucket, key) or (0, 0)
            used = tally.since(first, key)
        wanted = amount if line.sums else 1
        if used + wanted > line.most and used + wanted > raised(line, raises, at_ms):
            return exceeded(book, line, by, key, bucket, first, wanted, used, at_ms)
        uses.append(
            Use(
                line.key,
                by,
                key,
                bucket,
                first,
                wanted,
                total + wanted,
                held + wanted if reserved else held,
            )
        )
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
