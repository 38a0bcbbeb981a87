"""Scheduled payments and standing orders: worked examples of dates, refusals tried again, a naive twin."""

from __future__ import annotations

import calendar as months
import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from engine.log.faults import Crash, Fault, Faults
from schemas.instructions import ToAccount, ToPayee
from schemas.message import Date, Event
from schemas.orders import (
    CancelStandingOrder,
    ChangeStandingOrder,
    CreateStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    SchedulePayment,
    StandingOrderCancelled,
    StandingOrderChanged,
    StandingOrderMissed,
    StandingOrderMoved,
    StandingOrderPaused,
    StandingOrderResumed,
    StandingOrderRun,
    StandingOrderSkipped,
)
from schemas.payments import PaymentDispatched, PaymentSubmitted
from schemas.rejections import CommandRejected, Reason
from schemas.transfers import TransferPosted
from tests.calendars_test import calendar, day, ms
from tests.payment_words import PAYEE, rails
from tests.payment_words import pay as submitted
from tests.story import (
    DAY_MS,
    TODAY,
    Said,
    account,
    advance,
    balance,
    book,
    closed,
    given,
    happened,
    internal,
    rejected,
    say,
    story,
    then,
    transfer,
    when,
)
from tests.terms_words import fee, limit, limits, product, tariff

BERLIN = "Europe/Berlin"


def order(name: str = "rent", amount: int = 10, **fields: Any) -> Said:
    """From alice to bob, each month from today on unless it says otherwise."""
    given_: dict[str, Any] = {
        "account": "alice",
        "currency": "EUR",
        "to": ToAccount(account="bob"),
        "every": "month",
        "first": TODAY,
    }
    return say(CreateStandingOrder, **{"order": name, "amount": amount, **given_, **fields})


def scheduled(name: str, on: str | Date, amount: int = 10, **fields: Any) -> Said:
    date = day(on) if isinstance(on, str) else on
    given_: dict[str, Any] = {
        "account": "alice",
        "currency": "EUR",
        "to": ToAccount(account="bob"),
        "on": date,
    }
    return say(SchedulePayment, **{"order": name, "amount": amount, **given_, **fields})


def changed(name: str = "rent", **fields: Any) -> Said:
    return say(ChangeStandingOrder, order=name, **fields)


def paused(name: str = "rent") -> Said:
    return say(PauseStandingOrder, order=name, reason="asked for")


def resumed(name: str = "rent") -> Said:
    return say(ResumeStandingOrder, order=name)


def cancelled(name: str = "rent") -> Said:
    return say(CancelStandingOrder, order=name, reason="asked for")


def until(text: str) -> Said:
    """Time goes by until midnight UTC of that day."""
    return advance(ms(text))


def go_to(text: str) -> None:
    """Time goes by, a week at a time."""
    target = ms(text)
    while story().book.at < target:
        step = min(target, story().book.at + 7 * DAY_MS)
        story().now = max(story().now, step - 1)
        when(advance(step))
        assert not isinstance(story().last[0], CommandRejected), story().last


def of(*kinds: type[Event]) -> list[Any]:
    return [one for one in story().events() if isinstance(one, kinds)]


def ran() -> list[tuple[str, int]]:
    """(booking date, amount) of each run."""
    found = []
    events = story().events()
    for index, event in enumerate(events):
        if isinstance(event, StandingOrderRun):
            paid = events[index + 1]
            assert isinstance(paid, TransferPosted)
            assert paid.amount == event.amount
            found.append((paid.booking_date.isoformat(), paid.amount))
    return found


