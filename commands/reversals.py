"""What is decided about taking money back: reversals and refunds of transfers and postings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.fees import fees_left
from book.state import Book
from book.transfers import find_posted
from commands.decision import Decision
from commands.deferring import taken_back
from commands.reserves import given_back, given_back_part
from commands.terms import fee_legs
from commands.transfers import postings_of
from schemas.rejections import Rejection, reject
from schemas.transfers import RefundTransfer, ReverseTransfer, TransferRefunded, TransferReversed


def reverse_transfer(book: Book, command: ReverseTransfer, at_ms: int) -> Decision:
    """Rejected, in this order: transfer_not_found, already_reversed, account_not_open, party_not_active,
    account_blocked, insufficient_funds, overflow. It books to today; what was received must still be there.
    Fees that were not waived meanwhile go back with it, and what it used of limits where that still counts.
    """
    posted = find_posted(book, command.transfer)
    if posted is None:
        return reject("transfer_not_found", transfer=command.transfer)
    if posted.reversed or posted.refunded:
        return reject("already_reversed", transfer=command.transfer)
    back = taken_back(book, command.transfer)
    done = (*posted.legs, *fee_legs(fees_left(book, command.transfer)))
    legs = [(account, -amount) for account, amount in done]
    postings = postings_of(book, legs, at_ms, back.freed)
    if isinstance(postings, Rejection):
        return postings
    return TransferReversed(
        transfer=command.transfer,
        booking_date=book.business_date,
        value_date=back.value_date,
        reason=command.reason,
        postings=postings,
        uses=given_back(book, posted.uses, reserved=False),
        reserves=back.reserves,
    )


def refund_transfer(book: Book, command: RefundTransfer, at_ms: int) -> Decision:
    """Rejected, in this order: transfer_not_found (also for a posting with several legs), already_reversed,
    refund_exceeds_original, account_not_open, party_not_active, account_blocked, insufficient_funds,
    overflow. Fees stay; limits that still count it have as much more room.
    """
    posted = find_posted(book, command.transfer)
    if posted is None or not posted.currency:
        return reject("transfer_not_found", transfer=command.transfer)
    if posted.reversed:
        return reject("already_reversed", transfer=command.transfer)
    (debit, _), (credit, original) = posted.legs
    if command.amount > original - posted.refunded:
        return reject("refund_exceeds_original", left=original - posted.refunded, wanted=command.amount)
    back = taken_back(book, command.transfer, command.amount)
    legs = [(credit, -command.amount), (debit, command.amount)]
    postings = postings_of(book, legs, at_ms, back.freed)
    if isinstance(postings, Rejection):
        return postings
    refunded = posted.refunded + command.amount
    return TransferRefunded(
        transfer=command.transfer,
        amount=command.amount,
        currency=posted.currency,
        refunded_after=refunded,
        booking_date=book.business_date,
        value_date=back.value_date,
        reason=command.reason,
        postings=postings,
        uses=given_back_part(book, posted.uses, command.amount, original, original - refunded),
        reserves=back.reserves,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    ReverseTransfer: reverse_transfer,
    RefundTransfer: refund_transfer,
}
