"""Payments between books, seen from one of them: what is sent, received, refused, settled and forgotten."""

from __future__ import annotations

import datetime

import pytest

from schemas.approvals import ApprovalGiven, ApprovalRequested, TermsChanged
from schemas.books import ClosePeriod
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
    SendToBook,
)
from schemas.fees import FeeWaived
from schemas.fields import INT64_MAX
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.reserves import Reserve
from schemas.transfers import TransferPosted
from tests.approvals_words import approve, line, policy, staff
from tests.crossbook_words import (
    acknowledge,
    agreed,
    agreement,
    complete,
    receive,
    relay,
    release,
    send,
    the_other,
)
from tests.risk_words import barred_channel
from tests.story import (
    TODAY,
    Said,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    given,
    grant,
    happened,
    internal,
    later,
    party_becomes,
    rejected,
    role,
    say,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import charged, fee, limit, limited, limits, product, tariff, waived

YESTERDAY = TODAY - datetime.timedelta(1)


# --- the source ---------------------------------------------------------------------------------------


def test_what_is_sent_is_reserved_and_not_yet_paid() -> None:
    given(account("alice", 100), agreed())
    when(send("x1", "alice", 80, reference="rent"))
    then(
        happened(
            CrossBookSent,
            transfer="x1",
            number=1,
            account="alice",
            amount=80,
            to_book="other",
            to_account="olga",
            inter_book="ib",
            value_date=TODAY,
            reference="rent",
            fees=(),
            reserves=(Reserve("alice", 80, 80), Reserve("ib", 80, 80)),
        )
    )
    assert (balance("alice"), the_account("alice").held, balance("ib")) == (100, 80, 0)
    when(transfer("alice", "nostro", 21))
    then(rejected("insufficient_funds", available=20, needed=21))


def test_what_was_credited_there_is_paid_here() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(complete("x1"))
    then(
        happened(
            CrossBookCompleted,
            transfer="x1",
            number=1,
            answer_seq=201,
            amount=80,
            postings=(Posting("alice", -80, "EUR", 20), Posting("ib", 80, "EUR", 80)),
            reserves=(Reserve("alice", -80, 0), Reserve("ib", -80, 0)),
        )
    )
    assert (balance("alice"), the_account("alice").held, balance("ib")) == (20, 0, 80)


def test_what_was_refused_there_is_free_again_here() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(release("x1"))
    then(
        happened(
            CrossBookReleased,
            transfer="x1",
            reason="account_not_found",
            figures={"account": "olga"},
            reserves=(Reserve("alice", -80, 0), Reserve("ib", -80, 0)),
        )
    )
    assert (balance("alice"), the_account("alice").held, balance("ib")) == (100, 0, 0)


def test_payments_are_counted_for_each_book() -> None:
    given(account("alice", 100), agreed(), internal("ib3", "inter_book"), agreement(book="third", EUR="ib3"))
    when(send("x1", "alice", 1), send("x2", "alice", 1), send("x3", "alice", 1, to_book="third"))
    then(happened(CrossBookSent, transfer="x3", number=1, inter_book="ib3"))
    when(send("x4", "alice", 1))
    then(happened(CrossBookSent, transfer="x4", number=3))


def test_answers_come_in_any_order() -> None:
    given(account("alice", 100), agreed(), *(send(f"x{one}", "alice", one) for one in (1, 2, 3)))
    when(release("x3", 3), complete("x1", 1), complete("x2", 2))
    then(happened(CrossBookCompleted, transfer="x2"))
    assert (balance("alice"), the_account("alice").held, balance("ib")) == (97, 0, 3)


def test_a_reservation_never_expires() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    for _ in range(10):
        when(later(days=300), advance(story().now + 300 * 86_400_000))
    assert the_account("alice").held == 80
    when(complete("x1"))
    then(happened(CrossBookCompleted, transfer="x1"))


def test_the_name_of_a_payment_is_free_again_when_it_is_settled() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(send("x1", "alice", 1))
    then(rejected("crossing_exists", transfer="x1"))
    when(release("x1"), send("x1", "alice", 1))
    then(happened(CrossBookSent, transfer="x1", number=2))
    when(complete("x1", 1))
    then(rejected("crossing_settled", number=1))


def test_what_is_on_its_way_is_paid_whatever_became_of_the_account() -> None:
    """Money that the other book has credited cannot be kept back here."""
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(closed("alice"))
    then(rejected("account_not_empty", booked=100, held=80))
    when(block("alice", "b1"), block("ib", "b2"), party_becomes("p-alice", "blocked"), complete("x1"))
    then(happened(CrossBookCompleted, transfer="x1"))


def test_an_inter_book_account_stays_open_while_something_is_on_its_way_to_it() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(closed("ib"))
    then(rejected("account_not_empty", booked=0, held=80))
    when(release("x1"), closed("ib"))
    assert not the_account("ib").is_open


def test_a_payment_goes_to_the_account_that_was_agreed_when_it_was_sent() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80), internal("ib2", "inter_book"))
    when(agreement(2, EUR="ib2"), complete("x1"), send("x2", "alice", 5))
    then(happened(CrossBookSent, inter_book="ib2"))
    assert balance("ib") == 80


