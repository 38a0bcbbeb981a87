"""What is decided about accounts, other than money moving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.charts import takes_accounts
from book.interest import books_interest_on
from book.payment import IN_TRANSIT
from book.state import Account, Block, Book
from commands.decision import Decision, knows_currency
from commands.rates_documents import rates_naming
from schemas.accounts import (
    BY_HOLDER,
    AccountBlocked,
    AccountClosed,
    AccountOpened,
    BlockAccount,
    BlockLifted,
    CloseAccount,
    LiftBlock,
    OpenAccount,
    OverdraftSet,
    SetOverdraft,
)
from schemas.fields import Direction
from schemas.message import Date
from schemas.rejections import Rejection, reject

OPEN_PAYMENTS = (*IN_TRANSIT, "disputed")
"""A payment that a rail or people have still to say something about."""


def open_account(book: Book, command: OpenAccount, at_ms: int) -> Decision:
    """Rejected, in this order: account_exists, unknown_currency, account_kind_mismatch, party_not_found,
    party_not_active, overdraft_not_allowed, product_not_found, currency_not_in_product,
    overdraft_above_product, ledger_not_found.
    """
    if command.account in book.accounts:
        return reject("account_exists", account=command.account)
    if not knows_currency(book, command.currency):
        return reject("unknown_currency", currency=command.currency)
    if command.kind == "customer":
        if not command.party:
            return reject("account_kind_mismatch", detail="A customer account belongs to a party.")
        party = book.parties.get(command.party)
        if party is None:
            return reject("party_not_found", party=command.party)
        if party.status != "active":
            return reject("party_not_active", party=command.party, status=party.status)
    elif command.party:
        return reject(
            "account_kind_mismatch", detail=f"An account of kind {command.kind} belongs to no party."
        )
    elif command.overdraft:
        return reject("overdraft_not_allowed")
    if command.product and (refused := _outside_product(book, command)):
        return refused
    ledger = command.ledger or next(
        (code for code, line in book.chart.items() if line.kind == command.kind), ""
    )
    if not takes_accounts(book, ledger, command.kind):
        return reject("ledger_not_found", ledger=ledger, kind=command.kind)
    return AccountOpened(
        account=command.account,
        currency=command.currency,
        party=command.party,
        kind=command.kind,
        product=command.product,
        branch=command.branch,
        ledger=ledger,
        overdraft=command.overdraft,
    )


def _outside_product(book: Book, command: OpenAccount) -> Rejection | None:
    """What the product does not allow. In a book without product documents, a product is just a word."""
    products = book.in_force.products
    product = products.get(command.product)
    if product is None:
        return reject("product_not_found", product=command.product) if products else None
    if product.currencies and command.currency not in product.currencies:
        return reject("currency_not_in_product", product=command.product, currency=command.currency)
    return _above_product(book, command.product, command.currency, command.overdraft)


def _above_product(book: Book, name: str, currency: str, overdraft: int) -> Rejection | None:
    product = book.in_force.products.get(name)
    if product is None or product.overdraft is None:
        return None
    most = product.overdraft.get(currency, 0)
    if overdraft <= most:
        return None
    return reject("overdraft_above_product", product=name, most=most, currency=currency)


def _open(book: Book, account_id: str) -> Account | Rejection:
    account = book.accounts.get(account_id)
    if account is None:
        return reject("account_not_found", account=account_id)
    if not account.is_open:
        return reject("account_not_open", account=account_id)
    return account


def set_overdraft(book: Book, command: SetOverdraft, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, overdraft_not_allowed, nothing_to_change,
    overdraft_above_product, overdraft_in_use.
    """
    account = _open(book, command.account)
    if isinstance(account, Rejection):
        return account
    if account.kind != "customer":
        return reject("overdraft_not_allowed")
    if command.overdraft == account.overdraft:
        return reject("nothing_to_change")
    if refused := _above_product(book, account.product, account.currency, command.overdraft):
        return refused
    used = account.held - account.booked
    if used > command.overdraft:
        return reject("overdraft_in_use", used=used)
    return OverdraftSet(account=command.account, before=account.overdraft, overdraft=command.overdraft)