PEOPLE = [account("alice", 1_000), account("bob"), account("usd", currency="USD")]
WRONG: list[tuple[Reason, dict[str, Any]]] = [
    ("order_exists", {"order": "known", "account": "bob"}),
    ("same_account", {"account": "bob"}),
    ("account_not_found", {"account": "nobody", "calendar": "none"}),
    ("account_not_found", {"to": ToAccount(account="nobody"), "account": "gone"}),
    ("account_not_open", {"account": "gone", "currency": "USD"}),
    ("account_not_open", {"to": ToAccount(account="gone"), "calendar": "none"}),
    ("currency_mismatch", {"to": ToAccount(account="usd"), "calendar": "none"}),
    ("currency_mismatch", {"to": ToPayee(rail="none", payee=PAYEE), "account": "usd"}),
    ("rail_not_found", {"to": ToPayee(rail="none", payee=PAYEE), "calendar": "none"}),
]
YESTERDAY = TODAY.replace(day=14)
REJECTIONS: list[tuple[Reason, Said]] = [
    *((reason, scheduled("new", TODAY, **fields)) for reason, fields in WRONG),
    ("calendar_not_found", scheduled("new", YESTERDAY, calendar="none")),
    ("first_date_in_past", scheduled("new", YESTERDAY)),
    *((reason, order("new", **fields)) for reason, fields in WRONG),
    ("calendar_not_found", order("new", first=YESTERDAY, calendar="none")),
    ("first_date_in_past", order("new", first=YESTERDAY, until=YESTERDAY)),
    ("no_run_left", order("new", until=YESTERDAY)),
    ("order_not_found", changed("none", amount=7)),
    ("nothing_to_change", changed("known", amount=10)),
    ("order_not_found", paused("none")),
    ("order_paused", paused("sleeping")),
    ("order_not_found", resumed("none")),
    ("order_not_paused", resumed("known")),
    ("order_not_found", cancelled("none")),
]


def test_what_is_wrong_is_refused_in_order() -> None:
    given(
        *PEOPLE,
        account("gone"),
        closed("gone"),
        order("known", first=TODAY.replace(day=20)),
        order("sleeping", first=TODAY.replace(day=20)),
        paused("sleeping"),
    )
    for reason, said in REJECTIONS:
        when(said)
        then(rejected(reason))


# --- dates, worked out by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "through", "dates"),
    [
        (  # the 31st of every month is its last day, also after a shorter one
            {"first": day("2024-05-31")},
            "2024-10-01",
            ["2024-05-31", "2024-06-30", "2024-07-31", "2024-08-31", "2024-09-30"],
        ),
        (  # the last day, from the middle of a month on
            {"day": 31, "runs": 3},
            "2024-12-01",
            ["2024-05-31", "2024-06-30", "2024-07-31"],
        ),
        (  # the 1st has passed in this month
            {"day": 1, "until": day("2024-07-01")},
            "2024-12-01",
            ["2024-06-01", "2024-07-01"],
        ),
        ({"every": "week", "runs": 3}, "2024-07-01", ["2024-05-15", "2024-05-22", "2024-05-29"]),
        ({"every": "quarter"}, "2024-12-01", ["2024-05-15", "2024-08-15", "2024-11-15"]),
        (  # each banking day: the weekend and the holiday are none
            {"every": "day", "first": day("2024-05-17"), "runs": 7, "calendar": "whit"},
            "2024-07-01",
            ["2024-05-17", "2024-05-21", "2024-05-22", "2024-05-23"],
        ),
        (  # Saturday 15 June goes to Monday, Sunday 15 September to Monday, Friday 15 November stays
            {"every": "month", "first": day("2024-06-15"), "calendar": "whit", "runs": 6},
            "2024-12-31",
            ["2024-06-17", "2024-07-15", "2024-08-15", "2024-09-16", "2024-10-15", "2024-11-15"],
        ),
        (  # Sunday 30 June would go to July, so it comes before
            {"day": 30, "calendar": "whit", "convention": "modified_following", "runs": 3},
            "2024-12-31",
            ["2024-05-30", "2024-06-28", "2024-07-30"],
        ),
        (
            {"first": day("2024-06-15"), "calendar": "whit", "convention": "preceding", "runs": 2},
            "2024-12-31",
            ["2024-06-14", "2024-07-15"],
        ),
    ],
)
def test_the_dates_of_an_order(fields: dict[str, Any], through: str, dates: list[str]) -> None:
    given(calendar("whit", holidays=[{"date": "2024-05-20", "name": "Whit Monday"}]), *PEOPLE)
    when(order(**fields))
    go_to(through)
    assert ran() == [(date, 10) for date in dates]
    story().check()


