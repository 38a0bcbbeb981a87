"""External payments, out: reserved from the first moment, sent once, whatever stands in their way first."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from schemas.accounts import LiftBlock
from schemas.expected import ExpectedEntry
from schemas.fields import INT64_MAX
from schemas.payments import (
    PartyScreened,
    PaymentCancelled,
    PaymentDispatched,
    PaymentScreened,
    PaymentSubmitted,
    PaymentWaiting,
    RecallRequested,
)
from schemas.publishing import PublishDocument
from schemas.rejections import Reason
from schemas.reserves import Reserve
from schemas.stops import PaymentsStopped
from tests.payment_words import (
    HOUR_MS,
    PAYEE,
    SEPA,
    cancel,
    pay,
    rail,
    rails,
    recall,
    report,
    resume,
    screened,
    stop,
    the_payment,
)
from tests.risk_words import barred_channel
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    TODAY,
    Said,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    given,
    happened,
    internal,
    later,
    party,
    party_becomes,
    rejected,
    say,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.story import book as a_book
from tests.terms_words import fee, limit, limits, product, tariff

MIDNIGHT_MS = BEGAN_MS + 14 * HOUR_MS
TOMORROW = TODAY + datetime.timedelta(days=1)
YESTERDAY = TODAY - datetime.timedelta(days=1)
TICK = transfer("nostro", "ticker", 1)
"""Something that lets time go by."""
SWISS = {
    **SEPA["currencies"][0],
    "currency": "CHF",
    "nostro": "chf-1",
    "in_transit": "chf-2",
    "suspense": "chf-3",
}


def alice(balance: int = 100, **rail_changes: Any) -> Word:
    return [account("alice", balance), account("ticker"), rails(**rail_changes)]


def with_terms() -> Word:
    """Alice's product has a fee of 5 and a limit of 100 a day."""
    return [
        internal("fees", "income"),
        limits("tight", limit("daily", 100)),
        tariff("prices", fee("sepa", flat=5, only={"movements": ["payment_out"]})),
        product("giro", limits=["tight"], tariff="prices"),
        account("alice", 1_000, product="giro"),
        account("ticker"),
        rails(),
    ]


def usage() -> tuple[int, int]:
    """What is used of alice's limit, and how much of it is not final yet."""
    (one,) = (the_account("alice").usage or {}).values()
    return one.total, one.reserved


# --- sent at once -----------------------------------------------------------------------------------------


def test_a_payment_that_nothing_stands_in_the_way_of_is_sent_at_once() -> None:
    given(alice())
    when(pay("p1", 60, end_to_end="invoice 7"))
    _, sent = then(
        happened(PaymentSubmitted, payment="p1", amount=60, reserves=(), end_to_end="invoice 7"),
        happened(PaymentDispatched, payment="p1", payee=PAYEE, answer_by_ms=story().now + HOUR_MS),
    )
    assert isinstance(sent, PaymentDispatched)
    assert sent.expected == (ExpectedEntry("p1", "nostro", 60, "EUR", TODAY, "invoice 7", "expected"),)
    assert (balance("alice"), balance("sepa-transit"), the_account("alice").held) == (40, 60, 0)


def test_an_end_to_end_id_that_was_not_given_is_the_payments() -> None:
    given(alice())
    when(pay("p1", 60))
    then(happened(PaymentSubmitted, end_to_end="p1"), happened(PaymentDispatched, end_to_end="p1"))


def test_the_fee_is_on_top_and_goes_to_income_with_the_dispatch() -> None:
    given(with_terms())
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    assert (balance("alice"), balance("sepa-transit"), balance("fees")) == (935, 60, 5)
    assert usage() == (60, 0)


def test_the_fee_has_to_be_there_too() -> None:
    given(with_terms())
    when(transfer("alice", "ticker", 90), transfer("alice", "ticker", 1))
    when(account("poor", 64, product="giro"), pay("p1", 60, "poor"))
    then(rejected("insufficient_funds", available=64, needed=65))


