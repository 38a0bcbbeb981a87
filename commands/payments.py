"""What is decided about payments up to their dispatch: submitted, waiting, released, sent, cancelled.

A payment that goes at once never reserves: its money is in transit in the same outcome.
"""

from __future__ import annotations

from itertools import islice

from book.payment import IN_TRANSIT, Payment
from book.state import Book
from commands.accounts import blocked, is_blocked
from commands.calendar import local_date
from commands.decision import Decide, Decision, Steps
from commands.dispatch import Instruction, dispatched, obstacle, rail_currency
from commands.movements import corridor_of, of_payment
from commands.posting import Chain, payers, reserved, unfunded
from commands.reserves import given_back, settled
from commands.risk import assess, declined, with_assessment
from commands.terms import terms_of
from commands.to_review import to_review
from commands.transfers import unfit
from schemas.documents.rails import Rail
from schemas.fields import MovementKind
from schemas.message import Event
from schemas.payments import (
    CancelPayment,
    PartyScreened,
    PaymentCancelled,
    PaymentDispatched,
    PaymentScreened,
    PaymentsReleased,
    PaymentSubmitted,
    PaymentWaiting,
    RecallPayment,
    RecallRequested,
    SetScreening,
    SubmitPayment,
)
from schemas.rejections import Rejection, reject

RELEASED_AT_ONCE = 64
RELEASED_EVERY_MS = 10
"""Payments that waited are looked at in slices of so many, each its own commit, with commands in between."""


def submit_payment(  # noqa: C901, PLR0912 - a line each
    book: Book, command: SubmitPayment, at_ms: int, kind: MovementKind = "payment_out"
) -> Decision:
    """Rejected, in this order: payment_exists, account_not_found, account_not_open, currency_mismatch,
    rail_not_found, currency_not_served, same_account, corridor_not_served, above_rail_maximum,
    execution_date_in_past, party_not_active, account_blocked (debits), movement_not_allowed, limit_exceeded,
    insufficient_funds, overflow, declined.
    """
    if command.payment in book.payments.by_id:
        return reject("payment_exists", payment=command.payment)
    account = book.accounts.get(command.account)
    if account is None:
        return reject("account_not_found", account=command.account)
    if refused := unfit(command.account, account, command.currency) or _not_served(book, command):
        return refused
    today = local_date(book.time_zone, at_ms)
    execution_date = command.execution_date or today
    if execution_date < today:
        return reject(
            "execution_date_in_past", execution_date=execution_date.isoformat(), today=today.isoformat()
        )
    if account.party and book.parties[account.party].status != "active":
        return reject("party_not_active", party=account.party, status=book.parties[account.party].status)
    if is_blocked(account, "debits", at_ms):
        return blocked(command.account, account, "debits", at_ms)
    movement = of_payment(book, command, kind)
    terms = terms_of(book, movement, at_ms)
    if isinstance(terms, Rejection):
        return terms
    needed = payers(command.account, command.amount, terms.fees)
    if refused := unfunded(book, needed):
        return refused
    screening = book.in_force.rails[command.rail].screening
    instruction = Instruction(
        payment_id=command.payment,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        rail=command.rail,
        payee=command.payee,
        purpose=command.purpose,
        reference=command.reference,
        end_to_end=command.end_to_end or command.payment,
        execution_date=execution_date,
        screening=screening,
        fees=terms.fees,
    )
    assessed = assess(book, movement, command.origin, at_ms)
    if assessed is not None and assessed.verdict == "decline":
        return declined(movement, assessed, command.payment)
    if assessed is not None and assessed.verdict == "review":
        waits: tuple[Event, ...] = to_review(book, command, account, assessed.assessments, at_ms)
    else:
        stands = obstacle(book, instruction, at_ms)
        waits = () if stands is None else (stands,)
    if waits:
        terms = terms_of(book, movement, at_ms, reserved=True)
        assert not isinstance(terms, Rejection), "what may be used may be reserved"
    submitted = PaymentSubmitted(
        payment=command.payment,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        rail=command.rail,
        payee=command.payee,
        purpose=command.purpose,
        reference=command.reference,
        end_to_end=instruction.end_to_end,
        channel=command.channel,
        execution_date=execution_date,
        screening=screening,
        reserves=reserved(book, needed) if waits else (),
        uses=terms.uses,
        fees=terms.fees,
        origin=command.origin,
    )
    then = waits or (dispatched(book, instruction, Chain(book), at_ms),)
    if assessed is None:
        return submitted, *then
    return with_assessment(book, (submitted, *then), movement, assessed, command.payment)


def _not_served(book: Book, command: SubmitPayment) -> Rejection | None:
    rail = book.in_force.rails.get(command.rail)
    if rail is None:
        return reject("rail_not_found", rail=command.rail)
    through = rail_currency(rail, command.currency)
    if through is None:
        return reject("currency_not_served", rail=command.rail, currency=command.currency)
    if command.account in {through.nostro, through.in_transit}:
        return reject("same_account")
    corridor = corridor_of(book, book.accounts[command.account], command.payee)
    if not _goes(rail, corridor):
        return reject("corridor_not_served", rail=command.rail, corridor=corridor)
    if through.maximum is not None and command.amount > through.maximum:
        return reject("above_rail_maximum", rail=command.rail, maximum=through.maximum, wanted=command.amount)
    return None