def test_what_was_agreed_in_no_currency_is_still_settled() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80))
    when(agreement(2, USD="ib"))
    then(rejected("document_invalid"))
    when(say_no_accounts(2), send("x2", "alice", 5))
    then(rejected("counterpart_not_found", counterpart="other", currency="EUR"))
    when(complete("x1"))
    then(happened(CrossBookCompleted, transfer="x1"))


def say_no_accounts(version: int) -> Said:
    said = agreement(version)
    return Said(said.kind, {**said.fields, "body": {"book": "other", "relay": "relay", "accounts": {}}})


def test_the_value_date_is_that_of_sending_where_it_is_still_open() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 30), send("x2", "alice", 30))
    when(later(days=3), complete("x1"))
    then(happened(CrossBookCompleted, booking_date=TODAY + datetime.timedelta(3), value_date=TODAY))
    when(say(ClosePeriod, through=TODAY), complete("x2", 2))
    then(happened(CrossBookCompleted, value_date=TODAY + datetime.timedelta(1)))


# --- the destination ----------------------------------------------------------------------------------


def test_what_comes_is_credited() -> None:
    given(account("alice", 100), agreed())
    when(receive(1, "alice", 30, reference="rent"))
    then(
        happened(
            CrossBookReceived,
            transfer="o1",
            from_book="other",
            number=1,
            sent_seq=101,
            value_date=TODAY,
            reference="rent",
            postings=(Posting("ib", -30, "EUR", -30), Posting("alice", 30, "EUR", 130)),
        )
    )


def test_value_dates_are_the_nearest_that_are_open_here() -> None:
    given(account("alice"), agreed())
    when(receive(1, "alice", 1, value_date=YESTERDAY))
    then(happened(CrossBookReceived, sent_date=YESTERDAY, value_date=YESTERDAY))
    tomorrow = TODAY + datetime.timedelta(1)
    when(receive(2, "alice", 1, value_date=tomorrow))
    then(happened(CrossBookReceived, sent_date=tomorrow, value_date=TODAY))
    when(receive(3, "alice", 1, value_date=datetime.date(2023, 1, 1)))
    then(happened(CrossBookReceived, value_date=TODAY.replace(day=1)))


@pytest.mark.parametrize(
    ("reason", "received"),
    [
        ("counterpart_not_found", receive(1, "alice", 5, currency="USD")),
        ("account_not_found", receive(1, "nobody", 5)),
        ("account_not_open", receive(1, "shut", 5)),
        ("currency_mismatch", receive(1, "usd", 5)),
        ("account_kind_mismatch", receive(1, "ib", 5)),
        ("account_blocked", receive(1, "barred", 5)),
        ("overflow", receive(1, "full", INT64_MAX)),
    ],
)
def test_a_refusal_is_recorded_with_its_figures(reason: Reason, received: Said) -> None:
    given(
        account("alice"),
        account("shut"),
        closed("shut"),
        account("usd", currency="USD"),
        account("barred"),
        block("barred", "b1", "credits"),
        account("full", 1),
        agreed(),
    )
    when(received)
    (event,) = then(happened(CrossBookRefused, reason=reason, number=1, from_book="other"))
    assert isinstance(event, CrossBookRefused)
    assert event.figures
    assert the_other().answered[1].refused == reason
    when(later(ms=5), acknowledge(1, settled_seq=9))
    then(happened(CrossBookAcknowledged, number=1, settled_seq=9, settled_through=1))


