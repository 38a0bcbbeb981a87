"""Postings whose funds were decided before: reserved by a hold or a payment, or the bank's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from book.state import Book
from commands.accounts import blocked, is_blocked
from commands.reserves import reserving
from commands.transfers import insufficient
from schemas.fees import Fee
from schemas.fields import INT64_MAX, Direction
from schemas.postings import Posting
from schemas.rejections import Rejection, reject
from schemas.reserves import Reserve

Legs = Sequence[tuple[str, int]]
"""(account, signed amount) pairs that sum to zero, all in one currency."""


class Chain:
    """Postings of events that happen together: each balance follows from the one before."""

    def __init__(self, book: Book) -> None:
        self._accounts = book.accounts
        self._balances: dict[str, int] = {}

    def post(self, legs: Legs) -> tuple[Posting, ...]:
        """The postings of the next event."""
        postings = []
        for account_id, amount in legs:
            account = self._accounts[account_id]
            after = self._balances.get(account_id, account.booked) + amount
            self._balances[account_id] = after
            postings.append(Posting(account_id, amount, account.currency, after))
        return tuple(postings)


def unusable(book: Book, legs: Legs, at_ms: int) -> Rejection | None:
    """account_not_found, account_not_open, account_blocked or overflow, or None where all can be posted."""
    moved: dict[str, int] = {}
    for account_id, amount in legs:
        account = book.accounts.get(account_id)
        if account is None:
            return reject("account_not_found", account=account_id)
        if not account.is_open:
            return reject("account_not_open", account=account_id)
        direction: Direction = "debits" if amount < 0 else "credits"
        if is_blocked(account, direction, at_ms):
            return blocked(account_id, account, direction, at_ms)
        moved[account_id] = moved.get(account_id, 0) + abs(amount)
        if abs(account.booked) + moved[account_id] > INT64_MAX:
            return reject("overflow", account=account_id)
    return None


def takes_credit(book: Book, account_id: str, amount: int, at_ms: int) -> bool:
    """Whether an account can be given money back."""
    return unusable(book, [(account_id, amount)], at_ms) is None


def payers(account_id: str, amount: int, fees: Iterable[Fee]) -> dict[str, int]:
    """How much each account pays, fees included."""
    needed = {account_id: amount}
    for fee in fees:
        needed[fee.account] = needed.get(fee.account, 0) + fee.amount
    return needed


def unfunded(book: Book, needed: dict[str, int]) -> Rejection | None:
    """insufficient_funds or overflow, or None where all can pay."""
    for account_id, amount in needed.items():
        account = book.accounts[account_id]
        if account.kind == "customer" and account.booked - account.held + account.overdraft < amount:
            return insufficient(account, amount)
        if account.held + amount > INT64_MAX or account.booked - amount < -INT64_MAX:
            return reject("overflow", account=account_id)
    return None


def reserved(book: Book, needed: dict[str, int], sign: int = 1) -> tuple[Reserve, ...]:
    """Reserve what each pays or, with the sign -1, release it."""
    return tuple(
        reserving(book, account_id, sign * amount) for account_id, amount in needed.items() if amount
    )
