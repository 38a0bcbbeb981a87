"""What is decided about payments in: credited, or parked in suspense, whatever is wrong; then what becomes of
what waits. Only what cannot be booked at all is refused, and the rail's system sends it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.receipt import Credited, Parked
from book.state import Account, Book
from commands.accounts import blocked, is_blocked
from commands.decision import Decision
from commands.posting import Chain, unusable
from commands.terms import Movement, Terms, fee_legs, terms_of
from commands.transfers import insufficient, postings_of, unfit
from schemas.expected import ExpectedEntry
from schemas.message import Date
from schemas.payments_in import (
    AssignSuspense,
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    ReceivePayment,
    RefundReceipt,
    ResolveSuspense,
    ReturnReceipt,
    SuspenseAged,
    SuspenseAssigned,
    SuspenseResolved,
)
from schemas.rejections import Rejection, reject

DAY_MS = 86_400_000


def receive_payment(book: Book, command: ReceivePayment, at_ms: int) -> Decision:
    """Rejected, in this order: receipt_exists, account_not_found, account_kind_mismatch, account_not_open,
    currency_mismatch (these four of the nostro account), suspense_account_missing, account_blocked (of the
    nostro or suspense account), overflow.
    """
    if command.receipt in book.receipts.known.ids or command.receipt in book.receipts.parked:
        return reject("receipt_exists", receipt=command.receipt)
    nostro = book.accounts.get(command.nostro)
    if nostro is None:
        return reject("account_not_found", account=command.nostro)
    if nostro.kind != "nostro":
        return reject("account_kind_mismatch", detail=f"{command.nostro} is no nostro account.")
    if refused := unfit(command.nostro, nostro, command.currency):
        return refused
    rules = book.receipts.rules
    suspense = None if rules is None else rules.accounts.get(command.currency)
    if rules is None or suspense is None:
        return reject("suspense_account_missing", currency=command.currency)
    parking = ((command.nostro, -command.amount), (suspense, command.amount))
    if refused := unusable(book, parking, at_ms):
        return refused
    terms = credit_terms(
        book, command.account, command.amount, command.currency, command.payer.account, at_ms
    )
    today = book.business_date
    wanted = command.value_date or today
    value_date = max(book.open_from, min(wanted, today))
    expected = (_entry(command.receipt, command.nostro, -command.amount, command, value_date),)
    if isinstance(terms, Terms):
        return ReceiptCredited(
            receipt=command.receipt,
            rail=command.rail,
            nostro=command.nostro,
            account=command.account,
            amount=command.amount,
            currency=command.currency,
            payer=command.payer,
            reference=command.reference,
            end_to_end=command.end_to_end,
            booking_date=today,
            value_date=value_date,
            postings=Chain(book).post(
                [
                    (command.nostro, -command.amount),
                    (command.account, command.amount),
                    *fee_legs(terms.fees),
                ]
            ),
            fees=terms.fees,
            uses=terms.uses,
            expected=expected,
        )
    return ReceiptParked(
        receipt=command.receipt,
        rail=command.rail,
        nostro=command.nostro,
        suspense=suspense,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        payer=command.payer,
        reference=command.reference,
        end_to_end=command.end_to_end,
        reason=terms.reason,
        figures=terms.figures,
        owner=rules.owner,
        ages_ms=tuple(at_ms + days * DAY_MS for days in rules.ages_days),
        booking_date=today,
        value_date=value_date,
        postings=Chain(book).post(parking),
        expected=expected,
    )


def credit_terms(
    book: Book, account_id: str, amount: int, currency: str, payer: str, at_ms: int
) -> Terms | Rejection:
    """On which terms a customer's account is given what was received, or why it cannot be: account_not_found,
    account_not_open, currency_mismatch, account_kind_mismatch, party_not_active, account_blocked,
    movement_not_allowed, limit_exceeded, insufficient_funds (for fees), overflow.
    """
    account = book.accounts.get(account_id)
    if account is None:
        return reject("account_not_found", account=account_id)
    if refused := unfit(account_id, account, currency) or _not_a_customer(book, account_id, account):
        return refused
    if is_blocked(account, "credits", at_ms):
        return blocked(account_id, account, "credits", at_ms)
    terms = terms_of(
        book, Movement("payment_in", account_id, account, amount, currency, counterparty=payer), at_ms
    )
    if isinstance(terms, Rejection):
        return terms
    charged = terms.fee_amount()
    if charged and account.booked + amount - charged - account.held + account.overdraft < 0:
        return insufficient(account, charged)
    return unusable(book, [(account_id, amount), *fee_legs(terms.fees)], at_ms) or terms


def _not_a_customer(book: Book, account_id: str, account: Account) -> Rejection | None:
    if account.kind != "customer":
        return reject("account_kind_mismatch", detail=f"{account_id} is an account of the bank's own.")
    status = book.parties[account.party].status
    return None if status == "active" else reject("party_not_active", party=account.party, status=status)


def _entry(
    entry: str, nostro: str, amount: int, one: ReceivePayment | Parked | Credited, value_date: Date
) -> ExpectedEntry:
    """What our books say of the nostro account, for its statement to match. amount: positive leaves us."""
    return ExpectedEntry(
        entry=f"receipt {entry}",
        account=nostro,
        amount=amount,
        currency=one.currency,
        value_date=value_date,
        reference="" if isinstance(one, Credited) else one.end_to_end,
        state="booked",
    )


def _parked(book: Book, receipt: str) -> Parked | Rejection:
    one = book.receipts.parked.get(receipt)
    if one is not None:
        return one
    if receipt in book.receipts.known.ids:
        return reject("receipt_not_in_suspense", receipt=receipt)
    return reject("receipt_not_found", receipt=receipt)


def resolve_suspense(book: Book, command: ResolveSuspense, at_ms: int) -> Decision:
    """Rejected, in this order: receipt_not_found, receipt_not_in_suspense, account_not_found,
    account_not_open, currency_mismatch, account_kind_mismatch, party_not_active, account_blocked,
    movement_not_allowed, limit_exceeded, insufficient_funds (for fees), overflow.
    """
    one = _parked(book, command.receipt)
    if isinstance(one, Rejection):
        return one
    terms = credit_terms(book, command.account, one.amount, one.currency, one.payer.account, at_ms)
    if isinstance(terms, Rejection):
        return terms
    legs = [(one.suspense, -one.amount), (command.account, one.amount), *fee_legs(terms.fees)]
    if refused := unusable(book, legs, at_ms):
        return refused
    return SuspenseResolved(
        receipt=command.receipt,
        suspense=one.suspense,
        account=command.account,
        amount=one.amount,
        currency=one.currency,
        note=command.note,
        booking_date=book.business_date,
        value_date=book.business_date,
        postings=Chain(book).post(legs),
        fees=terms.fees,
        uses=terms.uses,
    )


def assign_suspense(book: Book, command: AssignSuspense, at_ms: int) -> Decision:
    """Rejected, in this order: receipt_not_found, receipt_not_in_suspense, nothing_to_change."""
    one = _parked(book, command.receipt)
    if isinstance(one, Rejection):
        return one
    if one.owner == command.owner:
        return reject("nothing_to_change")
    return SuspenseAssigned(receipt=command.receipt, before=one.owner, owner=command.owner, note=command.note)


def return_receipt(book: Book, command: ReturnReceipt, at_ms: int) -> Decision:
    """Rejected, in this order: receipt_not_found, receipt_not_in_suspense, account_not_open, account_blocked,
    overflow.
    """
    one = _parked(book, command.receipt)
    if isinstance(one, Rejection):
        return one
    legs = [(one.suspense, -one.amount), (one.nostro, one.amount)]
    if refused := unusable(book, legs, at_ms):
        return refused
    today = book.business_date
    return ReceiptReturned(
        receipt=command.receipt,
        rail=one.rail,
        suspense=one.suspense,
        nostro=one.nostro,
        amount=one.amount,
        currency=one.currency,
        payer=one.payer,
        end_to_end=one.end_to_end,
        reason=command.reason,
        booking_date=today,
        value_date=today,
        postings=Chain(book).post(legs),
        expected=(_entry(f"{command.receipt} return", one.nostro, one.amount, one, today),),
    )


def refund_receipt(book: Book, command: RefundReceipt, at_ms: int) -> Decision:
    """Rejected, in this order: receipt_not_found, receipt_not_credited, refund_exceeds_original,
    account_not_open, party_not_active, account_blocked, insufficient_funds, overflow.
    """
    one = book.receipts.credited.get(command.receipt)
    if one is None:
        known = command.receipt in book.receipts.known.ids
        return reject("receipt_not_credited" if known else "receipt_not_found", receipt=command.receipt)
    left = one.amount - one.refunded
    if command.amount > left:
        return reject("refund_exceeds_original", left=left, wanted=command.amount)
    postings = postings_of(book, [(one.account, -command.amount), (one.nostro, command.amount)], at_ms)
    if isinstance(postings, Rejection):
        return postings
    today, part = book.business_date, one.parts + 1
    return ReceiptRefunded(
        receipt=command.receipt,
        rail=one.rail,
        account=one.account,
        nostro=one.nostro,
        amount=command.amount,
        currency=one.currency,
        refunded_after=one.refunded + command.amount,
        part=part,
        reason=command.reason,
        booking_date=today,
        value_date=today,
        postings=postings,
        expected=(_entry(f"{command.receipt} refund-{part}", one.nostro, command.amount, one, today),),
    )


def suspense_ages(book: Book, rest: str, due_ms: int) -> SuspenseAged:
    """The timer of something in suspense: it is as old as a rule says, and whoever looks after it is told."""
    one = book.receipts.parked[rest]
    step = one.step + 1
    return SuspenseAged(
        receipt=rest,
        owner=one.owner,
        days=(one.ages_ms[one.step] - one.parked_ms) // DAY_MS,
        step=step,
        next_ms=one.ages_ms[step] if step < len(one.ages_ms) else None,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    ReceivePayment: receive_payment,
    ResolveSuspense: resolve_suspense,
    AssignSuspense: assign_suspense,
    ReturnReceipt: return_receipt,
    RefundReceipt: refund_receipt,
}