def _goes(rail: Rail, corridor: str) -> bool:
    origin, _, target = corridor.partition("-")
    return not rail.corridors or any(
        one in rail.corridors for one in (corridor, f"*-{target}", f"{origin}-*", "*-*")
    )


def next_step(book: Book, payment_id: str, at_ms: int) -> PaymentDispatched | PaymentWaiting:
    """A waiting payment is sent, or what it waits for now."""
    payment = book.payments.by_id[payment_id]
    assert payment.payee is not None, "what was not sent yet can be sent"
    assert payment_id not in book.payments.reviews, "nothing sends a payment that waits for review"
    instruction = Instruction(
        payment_id=payment_id,
        account=payment.account,
        amount=payment.amount,
        currency=payment.currency,
        rail=payment.rail,
        payee=payment.payee,
        purpose=payment.purpose,
        reference=payment.reference,
        end_to_end=payment.end_to_end,
        execution_date=payment.execution_date,
        screening=payment.screening,
        fees=payment.fees,
    )
    return obstacle(book, instruction, at_ms) or dispatched(
        book,
        instruction,
        Chain(book),
        at_ms,
        reserves=reserved(book, payers(payment.account, payment.amount, payment.fees), -1),
        uses=settled(book, payment.uses),
    )


def payment_due(book: Book, rest: str, due_ms: int) -> PaymentDispatched | PaymentWaiting:
    """The timer of a payment that waited for a day or an hour."""
    return next_step(book, rest, due_ms)


def release_waiting(book: Book, rest: str, due_ms: int) -> Steps:
    """The timer of what waited under a key: a slice of it is looked at, in the order in which it came.

    What has to wait for the same again comes to wait anew, behind the others.
    """
    reason, by = rest.split("\n")
    waiting, before = book.payments.waiting, book.payments.releasing[rest]
    slice_ = [one for one, seq in islice(waiting.get(rest, {}).items(), RELEASED_AT_ONCE) if seq < before]
    for payment_id in slice_:
        yield next_step(book, payment_id, due_ms)
    queue = waiting.get(rest, {})
    more = next(iter(queue.values()), before) < before
    yield PaymentsReleased(
        reason=reason,  # type: ignore[arg-type]
        by=by,
        looked_at=len(slice_),
        left=len(queue),
        next_ms=due_ms + RELEASED_EVERY_MS if more else None,
    )


def cancel_payment(book: Book, command: CancelPayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_state_conflict."""
    payment = book.payments.by_id.get(command.payment)
    if payment is None:
        return reject("payment_not_found", payment=command.payment)
    if payment.status != "waiting":
        return conflict(command.payment, payment, "cancelled")
    return PaymentCancelled(
        payment=command.payment,
        reason=command.reason,
        reserves=reserved(book, payers(payment.account, payment.amount, payment.fees), -1),
        uses=given_back(book, payment.uses),
    )


def recall_payment(book: Book, command: RecallPayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_state_conflict."""
    payment = book.payments.by_id.get(command.payment)
    if payment is None:
        return reject("payment_not_found", payment=command.payment)
    if payment.status not in (*IN_TRANSIT, "settled") or payment.recall == "requested":
        return conflict(command.payment, payment, "recalled")
    return RecallRequested(
        payment=command.payment,
        rail=payment.rail,
        amount=payment.left,
        currency=payment.currency,
        end_to_end=payment.end_to_end,
        reason=command.reason,
    )


def set_screening(book: Book, command: SetScreening, at_ms: int) -> Decision:
    """Rejected, in this order: party_not_found, payment_not_found, payment_state_conflict (it was sent),
    nothing_to_change.
    """
    if command.subject == "party":
        party = book.parties.get(command.of)
        if party is None:
            return reject("party_not_found", party=command.of)
        if party.screening == command.state:
            return reject("nothing_to_change")
        return PartyScreened(
            party=command.of, before=party.screening, state=command.state, reason=command.reason
        )
    payment = book.payments.by_id.get(command.of)
    if payment is None:
        return reject("payment_not_found", payment=command.of)
    if payment.status != "waiting":
        return conflict(command.of, payment, "screened")  # figures are public, and what was found is not
    if payment.screening == command.state:
        return reject("nothing_to_change")
    return PaymentScreened(
        payment=command.of, before=payment.screening, state=command.state, reason=command.reason
    )


def conflict(payment_id: str, payment: Payment, wanted: str) -> Rejection:
    """payment_state_conflict, with its figures."""
    return reject("payment_state_conflict", payment=payment_id, status=payment.status, wanted=wanted)


DECIDE: dict[type, Decide] = {
    SubmitPayment: submit_payment,
    CancelPayment: cancel_payment,
    RecallPayment: recall_payment,
    SetScreening: set_screening,
}
