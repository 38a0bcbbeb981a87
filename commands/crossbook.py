"""What is decided about payments between books, each book for itself. Here is the source's part; what the
destination answers stands in `crossbook_answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from book.crossings import Crossing
from book.state import Book
from commands.counterparts import blocked, chained, not_from_relay, open_date, unfit_for_crossing
from commands.crossbook_answers import acknowledge_cross_book, receive_from_book
from commands.decision import Decision
from commands.movements import of_sending
from commands.reserves import given_back, reserving, settled
from commands.risk import assess, declined, with_assessment
from commands.terms import fee_legs, terms_of
from commands.transfers import insufficient, unfit, value_date_refused
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CompleteCrossBook,
    CrossBookCompleted,
    CrossBookReleased,
    CrossBookSent,
    ReceiveFromBook,
    ReleaseCrossBook,
    SendToBook,
)
from schemas.fees import Fee
from schemas.fields import INT64_MAX
from schemas.rejections import Rejection, reject
from schemas.reserves import Reserve


def send_to_book(book: Book, command: SendToBook, at_ms: int) -> Decision:
    """Rejected, in this order: crossing_exists, counterpart_not_found, account_not_found, account_not_open,
    currency_mismatch, account_kind_mismatch, party_not_active, account_blocked, value_date_in_future,
    period_not_open, movement_not_allowed, limit_exceeded, insufficient_funds (for fees too), overflow,
    declined.
    """
    crossings, to_book = book.crossings, command.to_book
    if command.transfer in crossings.on_the_way:
        return reject("crossing_exists", transfer=command.transfer)
    amount, currency = command.amount, command.currency
    agreed = book.in_force.counterparts.get(to_book)
    inter_book = agreed.accounts.get(currency) if agreed is not None else None
    if inter_book is None:
        return reject("counterpart_not_found", counterpart=to_book, currency=currency)
    account = book.accounts.get(command.account)
    if account is None:
        return reject("account_not_found", account=command.account)
    if refused := unfit_for_crossing(command.account, account, currency) or unfit(
        inter_book, book.accounts[inter_book], currency
    ):
        return refused
    if account.party and book.parties[account.party].status != "active":
        return reject("party_not_active", party=account.party, status=book.parties[account.party].status)
    if refused := blocked(book, command.account, inter_book, at_ms):
        return refused
    value_date = command.value_date or book.business_date
    if refused := value_date_refused(book, value_date):
        return refused
    movement = of_sending(book, command)
    terms = terms_of(book, movement, at_ms, reserved=True)
    if isinstance(terms, Rejection):
        return terms
    reserves = _to_reserve(book, command.account, inter_book, amount, terms.fees, 1)
    if refused := _not_to_be_had(book, reserves, inter_book):
        return refused
    assessed = assess(book, movement, None, at_ms)
    if assessed is not None and assessed.verdict == "decline":
        return declined(movement, assessed, command.transfer)
    other = crossings.others.get(to_book)
    sent = CrossBookSent(
        transfer=command.transfer,
        number=1 if other is None else other.sent + 1,
        account=command.account,
        amount=amount,
        currency=currency,
        to_book=to_book,
        to_account=command.to_account,
        inter_book=inter_book,
        value_date=value_date,
        reference=command.reference,
        fees=terms.fees,
        reserves=reserves,
        uses=terms.uses,
        channel=command.channel,
        corridor=command.corridor,
    )
    if assessed is None:
        return sent
    return with_assessment(book, (sent,), movement, assessed, command.transfer)


def complete_cross_book(book: Book, command: CompleteCrossBook, at_ms: int) -> Decision:
    """What is reserved is paid, whatever has become of the account since: the other book has credited it.

    Rejected, in this order: counterpart_not_found, not_the_relay, crossing_not_found, crossing_settled,
    crossing_differs, overflow.
    """
    crossing = _on_the_way(book, command)
    if isinstance(crossing, Rejection):
        return crossing
    # A fee is not charged where its income account was closed while the payment was on its way.
    fees = tuple(fee for fee in crossing.fees if book.accounts[fee.income].is_open)
    legs = ((crossing.account, -crossing.amount), (crossing.inter_book, crossing.amount), *fee_legs(fees))
    postings = chained(book, legs)
    if isinstance(postings, Rejection):
        return postings
    return CrossBookCompleted(
        transfer=crossing.transfer,
        to_book=command.to_book,
        number=command.number,
        answer_seq=command.answer_seq,
        account=crossing.account,
        amount=crossing.amount,
        currency=crossing.currency,
        reference=crossing.reference,
        booking_date=book.business_date,
        value_date=open_date(book, crossing.value_date),
        postings=postings,
        fees=fees,
        reserves=_released(book, crossing),
        uses=settled(book, crossing.uses),
    )


def release_cross_book(book: Book, command: ReleaseCrossBook, at_ms: int) -> Decision:
    """Rejected, in this order: counterpart_not_found, not_the_relay, crossing_not_found, crossing_settled,
    crossing_differs.
    """
    crossing = _on_the_way(book, command)
    if isinstance(crossing, Rejection):
        return crossing
    return CrossBookReleased(
        transfer=crossing.transfer,
        to_book=command.to_book,
        number=command.number,
        answer_seq=command.answer_seq,
        account=crossing.account,
        amount=crossing.amount,
        currency=crossing.currency,
        reason=command.reason,
        figures=command.figures,
        reserves=_released(book, crossing),
        uses=given_back(book, crossing.uses),
    )


def _on_the_way(book: Book, command: CompleteCrossBook | ReleaseCrossBook) -> Crossing | Rejection:
    """The payment that the other book has answered."""
    if refused := not_from_relay(book, command.to_book, command):
        return refused
    other = book.crossings.others.get(command.to_book)
    if other is None or command.number > other.sent:
        return reject("crossing_not_found", counterpart=command.to_book, number=command.number)
    crossing = other.on_the_way.get(command.number)
    if crossing is None:
        return reject("crossing_settled", counterpart=command.to_book, number=command.number)
    if crossing.transfer != command.transfer:
        return reject(
            "crossing_differs", counterpart=command.to_book, number=command.number, seq=crossing.seq
        )
    return crossing


def _to_reserve(
    book: Book, account: str, inter_book: str, amount: int, fees: Sequence[Fee], sign: int
) -> tuple[Reserve, ...]:
    """Amount and fees of who pays them, and the amount on the inter-book account, which keeps it open."""
    needed = {account: amount}
    for fee in fees:
        needed[fee.account] = needed.get(fee.account, 0) + fee.amount
    needed[inter_book] = amount
    return tuple(reserving(book, name, sign * part) for name, part in needed.items())


def _released(book: Book, crossing: Crossing) -> tuple[Reserve, ...]:
    return _to_reserve(book, crossing.account, crossing.inter_book, crossing.amount, crossing.fees, -1)


def _not_to_be_had(book: Book, reserves: Sequence[Reserve], inter_book: str) -> Rejection | None:
    """insufficient_funds, or overflow once everything that is on its way has arrived."""
    for one in reserves:
        account = book.accounts[one.account]
        if account.kind == "customer" and account.booked - one.held + account.overdraft < 0:
            return insufficient(account, one.amount)
        left = account.booked + one.held if one.account == inter_book else account.booked - one.held
        if abs(left) > INT64_MAX or one.held > INT64_MAX:
            return reject("overflow", account=one.account)
    return None


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    SendToBook: send_to_book,
    ReceiveFromBook: receive_from_book,
    CompleteCrossBook: complete_cross_book,
    ReleaseCrossBook: release_cross_book,
    AcknowledgeCrossBook: acknowledge_cross_book,
}