# --- waiting ----------------------------------------------------------------------------------------------


def test_what_waits_reserves_its_amount_its_fee_and_its_limit() -> None:
    given(with_terms())
    when(pay("p1", 60, execution_date=TOMORROW))
    then(
        happened(PaymentSubmitted, reserves=(Reserve("alice", 65, 65),)),
        happened(PaymentWaiting, reason="execution_date", by=str(TOMORROW), due_ms=MIDNIGHT_MS),
    )
    assert usage() == (60, 60)
    when(pay("p2", 41))
    then(rejected("limit_exceeded"))
    when(later(days=1), TICK)
    assert (balance("alice"), the_account("alice").held, balance("fees")) == (935, 0, 5)
    assert the_payment("p1").status == "dispatched"
    assert (usage(), the_payment("p1").told_at_ms) == ((60, 0), MIDNIGHT_MS)


def test_what_is_cancelled_is_free_again() -> None:
    given(with_terms(), pay("p1", 60, execution_date=TOMORROW))
    when(cancel("p1"))
    then(happened(PaymentCancelled, payment="p1", reserves=(Reserve("alice", -65, 0),)))
    assert usage() == (0, 0)
    when(pay("p2", 100))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    when(later(days=2), TICK)
    assert the_payment("p1").status == "cancelled"


def test_two_payments_never_both_go_where_there_is_money_for_one() -> None:
    given(alice())
    when(pay("p1", 60, execution_date=TOMORROW), pay("p2", 41))
    then(rejected("insufficient_funds", available=40, needed=41))
    when(transfer("alice", "ticker", 41))
    then(rejected("insufficient_funds", available=40, needed=41))


def test_after_the_cut_off_a_payment_goes_at_midnight() -> None:
    given(alice(cut_off="10:00"))
    when(pay("p1", 60))
    then(
        happened(PaymentSubmitted), happened(PaymentWaiting, reason="cut_off", by="sepa", due_ms=MIDNIGHT_MS)
    )
    when(later(days=1), TICK)
    assert (the_payment("p1").status, the_payment("p1").told_at_ms) == ("dispatched", MIDNIGHT_MS)


def test_before_the_cut_off_to_the_millisecond_it_goes_at_once() -> None:
    given(alice(cut_off="10:01"))
    story().now = BEGAN_MS + 60_000 - 2
    when(pay("p1", 1))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    when(pay("p2", 1))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="cut_off"))


@pytest.mark.parametrize(
    ("day", "opens_utc"),
    [(datetime.date(2024, 3, 31), 15), (datetime.date(2024, 4, 1), 15), (datetime.date(2024, 3, 30), 16)],
)
def test_the_cut_off_is_a_time_on_the_wall_also_where_clocks_change(
    day: datetime.date, opens_utc: int
) -> None:
    """17:00 in Berlin is 16:00 UTC in winter, 15:00 in summer; on 31 March 2024 clocks went forward."""
    began = int(
        datetime.datetime(day.year, day.month, day.day, opens_utc, tzinfo=datetime.UTC).timestamp() * 1_000
    )
    given(a_book(time_zone="Europe/Berlin"), alice(cut_off="17:00"), began=began - 60_000)
    story().now = began - 2
    when(pay("p1", 1))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    when(pay("p2", 1))
    then(happened(PaymentSubmitted), happened(PaymentWaiting))


