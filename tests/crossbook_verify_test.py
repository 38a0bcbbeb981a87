"""`verify` reads both sides of payments between books, and finds a relay that brought what was not said."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gateway.relay import Relay
from replay.verify import verify
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.accounts import OpenAccount
from schemas.books import OpenBook
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CompleteCrossBook,
    CrossBookSent,
    ReceiveFromBook,
    ReleaseCrossBook,
    SendToBook,
)
from schemas.message import Command, Event
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from tests.crossbook_words import RELAYED
from tests.hosting import Site
from tests.story import ROOT, TODAY

BOOKS = ("north", "south")
numbers = itertools.count()


class Pair:
    """Two books that have agreed, with an internal account `till` in each. carried: by partition."""

    def __init__(self, *carried: tuple[str, ...]) -> None:
        self.site = Site(*(carried or (BOOKS,)))
        for book in BOOKS:
            self.tell(OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock="commanded")
            self.tell(OpenAccount, book, account="till", currency="EUR", kind="nostro")
            self.tell(OpenAccount, book, account="ib", currency="EUR", kind="inter_book")
            self.tell(RegisterSystem, book, system="relay", purpose="payments between books")
            permits = tuple(Permit(command=one.__name__) for one in RELAYED)
            self.tell(DefineRole, book, role="relays", permits=permits)
            self.tell(GrantRole, book, subject="relay", role="relays")
            (other,) = (one for one in BOOKS if one != book)
            body = {"book": other, "relay": "relay", "accounts": {"EUR": "ib"}}
            self.tell(PublishDocument, book, kind="counterpart", document=other, version=1, body=body)

    def tell(self, kind: type[Command], book: str, /, **fields: Any) -> Event:
        envelope: dict[str, Any] = {"actor": "root", "issued_at_ms": self.site.now}
        (answer,) = self.site.tell(kind(id=f"c{next(numbers)}", book=book, **{**envelope, **fields}))
        return answer

    def lie(self, kind: type[Command], book: str, /, **fields: Any) -> Event:
        """The relay says what is not so, and is believed."""
        answer = self.tell(kind, book, actor="relay", **fields)
        assert not isinstance(answer, CommandRejected), answer
        return answer

    def send(self, amount: int = 30) -> CrossBookSent:
        """`north` pays to `south`."""
        fields: dict[str, Any] = {"account": "till", "amount": amount, "currency": "EUR"}
        sent = self.tell(
            SendToBook, "north", transfer=f"x{amount}", to_book="south", to_account="till", **fields
        )
        assert isinstance(sent, CrossBookSent)
        return sent

    def receive(self, number: int, sent_seq: int, amount: int = 30, **fields: Any) -> Event:
        told = {"transfer": f"x{amount}", "account": "till", "currency": "EUR", "value_date": TODAY, **fields}
        return self.lie(
            ReceiveFromBook,
            "south",
            from_book="north",
            number=number,
            sent_seq=sent_seq,
            amount=amount,
            **told,
        )

    def problems(self) -> list[str]:
        found = verify(self.site.partitions[0].log.reader())
        return [problem.what for problem in found.problems]


def test_what_an_honest_relay_brings_is_well_at_every_moment() -> None:
    pair = Pair()
    pair.send(30)
    pair.send(31)
    host = pair.site.host(Relay())
    for _ in range(12):
        assert pair.problems() == []
        host.step()
        pair.site.partitions[0].step()
    assert not pair.site.book("north").crossings.on_the_way
    assert pair.problems() == []


def test_a_payment_that_was_not_sent_is_found_where_it_was_credited() -> None:
    pair = Pair()
    pair.receive(1, 99)
    credited, mirrored = pair.problems()
    assert credited == "north has not sent its payment 1, or has settled it"
    assert mirrored == (
        "payments between north and south leave -30 EUR on their inter-book accounts together, "
        "and 0 is credited and not yet paid"
    )


@pytest.mark.parametrize(
    "changed",
    [{"amount": 29, "transfer": "x30"}, {"transfer": "y"}, {"reference": "else"}, {"currency": "USD"}],
)
def test_a_payment_that_was_changed_on_the_way_is_found(changed: dict[str, Any]) -> None:
    pair = Pair()
    sent = pair.send()
    pair.receive(1, sent.seq, **changed)
    assert f"payment 1 of north was sent otherwise, at seq {sent.seq} there" in pair.problems()


def test_a_completion_without_a_credit_is_found() -> None:
    pair = Pair()
    pair.send()
    named: dict[str, Any] = {"transfer": "x30", "to_book": "south", "number": 1}
    pair.lie(CompleteCrossBook, "north", **named, answer_seq=9)
    assert pair.problems()[0] == "south has not credited payment 1 at seq 9"
    assert "leave 30 EUR" in pair.problems()[1]


def test_a_release_of_what_was_credited_is_found() -> None:
    pair = Pair()
    sent = pair.send()
    credited = pair.receive(1, sent.seq)
    named: dict[str, Any] = {"transfer": "x30", "to_book": "south", "number": 1}
    pair.lie(ReleaseCrossBook, "north", **named, answer_seq=credited.seq, reason="account_not_found")
    assert pair.problems() == [f"south has not refused payment 1 at seq {credited.seq}"]


def test_an_acknowledgement_before_the_settlement_is_found() -> None:
    pair = Pair()
    sent = pair.send()
    pair.receive(1, sent.seq)
    pair.lie(AcknowledgeCrossBook, "south", from_book="north", number=1, settled_seq=9)
    assert pair.problems() == ["north has not settled payment 1 at seq 9"]
