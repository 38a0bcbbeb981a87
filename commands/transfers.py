"""What is decided about money: transfers, postings with several legs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from book.state import Account, Book
from commands.accounts import blocked, is_blocked
from commands.decision import Decision
from commands.deferring import AT_ONCE, deferred
from commands.movements import of_transfer
from commands.risk import assess, declined, with_assessment
from commands.terms import may_receive, terms_of
from schemas.fees import Fee
from schemas.fields import INT64_MAX, Direction, MovementKind
from schemas.message import Date
from schemas.postings import Posting
from schemas.rejections import Rejection, reject
from schemas.reserves import Use
from schemas.transfers import (
    MOST_LEGS,
    EntriesPosted,
    Leg,
    PostEntries,
    Transfer,
    TransferPosted,
)
from schemas.value_dates import FURTHEST_DAYS

NOTHING: Mapping[str, int] = {}


def transfer(  # noqa: C901, PLR0912 - a line each
    book: Book, command: Transfer, at_ms: int, kind: MovementKind = "transfer"
) -> Decision:
    """Rejected, in this order: same_account, account_not_found, account_not_open, currency_mismatch,
    party_not_active (debit), account_blocked, value_date_in_future, period_not_open, movement_not_allowed,
    limit_exceeded, insufficient_funds (for fees too), overflow, declined.
    Where both accounts could be at fault, the debit account is asked first; but what the credit account's
    product forbids is asked before the debit account's limits are.
    """
    debit_id, credit_id, amount, currency = command.debit, command.credit, command.amount, command.currency
    if debit_id == credit_id:
        return reject("same_account")
    accounts = book.accounts
    debit = accounts.get(debit_id)
    if debit is None:
        return reject("account_not_found", account=debit_id)
    credit = accounts.get(credit_id)
    if credit is None:
        return reject("account_not_found", account=credit_id)
    # One glance for the usual case; which of the checks it was is asked only where one failed.
    if not (debit.is_open and credit.is_open and debit.currency == currency == credit.currency):
        return unfit(debit_id, debit, currency) or unfit(credit_id, credit, currency) or _impossible()
    if debit.party and book.parties[debit.party].status != "active":
        return reject("party_not_active", party=debit.party, status=book.parties[debit.party].status)
    if debit.blocks is not None and is_blocked(debit, "debits", at_ms):
        return blocked(debit_id, debit, "debits", at_ms)
    if credit.blocks is not None and is_blocked(credit, "credits", at_ms):
        return blocked(credit_id, credit, "credits", at_ms)
    value_date = command.value_date
    if value_date is None:
        value_date = book.business_date
    elif refused := value_date_refused(book, value_date, FURTHEST_DAYS):
        return refused
    if credit.product and (unwelcome := may_receive(book, credit_id, credit, "transfer")):
        return unwelcome
    fees: tuple[Fee, ...] = ()
    uses: tuple[Use, ...] = ()
    charged = 0
    channel, corridor = command.channel, command.corridor
    if debit.product:
        terms = terms_of(book, of_transfer(book, command, kind), at_ms)
        if isinstance(terms, Rejection):
            return terms
        fees, uses = terms.fees, terms.uses
        for fee in fees:
            charged += fee.amount
    debit_after = debit.booked - amount
    credit_after = credit.booked + amount
    if debit.kind == "customer" and debit_after - charged - debit.held + debit.overdraft < 0:
        return insufficient(debit, amount + charged)
    if debit_after < -INT64_MAX:
        return reject("overflow", account=debit_id)
    if credit_after > INT64_MAX:
        return reject("overflow", account=credit_id)
    postings: tuple[Posting, ...] = (
        Posting(debit_id, -amount, currency, debit_after),
        Posting(credit_id, amount, currency, credit_after),
    )
    if fees:
        more = fee_postings(book, fees, {debit_id: debit_after, credit_id: credit_after})
        if isinstance(more, Rejection):
            return more
        postings += more
    later = AT_ONCE if value_date <= book.business_date else deferred(book, value_date, postings)
    if isinstance(later, Rejection):
        return later
    posted = TransferPosted(
        debit_id,
        credit_id,
        amount,
        currency,
        book.business_date,
        value_date,
        command.reference,
        postings,
        fees,
        uses,
        channel,
        corridor,
        *later,
        command.origin,
    )
    if not book.in_force.ruling.key:  # nearly nothing for those who have no rules
        return posted
    movement = of_transfer(book, command, kind)
    assessed = assess(book, movement, command.origin, at_ms)
    if assessed is None:
        return posted
    if assessed.verdict == "decline":
        return declined(movement, assessed)
    return with_assessment(book, (posted,), movement, assessed)


def fee_postings(
    book: Book, fees: tuple[Fee, ...], balances: dict[str, int]
) -> tuple[Posting, ...] | Rejection:
    """The postings of fees, after others of the event: `balances` are those that they left, by account."""
    found: tuple[Posting, ...] = ()
    accounts = book.accounts
    for fee in fees:
        payer, income, amount, currency = fee.account, fee.income, fee.amount, fee.currency
        before = balances.get(payer)
        paid = (accounts[payer].booked if before is None else before) - amount
        balances[payer] = paid
        before = balances.get(income)
        received = (accounts[income].booked if before is None else before) + amount
        balances[income] = received
        if paid < -INT64_MAX or received > INT64_MAX:
            return reject("overflow", account=payer if paid < -INT64_MAX else income)
        found += (Posting(payer, -amount, currency, paid), Posting(income, amount, currency, received))
    return found


def post_entries(book: Book, command: PostEntries, at_ms: int) -> Decision:
    """Rejected, in this order: too_many_legs, zero_amount, account_not_found, account_not_open,
    currency_mismatch (these three leg by leg), unbalanced, value_date_in_future, period_not_open,
    party_not_active (debit legs), account_blocked, insufficient_funds, overflow.
    """
    if refused := legs_refused(book, command.legs):
        return refused
    value_date = command.value_date or book.business_date
    if refused := value_date_refused(book, value_date, FURTHEST_DAYS):
        return refused
    postings = postings_of(book, [(leg.account, leg.amount) for leg in command.legs], at_ms)
    if isinstance(postings, Rejection):
        return postings
    later = deferred(book, value_date, postings)
    if isinstance(later, Rejection):
        return later
    reserves, available_at_ms = later
    return EntriesPosted(
        booking_date=book.business_date,
        value_date=value_date,
        reference=command.reference,
        postings=postings,
        reserves=reserves,
        available_at_ms=available_at_ms,
    )


def legs_refused(book: Book, legs: Sequence[Leg]) -> Rejection | None:
    """Why these are no legs: too_many_legs, zero_amount, account_not_found, account_not_open,
    currency_mismatch (these three leg by leg) or unbalanced; else None.
    """
    if not 2 <= len(legs) <= MOST_LEGS:
        return reject("too_many_legs", legs=len(legs), most=MOST_LEGS)
    for leg in legs:
        if leg.amount == 0:
            return reject("zero_amount", account=leg.account)
    sums: dict[str, int] = {}
    for leg in legs:
        account = book.accounts.get(leg.account)
        if account is None:
            return reject("account_not_found", account=leg.account)
        if refused := unfit(leg.account, account, leg.currency):
            return refused
        sums[leg.currency] = sums.get(leg.currency, 0) + leg.amount
    for currency, total in sums.items():
        if total:
            return reject("unbalanced", currency=currency, sum=total)
    return None


def unfit(account_id: str, account: Account, currency: str) -> Rejection | None:
    """account_not_open or currency_mismatch, or None."""
    if not account.is_open:
        return reject("account_not_open", account=account_id)
    if account.currency != currency:
        return reject(
            "currency_mismatch", account=account_id, account_currency=account.currency, currency=currency
        )
    return None


def _impossible() -> Rejection:
    raise AssertionError("an account that failed the quick check fails one of its parts")


def insufficient(account: Account, needed: int, freed: int = 0) -> Rejection:
    """insufficient_funds, with its figures. freed: what is reserved, and would be so no longer."""
    available = account.booked - account.held + freed + account.overdraft
    return reject("insufficient_funds", available=available, needed=needed, currency=account.currency)


def value_date_refused(book: Book, value_date: Date, ahead_days: int = 0) -> Rejection | None:
    """value_date_in_future or period_not_open, or None. ahead_days: how far after today it may be."""
    if (value_date - book.business_date).days > ahead_days:
        return reject(
            "value_date_in_future",
            value_date=value_date.isoformat(),
            booking_date=book.business_date.isoformat(),
        )
    if value_date < book.open_from:
        return reject("period_not_open", date=value_date.isoformat(), open_from=book.open_from.isoformat())
    return None


def postings_of(
    book: Book, legs: Sequence[tuple[str, int]], at_ms: int, freed: Mapping[str, int] = NOTHING
) -> tuple[Posting, ...] | Rejection:
    """The postings of several legs, or why they cannot be. Funds are asked of an account's legs together.

    freed: by account, what is reserved and would be so no longer.
    """
    net: dict[str, int] = {}
    for account_id, amount in legs:
        account = book.accounts[account_id]
        if not account.is_open:
            return reject("account_not_open", account=account_id)
        if amount < 0 and account.party and book.parties[account.party].status != "active":
            return reject("party_not_active", party=account.party, status=book.parties[account.party].status)
        direction: Direction = "debits" if amount < 0 else "credits"
        if is_blocked(account, direction, at_ms):
            return blocked(account_id, account, direction, at_ms)
        net[account_id] = net.get(account_id, 0) + amount
    for account_id, amount in net.items():
        account = book.accounts[account_id]
        more = freed.get(account_id, 0)
        after = account.booked + amount + more
        if amount < 0 and account.kind == "customer" and after - account.held + account.overdraft < 0:
            return insufficient(account, -amount, more)
    balances: dict[str, int] = {}
    postings = []
    for account_id, amount in legs:
        account = book.accounts[account_id]
        after = balances.get(account_id, account.booked) + amount
        if not -INT64_MAX <= after <= INT64_MAX:
            return reject("overflow", account=account_id)
        balances[account_id] = after
        postings.append(Posting(account_id, amount, account.currency, after))
    return tuple(postings)


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    Transfer: transfer,
    PostEntries: post_entries,
}
