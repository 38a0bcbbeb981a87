"""A fee is given back by a person; and what accounts are charged each month."""

from __future__ import annotations

from book.fees import find_fee
from book.state import Account, Book
from commands.decision import Decide, Decision
from commands.filters import concerns
from commands.pricing import price, waived
from commands.transfers import postings_of
from schemas.fees import Fee, FeeWaived, WaiveFee
from schemas.rejections import Rejection, reject


def waive_fee(book: Book, command: WaiveFee, at_ms: int) -> Decision:
    """Rejected, in this order: fee_not_found, account_not_open, account_blocked, overflow."""
    fee = find_fee(book, command.charged, command.account, command.line)
    if fee is None:
        return reject("fee_not_found", charged=command.charged, account=command.account, line=command.line)
    postings = postings_of(book, [(fee.account, fee.amount), (fee.income, -fee.amount)], at_ms)
    if isinstance(postings, Rejection):
        return postings
    return FeeWaived(
        charged=command.charged,
        fee=fee,
        reason=command.reason,
        booking_date=book.business_date,
        value_date=book.business_date,
        postings=postings,
    )


def periodic_fees(book: Book, account_id: str, account: Account) -> tuple[Fee, ...]:
    """What the account is charged as such for a month, by the tariff in force; end of day takes it.

    Nothing where the account is closed or the bank's own, the party is waived, or the income account takes
    nothing any more.
    """
    product = book.in_force.plans.get(account.product)
    if product is None or not account.is_open or account.kind != "customer":
        return ()
    found: tuple[Fee, ...] = ()
    decided: set[str] = set()
    for line in product.of(account.currency).monthly:
        if line.group in decided:
            continue
        if line.only is not None and not concerns(book, line.only, account, 0, "", "", book.at):
            continue
        if line.group:
            decided.add(line.group)
        if waived(book, line, account) or not book.accounts[line.income].is_open:
            continue
        fee = price(line, 0, 0)
        if fee:
            found += (Fee(line.tariff, line.version, line.line, account_id, line.income, fee, line.currency),)
    return found


DECIDE: dict[type, Decide] = {WaiveFee: waive_fee}
