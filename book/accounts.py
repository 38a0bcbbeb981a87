"""What changes an account, other than money moving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book import interest
from book.dates import hour_of
from book.payments import release
from book.state import Account, Block, Book
from schemas.accounts import AccountBlocked, AccountClosed, AccountOpened, BlockLifted, OverdraftSet


def account_opened(book: Book, event: AccountOpened) -> None:
    """The account is there, with a balance of zero."""
    book.accounts[event.account] = account = Account(
        kind=event.kind,
        currency=event.currency,
        party=event.party,
        product=event.product,
        branch=event.branch,
        ledger=event.ledger,
        overdraft=event.overdraft,
        opened_hour=hour_of(event.at),
    )
    if event.party:
        book.parties[event.party].open_accounts += 1
    if event.product:
        interest.opened(book, event.account, account)


def overdraft_set(book: Book, event: OverdraftSet) -> None:
    """The account has another floor."""
    book.accounts[event.account].overdraft = event.overdraft


def block_timer(account: str, block: str) -> str:
    """The id of the timer that lifts a block. No id holds a line feed."""
    return f"block\n{account}\n{block}"


def account_blocked(book: Book, event: AccountBlocked) -> None:
    """One block more stands on the account."""
    account = book.accounts[event.account]
    block = Block(event.direction, event.authority, event.reason, event.expires_at_ms)
    account.blocks = {**(account.blocks or {}), event.block: block}
    if event.expires_at_ms is not None:
        book.timers.set(block_timer(event.account, event.block), event.expires_at_ms)


def block_lifted(book: Book, event: BlockLifted) -> None:
    """One block less stands on the account."""
    account = book.accounts[event.account]
    assert account.blocks is not None, "a block is lifted that stands on the account"
    del account.blocks[event.block]
    account.blocks = account.blocks or None
    book.timers.remove(block_timer(event.account, event.block))
    release(book, "account_blocked", event.account, event.at)


def account_closed(book: Book, event: AccountClosed) -> None:
    """The account takes no more postings; its blocks are history."""
    account = book.accounts[event.account]
    account.is_open = False
    for block in account.blocks or ():
        book.timers.remove(block_timer(event.account, block))
    account.blocks = None
    interest.closed(book, account)
    book.end_of_day.unpaid.pop(event.account, None)
    if account.party:
        book.parties[account.party].open_accounts -= 1


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    AccountOpened: account_opened,
    OverdraftSet: overdraft_set,
    AccountBlocked: account_blocked,
    BlockLifted: block_lifted,
    AccountClosed: account_closed,
}
