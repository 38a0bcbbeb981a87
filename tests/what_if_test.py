"""What-if: the same history under other documents, and exactly what would have been different."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from engine.log.records import BEFORE_FIRST
from replay.as_of import NotKnown
from replay.drafts import Drafted
from replay.effects import Earned, FeeLine
from replay.what_if import what_if
from replay.what_if_result import WhatIf
from schemas.approvals import ApprovalGiven, TermsChanged
from schemas.fields import LATEST_MS
from tests.approvals_words import approve, policy, staff
from tests.approvals_words import line as policy_line
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    MAIN,
    account,
    advance,
    balance,
    given,
    happened,
    later,
    refund,
    reversal,
    story,
    then,
    transfer,
    when,
)
from tests.terms_words import charged, fee, limit, limited, limits, product, tariff


def asked(
    *drafts: Drafted, from_ms: int | None = None, to_ms: int | None = None, examples: int = 10
) -> WhatIf:
    """What-if over the story's log, which it must leave as it is."""
    log = story().log
    before = [record.value for record in log.events(BEFORE_FIRST)]
    found = what_if(
        log.reader(), MAIN, drafts, BEGAN_MS if from_ms is None else from_ms, to_ms, examples=examples
    )
    assert [record.value for record in log.events(BEFORE_FIRST)] == before
    return found


def draft(kind: str, document: str, *lines: dict[str, Any], **body: Any) -> Drafted:
    fields = {"lines": list(lines), **body} if lines else body
    return Drafted(kind, document, fields)


def begins_now() -> int:
    """What is said from here on is later."""
    story().now += 1_000
    return story().now


def differs_in_nothing(found: WhatIf) -> None:
    assert (found.changed, found.not_comparable, found.would_wait, found.no_longer_wait) == (0, 0, 0, 0)
    assert not found.events
    assert not found.earned
    assert found.customers_differ == 0
    assert all(one.before == one.after for one in found.fees)
    assert all(one.before == one.after for one in found.refusals)


