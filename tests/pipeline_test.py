"""The pipeline: repeats, book time and timers, the clock's jumps, and what happens when a decision fails."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from book.repeats import BUCKETS, FORGET_AT_ONCE
from book.state import SYSTEM_BOOK
from commands import decide
from commands.decide import RELEASE
from engine import pipeline, worker
from engine.errors import NotInitialised
from engine.log.memory import MemoryLog
from engine.log.records import Out
from engine.worker import Worker
from schemas.access import GrantRole, RevokeRole
from schemas.accounts import AccountOpened, BlockLifted, OpenAccount
from schemas.books import (
    BookOpened,
    BookRegistered,
    BusinessDateRolled,
    ClockConfirmed,
    ConfirmClock,
    ReleaseActivated,
    RepeatWindowSet,
    SetRepeatWindow,
    TimeAdvanced,
)
from schemas.catalogue import encode
from schemas.message import Command, Event
from schemas.rejections import UNREMEMBERED, CommandRejected, Reason
from schemas.transfers import Transfer, TransferPosted
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    MAIN,
    Said,
    Story,
    account,
    advance,
    balance,
    block,
    book,
    given,
    happened,
    internal,
    later,
    rejected,
    repeated,
    role,
    say,
    story,
    then,
    transfer,
    user,
    when,
)

WINDOW_MS = 64_000
A_BUCKET_MS = WINDOW_MS // BUCKETS


def window(ms: int, cap: int) -> Said:
    return say(SetRepeatWindow, repeat_window_ms=ms, repeat_cap=cap)


# --- repeats ----------------------------------------------------------------------------------------------


def test_a_repeat_gets_its_first_outcome_again_and_nothing_is_done_twice() -> None:
    told = given(account("alice", balance=10))
    pay = transfer("alice", "nostro", 4).with_id("t1").issued_at(told.now)
    when(pay)
    (first,) = then(happened(TransferPosted))
    for _ in range(3):
        when(later(days=1), pay)
        then(repeated(first.seq))
    assert balance("alice") == 6


def test_a_repeat_of_a_rejection_gets_its_reason_again_also_when_it_could_be_done_by_now() -> None:
    told = given(account("alice", balance=10))
    pay = transfer("alice", "nostro", 11).with_id("t1").issued_at(told.now)
    when(pay)
    (first,) = then(rejected("insufficient_funds"))
    when(transfer("nostro", "alice", 100), pay)
    then(repeated(first.seq, "insufficient_funds"))
    assert balance("alice") == 110


def test_a_repeat_that_says_something_else_is_no_repeat() -> None:
    told = given(account("alice", balance=10))
    pay = transfer("alice", "nostro", 4).with_id("t1").issued_at(told.now)
    when(pay)
    (first,) = then(happened(TransferPosted))
    others = [
        transfer("alice", "nostro", 5).with_id("t1").issued_at(told.now),
        pay.issued_at(told.now + 1),
        internal("new").with_id("t1"),
    ]
    for other in others:
        when(other)
        then(rejected("id_reused", first_seq=first.seq))
    when(pay)
    then(repeated(first.seq))


def test_the_same_id_of_another_actor_is_another_command() -> None:
    given(account("alice", balance=10), role("payer", Transfer), user("carl", roles=["payer"]))
    pay = transfer("alice", "nostro", 4).with_id("t1")
    when(pay, pay.by("carl"))
    then(happened(TransferPosted))
    assert balance("alice") == 2


def test_who_may_not_burns_no_id() -> None:
    told = given(account("alice", balance=10), user("carl"), role("payer", Transfer))
    pay = transfer("alice", "nostro", 4).with_id("t1").issued_at(told.now).by("carl")
    when(pay)
    then(rejected("not_permitted"))
    when(say(GrantRole, subject="carl", role="payer"), pay)
    (first,) = then(happened(TransferPosted))
    when(say(RevokeRole, subject="carl", role="payer"), pay)
    then(rejected("not_permitted"))
    when(say(GrantRole, subject="carl", role="payer"), pay)
    then(repeated(first.seq))


def test_an_id_is_remembered_for_the_window_and_then_the_floor_rises() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS), account("alice", balance=10))
    began = told.now
    pay = transfer("alice", "nostro", 4).with_id("t1").issued_at(began)
    when(pay)
    (first,) = then(happened(TransferPosted))
    told.now = first.at + WINDOW_MS - 2
    when(internal("a"), pay)
    then(repeated(first.seq))
    told.now = first.at + 2 * WINDOW_MS
    when(internal("b"))
    floor = told.book.repeats.floor_ms
    assert began <= floor < first.at + A_BUCKET_MS
    when(pay)
    then(rejected("too_old", issued_at_ms=began, floor_ms=floor))
    when(transfer("alice", "nostro", 1).issued_at(floor))
    then(rejected("too_old"))
    when(transfer("alice", "nostro", 1).issued_at(floor + 1))
    then(happened(TransferPosted))
    assert balance("alice") == 5


def test_an_id_that_was_forgotten_can_be_used_for_something_newer() -> None:
    told = given(book(repeat_window_ms=1_000), account("alice", balance=10))
    when(transfer("alice", "nostro", 4).with_id("t1"), later(ms=5_000), internal("a"), later(ms=5_000))
    when(internal("b"), internal("c"))
    when(transfer("alice", "nostro", 4).with_id("t1"))
    (second,) = then(happened(TransferPosted))
    assert told.book.repeats.seen["root\nt1"].seq == second.seq


def test_a_new_book_knows_nothing_from_before_its_window() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS))
    opened = BEGAN_MS + 1
    when(internal("a").issued_at(opened - WINDOW_MS))
    then(rejected("too_old", floor_ms=opened - WINDOW_MS))
    when(internal("a").issued_at(opened - WINDOW_MS + 1))
    then(happened(AccountOpened, at=told.book.at))


def test_ids_are_forgotten_a_bounded_number_at_a_time() -> None:
    many = FORGET_AT_ONCE * 2 + 10
    told = given(book(repeat_window_ms=WINDOW_MS))
    for n in range(many):
        told.now -= 1  # all in one bucket
        when(internal(f"a{n}"))
    when(later(ms=A_BUCKET_MS), internal("next"), later(ms=WINDOW_MS))
    remembered = [len(told.book.repeats.seen)]
    for n in range(4):
        when(internal(f"b{n}"))
        remembered.append(len(told.book.repeats.seen))
    rest = many + 2 - 2 * FORGET_AT_ONCE  # with the bank's own accounts
    forgotten = [before + 1 - after for before, after in itertools.pairwise(remembered)]
    assert forgotten == [FORGET_AT_ONCE, FORGET_AT_ONCE, rest, 0]


def test_buckets_are_forgotten_one_after_another() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS))
    for n in range(5):
        when(later(ms=A_BUCKET_MS), internal(f"a{n}"))
    assert len(told.book.repeats.buckets) == 6
    when(later(ms=2 * WINDOW_MS), [internal(f"b{n}") for n in range(6)])
    assert list(told.book.repeats.seen) == [
        f"root\nc{n}" for n in range(8, 15)
    ]  # the last ended when the next began
    assert len(told.book.repeats.buckets) == 2


def test_a_bucket_spans_a_64th_of_the_window_and_is_forgotten_a_window_after_its_end() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS))
    start = told.book.repeats.buckets[0].start_ms
    when(internal("last").issued_at(start + A_BUCKET_MS - 1))
    assert len(told.book.repeats.buckets) == 1
    told.now = start + A_BUCKET_MS + WINDOW_MS - 1
    when(say(GrantRole, subject="root", role="none").with_id("c2").issued_at(told.now))
    then(rejected("id_reused"))
    assert len(told.book.repeats.seen) == 3
    when(say(GrantRole, subject="root", role="none").with_id("c2").issued_at(told.now))
    then(rejected("id_reused"))
    assert told.book.repeats.seen == {}
    assert told.book.repeats.floor_ms == start + A_BUCKET_MS - 1


def test_a_bucket_ends_where_its_span_does() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS))
    start = told.book.repeats.buckets[0].start_ms
    when(internal("next").issued_at(start + A_BUCKET_MS))
    assert [one.start_ms for one in told.book.repeats.buckets] == [start, start + A_BUCKET_MS]
    when(internal("then").issued_at(start + A_BUCKET_MS + WINDOW_MS - 1))
    assert len(told.book.repeats.seen) == 4
    when(internal("later").issued_at(start + A_BUCKET_MS + WINDOW_MS))
    assert len(told.book.repeats.seen) == 3


def test_at_the_cap_the_answer_is_busy_and_the_id_can_be_sent_again() -> None:
    told = given(book(repeat_window_ms=WINDOW_MS, repeat_cap=4), account("alice"))
    assert len(told.book.repeats.seen) == 4
    pay = internal("new").with_id("i1").issued_at(told.now)
    when(pay)
    then(rejected("busy", remembered=4))
    assert len(told.book.repeats.seen) == 4
    when(internal("nostro").with_id("c2").issued_at(BEGAN_MS + 2))
    then(repeated(2))
    when(later(ms=WINDOW_MS + A_BUCKET_MS + 10), internal("x"))
    then(rejected("busy"))
    when(internal("x"))
    then(happened(AccountOpened))
    assert len(told.book.repeats.seen) == 1


def test_a_wall_book_recovers_from_busy_by_itself() -> None:
    told = given(book(clock="wall", repeat_window_ms=WINDOW_MS, repeat_cap=2))
    when(internal("a"))
    then(rejected("busy"))
    when(later(ms=2 * WINDOW_MS), internal("b"), internal("c"))
    then(happened(AccountOpened))
    assert told.book.repeats.floor_ms >= BEGAN_MS


def test_a_book_that_is_busy_can_be_given_more_room() -> None:
    given(book(repeat_cap=2))
    when(internal("a"))
    then(rejected("busy"))
    when(window(WINDOW_MS, 10))
    then(happened(RepeatWindowSet))
    when(internal("a"))
    then(happened(AccountOpened))


def test_a_smaller_window_does_not_forget_what_is_within_it() -> None:
    told = given(account("alice", balance=10))
    when(later(ms=3_600_000))
    pay = transfer("alice", "nostro", 4).with_id("t1").issued_at(told.now)
    when(pay)
    (first,) = then(happened(TransferPosted))
    when(window(WINDOW_MS, 1_000), transfer("nobody", "alice", 1).by("mallory"), pay)
    then(repeated(first.seq))
    when(later(ms=WINDOW_MS + 1), internal("a"), pay)
    then(rejected("too_old"))


def test_time_that_was_advanced_can_not_raise_the_floor_past_itself() -> None:
    told = given(book(repeat_window_ms=1_000))
    far = told.now + 300 * DAY_MS
    when(advance(told.now + 1_000).issued_at(far))
    then(rejected("issued_in_future"))
    when(later(ms=10_000), internal("a"), later(ms=10_000), internal("b"), internal("c"))
    then(happened(AccountOpened))


UNDECIDED: list[tuple[Reason, Said]] = [
    ("not_permitted", internal("new").by("mallory")),
    ("id_reused", internal("new").with_id("c2")),
    ("too_old", internal("new").issued_at(BEGAN_MS - 8 * DAY_MS)),
]


@pytest.mark.parametrize(("reason", "said"), UNDECIDED)
def test_a_refusal_before_the_decision_is_not_remembered(reason: Reason, said: Said) -> None:
    told = given()
    before = dict(told.book.repeats.seen)
    when(said)
    (refusal,) = then(rejected(reason))
    assert reason in UNREMEMBERED
    assert refusal.fingerprint == ""
    assert told.book.repeats.seen == before


@pytest.mark.by_hand
def test_permission_comes_before_the_repeat_and_the_repeat_before_age_and_cap() -> None:
    told = given(book(repeat_window_ms=1_000, repeat_cap=2))
    assert len(told.book.repeats.seen) == 2
    told.book.repeats.floor_ms = told.now + 10  # so that everything is too old, at the cap
    known = internal("nostro").with_id("c2")
    last = []
    for said in (
        known.by("mallory").issued_at(BEGAN_MS + 2),
        known.issued_at(BEGAN_MS + 2),
        known.issued_at(BEGAN_MS + 3),
        internal("x").issued_at(told.now),
        internal("x").issued_at(told.now + 1_000),
    ):
        when(said)
        last.append(getattr(told.last[0], "reason", None))
    assert last == ["not_permitted", "", "id_reused", "too_old", "busy"]


def test_a_busy_book_that_has_only_one_bucket_recovers() -> None:
    told = given(book(repeat_cap=2))
    assert len(told.book.repeats.buckets) == 1
    when(internal("a"))
    then(rejected("busy"))
    when(later(days=9), internal("b"))  # midnights have passed, and each has forgotten a little
    then(happened(AccountOpened))


# --- book time --------------------------------------------------------------------------------------------


def test_a_commanded_book_follows_the_commands_and_never_goes_back() -> None:
    told = given()
    at = told.book.at
    when(internal("a").issued_at(at + 5_000))
    then(happened(AccountOpened, at=at + 5_000))
    when(internal("b").issued_at(at + 1_000))
    then(happened(AccountOpened, at=at + 5_000, issued_at_ms=at + 1_000))


def test_a_wall_book_follows_the_log_and_never_goes_back() -> None:
    told = given(book(clock="wall"))
    told.now += 5_000
    when(internal("a").issued_at(BEGAN_MS))
    then(happened(AccountOpened, at=told.now))
    ahead = told.now
    told.now -= 3_000
    when(internal("b"))
    then(happened(AccountOpened, at=ahead))


def test_a_commanded_book_is_never_moved_by_who_may_not() -> None:
    told = given(user("carl"))
    at = told.book.at
    for said in (
        internal("a").by("carl"),
        advance(at + DAY_MS).by("carl"),
        advance(at + DAY_MS).by("nobody"),
    ):
        when(said.issued_at(at + DAY_MS))
        then(rejected("not_permitted"))
        assert told.book.at == at
    assert not any(isinstance(one, BusinessDateRolled) for one in told.events())


def test_a_commanded_book_moves_a_leap_year_at_a_time() -> None:
    told = given()
    at = told.book.at
    when(advance(at + pipeline.FARTHEST_MS + 1))
    then(rejected("issued_in_future", ahead_ms=pipeline.FARTHEST_MS + 1))
    assert told.book.at == at
    when(internal("a").issued_at(at + pipeline.FARTHEST_MS + 1))
    then(rejected("issued_in_future"))
    assert told.book.at == at
    when(advance(at + pipeline.FARTHEST_MS))
    then(happened(TimeAdvanced, at=at + pipeline.FARTHEST_MS))
    assert sum(isinstance(one, BusinessDateRolled) for one in told.events()) == 366


def test_who_may_not_advance_time_moves_a_book_by_little_more_than_a_week() -> None:
    told = given(role("opener", OpenAccount), user("carl", roles=["opener"]))
    at = told.book.at
    when(internal("a").by("carl").issued_at(at + pipeline.UNASKED_MS + 1))
    then(rejected("issued_in_future", ahead_ms=pipeline.UNASKED_MS + 1))
    assert told.book.at == at
    when(internal("a").by("carl").issued_at(at + pipeline.UNASKED_MS))
    then(happened(AccountOpened, at=at + pipeline.UNASKED_MS))


def test_a_wall_book_takes_nothing_issued_more_than_a_minute_ahead() -> None:
    told = given(book(clock="wall"))
    ahead = internal("a").with_id("i1")
    when(ahead.issued_at(told.now + 1 + pipeline.AHEAD_MS + 1))
    then(rejected("issued_in_future", ahead_ms=pipeline.AHEAD_MS + 1))
    when(ahead.issued_at(told.now + 1 + pipeline.AHEAD_MS))
    then(happened(AccountOpened))


# --- timers -----------------------------------------------------------------------------------------------


def fired(told: Story) -> list[tuple[int, str]]:
    return [(one.at, one.timer) for one in told.events() if one.timer]


def test_timers_fire_by_time_and_then_by_id_before_the_command() -> None:
    told = given(account("z"), account("a"), account("m"))
    noon = BEGAN_MS + DAY_MS
    when(
        block("z", "1", expires_at_ms=noon),
        block("a", "2", expires_at_ms=noon),
        block("m", "1", expires_at_ms=noon - 1),
        block("a", "1", expires_at_ms=noon),
        block("a", "3", expires_at_ms=noon + 2),
    )
    told.now = noon
    when(internal("x").issued_at(noon + 1))
    blocks = [one for one in fired(told) if one[1] != "business_date"]
    assert blocks == [
        (noon - 1, "block\nm\n1"),
        (noon, "block\na\n1"),
        (noon, "block\na\n2"),
        (noon, "block\nz\n1"),
    ]
    assert isinstance(told.events()[-1], AccountOpened)
    then(happened(AccountOpened, at=noon + 1))


def test_a_timer_fires_at_its_time_not_a_millisecond_before() -> None:
    told = given(account("a"))
    due = BEGAN_MS + 3_600_000
    when(block("a", "1", expires_at_ms=due))
    when(advance(due - 1))
    assert fired(told) == []
    when(advance(due))
    assert fired(told) == [(due, "block\na\n1")]


def test_many_timers_fire_in_slices_each_committed_by_itself() -> None:
    due = BEGAN_MS + 3_600_000
    many = 2 * pipeline.TIMERS_AT_ONCE + 10
    told = given(account("a"), batch=10_000)
    told.hear([block("a", f"b{n}", expires_at_ms=due) for n in range(many)])
    pages, position = told.log.page_count(), told.worker.position
    positions: list[int] = []
    commit = told.log.commit

    def spy(events: list[Out], through: int, time_ms: int) -> None:
        positions.append(through)
        commit(events, through, time_ms)

    told.log.commit = spy  # type: ignore[method-assign,assignment]
    told.now = due
    # Three commands in one batch: the first is decided before, the others after the timers.
    commands = [told.command(internal(f"i{n}").issued_at(at)) for n, at in enumerate((due - 1, due, due))]
    told.log.submit([Out(MAIN.encode(), encode(one)) for one in commands])
    told.worker.step()
    assert positions == [position + 1, position + 1, position + 3]
    assert told.log.page_count() == pages + 3
    assert len(fired(told)) == many
    kinds = [type(one) for one in told.events()[-many - 3 :]]
    assert kinds == [AccountOpened, *[BlockLifted] * many, AccountOpened, AccountOpened]
    told.check()


def test_a_slice_of_timers_that_was_stored_is_not_fired_again_after_a_crash() -> None:
    due = BEGAN_MS + 3_600_000
    many = pipeline.TIMERS_AT_ONCE + 10
    told = given(account("a"))
    told.hear([block("a", f"b{n}", expires_at_ms=due) for n in range(many)])
    told.now = due
    told.log.submit([Out(MAIN.encode(), encode(told.command(internal("x"))))])
    (record,) = told.log.commands(told.worker.position, 1, 0.0)
    assert not told.worker.pipeline.run(record)
    told.worker._commit([])
    told.log = told.log.reopen(keep_pending=True)
    told.worker = told._recruit()
    while told.worker.step():
        pass
    assert len(fired(told)) == many
    assert isinstance(told.events()[-1], AccountOpened)
    told.check()


def test_exactly_one_slice_of_timers_needs_no_second() -> None:
    due = BEGAN_MS + 3_600_000
    told = given(account("a"))
    told.hear([block("a", f"b{n}", expires_at_ms=due) for n in range(pipeline.TIMERS_AT_ONCE)])
    pages = told.log.page_count()
    when(advance(due))
    then(happened(TimeAdvanced))
    assert told.log.page_count() == pages + 1


def test_a_wall_book_that_nobody_writes_to_fires_by_itself() -> None:
    due = BEGAN_MS + 3_600_000
    told = given(book(clock="wall"), account("a"), block("a", "1", expires_at_ms=due))
    position = told.worker.position
    told.now = due - 1
    told.idle()
    assert fired(told) == []
    told.now = due
    told.idle()
    assert fired(told) == [(due, "block\na\n1")]
    assert told.worker.position == position
    told.idle()
    assert len(fired(told)) == 1
    told.recover()
    assert told.book.accounts["a"].blocks is None
    told.check()


def test_idle_timers_fire_in_slices_too() -> None:
    due = BEGAN_MS + 3_600_000
    many = pipeline.TIMERS_AT_ONCE + 1
    told = given(book(clock="wall"), account("a"))
    told.hear([block("a", f"b{n}", expires_at_ms=due) for n in range(many)])
    pages = told.log.page_count()
    told.now = due
    told.idle()
    assert len(fired(told)) == many
    assert told.log.page_count() == pages + 2


def test_idle_timers_are_asked_for_a_few_times_a_second() -> None:
    due = BEGAN_MS + 3_600_000
    told = given(book(clock="wall"), account("a"), block("a", "1", expires_at_ms=due))
    told.look_at_timers()
    told.worker.step()
    told.now = due
    told.worker._timers_asked += 1_000.0  # as if it were a moment ago for a long time
    told.worker.step()
    assert fired(told) == []
    told.worker._timers_asked -= 1_000.0 + worker.IDLE_TIMERS_S
    told.worker.step()
    assert len(fired(told)) == 1


def test_a_wall_book_fires_also_while_others_are_written_to() -> None:
    due = BEGAN_MS + 3_600_000
    told = given(
        book(clock="wall"), account("a"), block("a", "1", expires_at_ms=due), book(clock="wall").to("second")
    )
    told.now = due - 2
    told.look_at_timers()
    when(internal("x").to("second"))
    assert fired(told) == []
    told.look_at_timers()
    when(internal("y").to("second"))
    assert fired(told) == [(due, "block\na\n1")]
    then(happened(AccountOpened))
    told.check()


def test_a_wall_book_fires_no_further_than_what_waits_to_be_decided() -> None:
    due = BEGAN_MS + 3_600_000
    told = given(book(clock="wall"), account("a", 5), block("a", "1", expires_at_ms=due), batch=1)
    told.now = due - 10
    waiting = [internal("x"), transfer("a", "nostro", 1)]
    told.log.submit([Out(MAIN.encode(), encode(told.command(one))) for one in waiting])
    told.now = due + 10
    told.look_at_timers()
    assert told.worker.step() == 1
    told.look_at_timers()
    assert told.worker.step() == 1
    (refusal,) = (one for one in told.events() if isinstance(one, CommandRejected))
    assert refusal.reason == "account_blocked"
    told.idle()
    assert fired(told) == [(due, "block\na\n1")]


def test_a_commanded_book_never_fires_by_itself() -> None:
    told = given(account("a"), block("a", "1", expires_at_ms=BEGAN_MS + 3_600_000))
    told.now += 2 * DAY_MS
    told.idle()
    assert fired(told) == []


# --- the clock jumps --------------------------------------------------------------------------------------

JUMP_MS = 3 * DAY_MS


def confirm() -> Said:
    return say(ConfirmClock, reason="the engine was off")


def jumped(**fields: Any) -> Story:
    told = given(book(clock="wall", **fields), account("a"), user("carl"))
    told.now += JUMP_MS
    return told


def test_nothing_but_its_confirmation_is_decided_after_a_jump() -> None:
    told = jumped()
    at = told.book.at
    when(internal("x"))
    then(rejected("clock_unconfirmed", jump_ms=told.now - at))
    assert told.book.at == at
    told.idle()
    assert fired(told) == []
    when(confirm())
    then(happened(ClockConfirmed, at=told.now, through_ms=told.now, reason="the engine was off"))
    confirmed_ms = told.now
    when(internal("x"))
    then(happened(AccountOpened, at=told.now))
    days = [one for one in told.events() if isinstance(one, BusinessDateRolled)]
    assert [one.at for one in days] == [confirmed_ms] * 3
    when(confirm())
    then(rejected("nothing_to_confirm"))


def test_after_its_confirmation_an_idle_book_fires_what_it_missed() -> None:
    told = jumped()
    when(confirm())
    told.idle()
    assert [timer for _, timer in fired(told)] == ["business_date"] * 3


def test_a_day_and_an_hour_without_anything_are_no_jump() -> None:
    told = given(book(clock="wall"))
    told.now = told.book.at + 25 * 3_600_000 - 1
    when(internal("x"))
    then(happened(AccountOpened, at=told.now))


def test_a_millisecond_more_than_a_day_and_an_hour_is_a_jump() -> None:
    told = given(book(clock="wall"))
    told.now = told.book.at + 25 * 3_600_000
    when(internal("x"))
    then(rejected("clock_unconfirmed", jump_ms=25 * 3_600_000 + 1))
    assert not told.events()[-1].fingerprint


def test_after_more_than_a_year_the_system_book_waits_for_confirmation_too() -> None:
    told = given()
    told.now += 366 * DAY_MS
    told.send(b"rubbish")
    (refusal,) = then(rejected("undecodable"))
    assert refusal.at < told.now, "what is refused does not move the book past the jump"
    when(book(clock="wall").to("second"))
    then(rejected("clock_unconfirmed"))
    when(confirm().to(SYSTEM_BOOK), book(clock="wall").to("second"))
    then(happened(BookRegistered), happened(BookOpened, book="second", at=told.now))


def test_the_system_book_may_be_quiet_for_days() -> None:
    told = given()
    when(later(days=5), book(clock="wall").to("second"))
    then(happened(BookRegistered), happened(BookOpened, book="second", at=told.now))
    told.idle()


def test_a_jump_within_what_was_confirmed_is_none_and_a_further_one_is() -> None:
    told = jumped()
    when(confirm(), internal("x"))
    then(happened(AccountOpened))
    told.now += JUMP_MS
    when(internal("y"))
    then(rejected("clock_unconfirmed"))


def test_no_refusal_moves_a_book_past_the_jump() -> None:
    told = jumped()
    at = told.book.at
    refusals = [
        confirm().by("carl"),
        confirm().by("nobody"),
        confirm().with_id("c2"),
        confirm().issued_at(BEGAN_MS - 8 * DAY_MS),
        confirm().issued_at(told.now + 10 * pipeline.AHEAD_MS),
        internal("x"),
        advance(told.now),
    ]
    for said in refusals:
        when(said)
        then(rejected("clock_unconfirmed"))
        assert told.book.at == at


def test_a_confirmation_that_fails_to_be_decided_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = jumped()
    at = told.book.at
    with monkeypatch.context() as patched:
        patched.setitem(decide.DECIDE, ConfirmClock, fails)
        when(confirm())
        then(rejected("internal_error"))
        assert told.book.at == at
    when(confirm())
    then(happened(ClockConfirmed))


def test_the_clock_can_be_confirmed_at_the_cap() -> None:
    told = given(book(clock="wall", repeat_cap=2))
    told.now += JUMP_MS
    when(internal("x"))
    then(rejected("clock_unconfirmed"))
    when(confirm())
    then(happened(ClockConfirmed))


def test_a_clock_that_has_not_jumped_has_nothing_to_confirm() -> None:
    given(book(clock="wall"))
    when(confirm())
    then(rejected("nothing_to_confirm"))
    when(book().to("second"), confirm().to("second"))
    then(rejected("nothing_to_confirm"))


# --- what fails -------------------------------------------------------------------------------------------


def fails(book: object, command: Command, at_ms: int) -> Event:
    raise KeyError("a bug of ours")


def test_a_decision_that_fails_is_an_outcome_and_leaves_nothing_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = given(account("alice", balance=10))
    accounts = {name: (one.booked, one.is_open) for name, one in told.book.accounts.items()}
    pay = transfer("alice", "nostro", 1).with_id("t1").issued_at(told.now)
    with monkeypatch.context() as patched:
        patched.setitem(decide.DECIDE, Transfer, fails)
        when(pay)
        (first,) = then(rejected("internal_error"))
        assert isinstance(first, CommandRejected)
        assert first.restricted == "KeyError: 'a bug of ours'"
        assert first.figures == {}
    assert {name: (one.booked, one.is_open) for name, one in told.book.accounts.items()} == accounts
    when(pay)
    then(repeated(first.seq, "internal_error"))
    when(transfer("alice", "nostro", 1))
    then(happened(TransferPosted))


def test_the_system_book_cannot_be_addressed() -> None:
    given()
    when(internal("x").to("~system"))
    then(rejected("unknown_book", book="~system"))
    when(book().to("~system"))
    then(rejected("undecodable"))


def test_what_belongs_to_no_book_is_answered_by_the_system_book() -> None:
    told = given()
    when(internal("x").to("nowhere").with_id("lost"))
    (refusal,) = then(rejected("unknown_book", book="nowhere", id="lost"))
    assert (refusal.book, refusal.seq, refusal.at) == ("~system", told.system.seq, told.now)
    assert (refusal.command, refusal.actor) == ("", "")
    (record,) = (one for one in told.log.events(-1) if one.value == encode(refusal))
    assert record.key == b"~system"


# --- the envelope, the position, the release --------------------------------------------------------------


def test_an_event_says_which_command_it_answers() -> None:
    told = given()
    when(internal("x").with_id("i1").issued_at(told.now - 1))
    (event,) = then(
        happened(AccountOpened, command="i1", actor="root", issued_at_ms=told.now - 2, book=MAIN, timer="")
    )
    assert event.cause == told.log.last_command_offset() == told.worker.position
    assert event.seq == told.book.seq
    assert len(event.fingerprint) == 16


def test_the_first_command_of_a_log_has_its_outcome_too() -> None:
    told = Story(book(), began=BEGAN_MS)
    assert told.worker.folded.partition.position == told.worker.position == 0
    told.recover()
    assert told.worker.position == 0


def test_seqs_and_causes_have_no_gaps() -> None:
    told = given(account("a", 5), user("carl"))
    when(transfer("a", "nostro", 6), transfer("a", "nostro", 1).by("carl"), later(days=2), internal("x"))
    for name in ("~system", MAIN):
        seqs = [one.seq for one in told.events() if one.book == name]
        assert seqs == list(range(1, len(seqs) + 1))
    causes = sorted({one.cause for one in told.events() if one.cause >= 0})
    assert causes == list(range(told.worker.position + 1))


def test_a_release_that_decides_differently_says_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    told = given()
    monkeypatch.setattr(worker, "RELEASE", RELEASE + 1)
    seq, position = told.system.seq, told.worker.position
    told.recover()
    (announced,) = (one for one in told.events() if isinstance(one, ReleaseActivated))
    assert (announced.release, announced.book, announced.seq) == (RELEASE + 1, "~system", seq + 1)
    assert told.worker.folded.partition.release == RELEASE + 1
    assert told.worker.position == position
    told.recover()
    assert sum(isinstance(one, ReleaseActivated) for one in told.events()) == 1
    when(internal("x"))
    then(happened(AccountOpened))


def test_a_log_that_has_not_begun_has_no_worker() -> None:
    with pytest.raises(NotInitialised):
        Worker(MemoryLog())


def test_a_worker_takes_more_at_a_time_while_it_is_quick_and_less_when_it_is_slow() -> None:
    told = given()
    one = told.worker
    assert one._limit == 1_000
    one._adapt(1_000, worker.SLOW_BATCH_S / 4)
    assert one._limit == 2_000
    one._adapt(1_999, worker.SLOW_BATCH_S / 4)
    assert one._limit == 2_000
    for _ in range(9):
        one._adapt(one._limit, 0.0)
    assert one._limit == worker.LARGEST_BATCH
    for _ in range(20):
        one._adapt(1, 2 * worker.SLOW_BATCH_S)
    assert 32 <= one._limit <= 64
    assert not given(batch=7).worker._adapts
    assert story().worker._limit == 7


def test_a_worker_runs_until_it_is_told_to_stop() -> None:
    told = given()
    told.log.submit([Out(MAIN.encode(), encode(told.command(internal("x"))))])
    rounds = iter([False, False, True])
    told.worker.run(lambda: next(rounds), wait_s=0.0)
    assert "x" in told.book.accounts
