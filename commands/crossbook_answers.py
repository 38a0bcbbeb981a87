"""What the destination of a payment between books decides: credited or refused, and when it is forgotten."""

from __future__ import annotations

from book.crossings import Answered
from book.state import Book
from commands.counterparts import blocked, chained, not_from_relay, open_date, unfit_for_crossing
from commands.decision import Decision
from commands.terms import Movement, fee_legs, terms_of
from commands.transfers import insufficient, unfit
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CrossBookAcknowledged,
    CrossBookReceived,
    CrossBookRefused,
    ReceiveFromBook,
)
from schemas.rejections import Rejection, reject


def receive_from_book(book: Book, command: ReceiveFromBook, at_ms: int) -> Decision:
    """Credited, or refused for good; a refusal is an event of its own and no rejection.

    Rejected, in this order: counterpart_not_found, not_the_relay, crossing_settled, crossing_differs,
    crossing_answered.
    """
    if rejected := not_from_relay(book, command.from_book, command):
        return rejected
    other = book.crossings.others.get(command.from_book)
    if other is not None:
        known = other.answered.get(command.number)
        if known is not None:
            return _known(command, known)
        if other.is_settled(command.number):
            return reject("crossing_settled", counterpart=command.from_book, number=command.number)
    inter_book = book.in_force.counterparts[command.from_book].accounts.get(command.currency, "")
    refused = _not_to_be_credited(book, command, inter_book, at_ms)
    if refused is None:
        credited = _credited(book, command, inter_book, at_ms)
        if not isinstance(credited, Rejection):
            return credited
        refused = credited
    return CrossBookRefused(
        transfer=command.transfer,
        from_book=command.from_book,
        number=command.number,
        sent_seq=command.sent_seq,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        reference=command.reference,
        sent_date=command.value_date,
        reason=refused.reason,
        figures=refused.figures,
    )


def _known(command: ReceiveFromBook, known: Answered) -> Rejection:
    asked = (
        command.transfer,
        command.sent_seq,
        command.account,
        command.amount,
        command.currency,
        command.value_date,
        command.reference,
    )
    if asked != (
        known.transfer,
        known.sent_seq,
        known.account,
        known.amount,
        known.currency,
        known.value_date,
        known.reference,
    ):
        return reject("crossing_differs", counterpart=command.from_book, number=command.number, seq=known.seq)
    return reject(
        "crossing_answered",
        counterpart=command.from_book,
        number=command.number,
        seq=known.seq,
        answer=known.refused or "received",
    )


def _not_to_be_credited(
    book: Book, command: ReceiveFromBook, inter_book: str, at_ms: int
) -> Rejection | None:
    """counterpart_not_found (in the currency), account_not_found, account_not_open, currency_mismatch,
    account_kind_mismatch or account_blocked, or None.
    """
    if not inter_book:
        return reject("counterpart_not_found", counterpart=command.from_book, currency=command.currency)
    account = book.accounts.get(command.account)
    if account is None:
        return reject("account_not_found", account=command.account)
    if refused := unfit_for_crossing(command.account, account, command.currency) or unfit(
        inter_book, book.accounts[inter_book], command.currency
    ):
        return refused
    return blocked(book, inter_book, command.account, at_ms)


def _credited(
    book: Book, command: ReceiveFromBook, inter_book: str, at_ms: int
) -> CrossBookReceived | Rejection:
    """The money is credited and what that costs is paid from it, or insufficient_funds or overflow."""
    account = book.accounts[command.account]
    sender = f"{command.from_book}/{command.transfer}"
    terms = terms_of(
        book,
        Movement("payment_in", command.account, account, command.amount, command.currency, sender),
        at_ms,
    )
    if isinstance(terms, Rejection):
        return terms
    legs = ((inter_book, -command.amount), (command.account, command.amount), *fee_legs(terms.fees))
    postings = chained(book, legs)
    if isinstance(postings, Rejection):
        return postings
    for posting in postings:
        payer = book.accounts[posting.account]
        if payer.kind == "customer" and posting.balance - payer.held + payer.overdraft < 0 > posting.amount:
            return insufficient(payer, -posting.amount)
    return CrossBookReceived(
        transfer=command.transfer,
        from_book=command.from_book,
        number=command.number,
        sent_seq=command.sent_seq,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        reference=command.reference,
        sent_date=command.value_date,
        booking_date=book.business_date,
        value_date=open_date(book, command.value_date),
        postings=postings,
        fees=terms.fees,
        uses=terms.uses,
    )


def acknowledge_cross_book(book: Book, command: AcknowledgeCrossBook, at_ms: int) -> Decision:
    """Rejected, in this order: counterpart_not_found, not_the_relay, crossing_settled, crossing_not_found."""
    if refused := not_from_relay(book, command.from_book, command):
        return refused
    other = book.crossings.others.get(command.from_book)
    if other is not None and other.is_settled(command.number):
        return reject("crossing_settled", counterpart=command.from_book, number=command.number)
    if other is None or command.number not in other.answered:
        return reject("crossing_not_found", counterpart=command.from_book, number=command.number)
    return CrossBookAcknowledged(
        from_book=command.from_book,
        number=command.number,
        settled_seq=command.settled_seq,
        settled_through=other.through_with(command.number),
    )