def test_the_document_in_force_changes_nothing() -> None:
    lines = fee("flat", flat=25)
    given(charged(lines), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when([transfer("a", "b", 100) for _ in range(12)], transfer("b", "a", 5))
    found = asked(draft("tariff", "prices", lines, packages=[]), from_ms=start)
    assert found.commands == 13
    differs_in_nothing(found)
    (line,) = found.fees
    assert (line.line, line.before, line.before_count) == ("prices/flat", 200, 8)  # 8 x (100 + 25) = 1,000


def test_a_fee_that_doubles_doubles_the_fees_and_what_it_leaves_no_room_for_is_refused() -> None:
    given(charged(fee("flat", flat=25)), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when([transfer("a", "b", 100, reference=f"t{number}") for number in range(7)])
    assert balance("a") == 125
    found = asked(draft("tariff", "prices", fee("flat", flat=50), packages=[]), from_ms=start)
    # 1,000 = 6 x (100 + 50) + 100: the seventh is refused.
    assert found.fees == [FeeLine("prices/flat", "EUR", 175, 300, 7, 6)]
    (refused,) = found.refusals
    assert (refused.reason, refused.before, refused.after) == ("insufficient_funds", 0, 1)
    assert (refused.newly, refused.no_longer) == (1, 0)
    assert found.earned == [Earned("fees", "EUR", 125)]
    assert found.changed == 7
    assert found.customers_differ == 2
    assert found.customers_difference == {"EUR": -125}
    assert found.largest[0].would_be == "refused: insufficient_funds"
    assert (found.largest[0].minor, found.largest[0].currency) == (100, "EUR")
    assert (found.first[0].was, found.first[0].fees) == ("done", {"EUR": 25})
    assert (found.first[0].would_be, found.first[0].would_be_fees) == ("done", {"EUR": 50})
    assert (found.first[0].minor, found.first[0].type) == (25, "Transfer")


def test_a_limit_refuses_and_a_wider_one_no_longer_does() -> None:
    given(limited(limit("each", 100, "transaction")), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when(transfer("a", "b", 80), transfer("a", "b", 120), transfer("a", "b", 60))
    narrower = asked(draft("limits", "retail", limit("each", 70, "transaction")), from_ms=start)
    assert [(one.reason, one.newly, one.no_longer) for one in narrower.refusals] == [("limit_exceeded", 1, 0)]
    wider = asked(draft("limits", "retail", limit("each", 200, "transaction")), from_ms=start)
    assert [(one.reason, one.before, one.after, one.no_longer) for one in wider.refusals] == [
        ("limit_exceeded", 1, 0, 1)
    ]
    assert wider.customers_difference == {"EUR": 0}
    assert wider.customers_differ == 2


def test_what_refers_to_something_that_is_not_there_is_not_comparable() -> None:
    given(limited(limit("each", 1_000, "transaction")), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when(
        transfer("a", "b", 500, reference="large"),
        transfer("a", "b", 50, reference="small"),
        reversal("large"),
        refund("small", 20),
    )
    found = asked(draft("limits", "retail", limit("each", 100, "transaction")), from_ms=start)
    assert found.not_comparable == 1
    assert found.changed == 1
    assert found.customers_difference == {}  # what was reversed and what never was come to the same
    assert [(one.type, one.before, one.after) for one in found.events] == [
        ("CommandRejected", 0, 1),
        ("TransferPosted", 2, 1),
        ("TransferReversed", 1, 0),
    ]


def test_what_would_wait_is_counted_and_taken_as_approved() -> None:
    given(staff(), account("a", 1_000), account("b"))
    start = begins_now()
    when(
        transfer("a", "b", 300, reference="first").by("mia"),
        transfer("a", "b", 20).by("mia"),
        transfer("b", "a", 10),
        reversal("first"),
    )
    rule = policy_line("Transfer", when={"amounts": {"EUR": 100}})
    found = asked(draft("approval_policy", "payments", rule), from_ms=start)
    assert (found.would_wait, found.no_longer_wait, found.not_comparable) == (1, 0, 0)
    assert found.changed == 1
    assert found.first[0].was == "done"
    assert found.first[0].would_be == "waits"
    assert not found.customers_difference  # the money goes where it went
    assert not found.refusals


def test_what_waited_and_no_longer_would_is_done_at_once() -> None:
    rule = policy_line("Transfer", when={"amounts": {"EUR": 100}})
    given(staff(), account("a", 1_000), account("b"), policy(rule))
    start = begins_now()
    when(transfer("a", "b", 300).by("mia"))
    when(approve("cora"), transfer("b", "a", 30))
    assert balance("a") == 730
    relaxed = policy_line("Transfer", when={"amounts": {"EUR": 500}})
    found = asked(draft("approval_policy", "payments", relaxed), from_ms=start)
    assert (found.would_wait, found.no_longer_wait) == (0, 1)
    assert found.not_comparable == 1  # the approval
    assert not found.customers_difference


def test_two_people_where_one_was_asked_are_taken_as_found() -> None:
    rule = policy_line("Transfer", when={"amounts": {"EUR": 100}})
    given(staff(), account("a", 1_000), account("b"), policy(rule))
    start = begins_now()
    when(transfer("a", "b", 300).by("mia"))
    when(approve("cora"), transfer("b", "a", 30))
    stricter = policy_line("Transfer", count=2, when={"amounts": {"EUR": 100}})
    found = asked(draft("approval_policy", "payments", stricter), from_ms=start)
    assert found.customers_difference == {}
    assert not found.refusals


def test_terms_that_differ_are_approved_as_they_are_then() -> None:
    rule = policy_line("Transfer", when={"amounts": {"EUR": 100}})
    given(
        staff(),
        charged(fee("flat", flat=10)),
        account("a", 1_000, product="giro"),
        account("b"),
        policy(rule),
    )
    start = begins_now()
    when(transfer("a", "b", 300).by("mia"))
    when(approve("cora"))
    assert balance("a") == 690
    found = asked(draft("tariff", "prices", fee("flat", flat=30), packages=[]), from_ms=start)
    assert found.fees == [FeeLine("prices/flat", "EUR", 10, 30, 1, 1)]
    assert not found.refusals


def test_what_had_to_be_approved_anew_as_recorded_is_not_taken_as_approved() -> None:
    """The fee had changed, so it waited again, and nobody said yes to that."""
    given(
        staff(),
        charged(fee("flat", flat=10)),
        account("a", 1_000, product="giro"),
        account("b"),
        policy(policy_line("Transfer")),
    )
    start = begins_now()
    when(transfer("a", "b", 300).by("mia"), tariff("prices", fee("flat", flat=20), version=2))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(TermsChanged))
    found = asked(from_ms=start)
    assert (found.commands, balance("a")) == (3, 1_000)
    differs_in_nothing(found)


def test_a_later_version_takes_the_draft_s_place() -> None:
    given(charged(fee("flat", flat=10)), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when(
        transfer("a", "b", 100),
        tariff("prices", fee("flat", flat=20), version=2),
        transfer("a", "b", 100),
    )
    found = asked(draft("tariff", "prices", fee("flat", flat=50), packages=[]), from_ms=start)
    assert found.fees == [FeeLine("prices/flat", "EUR", 30, 70, 2, 2)]
    assert not found.refusals


def test_a_draft_takes_effect_when_it_says() -> None:
    given(charged(fee("flat", flat=10)), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when(transfer("a", "b", 100), later(days=2), transfer("a", "b", 100))
    one = Drafted("tariff", "prices", {"lines": [fee("flat", flat=50)]}, start + DAY_MS)
    found = asked(one, from_ms=start)
    assert found.fees == [FeeLine("prices/flat", "EUR", 20, 60, 2, 2)]
    assert found.changed == 1


def test_a_new_product_with_its_tariff_is_one_draft_of_two_documents() -> None:
    given(charged(fee("flat", flat=10)), account("a", 1_000, product="giro"), account("b"))
    start = begins_now()
    when(transfer("a", "b", 100))
    found = asked(
        draft("tariff", "dear", fee("flat", flat=99)),
        draft("product", "giro", name="Giro", tariff="dear"),
        from_ms=start,
    )
    assert found.fees == [
        FeeLine("dear/flat", "EUR", 0, 99, 0, 1),
        FeeLine("prices/flat", "EUR", 10, 0, 1, 0),
    ]


def test_a_draft_that_the_book_would_not_take_says_why() -> None:
    given(account("a", 1_000), account("b"))
    start = begins_now()
    when(transfer("a", "b", 100))
    found = asked(draft("product", "giro", name="Giro", tariff="nowhere"), from_ms=start)
    (refused,) = found.refused
    assert refused.rejection.reason == "document_invalid"
    assert "tariff" in str(refused.rejection.figures["detail"])
    assert found.commands == 0


def test_only_the_time_that_is_asked_for_is_decided() -> None:
    given(charged(fee("flat", flat=10)), account("a", 1_000, product="giro"), account("b"))
    when(transfer("a", "b", 100))
    start = begins_now()
    when(transfer("a", "b", 100))
    end = begins_now()
    when(later(days=1), transfer("a", "b", 100))
    one = draft("tariff", "prices", fee("flat", flat=50), packages=[])
    assert asked(one, from_ms=start, to_ms=end).fees == [FeeLine("prices/flat", "EUR", 10, 50, 1, 1)]
    assert asked(one, from_ms=start).fees == [FeeLine("prices/flat", "EUR", 20, 100, 2, 2)]
    assert asked(one, from_ms=LATEST_MS).commands == 0
    with pytest.raises(NotKnown):
        asked(one, from_ms=1)


def test_examples_are_the_first_and_the_largest() -> None:
    given(limited(limit("each", 10_000, "transaction")), account("a", 90_000, product="giro"), account("b"))
    start = begins_now()
    when([transfer("a", "b", 1_000 + number) for number in random.Random(7).sample(range(30), 30)])
    found = asked(draft("limits", "retail", limit("each", 100, "transaction")), from_ms=start, examples=3)
    assert [one.minor for one in found.largest] == [1_029, 1_028, 1_027]
    assert len(found.first) == 3
    assert found.changed == 30
    assert [one.command for one in found.first] == sorted(
        (one.command for one in found.first), key=lambda name: int(name[1:])
    )


AMOUNTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 400), st.integers(0, 40)), min_size=1, max_size=25
)


@settings(max_examples=15, deadline=None)
@hypothesis_given(payments=AMOUNTS, most=st.integers(50, 400), flat=st.integers(1, 30))
def test_any_history_is_unchanged_under_its_own_documents_and_obeys_others(
    payments: list[tuple[str, int, int]], most: int, flat: int
) -> None:
    own = (fee("flat", flat=flat), limit("each", 300, "transaction"))
    given(
        charged(own[0]),
        limits("retail", own[1]),
        product("giro", version=2, tariff="prices", limits=["retail"]),
        account("a", 1_500, product="giro"),
        account("b", 700, product="giro"),
    )
    start = begins_now()
    for payer, amount, hours in payments:
        when(later(ms=hours * 3_600_000), transfer(payer, "b" if payer == "a" else "a", amount))
    when(advance(story().now + 3 * DAY_MS))
    differs_in_nothing(
        asked(
            draft("tariff", "prices", own[0], packages=[]), draft("limits", "retail", own[1]), from_ms=start
        )
    )
    # A naive twin of the other history: two balances, one limit, one fee.
    balances, refused, fees = {"a": 1_500, "b": 700}, 0, 0
    for payer, amount, _ in payments:
        if amount > most or amount + flat > balances[payer]:
            refused += 1
            continue
        balances[payer] -= amount + flat
        balances["b" if payer == "a" else "a"] += amount
        fees += flat
    found = asked(draft("limits", "retail", limit("each", most, "transaction")), from_ms=start)
    assert sum(one.after for one in found.refusals) == refused
    assert sum(one.after for one in found.fees) == fees
    transfers = sum(type(one).__name__ == "TransferPosted" for one in story().events() if one.at >= start)
    changed = {one.type: (one.before, one.after) for one in found.events}
    if "TransferPosted" in changed:
        assert changed["TransferPosted"] == (transfers, len(payments) - refused)
    else:
        assert transfers == len(payments) - refused
