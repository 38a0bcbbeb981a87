"""The words in which foreign exchange is told: tables of rates, the bank's positions, quotes, exchanges."""

from __future__ import annotations

from typing import Any

from book.fx import Position
from schemas.exchange import Exchange, RequestQuote
from schemas.publishing import PublishDocument
from schemas.value_dates import PostBackValued
from tests.story import Said, Word, entries, internal, say, story

CURRENCIES = ("EUR", "USD", "JPY", "KWD")
BANK: Word = [
    *(internal(f"position-{one.lower()}", "fx_position", currency=one) for one in CURRENCIES),
    internal("fx-gains", "income"),
    internal("fx-losses", "expense"),
    internal("revaluation", "fx_position"),
]
"""The bank's accounts for foreign exchange."""
REVALUATION = {"income": "fx-gains", "expense": "fx-losses", "contra": "revaluation"}


def pair(
    name: str, mid: str, *, buy: str = "0", sell: str = "0", minimum: Any = None, segments: Any = None
) -> dict[str, Any]:
    """A pair such as EUR/USD, with the bank's margins for buying and selling its base."""
    base, quote = name.split("/")
    return {
        "base": base,
        "quote": quote,
        "mid": mid,
        "margin": {"buy": buy, "sell": sell},
        "minimum": minimum or {},
        "segments": segments or {},
    }


def table(*pairs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A table of rates that goes through EUR, with 4 places, whose quotes hold for a minute."""
    currencies = dict.fromkeys(one for each in pairs for one in (each["base"], each["quote"]))
    return {
        "as_of": "2024-05-15",
        "scale": 4,
        "quote_valid_s": 60,
        "through": "EUR" if "EUR" in currencies else None,
        "pairs": list(pairs),
        "positions": {one: f"position-{one.lower()}" for one in currencies},
        **fields,
    }


EURUSD = pair("EUR/USD", "1.0800", buy="0.01", sell="0.01")
EURJPY = pair("EUR/JPY", "168.00", buy="0.01", sell="0.02")
EURKWD = pair("EUR/KWD", "0.3325")
USUAL = table(EURUSD, EURJPY, EURKWD, revaluation=REVALUATION)


def rates(body: Any = None, version: int = 1, *, of: str = "retail", **fields: Any) -> Said:
    """A version of a table of rates."""
    return say(PublishDocument, kind="rates", document=of, version=version, body=body or USUAL, **fields)


def quote(quote_id: str, sell: str, buy: str, amount: int | None = None, **fields: Any) -> Said:
    """A quote for selling an amount, unless `buy_amount` says what is to be bought."""
    return say(RequestQuote, quote=quote_id, sell=sell, buy=buy, sell_amount=amount, **fields)


def exchange(debit: str, credit: str, amount: int | None = None, **fields: Any) -> Said:
    """Sell an amount of the debit account's currency, unless `buy_amount` or a quote says how much."""
    return say(Exchange, debit=debit, credit=credit, sell_amount=amount, **fields)


def back_valued(*legs: tuple[str, int], **fields: Any) -> Said:
    """A posting with a value date before the open period."""
    told = entries(*legs).fields["legs"]
    return say(PostBackValued, legs=told, reason="the transfer was lost", **fields)


def position(account_id: str) -> Position:
    return story().book.fx.positions[account_id]