def block_account(book: Book, command: BlockAccount, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, block_exists, expiry_in_past."""
    account = _open(book, command.account)
    if isinstance(account, Rejection):
        return account
    if account.blocks is not None and command.block in account.blocks:
        return reject("block_exists", block=command.block)
    if command.expires_at_ms is not None and command.expires_at_ms <= at_ms:
        return reject("expiry_in_past", expires_at_ms=command.expires_at_ms, at=at_ms)
    return AccountBlocked(
        account=command.account,
        block=command.block,
        direction=command.direction,
        authority=command.authority,
        reason=command.reason,
        expires_at_ms=command.expires_at_ms,
    )


def lift_block(book: Book, command: LiftBlock, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, block_not_found."""
    account = _open(book, command.account)
    if isinstance(account, Rejection):
        return account
    if account.blocks is None or command.block not in account.blocks:
        return reject("block_not_found", block=command.block)
    return BlockLifted(account=command.account, block=command.block, reason=command.reason, expired=False)


def expire_block(book: Book, rest: str, due_ms: int) -> BlockLifted:
    """The timer of a block: it is lifted."""
    account, block = rest.split("\n")
    return BlockLifted(account=account, block=block, reason="expired", expired=True)


def close_account(book: Book, command: CloseAccount, at_ms: int) -> Decision:
    """Rejected, in this order: account_not_found, account_not_open, account_blocked, account_not_empty,
    day_not_finished (its interest is not known yet), interest_accrued, account_in_use,
    account_serves (a rail in force, suspense, or a payment whose outcome is not known goes by it),
    named_in_rates. Less than a minor unit of interest is forgotten with the account.
    """
    account = _open(book, command.account)
    if isinstance(account, Rejection):
        return account
    if any(_stands(block, at_ms) for block in (account.blocks or {}).values()):
        return blocked(command.account, account, "both", at_ms)
    if account.booked or account.held:
        return reject("account_not_empty", booked=account.booked, held=account.held)
    if (interest := account.interest) is not None:
        today = book.business_date.toordinal()
        if interest.through < today - 1 or interest.late is not None or interest.balance(0, today):
            return reject("day_not_finished", date=Date.fromordinal(interest.through + 1).isoformat())
        if interest.credit or interest.debit:
            return reject("interest_accrued", credit=interest.credit, debit=interest.debit)
    if account.kind != "customer" and (product := books_interest_on(book, command.account)):
        return reject("account_in_use", product=product)
    if account.kind != "customer" and (serves := _serves(book, command.account)):
        return reject("account_serves", kind=serves[0], id=serves[1])
    if account.kind != "customer" and (table := rates_naming(book, command.account)):
        return reject("named_in_rates", table=table)
    return AccountClosed(account=command.account, reason=command.reason)


def _serves(book: Book, account_id: str) -> tuple[str, str] | None:
    """What needs the account open: an answer of a rail that comes later is booked there, and is not lost."""
    for name, rail in book.in_force.rails.items():
        if any(account_id in (one.nostro, one.in_transit, one.suspense) for one in rail.currencies):
            return "rail", name
    if book.receipts.rules is not None and account_id in book.receipts.rules.accounts.values():
        return "document", "suspense"
    for payment_id, one in book.payments.by_id.items():  # a bank closes few accounts of its own
        if one.status in OPEN_PAYMENTS and account_id in (one.nostro, one.in_transit, one.suspense):
            return "payment", payment_id
    return None


def is_blocked(account: Account, direction: Direction, at_ms: int) -> bool:
    """Whether a block that has not expired stands against `debits` or `credits`."""
    return account.blocks is not None and any(
        block.direction in (direction, "both") and _stands(block, at_ms) for block in account.blocks.values()
    )


def blocked(account_id: str, account: Account, direction: Direction, at_ms: int) -> Rejection:
    """account_blocked. That the holder wished for it is among its figures, where no other block stands."""
    standing = [
        block.authority
        for block in (account.blocks or {}).values()
        if _stands(block, at_ms) and (direction == "both" or block.direction in (direction, "both"))
    ]
    if all(authority == BY_HOLDER for authority in standing):
        return reject("account_blocked", account=account_id, direction=direction, authority=BY_HOLDER)
    return reject("account_blocked", account=account_id, direction=direction)


def _stands(block: Block, at_ms: int) -> bool:
    return block.expires_at_ms is None or block.expires_at_ms > at_ms


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    OpenAccount: open_account,
    SetOverdraft: set_overdraft,
    BlockAccount: block_account,
    LiftBlock: lift_block,
    CloseAccount: close_account,
}