def test_the_29th_of_february_is_the_28th_in_other_years() -> None:
    leap = ms("2024-02-29T09:00")
    given(*PEOPLE, began=leap)
    when(order(every="year", first=day("2024-02-29"), runs=5))
    go_to("2028-03-02")
    assert [date for date, _ in ran()] == [
        "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29",
    ]  # fmt: skip


def test_a_run_is_at_midnight_by_the_clocks_of_the_place() -> None:
    """The clocks go forward on 31 March 2024 in Berlin: midnight is at 23:00 UTC before, at 22:00 after."""
    given(book(time_zone=BERLIN), *PEOPLE, began=ms("2024-03-29T10:00"))
    when(order(every="day", first=day("2024-03-30"), runs=4))
    go_to("2024-04-05")
    assert [one.at for one in of(StandingOrderRun)] == [
        ms("2024-03-29T23:00"), ms("2024-03-30T23:00"), ms("2024-03-31T22:00"), ms("2024-04-01T22:00"),
    ]  # fmt: skip
    assert [date for date, _ in ran()] == ["2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"]


def test_an_order_for_today_runs_at_once() -> None:
    given(*PEOPLE, order(), scheduled("s", TODAY, 7))
    go_to("2024-05-16")
    assert ran() == [("2024-05-15", 10), ("2024-05-15", 7)]


def test_a_holiday_that_was_declared_since_moves_the_run() -> None:
    given(calendar(), *PEOPLE, scheduled("s", "2024-05-23", calendar="target"))
    when(calendar(version=2, holidays=[{"date": "2024-05-23", "name": "A funeral"}]))
    go_to("2024-05-27")
    (moved,) = of(StandingOrderMoved)
    assert (moved.date, moved.due_ms) == (day("2024-05-23"), ms("2024-05-24"))
    assert ran() == [("2024-05-24", 10)]
    assert not story().book.orders.standing


# --- refused, and tried again -----------------------------------------------------------------------------


def test_a_refused_run_is_tried_again_on_banking_days_and_then_made() -> None:
    """Thursday: no money. Friday: none. Monday: it has come."""
    given(calendar(), account("alice", 5), account("bob"), internal("mint"))
    when(order(first=day("2024-05-16"), calendar="target", retries=2))
    go_to("2024-05-18")
    when(transfer("nostro", "alice", 100))
    go_to("2024-05-21")
    missed = of(StandingOrderMissed)
    assert [(one.attempt, one.reason, one.figures["available"]) for one in missed] == [
        (1, "insufficient_funds", 5), (2, "insufficient_funds", 5),
    ]  # fmt: skip
    assert [one.due_ms for one in missed] == [ms("2024-05-17"), ms("2024-05-20")]
    assert ran() == [("2024-05-20", 10)]
    assert story().book.orders.standing["rent"].date == day("2024-06-16")


def test_a_run_that_is_refused_too_often_is_skipped_and_the_next_one_is_made() -> None:
    given(account("alice", 5), account("bob"), order(first=day("2024-05-16"), retries=1))
    go_to("2024-05-25")
    (skipped,) = of(StandingOrderSkipped)
    assert (skipped.attempt, skipped.reason) == (2, "insufficient_funds")
    assert skipped.next_date == day("2024-06-16")
    when(transfer("nostro", "alice", 100))
    go_to("2024-06-20")
    assert ran() == [("2024-06-16", 10)]


