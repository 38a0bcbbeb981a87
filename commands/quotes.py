"""What is decided about quotes: what the table says now, held for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.fx import Quote
from book.rates import RatesInForce
from book.state import Book
from commands.decision import Decision
from commands.rates import Priced, lines_of, minimum_of, priced, worth_of
from schemas.exchange import Exchange, Line, QuoteExpired, QuoteGiven, RequestQuote
from schemas.fields import INT64_MAX
from schemas.rejections import Rejection, reject

POSITION = "{} is a position, and no account of a customer."


def request_quote(book: Book, command: RequestQuote, at_ms: int) -> Decision:
    """Rejected, in this order: quote_exists, party_not_found, account_not_found, account_not_open,
    account_kind_mismatch, currency_mismatch, not_of_party, same_currency, amount_unclear, expiry_in_past,
    below_minimum (of the side that is given), rate_unavailable, below_minimum (of the other), overflow.
    """
    if command.quote in book.fx.quotes or command.quote in book.fx.ended:
        return reject("quote_exists", quote=command.quote)
    party = _party(book, command)
    if isinstance(party, Rejection):
        return party
    if command.sell == command.buy:
        return reject("same_currency", currency=command.sell)
    if refused := one_amount(command):
        return refused
    if command.expires_at_ms is not None and command.expires_at_ms <= at_ms:
        return reject("expiry_in_past", expires_at_ms=command.expires_at_ms, at=at_ms)
    quote = priced_now(
        book, command.table, party, (command.sell, command.buy), command.sell_amount, command.buy_amount
    )
    if isinstance(quote, Rejection):
        return quote
    latest_ms = at_ms + validity_s(book, command.table) * 1_000
    return QuoteGiven(
        quote=command.quote,
        party=party,
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
        positions=quote.positions,
        expires_at_ms=min(latest_ms, command.expires_at_ms or latest_ms),
    )


def expire_quote(book: Book, rest: str, due_ms: int) -> QuoteExpired:
    """The timer of a quote: it can be used no longer."""
    return QuoteExpired(quote=rest)


def _party(book: Book, command: RequestQuote) -> str | Rejection:
    """Whose quote it is, empty for the bank's own; or why it cannot be said."""
    party = command.party
    if party and party not in book.parties:
        return reject("party_not_found", party=party)
    for account_id, currency in ((command.debit, command.sell), (command.credit, command.buy)):
        if not account_id:
            continue
        account = book.accounts.get(account_id)
        if account is None:
            return reject("account_not_found", account=account_id)
        if not account.is_open:
            return reject("account_not_open", account=account_id)
        if account.kind == "fx_position":
            return reject("account_kind_mismatch", detail=POSITION.format(account_id))
        if account.currency != currency:
            return reject(
                "currency_mismatch", account=account_id, account_currency=account.currency, currency=currency
            )
        if party and account.party != party:
            return reject("not_of_party", account=account_id, party=party)
        party = account.party
    if command.debit and command.credit and book.accounts[command.debit].party != party:
        return reject("not_of_party", account=command.credit, party=book.accounts[command.debit].party)
    return party


def one_amount(command: RequestQuote | Exchange) -> Rejection | None:
    """amount_unclear, where not exactly one side is given."""
    if (command.sell_amount is None) == (command.buy_amount is None):
        return reject("amount_unclear")
    return None


def _table(book: Book, name: str) -> RatesInForce | None:
    """The table of this name; without a name the only one."""
    tables = book.in_force.rates
    if name or len(tables) != 1:
        return tables.get(name)
    return next(iter(tables.values()))


def validity_s(book: Book, name: str) -> int:
    table = _table(book, name)
    assert table is not None, "what was priced has a table"
    return table.rates.quote_valid_s


def priced_now(
    book: Book,
    name: str,
    party: str,
    currencies: tuple[str, str],
    sell_amount: int | None,
    buy_amount: int | None,
) -> Quote | Rejection:
    """What the table says now: below_minimum, rate_unavailable, below_minimum or overflow; or as a quote."""
    sell, buy = currencies
    table = _table(book, name)
    if table is None:
        return reject("rate_unavailable", sell=sell, buy=buy, table=name)
    least_sold, least_bought = minimum_of(table, sell, buy)
    if (refused := _below(sell, sell_amount, least_sold)) or (
        refused := _below(buy, buy_amount, least_bought)
    ):
        return refused
    at = priced(table, sell, buy, book.parties[party].segment if party else "")
    if at is None or not _can_book(book, table, currencies):
        return reject("rate_unavailable", sell=sell, buy=buy, table=table.document)
    lines = lines_of(book, at, sell, buy, sell_amount, buy_amount)
    sold, bought = lines
    # Less than a minor unit cannot be exchanged.
    if (refused := _below(sell, sold.amount, max(1, least_sold))) or (
        refused := _below(buy, bought.amount, max(1, least_bought))
    ):
        return refused
    worth = worth_of(book, table, lines)
    if worth is None:
        return reject("rate_unavailable", sell=sell, buy=book.currency, table=table.document)
    if max(sold.amount, bought.amount, worth) > INT64_MAX:
        return reject("overflow", account=table.rates.positions[sell])
    accounts = (table.rates.positions[sell], table.rates.positions[buy])
    return _as_quote(table, at, lines, worth, accounts)


def _below(currency: str, amount: int | None, least: int) -> Rejection | None:
    if amount is None or amount >= least:
        return None
    return reject("below_minimum", amount=amount, minimum=least, currency=currency)


def _can_book(book: Book, table: RatesInForce, currencies: tuple[str, str]) -> bool:
    """Whether the position accounts of both currencies are still open."""
    return all(book.accounts[table.rates.positions[one]].is_open for one in currencies)


def _as_quote(
    table: RatesInForce, at: Priced, lines: tuple[Line, Line], worth: int, positions: tuple[str, str]
) -> Quote:
    return Quote(
        party="",
        debit="",
        credit="",
        lines=lines,
        base=at.base,
        counter=at.counter,
        rate=at.rate,
        mid=at.mid,
        margin=at.margin,
        worth=worth,
        documents=(table.name(),),
        positions=positions,
        expires_at_ms=0,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {RequestQuote: request_quote}
