"""The words of payments between books, seen from one book: `main`, whose counterpart is `other`."""

from __future__ import annotations

from typing import Any

from book.crossings import Other
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CompleteCrossBook,
    ReceiveFromBook,
    ReleaseCrossBook,
    SendToBook,
)
from schemas.publishing import PublishDocument
from tests.story import TODAY, Said, Word, internal, role, say, story, system

RELAYED = (ReceiveFromBook, CompleteCrossBook, ReleaseCrossBook, AcknowledgeCrossBook)


def agreement(version: int = 1, *, book: str = "other", relay: str = "relay", **accounts: str) -> Said:
    """A version of what is agreed with the other book: EUR over the account `ib` unless told otherwise."""
    return say(
        PublishDocument,
        kind="counterpart",
        document=book,
        version=version,
        body={"book": book, "relay": relay, "accounts": accounts or {"EUR": "ib"}},
    )


def relay(system_id: str = "relay") -> Word:
    """The system that brings what other books have recorded."""
    return [role("relays", *RELAYED), system(system_id, roles=["relays"])]


def agreed() -> Word:
    """A relay, the inter-book account `ib`, and an agreement with `other` in EUR."""
    return [relay(), internal("ib", "inter_book"), agreement()]


def send(transfer: str, account: str, amount: int, **fields: Any) -> Said:
    told = {"currency": "EUR", "to_book": "other", "to_account": "olga", **fields}
    return say(SendToBook, transfer=transfer, account=account, amount=amount, **told)


def receive(number: int, account: str, amount: int, **fields: Any) -> Said:
    """`other` has sent its payment of this number."""
    told = {
        "transfer": f"o{number}",
        "from_book": "other",
        "sent_seq": 100 + number,
        "currency": "EUR",
        "value_date": TODAY,
        **fields,
    }
    return say(ReceiveFromBook, number=number, account=account, amount=amount, **told).by("relay")


def complete(transfer: str, number: int = 1, **fields: Any) -> Said:
    """`other` has credited our payment of this number."""
    told = {"to_book": "other", "answer_seq": 200 + number, **fields}
    return say(CompleteCrossBook, transfer=transfer, number=number, **told).by("relay")


def release(transfer: str, number: int = 1, **fields: Any) -> Said:
    """`other` has refused our payment of this number."""
    told = {
        "to_book": "other",
        "answer_seq": 200 + number,
        "reason": "account_not_found",
        "figures": {"account": "olga"},
        **fields,
    }
    return say(ReleaseCrossBook, transfer=transfer, number=number, **told).by("relay")


def acknowledge(number: int, **fields: Any) -> Said:
    """`other` has settled its payment of this number."""
    return say(AcknowledgeCrossBook, **{"from_book": "other", "number": number, **fields}).by("relay")


def the_other(book: str = "other") -> Other:
    """What is remembered of the other book."""
    return story().book.crossings.others[book]