def test_a_payment_goes_on_the_next_banking_day() -> None:
    """15 May 2024 is a Wednesday; the calendar has Thursday as a holiday, and weekends."""
    calendar = {"name": "Bank holidays", "holidays": [{"date": "2024-05-16", "name": "Thursday"}]}
    given(
        account("alice", 100),
        account("ticker"),
        say(PublishDocument, kind="calendar", document="banking", version=1, body=calendar),
        rails(calendar="banking", cut_off="10:00"),
    )
    friday_ms = MIDNIGHT_MS + DAY_MS
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="cut_off", by="sepa", due_ms=friday_ms))
    when(pay("p2", 1, execution_date=TOMORROW))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="execution_date", due_ms=MIDNIGHT_MS))
    when(later(days=1), TICK)
    assert the_payment("p2").waits_for == "cut_off\nsepa"
    when(later(days=1), TICK)
    assert (the_payment("p1").told_at_ms, the_payment("p2").told_at_ms) == (friday_ms, friday_ms)


@pytest.mark.parametrize(("subject", "of"), [("party", "p-alice"), ("payment", "p1")])
def test_dispatch_asks_the_screening_of_party_and_payment(subject: str, of: str) -> None:
    given(alice(), stop("night"), pay("p1", 60))
    when(screened(subject, of, "hit"))
    then(happened(PartyScreened if subject == "party" else PaymentScreened, before="cleared", state="hit"))
    when(resume("night"), TICK)
    assert (the_payment("p1").status, the_account("alice").held) == ("waiting", 60)
    assert the_payment("p1").waits_for == f"{subject}_screening\n{of}"
    when(screened(subject, of, "pending"), TICK)
    assert the_payment("p1").status == "waiting"
    when(screened(subject, of, "cleared"), TICK)
    assert (the_payment("p1").status, the_account("alice").held) == ("dispatched", 0)


def test_a_rail_can_have_every_payment_wait_for_its_own_screening() -> None:
    given(alice(screening="pending"))
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="payment_screening", by="p1"))
    when(screened("payment", "p1", "cleared"), TICK)
    assert the_payment("p1").status == "dispatched"


def test_a_party_that_is_blocked_or_an_account_that_is_holds_what_waits() -> None:
    given(alice(), pay("p1", 60, execution_date=TOMORROW))
    when(party_becomes("p-alice", "blocked"), block("alice", "court", "debits"), later(days=1), TICK)
    assert the_payment("p1").waits_for == "party_not_active\np-alice"
    when(party_becomes("p-alice", "active"), TICK)
    assert the_payment("p1").waits_for == "account_blocked\nalice"
    when(lifted("alice", "court"), TICK)
    assert the_payment("p1").status == "dispatched"


def lifted(account_id: str, block_id: str) -> Said:
    return say(LiftBlock, account=account_id, block=block_id, reason="over")


def test_a_block_that_expires_lets_go_what_waited_for_it() -> None:
    given(alice(), pay("p1", 60, execution_date=TOMORROW))
    when(block("alice", "court", "debits", MIDNIGHT_MS + HOUR_MS), later(days=1), TICK)
    assert the_payment("p1").status == "dispatched"
    assert the_payment("p1").told_at_ms == MIDNIGHT_MS + HOUR_MS


def test_where_the_rails_own_accounts_take_nothing_a_payment_waits() -> None:
    given(alice(), block("sepa-transit", "audit"))
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="account_blocked", by="sepa-transit"))
    when(lifted("sepa-transit", "audit"), TICK)
    assert the_payment("p1").status == "dispatched"


def test_a_rail_that_no_longer_takes_the_currency_has_payments_wait_until_it_does() -> None:
    given(
        alice(),
        internal("chf-1", currency="CHF"),
        internal("chf-2", "suspense", currency="CHF"),
        internal("chf-3", "suspense", currency="CHF"),
        pay("p1", 60, execution_date=TOMORROW),
        rail(2, currencies=[SWISS]),
    )
    when(later(days=1), TICK)
    assert the_payment("p1").waits_for == "rail_unavailable\nsepa/EUR"
    when(rail(3), TICK)
    assert the_payment("p1").status == "dispatched"


