"""What is derived from events may come again after its id is forgotten: none doubled, none too old."""

from __future__ import annotations

from schemas.cases import AlertsJoined, CaseOpened
from schemas.flags import FlagRaised, RaiseFlag
from tests.case_words import alert, report
from tests.story import BEGAN_MS, account, book, given, happened, later, rejected, say, then, when

WINDOW_MS = 1_000
LONG_MS = 50_000


def test_an_alert_of_long_ago_is_reported_all_the_same_and_again_changes_nothing() -> None:
    given(book(repeat_window_ms=WINDOW_MS), account("alice"))
    when(later(ms=LONG_MS), account("bob"), later(ms=LONG_MS), account("carol"))
    first = report("c1", alert(1)).with_id("alert-1").issued_at(BEGAN_MS)
    when(first)
    then(happened(CaseOpened, case="c1"), happened(AlertsJoined))
    when(later(ms=LONG_MS), account("dan"), later(ms=LONG_MS), account("eve"))
    when(first)
    then(rejected("nothing_to_change"))


def test_a_flag_of_long_ago_is_raised_if_it_still_stands_and_again_changes_nothing() -> None:
    given(book(repeat_window_ms=WINDOW_MS), account("alice"))
    when(later(ms=LONG_MS), account("bob"), later(ms=LONG_MS), account("carol"))
    fields = {"subject": "account", "of": "alice", "flag": "mule"}
    late = say(RaiseFlag, **fields, expires_at_ms=BEGAN_MS + 10 * LONG_MS).with_id("f1").issued_at(BEGAN_MS)
    when(late)
    then(happened(FlagRaised))
    when(later(ms=LONG_MS), account("dan"), later(ms=LONG_MS), account("eve"))
    when(late)
    then(rejected("nothing_to_change"))
    when(say(RaiseFlag, **fields, expires_at_ms=BEGAN_MS + 1).with_id("f2").issued_at(BEGAN_MS))
    then(rejected("expiry_in_past"))
