"""A bug in what a timer does: the book goes on, it is said, and the timer fires again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from book.end_of_day import END_OF_DAY
from commands.decide import FIRE, RETRY_MS
from replay.verify import verify
from schemas.accounts import BlockLifted
from schemas.books import BusinessDateRolled, TimeAdvanced, TimerFailed
from schemas.message import Event
from tests.interest_words import BANK, interest, product
from tests.story import BEGAN_MS, DAY_MS, account, advance, block, given, happened, later, story, then, when


def fails(*_: Any) -> Event:
    raise LookupError("a bug")


def fails_in_its_first_step(*_: Any) -> Iterator[Event]:
    for what in ("a bug",):
        raise LookupError(what)
    yield TimeAdvanced()


@pytest.mark.parametrize("bug", [fails, fails_in_its_first_step])
def test_a_timer_with_a_bug_is_said_and_fires_again(monkeypatch: pytest.MonkeyPatch, bug: Any) -> None:
    until = BEGAN_MS + 60_000
    told = given(account("alice", 100), block("alice", "b", expires_at_ms=until))
    with monkeypatch.context() as broken:
        broken.setitem(FIRE, "block", bug)
        when(later(ms=120_000), advance(BEGAN_MS + 120_000))
        then(happened(TimeAdvanced))
        (failed,) = (one for one in told.events() if isinstance(one, TimerFailed))
        assert (failed.timer, failed.at, failed.again_at_ms) == ("block\nalice\nb", until, until + RETRY_MS)
        assert failed.restricted == "LookupError: a bug"
        told.recover()
    when(later(ms=RETRY_MS), advance(BEGAN_MS + 120_000 + RETRY_MS))
    lifted = [one for one in told.events() if isinstance(one, BlockLifted)]
    assert [one.at for one in lifted] == [until + RETRY_MS]
    assert verify(told.log.reader()).ok


@pytest.mark.parametrize("kind", ["business_date", END_OF_DAY])
def test_days_go_on_where_their_end_has_a_bug_for_a_while(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    told = given(BANK, product(interest("0.02")), account("alice", 100, product="savings"))
    with monkeypatch.context() as broken:
        broken.setitem(FIRE, kind, fails)
        when(later(days=1), advance(BEGAN_MS + DAY_MS))
        assert any(isinstance(one, TimerFailed) and one.timer == kind for one in told.events())
    when(later(days=2), advance(BEGAN_MS + 3 * DAY_MS))
    rolled = [one.business_date.isoformat() for one in told.events() if isinstance(one, BusinessDateRolled)]
    assert rolled == ["2024-05-16", "2024-05-17", "2024-05-18"]
    assert not story().book.end_of_day.pending
    assert verify(told.log.reader()).ok