def test_an_account_of_a_blocked_party_still_receives() -> None:
    given(account("alice"), party_becomes("p-alice", "blocked"), agreed())
    when(receive(1, "alice", 5))
    then(happened(CrossBookReceived, number=1))


def test_what_was_answered_is_never_answered_otherwise() -> None:
    given(account("alice"), agreed(), receive(1, "alice", 30))
    when(receive(1, "alice", 30))
    then(rejected("crossing_answered", number=1, answer="received"))
    for changed in (
        receive(1, "alice", 31),
        receive(1, "alice", 30, transfer="y"),
        receive(1, "alice", 30, sent_seq=7),
        receive(1, "bob", 30),
        receive(1, "alice", 30, currency="USD"),
        receive(1, "alice", 30, value_date=YESTERDAY),
        receive(1, "alice", 30, reference="else"),
    ):
        when(changed)
        then(rejected("crossing_differs", counterpart="other", number=1))
    assert balance("alice") == 30
    when(receive(2, "nobody", 30), account("nobody"), receive(2, "nobody", 30))
    then(rejected("crossing_answered", answer="account_not_found"))
    assert balance("nobody") == 0


def test_what_is_settled_is_forgotten_and_still_never_done_again() -> None:
    given(account("alice"), agreed(), *(receive(one, "alice", 10) for one in (1, 2, 3, 5)))
    when(acknowledge(2))
    then(happened(CrossBookAcknowledged, settled_through=0))
    when(acknowledge(5), acknowledge(1))
    then(happened(CrossBookAcknowledged, settled_through=2))
    assert (list(the_other().answered), the_other().settled_beyond) == ([3], [5])
    for number in (1, 2, 5):
        when(receive(number, "alice", 10))
        then(rejected("crossing_settled", number=number))
    when(receive(4, "alice", 10), acknowledge(4), acknowledge(3))
    then(happened(CrossBookAcknowledged, settled_through=5))
    assert (the_other().answered, the_other().settled_beyond) == ({}, [])
    assert balance("alice") == 50


# --- fees and limits ----------------------------------------------------------------------------------


def giro(account_id: str, balance: int = 0) -> Word:
    return account(account_id, balance, product="giro")


def test_fees_are_reserved_with_the_payment_and_charged_when_it_arrives() -> None:
    """100.00 at 1.5 % and 0.20: 1.70 on top."""
    given(charged(fee("part", rate="0.015"), fee("each", flat=20)), giro("alice", 101_70), agreed())
    when(send("x1", "alice", 100_00))
    then(
        happened(CrossBookSent, reserves=(Reserve("alice", 101_70, 101_70), Reserve("ib", 100_00, 100_00))),
    )
    when(transfer("alice", "nostro", 1))
    then(rejected("insufficient_funds", available=0))
    when(complete("x1"))
    then(
        happened(
            CrossBookCompleted,
            postings=(
                Posting("alice", -100_00, "EUR", 1_70),
                Posting("ib", 100_00, "EUR", 100_00),
                Posting("alice", -1_50, "EUR", 20),
                Posting("fees", 1_50, "EUR", 1_50),
                Posting("alice", -20, "EUR", 0),
                Posting("fees", 20, "EUR", 1_70),
            ),
        )
    )
    assert the_account("alice").held == 0


def test_a_refused_payment_costs_nothing() -> None:
    given(charged(fee("each", flat=20)), giro("alice", 100), agreed(), send("x1", "alice", 80))
    when(send("x2", "alice", 1))
    then(rejected("insufficient_funds", available=0, needed=21))
    when(release("x1"))
    then(happened(CrossBookReleased, reserves=(Reserve("alice", -100, 0), Reserve("ib", -80, 0))))
    assert (balance("alice"), balance("fees")) == (100, 0)


def test_a_fee_whose_account_was_closed_meanwhile_is_not_charged() -> None:
    given(charged(fee("each", flat=20)), giro("alice", 100), agreed(), send("x1", "alice", 80))
    when(closed("fees"), complete("x1"))
    then(
        happened(
            CrossBookCompleted,
            fees=(),
            postings=(Posting("alice", -80, "EUR", 20), Posting("ib", 80, "EUR", 80)),
            reserves=(Reserve("alice", -100, 0), Reserve("ib", -80, 0)),
        )
    )


