"""Whether a payment can be sent now, what it waits for where it cannot, and the event that sends it.

Asked in the same way of a payment that is just submitted and of one that waited.
"""

from __future__ import annotations

import msgspec

from book.state import Book
from commands.accounts import is_blocked
from commands.calendar import local_date, midnight_ms
from commands.calendars import execution_date
from commands.posting import Chain, unusable
from commands.terms import fee_legs
from schemas.documents.rails import Rail, RailCurrency
from schemas.expected import ExpectedEntry
from schemas.fees import Fee
from schemas.fields import Screening
from schemas.message import Date
from schemas.payments import Payee, PaymentDispatched, PaymentWaiting, WaitReason
from schemas.reserves import Reserve, Use


class Instruction(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent."""

    payment_id: str
    account: str
    amount: int
    currency: str
    rail: str
    payee: Payee
    purpose: str
    reference: str
    end_to_end: str
    execution_date: Date
    screening: Screening
    fees: tuple[Fee, ...]


def rail_currency(rail: Rail, currency: str) -> RailCurrency | None:
    """The accounts that a rail's payments in this currency go through."""
    for one in rail.currencies:
        if one.currency == currency:
            return one
    return None


def obstacle(book: Book, one: Instruction, at_ms: int) -> PaymentWaiting | None:
    """The first thing that stands in the way, in the order of `WaitReason`; None where it can be sent."""
    if one.execution_date > local_date(book.time_zone, at_ms):
        opens_ms = midnight_ms(book.time_zone, one.execution_date)
        return _waits(one, "execution_date", one.execution_date.isoformat(), opens_ms)
    account = book.accounts[one.account]
    party = book.parties[account.party] if account.party else None
    applies = {"book": "", "rail": one.rail, "product": account.product}
    if party is not None:
        applies["segment"] = party.segment
    for stop_id, stop in book.payments.stops.items():
        if applies.get(stop.scope) == stop.value:
            return _waits(one, "stopped", stop_id)
    if party is not None and party.screening != "cleared":
        return _waits(one, "party_screening", account.party)
    if one.screening != "cleared":
        return _waits(one, "payment_screening", one.payment_id)
    if party is not None and party.status != "active":
        return _waits(one, "party_not_active", account.party)
    if is_blocked(account, "debits", at_ms):
        return _waits(one, "account_blocked", one.account)
    rail = book.in_force.rails[one.rail]
    through = rail_currency(rail, one.currency)
    refused = None if through is None else unusable(book, _legs(one, through.in_transit)[1:], at_ms)
    if refused is not None and refused.reason == "account_blocked":
        return _waits(one, "account_blocked", str(refused.figures["account"]))
    if through is None or refused is not None:
        return _waits(one, "rail_unavailable", f"{one.rail}/{one.currency}")
    next_ms = opens_next_ms(book, rail, at_ms)
    return None if next_ms is None else _waits(one, "cut_off", one.rail, next_ms)


def opens_next_ms(book: Book, rail: Rail, at_ms: int) -> int | None:
    """When the rail takes payments again, where it does not take them now."""
    today = local_date(book.time_zone, at_ms)
    leaves = execution_date(book, rail.calendar or "", rail.cut_off, at_ms)
    return None if leaves == today else midnight_ms(book.time_zone, leaves)


def dispatched(
    book: Book,
    one: Instruction,
    chain: Chain,
    at_ms: int,
    *,
    reserves: tuple[Reserve, ...] = (),
    uses: tuple[Use, ...] = (),
) -> PaymentDispatched:
    """The event that sends it: from the payer into transit, and the fees to income."""
    rail = book.in_force.rails[one.rail]
    through = rail_currency(rail, one.currency)
    assert through is not None, "the rail was asked before"
    return PaymentDispatched(
        payment=one.payment_id,
        rail=one.rail,
        account=one.account,
        amount=one.amount,
        currency=one.currency,
        payee=one.payee,
        purpose=one.purpose,
        reference=one.reference,
        end_to_end=one.end_to_end,
        nostro=through.nostro,
        in_transit=through.in_transit,
        suspense=through.suspense,
        answer_by_ms=at_ms + rail.answer_within_ms,
        booking_date=book.business_date,
        value_date=book.business_date,
        postings=chain.post(_legs(one, through.in_transit)),
        reserves=reserves,
        uses=uses,
        fees=one.fees,
        expected=(
            ExpectedEntry(
                entry=one.payment_id,
                account=through.nostro,
                amount=one.amount,
                currency=one.currency,
                value_date=book.business_date,
                reference=one.end_to_end,
                state="expected",
            ),
        ),
    )


def _legs(one: Instruction, in_transit: str) -> list[tuple[str, int]]:
    return [(one.account, -one.amount), (in_transit, one.amount), *fee_legs(one.fees)]


def _waits(one: Instruction, reason: WaitReason, by: str, due_ms: int | None = None) -> PaymentWaiting:
    return PaymentWaiting(payment=one.payment_id, reason=reason, by=by, due_ms=due_ms)