def test_a_daily_order_is_not_tried_again_on_the_day_of_its_next_run() -> None:
    """But its last run is: no other comes after it."""
    given(account("alice", 5), account("bob"), order(every="day", runs=3, retries=1))
    go_to("2024-05-25")
    assert [one.date.day for one in of(StandingOrderSkipped)] == [15, 16, 17]
    assert [(one.date.day, one.due_ms) for one in of(StandingOrderMissed)] == [(17, ms("2024-05-18"))]
    assert not story().book.orders.standing


def test_a_scheduled_payment_is_made_once_or_said_to_be_given_up() -> None:
    given(*PEOPLE, scheduled("ok", "2024-05-20"), scheduled("not", "2024-05-20", 5_000, retries=1))
    go_to("2024-05-30")
    assert ran() == [("2024-05-20", 10)]
    (skipped,) = of(StandingOrderSkipped)
    assert (skipped.order, skipped.next_date, skipped.due_ms) == ("not", None, None)
    when(scheduled("ok", "2024-06-20"))
    then(rejected("order_exists", order="ok"))


def test_limits_and_fees_hold_for_standing_orders_by_their_own_name() -> None:
    """The limit and the fee are about movements of the kind `standing`; transfers know neither."""
    only = {"only": {"movements": ["standing"]}}
    given(
        internal("fees", "income"),
        tariff("prices", fee("each", flat=2, **only)),
        limits("retail", limit("monthly", 25, "month", **only)),
        product("giro", tariff="prices", limits=["retail"]),
        account("alice", 500, product="giro"),
        account("bob"),
    )
    when(order(every="day", runs=3), transfer("alice", "bob", 100))
    go_to("2024-05-20")
    assert [date for date, _ in ran()] == ["2024-05-15", "2024-05-16"]
    (skipped,) = of(StandingOrderSkipped)
    assert skipped.reason == "limit_exceeded"
    assert (balance("alice"), balance("fees")) == (500 - 100 - 2 * 12, 4)


def test_all_above_an_amount_up_to_the_most_of_a_run() -> None:
    """135: 35 above 100. Then 100: nothing. Then 190: no more than 50."""
    given(account("alice", 135), account("bob"))
    when(order("sweep", 50, every="week", above=100, runs=3))
    go_to("2024-05-23")
    when(transfer("nostro", "alice", 90))
    go_to("2024-06-10")
    assert ran() == [("2024-05-15", 35), ("2024-05-29", 50)]
    (skipped,) = of(StandingOrderSkipped)
    assert (skipped.date, skipped.reason) == (day("2024-05-22"), "")


def test_a_payment_out_of_the_bank_is_made_by_its_rail() -> None:
    given(rails(), account("alice", 100))
    when(order("dues", 30, to=ToPayee(rail="sepa", payee=PAYEE), runs=2))
    go_to("2024-06-20")
    assert [one.payment for one in of(PaymentSubmitted)] == ["dues/1", "dues/2"]
    assert [one.amount for one in of(PaymentDispatched)] == [30, 30]
    assert balance("alice") == 40


# --- changed, paused, cancelled ---------------------------------------------------------------------------


def test_what_is_changed_holds_from_the_next_run_on() -> None:
    given(*PEOPLE, order())
    go_to("2024-05-20")
    when(changed(amount=25, until=day("2024-07-15")))
    then(happened(StandingOrderChanged, amount=25, until=day("2024-07-15"), ended=False))
    go_to("2024-09-01")
    assert ran() == [("2024-05-15", 10), ("2024-06-15", 25), ("2024-07-15", 25)]
    assert not story().book.orders.standing


def test_an_end_before_the_next_date_ends_it() -> None:
    given(*PEOPLE, order(first=TODAY.replace(day=20)))
    when(changed(until=TODAY.replace(day=19)))
    then(happened(StandingOrderChanged, ended=True))
    when(cancelled())
    then(rejected("order_not_found"))


