"""Books: opened with a clock and a chart, their time, their business days, their periods, their assets."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from schemas.accounts import AccountOpened
from schemas.books import (
    DEFAULT_CHART,
    Administrator,
    AssetRegistered,
    BookOpened,
    BookRegistered,
    BusinessDateRolled,
    ChartLine,
    ClosePeriod,
    ConfirmClock,
    PeriodClosed,
    RegisterAsset,
    RepeatWindowSet,
    SetRepeatWindow,
    TimeAdvanced,
)
from schemas.fields import ESSENTIAL_KINDS, AccountKind
from schemas.rejections import Reason
from schemas.transfers import TransferPosted
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    ROOT,
    TODAY,
    Said,
    Word,
    advance,
    book,
    given,
    happened,
    internal,
    later,
    rejected,
    say,
    story,
    then,
    transfer,
    when,
)

A_DAY = datetime.timedelta(days=1)


def utc_ms(*parts: int) -> int:
    return round(datetime.datetime(*parts, tzinfo=datetime.UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def rolled() -> list[BusinessDateRolled]:
    return [one for one in story().events() if isinstance(one, BusinessDateRolled)]


def period_closed(through: datetime.date) -> Said:
    return say(ClosePeriod, through=through)


# --- opening ----------------------------------------------------------------------------------------------


def test_a_book_opens_in_the_system_book_and_begins_at_its_own_seq_1() -> None:
    told = given()
    when(book(name="Second", currency="USD", repeat_cap=5, reversible_days=9).to("second"))
    registered, opened = then(
        happened(BookRegistered, book="~system", opened="second", command="c4", actor="root"),
        happened(
            BookOpened,
            book="second",
            seq=1,
            name="Second",
            currency="USD",
            administrators=(ROOT,),
            time_zone="UTC",
            clock="commanded",
            chart=DEFAULT_CHART,
            repeat_cap=5,
            reversible_days=9,
            business_date=TODAY,
            open_from=TODAY.replace(day=1),
            midnight_ms=utc_ms(2024, 5, 16),
            command="c4",
            fingerprint="",
        ),
    )
    assert registered.seq == told.system.seq
    assert registered.cause == opened.cause
    assert registered.fingerprint
    second = told.worker.folded.partition.books["second"]
    assert (second.name, second.currency, second.reversible_days, second.seq) == ("Second", "USD", 9, 1)
    assert (second.repeats.cap, second.at) == (5, told.now)
    assert list(told.system.opened) == ["main", "second"]
    assert second.actors["root"].person == "ruth"
    assert second.persons == {"ruth": "Ruth Root"}
    when(internal("nostro").to("second"))
    then(happened(AccountOpened, book="second", seq=2))
    assert [one.seq for one in told.events() if one.book == "second"] == [1, 2]


def test_books_know_nothing_of_each_other() -> None:
    told = given(book(), book().to("second"))
    when(transfer("nostro", "nostro-usd", 1).to("second"))
    then(rejected("account_not_found", account="nostro"))
    assert told.book.seq == 3


def test_a_commanded_book_begins_when_its_command_was_issued_even_years_ago() -> None:
    given()
    when(book().to("second").issued_at(utc_ms(1999, 12, 31, 12)))
    opened = story().last[1]
    assert isinstance(opened, BookOpened)
    assert opened.at == utc_ms(1999, 12, 31, 12)
    assert opened.business_date == datetime.date(1999, 12, 31)
    assert opened.open_from == datetime.date(1999, 12, 1)
    assert opened.midnight_ms == utc_ms(2000, 1, 1)


def test_a_wall_book_begins_when_the_log_took_its_command() -> None:
    told = given(book(clock="wall").issued_at(BEGAN_MS - 5000))
    opened = next(one for one in told.events() if isinstance(one, BookOpened))
    assert opened.at == BEGAN_MS + 1
    assert told.book.clock == "wall"


@pytest.mark.parametrize("code", ["EUR", "JPY", "BHD"])
def test_a_book_reports_in_a_currency_of_iso_4217(code: str) -> None:
    assert given(book(currency=code)).book.currency == code


def test_a_book_is_opened_by_the_administrators_of_the_system_book_only() -> None:
    mallory = Administrator(person="m", user="mallory")
    given(book(administrators=(ROOT, mallory)))
    when(book(administrators=(mallory,)).to("second").by("mallory"))
    then(rejected("not_permitted", actor="mallory"))


# --- business days ----------------------------------------------------------------------------------------


def test_a_business_day_begins_at_midnight_where_the_book_is() -> None:
    told = given(book(time_zone="America/New_York"))
    midnight = utc_ms(2024, 5, 16, 4)
    told.now = midnight - 2
    when(transfer("nostro", "nostro", 1), internal("one"))
    assert told.book.business_date == TODAY + A_DAY
    (first,) = rolled()
    assert (first.at, first.business_date) == (midnight, TODAY + A_DAY)
    assert first.midnight_ms == utc_ms(2024, 5, 17, 4)
    assert first.timer == "business_date"


def test_every_day_begins_by_itself_also_after_a_long_silence() -> None:
    told = given()
    when(later(days=3), transfer("nostro", "nostro", 1))
    assert [one.business_date for one in rolled()] == [TODAY + n * A_DAY for n in (1, 2, 3)]
    assert [one.at for one in rolled()] == [utc_ms(2024, 5, 16 + n) for n in range(3)]
    assert told.book.business_date == TODAY + 3 * A_DAY


def test_days_may_have_23_or_25_hours() -> None:
    given(book(time_zone="Europe/Berlin"), began=utc_ms(2024, 3, 30, 12))
    when(advance(utc_ms(2024, 4, 1)))
    assert [one.at for one in rolled()] == [utc_ms(2024, 3, 30, 23), utc_ms(2024, 3, 31, 22)]
    assert [one.midnight_ms for one in rolled()] == [utc_ms(2024, 3, 31, 22), utc_ms(2024, 4, 1, 22)]
    when(advance(utc_ms(2024, 10, 28)))
    assert [one.at for one in rolled()][-2:] == [utc_ms(2024, 10, 26, 22), utc_ms(2024, 10, 27, 23)]


@pytest.mark.parametrize(
    ("time_zone", "begin", "skipped"),
    [
        ("Pacific/Apia", (2011, 12, 29, 12), datetime.date(2011, 12, 30)),
        ("Pacific/Kwajalein", (1993, 8, 20, 12), datetime.date(1993, 8, 21)),
        ("Pacific/Kiritimati", (1994, 12, 30, 12), datetime.date(1994, 12, 31)),
    ],
)
def test_a_day_that_a_place_skipped_is_no_business_day(
    time_zone: str, begin: tuple[int, ...], skipped: datetime.date
) -> None:
    told = given(book(time_zone=time_zone), began=utc_ms(*begin))
    when(advance(utc_ms(*begin) + 4 * DAY_MS))
    then(happened(TimeAdvanced))
    days = [one.business_date for one in rolled()]
    assert skipped not in days
    assert skipped + A_DAY in days
    assert days == sorted(days)
    assert told.book.timers.due["business_date"] > told.book.at


def test_a_book_opened_on_the_eve_of_a_skipped_day_goes_on_after_it() -> None:
    given(book(time_zone="Pacific/Apia"), began=utc_ms(2011, 12, 30, 9))
    when(advance(utc_ms(2011, 12, 30, 10)))
    then(happened(TimeAdvanced))
    assert [one.business_date for one in rolled()] == [datetime.date(2011, 12, 31)]


# --- periods ----------------------------------------------------------------------------------------------


def test_a_closed_period_takes_no_more_value_dates() -> None:
    given()
    yesterday = TODAY - A_DAY
    when(period_closed(yesterday))
    then(happened(PeriodClosed, open_from=TODAY))
    when(transfer("nostro", "other", 1))
    when(internal("other"), transfer("nostro", "other", 1, value_date=yesterday))
    then(rejected("period_not_open", date="2024-05-14", open_from="2024-05-15"))
    when(transfer("nostro", "other", 1, value_date=TODAY))
    then(happened(TransferPosted))


def test_a_period_closes_forwards_and_before_today() -> None:
    given()
    for through in (TODAY, TODAY + A_DAY, TODAY.replace(day=1) - A_DAY):
        when(period_closed(through))
        then(rejected("period_not_open", date=through.isoformat(), open_from="2024-05-01"))
    when(period_closed(TODAY.replace(day=1)))
    then(happened(PeriodClosed, open_from=TODAY.replace(day=2)))
    when(period_closed(TODAY.replace(day=1)))
    then(rejected("period_not_open"))


# --- time and the rest ------------------------------------------------------------------------------------


def test_time_is_advanced_and_what_is_due_by_then_happens_first() -> None:
    told = given()
    when(advance(BEGAN_MS + DAY_MS))
    then(happened(TimeAdvanced, at=BEGAN_MS + DAY_MS))
    assert [type(one) for one in told.events()][-2:] == [BusinessDateRolled, TimeAdvanced]
    assert told.book.at == BEGAN_MS + DAY_MS
    when(advance(BEGAN_MS + DAY_MS - 1))
    then(rejected("time_not_ahead", at=BEGAN_MS + DAY_MS))
    when(advance(BEGAN_MS + DAY_MS))
    then(happened(TimeAdvanced))


def test_an_asset_is_registered_once() -> None:
    told = given()
    when(say(RegisterAsset, asset="GOLD", scale=3, name="Fine gold"))
    then(happened(AssetRegistered, asset="GOLD", scale=3, name="Fine gold"))
    assert told.book.assets == {"GOLD": 3}
    when(say(RegisterAsset, asset="GOLD", scale=4, name="Gold"))
    then(rejected("asset_exists", asset="GOLD"))


def test_how_long_ids_are_remembered_is_an_event() -> None:
    told = given()
    when(say(SetRepeatWindow, repeat_window_ms=60_000, repeat_cap=9))
    then(happened(RepeatWindowSet, repeat_window_ms=60_000, repeat_cap=9))
    assert (told.book.repeats.window_ms, told.book.repeats.cap) == (60_000, 9)


# --- rejections -------------------------------------------------------------------------------------------


def faulty(**repaired: Any) -> Said:
    twice = (*DEFAULT_CHART[:2], DEFAULT_CHART[0])
    faults: dict[str, Any] = {
        "currency": "XXX",
        "time_zone": "Middle/Earth",
        "administrators": (),
        "chart": twice,
    }
    return book(**{**faults, **repaired}).to("second")


GIVEN: list[Word] = [say(RegisterAsset, asset="GOLD", scale=3, name="Fine gold")]
KNOWN: dict[str, Any] = {"currency": "USD", "time_zone": "Asia/Kathmandu"}
REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("book_exists", faulty().to("main")),
    ("unknown_currency", faulty()),
    ("unknown_currency", faulty(currency="GOLD")),
    ("unknown_time_zone", faulty(currency="USD")),
    ("administrators_missing", faulty(**KNOWN)),
    ("second_person_missing", faulty(**KNOWN, administrators=(ROOT, ROOT), four_eyes=True)),
    ("duplicate_line", faulty(**KNOWN, administrators=(ROOT,))),
    ("duplicate_line", faulty(**KNOWN, administrators=(ROOT, ROOT), chart=DEFAULT_CHART[:2])),
    ("chart_incomplete", faulty(**KNOWN, administrators=(ROOT,), chart=DEFAULT_CHART[:2])),
    ("chart_incomplete", faulty(**KNOWN, administrators=(ROOT,), chart=())),
    ("time_not_ahead", advance(0)),
    ("nothing_to_confirm", say(ConfirmClock, reason="looked")),
    ("period_not_open", period_closed(TODAY)),
    ("asset_exists", say(RegisterAsset, asset="GOLD", scale=3, name="Fine gold")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


WALL_REJECTIONS: list[tuple[Reason, Said]] = [("clock_not_commanded", advance(0))]


def test_a_wall_book_is_not_advanced() -> None:
    given(book(clock="wall"))
    for reason, said in WALL_REJECTIONS:
        when(said)
        then(rejected(reason))


@pytest.mark.parametrize("kind", ESSENTIAL_KINDS)
def test_a_chart_has_a_line_for_every_kind(kind: AccountKind) -> None:
    given()
    when(book(chart=tuple(line for line in DEFAULT_CHART if line.kind != kind)).to("second"))
    then(rejected("chart_incomplete", kind=kind))


def test_the_figures_name_what_is_twice() -> None:
    given()
    when(book(chart=(*DEFAULT_CHART, ChartLine(ledger="4000", name="Fees", kind="income"))).to("second"))
    then(rejected("duplicate_line", line="4000"))
    when(book(administrators=(ROOT, Administrator(person="other", user="root"))).to("second"))
    then(rejected("duplicate_line", line="root"))


@pytest.mark.parametrize(
    "name",
    [
        "Middle/Earth",
        "",
        "Europe",
        "../UTC",
        "zone.tab",
        "leapseconds",
        "/UTC",
        "UTC/",
        "Etc/GMT+20",
        "./UTC",
        "../zoneinfo/UTC",
    ],
)
def test_what_is_no_time_zone_is_none(name: str) -> None:
    given()
    when(book(time_zone=name).to("second"))
    then(rejected("unknown_time_zone", time_zone=name))


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+12", "America/Port-au-Prince", "America/Argentina/Ushuaia"])
def test_what_is_a_time_zone_is_one(name: str) -> None:
    assert given(book(time_zone=name)).book.time_zone == name
