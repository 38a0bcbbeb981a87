"""Exchange of one currency for another, at a quote that was given before or at the table's rate of now.

`sell` is what the customer gives and `buy` what the customer gets. A rate is units of `counter` for one unit
of `base`, in whole units of both; of a pair in the table as it stands there, of any other what is bought for
what is sold.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fees import Fee
from schemas.fields import AccountId, Amount, Currency, Label, Millis, NewId, Text
from schemas.message import Command, Date, Event
from schemas.positions import PositionMoved
from schemas.postings import Posting
from schemas.reserves import Use

Rounding = Literal["given", "half-even", "down", "up"]


class Line(msgspec.Struct, frozen=True, gc=False):
    """One side of an exchange. amount: minor units of `currency`.   rounding: how the last unit was found.

    given: it was asked for.   half-even: to the nearest, a half to the even one.
    down, up: half-even would have given the customer more than the mid rate is worth.
    """

    currency: str
    amount: int
    rounding: Rounding


class RequestQuote(Command, tag="RequestQuote"):
    """Ask for a rate that holds for a while. It can be used once.

    sell_amount, buy_amount: one of them, minor units.   debit, credit: accounts, where they are known.
    party: whose quote it is, where no account says so; the bank's own if nothing does.
    table: which table of rates; the only one if not given.
    expires_at_ms: book time, at most as late as the table allows; as late as that if not given.
    """

    quote: NewId
    sell: Currency
    buy: Currency
    sell_amount: Amount | None = None
    buy_amount: Amount | None = None
    party: Label = ""
    debit: Label = ""
    credit: Label = ""
    table: Label = ""
    expires_at_ms: Millis | None = None


class Exchange(Command, tag="Exchange"):
    """Exchange money between two accounts of one party, or two of the bank's own.

    quote: at that quote; at the table's rate now if not given.
    sell_amount, buy_amount: one of them, minor units; with a quote neither need be said.
    """

    debit: AccountId
    credit: AccountId
    sell_amount: Amount | None = None
    buy_amount: Amount | None = None
    quote: Label = ""
    table: Label = ""
    channel: Label = ""
    reference: Text = ""


class QuoteGiven(Event, tag="QuoteGiven"):
    """The rate holds until `expires_at_ms`.

    lines: what is sold, then what is bought.   rate: what the customer is given; mid: without the `margin`,
    which is a part of it.   worth: of it all at mid, minor units of the book's currency.
    documents: the table and its version.   positions: the accounts of what is sold and of what is bought.
    """

    quote: str
    party: str
    debit: str
    credit: str
    lines: tuple[Line, Line]
    base: str
    counter: str
    rate: str
    mid: str
    margin: str
    worth: int
    documents: tuple[str, ...]
    positions: tuple[str, str]
    expires_at_ms: int


class QuoteExpired(Event, tag="QuoteExpired"):
    """Nobody used the quote in time."""

    quote: str


class Exchanged(Event, tag="Exchanged"):
    """One currency was exchanged for another. quote: whose rate it was, or empty; the rest as in QuoteGiven.

    postings: the customer's and the position's in what is sold, the position's and the customer's in what is
    bought, then two for each fee.   positions: in currencies other than the book's, as they are afterwards.
    """

    quote: str
    debit: str
    credit: str
    lines: tuple[Line, Line]
    base: str
    counter: str
    rate: str
    mid: str
    margin: str
    worth: int
    documents: tuple[str, ...]
    booking_date: Date
    value_date: Date
    reference: str
    channel: str
    postings: tuple[Posting, ...]
    positions: tuple[PositionMoved, ...]
    fees: tuple[Fee, ...]
    uses: tuple[Use, ...]


COMMANDS = (RequestQuote, Exchange)
EVENTS = (QuoteGiven, QuoteExpired, Exchanged)