def test_a_fee_can_be_waived_when_it_is_charged_and_not_before() -> None:
    given(charged(fee("each", flat=20)), giro("alice", 100), agreed(), send("x1", "alice", 80))
    sent = story().last[0].seq
    when(waived(sent, "alice", "each"))
    then(rejected("fee_not_found", charged=sent))
    when(complete("x1"))
    completed = story().last[0].seq
    when(waived(completed, "alice", "each"))
    then(happened(FeeWaived, charged=completed))
    assert (balance("alice"), balance("fees")) == (20, 0)
    when(waived(completed, "alice", "each"))
    then(rejected("fee_not_found"))


def test_a_limit_counts_what_is_on_its_way_and_gives_back_what_was_refused() -> None:
    given(limited(limit("daily", 100)), giro("alice", 1_000), agreed())
    when(send("x1", "alice", 60), send("x2", "alice", 41))
    then(rejected("limit_exceeded", reserved=60, left=40))
    when(release("x1"), send("x2", "alice", 41))
    then(happened(CrossBookSent, number=2))
    when(complete("x2", 2), transfer("alice", "nostro", 60))
    then(rejected("limit_exceeded", used=41, left=59))
    when(transfer("alice", "nostro", 59))
    then(happened(TransferPosted, amount=59))


def test_what_comes_is_charged_from_what_comes() -> None:
    given(charged(fee("each", flat=20, only={"movements": ["payment_in"]})), giro("alice"), agreed())
    when(receive(1, "alice", 19))
    then(happened(CrossBookRefused, reason="insufficient_funds"))
    when(receive(2, "alice", 50))
    then(happened(CrossBookReceived, number=2))
    assert (balance("alice"), balance("fees"), balance("ib")) == (30, 20, -50)


# --- approvals --------------------------------------------------------------------------------------


def test_a_payment_that_waits_for_approval_holds_its_funds_and_is_sent_with_the_last_yes() -> None:
    given(
        staff(),
        role("senders", SendToBook),
        grant("mia", "senders"),
        charged(fee("each", flat=20)),
        giro("alice", 100),
        agreed(),
        policy(line("SendToBook")),
    )
    when(send("x1", "alice", 80).by("mia"))
    then(happened(ApprovalRequested, reserves=(Reserve("alice", 100, 100),)))
    when(approve("cora"))
    then(
        happened(ApprovalGiven, reserves=(Reserve("alice", -100, 0),)),
        happened(CrossBookSent, number=1, reserves=(Reserve("alice", 100, 100), Reserve("ib", 80, 80))),
    )
    when(complete("x1"))
    then(happened(CrossBookCompleted, number=1))


def test_a_fee_that_changes_while_a_payment_waits_is_approved_anew() -> None:
    given(
        staff(),
        role("senders", SendToBook),
        grant("mia", "senders"),
        charged(fee("each", flat=20)),
        giro("alice", 500),
        agreed(),
        policy(line("SendToBook")),
        send("x1", "alice", 80).by("mia"),
    )
    when(tariff("prices", fee("each", flat=30), version=2), approve("cora"))
    then(happened(ApprovalGiven), happened(TermsChanged))
    assert the_account("alice").held == 110


# --- what is agreed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (agreement(2, book="main", EUR="ib3"), "book: a book makes no payments"),
        (agreement(2, relay="nobody"), "relay: there is no system nobody"),
        (agreement(2, relay="root"), "relay: there is no system root"),
        (agreement(2, XYZ="ib"), "accounts.XYZ: there is no currency XYZ"),
        (agreement(2, EUR="nowhere"), "accounts.EUR: there is no open inter-book account nowhere"),
        (agreement(2, EUR="nostro"), "accounts.EUR: there is no open inter-book account nostro"),
        (agreement(2, EUR="shut"), "accounts.EUR: there is no open inter-book account shut"),
        (agreement(2, USD="ib"), "accounts.USD: ib is kept in EUR"),
        (agreement(2, EUR="ib", USD="ib"), "accounts.USD: ib stands here for another currency too"),
        (agreement(2, book="third", EUR="ib"), "accounts.EUR: ib is the account for the book other"),
    ],
)
def test_an_agreement_is_checked_before_it_is_stored(said: Said, detail: str) -> None:
    given(agreed(), internal("ib3", "inter_book"), internal("shut", "inter_book"), closed("shut"))
    when(said)
    (event,) = then(rejected("document_invalid", problems=1))
    assert detail in str(event.figures["detail"])  # type: ignore[attr-defined]


