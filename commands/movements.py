"""A movement of money, as limits and tariffs look at it."""

from __future__ import annotations

import msgspec

from book.state import Account, Book
from schemas.crossbook import SendToBook
from schemas.fields import MovementKind
from schemas.payments import Payee, SubmitPayment
from schemas.transfers import Transfer

__all__ = ["Movement", "MovementKind", "corridor_of", "of_payment", "of_sending", "of_transfer"]


class Movement(msgspec.Struct, frozen=True, gc=False):
    """Money that would leave (or for `payment_in` reach) an account.

    amount: minor units of `currency`, the account's.   counterparty: the other account, or the payee's.
    channel: by which it was asked for.   corridor: `DE-FR`, from the account's country to the payee's.
    """

    kind: MovementKind
    account_id: str
    account: Account
    amount: int
    currency: str
    counterparty: str = ""
    channel: str = ""
    corridor: str = ""


def of_transfer(book: Book, command: Transfer, kind: MovementKind = "transfer") -> Movement:
    """What a transfer moves. Its accounts are there."""
    return Movement(
        kind,
        command.debit,
        book.accounts[command.debit],
        command.amount,
        command.currency,
        command.credit,
        command.channel,
        command.corridor,
    )


def of_payment(book: Book, command: SubmitPayment, kind: MovementKind = "payment_out") -> Movement:
    """What a payment moves. Its account is there."""
    account = book.accounts[command.account]
    return Movement(
        kind,
        command.account,
        account,
        command.amount,
        command.currency,
        command.payee.account,
        command.channel,
        corridor_of(book, account, command.payee),
    )


def corridor_of(book: Book, account: Account, payee: Payee) -> str:
    """From the country of the account's party to the payee's."""
    return f"{book.parties[account.party].country if account.party else ''}-{payee.country}"


def of_sending(book: Book, command: SendToBook) -> Movement:
    """What a payment to another book moves. Its account is there."""
    return Movement(
        "transfer",
        command.account,
        book.accounts[command.account],
        command.amount,
        command.currency,
        f"{command.to_book}/{command.to_account}",
        command.channel,
        command.corridor,
    )
