"""What bulks and orders carry: an instruction to pay, to an account of the book or out of the bank."""

from __future__ import annotations

from schemas.documents.document import DocumentId
from schemas.fields import AccountId, Amount, Currency, Label, Text
from schemas.message import Value
from schemas.payments import Payee


class ToAccount(Value, tag_field="type", tag="account"):
    """To an account of the same book: a transfer."""

    account: AccountId


class ToPayee(Value, tag_field="type", tag="payee"):
    """To somebody outside the bank, by a rail: a payment. Its id is derived from what carries it.

    end_to_end: the payer's own id for it, which the payee is told.   purpose: ISO 20022 code, or empty.
    """

    rail: DocumentId
    payee: Payee
    purpose: Label = ""
    end_to_end: Label = ""


To = ToAccount | ToPayee
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
