"""`verify` over partitions that are read one after another: payments between them are compared too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from book.digest import book_digest, joint_digest
from gateway.relay import Relay
from replay.redecide import redecide, together
from replay.verify import Verified, verify_all
from schemas.crossbook import CompleteCrossBook, CrossBookReceived, ReceiveFromBook
from tests.crossbook_verify_test import Pair

APART = (("north",), ("south",))


def verified(pair: Pair, order: Sequence[int]) -> Verified:
    """The partitions read in this order."""
    logs = [(number, pair.site.partitions[number].log.reader()) for number in order]
    return verify_all(logs, several=True)


def settled(pair: Pair) -> Pair:
    for amount in (30, 31, 32):
        pair.send(amount)
    pair.site.run(Relay)
    return pair


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_whichever_is_read_first_what_is_right_is_found_right(order: Sequence[int]) -> None:
    pair = settled(Pair(*APART))
    pair.send(33)  # it is on its way
    found = verified(pair, order)
    assert found.problems == []
    assert found.digest == joint_digest({name: book_digest(pair.site.book(name)) for name in found.books})
    assert found.events == sum(len(one.events()) for one in pair.site.partitions)
    assert set(found.books) == {"north", "south"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_relay_that_brings_what_was_not_sent_is_found(order: Sequence[int]) -> None:
    pair = settled(Pair(*APART))
    sent = pair.send(40)
    fields = {
        "transfer": sent.transfer,
        "from_book": "north",
        "number": sent.number,
        "sent_seq": sent.seq,
        "account": "till",
        "currency": "EUR",
        "value_date": sent.value_date,
    }
    received = pair.lie(ReceiveFromBook, "south", **fields, amount=41)
    assert isinstance(received, CrossBookReceived)
    (problem,) = verified(pair, order).problems[:1]
    assert "was sent otherwise" in problem.what
    assert (problem.book, problem.seq, problem.partition) == ("south", received.seq, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_waits_for_an_answer_that_never_came_is_found_at_the_end(order: Sequence[int]) -> None:
    pair = settled(Pair(*APART))
    sent = pair.send(50)
    pair.lie(
        CompleteCrossBook, "north", transfer=sent.transfer, to_book="south", number=sent.number, answer_seq=9
    )
    found = verified(pair, order)
    assert [one.what for one in found.problems if "has not credited" in one.what] == [
        f"south has not credited payment {sent.number} at seq 9"
    ]


def test_redecide_over_partitions_gives_the_joint_digest() -> None:
    pair = settled(Pair(*APART))
    found = together([redecide(one.log.reader()) for one in pair.site.partitions])
    assert found.ok
    assert found.digest == verified(pair, (0, 1)).digest


def test_a_book_in_two_partitions_is_found() -> None:
    pair = Pair(*APART)
    log = pair.site.partitions[0].log
    found = verify_all([(0, log.reader()), (1, log.reader())], several=True)
    assert [one.what for one in found.problems] == ["the book is in two partitions"]
