"""What is looked for over all books, as a deployment sets it."""

import pytest

from detection.across import Watching
from detection.hopping import HOUR_MS
from detection.watching import watching_of
from engine.errors import WrongUse


def test_without_a_word_it_is_what_the_code_says() -> None:
    assert watching_of({}) == Watching()


def test_a_threshold_is_set_and_zero_looks_no_more() -> None:
    found = watching_of({"many_payers": 12, "passes_on": 0, "stands_ms": 5})
    assert {one.flag: one.least for one in found.watches}["many_payers"] == 12
    assert "passes_on" not in {one.flag for one in found.watches}
    assert found.stands_ms == 5


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"many_friends": 1}, "there is no many_friends"),
        ({"many_payers": -1}, "below zero"),
        ({"hop_ms": 7 * HOUR_MS}, "do not go together"),
        ({"hop_ms": 0}, "do not go together"),
        ({"window_ms": 100 * HOUR_MS, "hop_ms": HOUR_MS}, "do not go together"),
    ],
)
def test_what_cannot_be_is_refused(told: dict[str, int], words: str) -> None:
    with pytest.raises(WrongUse, match=words):
        watching_of(told)