def test_a_paused_order_makes_no_run_and_says_how_many_have_passed() -> None:
    given(*PEOPLE, order(every="week", runs=6))
    go_to("2024-05-16")
    when(paused())
    then(happened(StandingOrderPaused))
    go_to("2024-06-02")
    when(resumed())
    then(happened(StandingOrderResumed, passed=2, date=day("2024-06-05"), due_ms=ms("2024-06-05")))
    go_to("2024-07-20")
    assert [date for date, _ in ran()] == ["2024-05-15", "2024-06-05", "2024-06-12", "2024-06-19"]


def test_an_order_that_is_resumed_after_its_last_date_is_over() -> None:
    given(*PEOPLE, order(every="week", runs=2))
    go_to("2024-05-16")
    when(paused())
    go_to("2024-06-02")
    when(resumed())
    then(happened(StandingOrderResumed, passed=1, date=None, due_ms=None))
    assert not story().book.orders.standing


def test_a_cancelled_order_is_over() -> None:
    given(*PEOPLE, order(first=TODAY.replace(day=20)), scheduled("s", "2024-05-21"))
    when(cancelled())
    then(happened(StandingOrderCancelled, order="rent"))
    when(cancelled("s"))
    go_to("2024-07-01")
    assert ran() == []


# --- whenever the engine dies -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("commits", range(4))
def test_each_run_is_made_once_whenever_the_engine_dies(fault: Fault, commits: int) -> None:
    told = given(*PEOPLE, order(every="day", runs=4), scheduled("s", "2024-05-17", 3))
    target = ms("2024-05-20")
    told.now = target - 1
    said = advance(target).with_id("on").issued_at(target)
    told.log.faults = Faults({told.log.faults.commits + commits: fault})
    try:
        when(said)
    except Crash:
        told.recover()
        when(said)
    assert sorted(ran()) == sorted([(f"2024-05-{n}", 10) for n in (15, 16, 17, 18)] + [("2024-05-17", 3)])
    told.check()


# --- against a naive twin ---------------------------------------------------------------------------------


def twin(fields: dict[str, Any], banking: set[Date], through: Date, money: dict[Date, int]) -> list[Any]:
    """(day, what) of all that an order does: day by day, from a list of all its dates."""
    dates = _dates(fields["every"], fields["first"], fields["day"])
    wanted: list[Date] = []
    last = fields["until"] or Date(2024, 12, 31)
    for date in dates:
        if len(wanted) == (fields["runs"] or 10_000) or date > last:
            break
        wanted.append(_moved(date, banking, fields["convention"]))
    done: list[Any] = []
    held = 0
    today = Date(2024, 5, 15)
    tries = 0
    while today <= through:
        held += money.get(today, 0)
        if wanted and wanted[0] <= today and today in banking:
            later = [one for one in wanted[1:] if one > today]
            if held >= fields["amount"]:
                held -= fields["amount"]
                done.append((today, "run"))
                wanted, tries = later, 0
            else:
                again = min(one for one in banking if one > today)
                if tries < fields["retries"] and (not later or again < later[0]):
                    done.append((today, "missed"))
                    tries += 1
                else:
                    done.append((today, "skipped"))
                    wanted, tries = later, 0
        today += datetime.timedelta(days=1)
    return done


def _dates(every: str, first: Date, on: int | None) -> Iterator[Date]:
    if every in ("day", "week"):
        for number in range(4_000):
            yield first + datetime.timedelta(days=number * (7 if every == "week" else 1))
        return
    for number in range(0, 500, {"month": 1, "quarter": 3, "year": 12}[every]):
        index = first.year * 12 + first.month - 1 + number
        year, month = index // 12, index % 12 + 1
        length = months.monthrange(year, month)[1]
        date = Date(year, month, min(on or first.day, length))
        if date >= first:
            yield date


def _moved(date: Date, banking: set[Date], convention: str) -> Date:
    later, earlier = min(o for o in banking if o >= date), max(o for o in banking if o <= date)
    if convention == "preceding":
        return earlier
    return later if convention == "following" or later.month == date.month else earlier


