"""Structuring: what is told, once, and what is not."""

from __future__ import annotations

from tests.detection_words import kinds, noticed, watched
from tests.story import Word, account, given, later, reversal, story, transfer, when

THRESHOLD = {"threshold": {"EUR": 1_000_000}}


def paid_in(*amounts: int, apart_days: float = 1, to: str = "alice") -> list[Word]:
    found: list[Word] = []
    for number, amount in enumerate(amounts):
        found += [transfer("nostro", to, amount, reference=f"{to}{number}"), later(days=apart_days)]
    return found


def test_amounts_just_under_the_threshold_are_told_once() -> None:
    given(account("alice"), account("bob"), watched(structuring=THRESHOLD))
    when(*paid_in(950_000, 900_000, 999_999, 950_000))
    (alert,) = noticed()
    assert (alert.kind, alert.account, alert.version) == ("structuring", "alice", 1)
    assert alert.amount == 950_000 + 900_000 + 999_999
    assert alert.figures["count"] == 3
    assert [seen.seq for seen in alert.evidence] == [story().seq_of(f"alice{one}") for one in range(3)]
    assert not alert.shadow


def test_the_threshold_itself_and_small_amounts_are_not_structuring() -> None:
    given(account("alice"), watched(structuring=THRESHOLD))
    when(*paid_in(1_000_000, 1_000_000, 1_000_000, 799_999, 799_999, 799_999))
    assert kinds() == []


def test_the_edges_count() -> None:
    given(account("alice"), watched(structuring=THRESHOLD))
    when(*paid_in(800_000, 800_000, 800_000))
    assert kinds() == [("structuring", "alice")]


def test_what_is_further_apart_than_the_window_is_not_told() -> None:
    given(account("alice"), watched(structuring=THRESHOLD))
    when(*paid_in(900_000, 900_000, 900_000, 900_000, apart_days=4))
    assert kinds() == []


def test_a_new_pattern_after_the_window_is_told_anew() -> None:
    given(account("alice"), watched(structuring=THRESHOLD))
    when(*paid_in(*[900_000] * 12))
    first, second = noticed()
    assert first.id != second.id
    assert not set(first.evidence) & set(second.evidence)


def test_what_was_taken_back_counts_no_more() -> None:
    given(account("alice"), watched(structuring=THRESHOLD))
    when(*paid_in(900_000, 900_000, apart_days=0.1), reversal("alice1"), *paid_in(900_000, to="alice"))
    assert kinds() == []


def test_nothing_runs_without_a_document_or_when_it_is_off() -> None:
    given(account("alice"))
    when(*paid_in(900_000, 900_000, 900_000))
    assert kinds() == []
    given(account("alice"), watched(structuring={**THRESHOLD, "stage": "off"}))
    when(*paid_in(900_000, 900_000, 900_000))
    assert kinds() == []


def test_in_shadow_the_alert_says_so() -> None:
    given(account("alice"), watched(structuring={**THRESHOLD, "stage": "shadow"}))
    when(*paid_in(900_000, 900_000, 900_000))
    (alert,) = noticed()
    assert alert.shadow


def test_new_parameters_go_on_with_what_was_seen() -> None:
    given(account("alice"), watched(structuring={**THRESHOLD, "count": 9}))
    when(
        *paid_in(900_000, 900_000, apart_days=0.1),
        watched(structuring=THRESHOLD, version=2),
        *paid_in(900_000, to="alice"),
    )
    (alert,) = noticed()
    assert alert.version == 2
    assert alert.figures["count"] == 3
