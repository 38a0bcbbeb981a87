"""What is decided about foreign exchange, at a quote or at the table's rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.fx import Quote
from book.state import Account, Book
from commands.accounts import blocked, is_blocked
from commands.decision import Decision
from commands.positions import EMPTY, moved
from commands.quotes import POSITION, one_amount, priced_now
from commands.terms import Movement, fee_legs, may_receive, terms_of
from commands.transfers import postings_of
from schemas.exchange import Exchange, Exchanged
from schemas.fields import INT64_MAX
from schemas.positions import PositionMoved
from schemas.rejections import Rejection, reject


def exchange(book: Book, command: Exchange, at_ms: int) -> Decision:
    """Rejected, in this order: quote_expired, quote_used, quote_not_found, account_not_found,
    account_not_open, account_kind_mismatch, not_of_party, same_currency, quote_differs, amount_unclear,
    below_minimum (of the side that is given), rate_unavailable, below_minimum (of the other), overflow,
    party_not_active, account_blocked, movement_not_allowed, limit_exceeded, insufficient_funds (for fees
    too), overflow.
    """
    found = _quote(book, command.quote, at_ms) if command.quote else None
    if isinstance(found, Rejection):
        return found
    accounts = _accounts(book, command)
    if isinstance(accounts, Rejection):
        return accounts
    debit, credit = accounts
    if debit.currency == credit.currency:
        return reject("same_currency", currency=debit.currency)
    if found is not None:
        if not _is_meant(found, command, debit, credit):
            return reject("quote_differs", quote=command.quote)
        quote = found
    else:
        if refused := one_amount(command):
            return refused
        fresh = priced_now(
            book,
            command.table,
            debit.party,
            (debit.currency, credit.currency),
            command.sell_amount,
            command.buy_amount,
        )
        if isinstance(fresh, Rejection):
            return fresh
        quote = fresh
    return _exchanged(book, command, debit, credit, quote, at_ms)


def _accounts(book: Book, command: Exchange) -> tuple[Account, Account] | Rejection:
    """Who pays and who is paid: account_not_found, account_not_open, account_kind_mismatch, not_of_party."""
    found: list[Account] = []
    for account_id in (command.debit, command.credit):
        account = book.accounts.get(account_id)
        if account is None:
            return reject("account_not_found", account=account_id)
        found.append(account)
    debit, credit = found
    for account_id, account in ((command.debit, debit), (command.credit, credit)):
        if not account.is_open:
            return reject("account_not_open", account=account_id)
    for account_id, account in ((command.debit, debit), (command.credit, credit)):
        if account.kind == "fx_position":
            return reject("account_kind_mismatch", detail=POSITION.format(account_id))
    if debit.party != credit.party:
        return reject("not_of_party", account=command.credit, party=debit.party)
    return debit, credit


def _quote(book: Book, quote_id: str, at_ms: int) -> Quote | Rejection:
    """The quote, or quote_expired, quote_used or quote_not_found."""
    quote = book.fx.quotes.get(quote_id)
    if book.fx.ended.get(quote_id) == "expired" or (quote is not None and quote.expires_at_ms <= at_ms):
        return reject("quote_expired", quote=quote_id)
    if quote is not None:
        return quote
    return reject("quote_used" if quote_id in book.fx.ended else "quote_not_found", quote=quote_id)


def _is_meant(quote: Quote, command: Exchange, debit: Account, credit: Account) -> bool:
    """Whether the exchange is the one that the quote was given for."""
    sold, bought = quote.lines
    return (
        (quote.party, sold.currency, bought.currency) == (debit.party, debit.currency, credit.currency)
        and quote.debit in ("", command.debit)
        and quote.credit in ("", command.credit)
        and command.sell_amount in (None, sold.amount)
        and command.buy_amount in (None, bought.amount)
    )


def _exchanged(
    book: Book, command: Exchange, debit: Account, credit: Account, quote: Quote, at_ms: int
) -> Decision:
    """The exchange at a rate that is known."""
    sold, bought = quote.lines
    if debit.party and book.parties[debit.party].status != "active":
        return reject("party_not_active", party=debit.party, status=book.parties[debit.party].status)
    if is_blocked(debit, "debits", at_ms):
        return blocked(command.debit, debit, "debits", at_ms)
    if is_blocked(credit, "credits", at_ms):
        return blocked(command.credit, credit, "credits", at_ms)
    if unwelcome := may_receive(book, command.credit, credit, "exchange"):
        return unwelcome
    movement = Movement(
        "exchange", command.debit, debit, sold.amount, sold.currency, command.credit, command.channel
    )
    terms = terms_of(book, movement, at_ms)
    if isinstance(terms, Rejection):
        return terms
    positions = quote.positions
    legs = [
        (command.debit, -sold.amount),
        (positions[0], sold.amount),
        (positions[1], -bought.amount),
        (command.credit, bought.amount),
        *fee_legs(terms.fees),
    ]
    postings = postings_of(book, legs, at_ms)
    if isinstance(postings, Rejection):
        return postings
    after = (
        _position_after(book, positions[0], sold.amount, quote.worth),
        _position_after(book, positions[1], -bought.amount, -quote.worth),
    )
    if any(
        one is not None and max(abs(one.cost), abs(one.realised), abs(one.amount)) > INT64_MAX
        for one in after
    ):
        return reject("overflow", account=positions[0])
    return Exchanged(
        quote=command.quote,
        debit=command.debit,
        credit=command.credit,
        lines=quote.lines,
        base=quote.base,
        counter=quote.counter,
        rate=quote.rate,
        mid=quote.mid,
        margin=quote.margin,
        worth=quote.worth,
        documents=quote.documents,
        booking_date=book.business_date,
        value_date=book.business_date,
        reference=command.reference,
        channel=command.channel,
        postings=postings,
        positions=tuple(one for one in after if one is not None),
        fees=terms.fees,
        uses=terms.uses,
    )


def _position_after(book: Book, account: str, amount: int, worth: int) -> PositionMoved | None:
    """None for the book's own currency, which has no value but itself."""
    if book.accounts[account].currency == book.currency:
        return None
    return moved(account, book.fx.positions.get(account, EMPTY), amount, worth)


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    Exchange: exchange,
}