_FIRST = st.dates(Date(2024, 5, 15), Date(2024, 6, 30))
_FIELDS = st.fixed_dictionaries(
    {
        "every": st.sampled_from(["day", "week", "month", "quarter", "year"]),
        "first": _FIRST,
        "day": st.none() | st.integers(1, 31),
        "until": st.none() | st.dates(Date(2024, 6, 15), Date(2024, 12, 31)),
        "runs": st.none() | st.integers(1, 8),
        "convention": st.sampled_from(["following", "modified_following", "preceding"]),
        "retries": st.integers(0, 3),
        "amount": st.just(10),
    }
)
_MONEY = st.dictionaries(st.dates(Date(2024, 5, 16), Date(2024, 9, 1)), st.integers(1, 40), max_size=6)


@settings(max_examples=100)
@drawn(_FIELDS, st.sets(st.dates(Date(2024, 5, 16), Date(2024, 9, 1)), max_size=20), _MONEY)
def test_orders_do_what_a_naive_twin_does(
    fields: dict[str, Any], holidays: set[Date], money: dict[Date, int]
) -> None:
    if fields["every"] in ("day", "week"):
        fields["day"] = None
    through = Date(2024, 9, 10)
    every = [Date(2024, 4, 1) + datetime.timedelta(days=n) for n in range(400)]
    banking = {one for one in every if one.weekday() < 5 and one not in holidays}
    expected = twin(fields, banking, through, money)
    days = [{"date": one.isoformat()} for one in sorted(holidays)]
    given(calendar("target", holidays=days), account("alice"), account("bob"))
    wanted: dict[str, Any] = {**fields, "calendar": "target"}
    ((created, *_),) = when(order(**wanted))
    if isinstance(created, CommandRejected):
        assert created.reason == "no_run_left"
        assert not list(_within(fields))
        return
    for paid in sorted(money):  # what comes on a day is there before its runs
        at = ms(paid.isoformat()) - 1
        story().now = max(story().now, at - 1)
        when(advance(at), transfer("nostro", "alice", money[paid]).issued_at(at))
    story().now = ms(through.isoformat()) + DAY_MS - 2
    when(advance(ms(through.isoformat()) + DAY_MS - 1))
    names: dict[type[Event], str] = {
        StandingOrderRun: "run",
        StandingOrderMissed: "missed",
        StandingOrderSkipped: "skipped",
    }
    found = [(Date.fromordinal(719_163 + one.at // DAY_MS), names[type(one)]) for one in of(*names)]
    assert found == expected


def _within(fields: dict[str, Any]) -> Iterator[Date]:
    for date in _dates(fields["every"], fields["first"], fields["day"]):
        if fields["until"] is not None and date > fields["until"]:
            return
        yield date


def test_an_order_pays_though_somebody_has_used_the_id_of_its_payment() -> None:
    """Else it would never pay again, since its runs are counted only when they are made."""
    given(rails(), account("alice", 1_000), submitted("dues/1", 5), submitted("dues/1.2", 5))
    when(order("dues", 30, to=ToPayee(rail="sepa", payee=PAYEE), runs=2))
    go_to("2024-06-16")
    assert [one.payment for one in of(PaymentSubmitted)] == ["dues/1", "dues/1.2", "dues/1.3", "dues/2"]
    assert balance("alice") == 1_000 - 5 - 5 - 30 - 30


def test_an_order_that_stands_keeps_its_id_however_long_it_stands() -> None:
    """Ids are known for 400 days, and orders stand for longer."""
    given(account("alice", 1_000), account("bob"), order("rent", every="year"))
    for _ in range(5):
        story().now += 100 * DAY_MS
        when(advance(story().now + 1))
    year_after_next = TODAY.replace(year=TODAY.year + 2)
    when(scheduled("new", year_after_next))
    assert "rent" not in story().book.orders.known.ids
    when(order("rent", first=year_after_next))
    then(rejected("order_exists", order="rent"))
