"""What bulks and orders carry: an instruction to pay, to an account of the book or out of the bank."""

from __future__ import annotations

from schemas.fields import AccountId, Amount, Currency, Label, Text
from schemas.message import Value


class ToAccount(Value):
    """To an account of the same book: a transfer."""

    account: AccountId


To = ToAccount
"""Who is paid."""


class Instruction(Value):
    """Pay an amount from an account.

    account: the one that pays.   amount: minor units of `currency`, the account's; fees are on top.
    """

    account: AccountId
    amount: Amount
    currency: Currency
    to: To
    reference: Text = ""
    channel: Label = ""