def test_an_account_is_taken_from_when_an_agreement_is_to_name_it() -> None:
    soon = agreement(2, EUR="ib2")
    soon = Said(soon.kind, {**soon.fields, "effective_from_ms": 1_800_000_000_000})
    given(agreed(), internal("ib2", "inter_book"), soon)
    when(agreement(1, book="third", EUR="ib2"))
    then(rejected("document_invalid"))


def test_nobody_but_the_relay_brings_what_the_other_book_says() -> None:
    given(account("alice", 100), agreed(), send("x1", "alice", 80), relay("relay2"))
    for said in (receive(1, "alice", 5), complete("x1"), release("x1"), acknowledge(1)):
        for actor in ("root", "relay2"):
            when(said.by(actor))
            then(rejected("not_the_relay", actor=actor, counterpart="other"))
    assert the_account("alice").held == 80


# --- rejections, in the order in which they are checked -------------------------------------------------

REJECTIONS: list[tuple[Reason, Said]] = [
    ("crossing_exists", send("x1", "nobody", 999, to_book="nowhere")),
    ("counterpart_not_found", send("x2", "nobody", 999, to_book="nowhere")),
    ("account_not_found", send("x2", "nobody", 999)),
    ("account_not_open", send("x2", "shut", 999)),
    ("currency_mismatch", send("x2", "usd", 999)),
    ("account_kind_mismatch", send("x2", "ib", 999)),
    ("party_not_active", send("x2", "idle", 999)),
    ("account_blocked", send("x2", "barred", 999, value_date=TODAY + datetime.timedelta(1))),
    ("value_date_in_future", send("x2", "alice", 999, value_date=TODAY + datetime.timedelta(1))),
    ("period_not_open", send("x2", "alice", 999, value_date=datetime.date(2024, 4, 30))),
    ("movement_not_allowed", send("x2", "tied", 999)),
    ("limit_exceeded", send("x2", "tight", 999)),
    ("insufficient_funds", send("x2", "alice", 999, channel="barred")),
    ("overflow", send("x2", "deep", 1, channel="barred")),
    ("declined", send("x2", "alice", 1, channel="barred")),
    ("counterpart_not_found", receive(1, "alice", 5, from_book="nowhere")),
    ("not_the_relay", receive(1, "alice", 5).by("root")),
    ("crossing_settled", receive(1, "alice", 5)),
    ("crossing_differs", receive(2, "alice", 5)),
    ("crossing_answered", receive(2, "alice", 10)),
    ("counterpart_not_found", complete("x9", 9, to_book="nowhere")),
    ("not_the_relay", complete("x9", 9).by("root")),
    ("crossing_not_found", complete("x9", 9)),
    ("crossing_settled", complete("x0", 1)),
    ("crossing_differs", complete("x9", 2)),
    ("overflow", complete("x3", 3)),
    ("counterpart_not_found", release("x9", 9, to_book="nowhere")),
    ("not_the_relay", release("x9", 9).by("root")),
    ("crossing_not_found", release("x9", 9)),
    ("crossing_settled", release("x0", 1)),
    ("crossing_differs", release("x9", 2)),
    ("counterpart_not_found", acknowledge(1, from_book="nowhere")),
    ("not_the_relay", acknowledge(1).by("root")),
    ("crossing_settled", acknowledge(1)),
    ("crossing_not_found", acknowledge(3)),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_rejections(reason: Reason, said: Said) -> None:
    given(
        account("alice", 100),
        account("shut"),
        closed("shut"),
        account("usd", 100, currency="USD"),
        account("idle", 100),
        party_becomes("p-idle", "blocked"),
        account("barred", 100),
        block("barred", "b1", "debits"),
        product("tied", pays=[], receives=[]),
        account("tied", product="tied"),
        limits("tight", limit("each", 50, "transaction")),
        product("tight", limits=["tight"]),
        account("tight", 100, product="tight"),
        agreed(),
        send("x0", "alice", 1),
        complete("x0", 1),
        send("x1", "alice", 5),
        internal("ib2", "inter_book"),
        agreement(2, EUR="ib2"),
        barred_channel(),
        send("x3", "alice", 5),
        internal("deep"),
        transfer("deep", "ib2", INT64_MAX),
        agreement(3),
        receive(1, "alice", 10),
        acknowledge(1),
        receive(2, "alice", 10),
    )
    when(said)
    then(rejected(reason))