def test_a_payment_that_waits_for_a_day_waits_for_the_next_thing_then() -> None:
    given(alice(), pay("p1", 60, execution_date=TOMORROW), stop("night"))
    when(later(days=1), TICK)
    (waits,) = [one for one in story().events() if isinstance(one, PaymentWaiting) and one.at >= MIDNIGHT_MS]
    assert (waits.reason, waits.by, waits.timer) == ("stopped", "night", "payment_due\np1")
    assert [one.actor for one in story().events() if isinstance(one, PaymentsStopped)] == ["root"]


# --- recall -----------------------------------------------------------------------------------------------


def test_a_recall_asks_for_what_is_still_out() -> None:
    given(alice(), pay("p1", 60), report("p1", "returned", 20, "r1"))
    when(recall("p1"))
    then(happened(RecallRequested, payment="p1", amount=40, end_to_end="p1"))
    when(recall("p1"))
    then(rejected("payment_state_conflict", status="settled", wanted="recalled"))
    when(report("p1", "recall_refused"), recall("p1"))
    then(happened(RecallRequested))


# --- rejections -------------------------------------------------------------------------------------------

TOO_MUCH = 10**7
USD = "USD"
GIVEN: list[Word] = [
    # A name says what is wrong with the account; each but the last has the faults of those after it, too.
    rails(corridors=["*-DE"]),
    party("p-bad"),
    account("closed-usd", currency=USD, party_id="p-bad"),
    closed("closed-usd"),
    account("usd", currency=USD, party_id="p-bad"),
    account("bad", party_id="p-bad"),
    block("bad", "b", "debits"),
    party_becomes("p-bad", "blocked"),
    account("blocked"),
    block("blocked", "b", "debits"),
    limits("tight", limit("each", 50, "transaction")),
    product("tied", pays=[], receives=[]),
    product("tight", limits=["tight"]),
    account("may-not", product="tied"),
    account("tight", product="tight"),
    account("empty"),
    account("full"),
    internal("lowest"),
    transfer("lowest", "full", INT64_MAX),
    account("rich", 10),
    pay("sent", 1, "rich"),
    pay("waits", 1, "rich", execution_date=TOMORROW),
    barred_channel(),
]
FRANCE = {"name": "Paul", "account": "FR76", "country": "FR"}
LATE: dict[str, Any] = {"execution_date": YESTERDAY}
REJECTIONS: list[tuple[Reason, Said]] = [
    ("payment_exists", pay("sent", TOO_MUCH, "nobody", rail="none", payee=FRANCE, **LATE)),
    ("account_not_found", pay("p", TOO_MUCH, "nobody", rail="none", payee=FRANCE, **LATE)),
    ("account_not_open", pay("p", TOO_MUCH, "closed-usd", rail="none", payee=FRANCE, **LATE)),
    ("currency_mismatch", pay("p", TOO_MUCH, "usd", rail="none", payee=FRANCE, **LATE)),
    ("rail_not_found", pay("p", TOO_MUCH, "bad", rail="none", payee=FRANCE, **LATE)),
    ("currency_not_served", pay("p", TOO_MUCH, "usd", currency=USD, payee=FRANCE, **LATE)),
    ("same_account", pay("p", TOO_MUCH, "sepa-transit", payee=FRANCE, **LATE)),
    ("corridor_not_served", pay("p", TOO_MUCH, "bad", payee=FRANCE, **LATE)),
    ("above_rail_maximum", pay("p", TOO_MUCH, "bad", **LATE)),
    ("execution_date_in_past", pay("p", 100, "bad", **LATE)),
    ("party_not_active", pay("p", 100, "bad")),
    ("account_blocked", pay("p", 100, "blocked")),
    ("movement_not_allowed", pay("p", 100, "may-not")),
    ("limit_exceeded", pay("p", 100, "tight")),
    ("insufficient_funds", pay("p", 100, "empty", channel="barred")),
    ("overflow", pay("p", 100, "lowest")),
    ("declined", pay("p", 1, "rich", channel="barred")),
    ("payment_not_found", cancel("none")),
    ("payment_state_conflict", cancel("sent")),
    ("payment_not_found", recall("none")),
    ("payment_state_conflict", recall("waits")),
    ("party_not_found", screened("party", "none", "cleared")),
    ("payment_not_found", screened("payment", "none", "cleared")),
    ("payment_state_conflict", screened("payment", "sent", "cleared")),
    ("nothing_to_change", screened("payment", "waits", "cleared")),
    ("nothing_to_change", screened("party", "p-bad", "cleared")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    before = {name: (one.booked, one.held) for name, one in story().book.accounts.items()}
    when(said)
    then(rejected(reason))
    assert {name: (one.booked, one.held) for name, one in story().book.accounts.items()} == before


@pytest.mark.parametrize(
    ("corridors", "origin", "target", "goes"),
    [
        ([], "", "", True),
        (["*-*"], "", "", True),
        (["AT-DE"], "AT", "DE", True),
        (["AT-DE"], "DE", "AT", False),
        (["AT-*"], "AT", "", True),
        (["AT-*"], "", "DE", False),
        (["*-DE", "AT-FR"], "AT", "FR", True),
        (["*-DE", "AT-FR"], "CH", "FR", False),
    ],
)
def test_a_corridor_is_from_the_partys_country_to_the_payees(
    corridors: list[str], origin: str, target: str, goes: bool
) -> None:
    given(party("pa", country=origin), account("alice", 100, party_id="pa"), rails(corridors=corridors))
    when(pay("p1", 1, payee={"name": "P", "account": "1", "country": target}))
    if goes:
        then(happened(PaymentSubmitted), happened(PaymentDispatched))
    else:
        then(rejected("corridor_not_served", corridor=f"{origin}-{target}"))


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"adapter": "nobody"}, "adapter: there is no system nobody"),
        ({"adapter": "root"}, "adapter: there is no system root"),
        ({"currencies": []}, "currencies: "),
        ({"currencies": [{**SWISS, "currency": "XXX"}]}, "currencies[0].currency: there is no currency XXX"),
        ({"currencies": [SWISS]}, "currencies[0].nostro: there is no open account chf-1"),
        (
            {"currencies": [{**SEPA["currencies"][0], "currency": "CHF"}]},
            "currencies[0].nostro: nostro is not kept in CHF",
        ),
        (
            {"currencies": [{**SEPA["currencies"][0], "suspense": "nostro-usd"}]},
            "currencies[0].suspense: nostro-usd is not of kind suspense",
        ),
        (
            {"currencies": [{**SEPA["currencies"][0], "suspense": "nostro"}]},
            "currencies[0]: nostro, in_transit and suspense are three different accounts",
        ),
        ({"currencies": SEPA["currencies"] * 2}, "currencies[1].currency: EUR stands there before"),
        ({"corridors": ["DE"]}, "corridors[0]: "),
        ({"cut_off": "24:00"}, "cut_off: "),
        ({"calendar": "none"}, "calendar: there is no calendar none in force"),
        ({"answer_within_ms": 1.5}, "answer_within_ms: "),
        ({"resends": -1}, "resends: "),
    ],
)
def test_a_rail_that_cannot_work_is_refused_with_its_path(changes: dict[str, Any], detail: str) -> None:
    given(rails())
    when(say(PublishDocument, kind="rail", document="sepa", version=2, body={**SEPA, **changes}))
    then(rejected("document_invalid"))
    assert detail in str(story().last[0].figures["detail"])  # type: ignore[attr-defined]


def test_a_payment_from_before_a_long_weekend_goes_when_its_day_comes() -> None:
    given(alice(), pay("p1", 60, execution_date=TODAY + datetime.timedelta(days=5)))
    when(advance(BEGAN_MS + 4 * DAY_MS))
    assert the_payment("p1").status == "waiting"
    when(advance(BEGAN_MS + 5 * DAY_MS))
    assert the_payment("p1").status == "dispatched"
