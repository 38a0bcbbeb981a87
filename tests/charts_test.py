"""The chart of accounts as a document: a tree, complete, that leaves every account its line."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.publishing import DocumentPublished, PublishDocument
from schemas.rejections import CommandRejected
from tests.ledger_projection_test import CHART
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    account,
    advance,
    given,
    happened,
    internal,
    later,
    rejected,
    say,
    story,
    the_account,
    then,
    when,
)

TOP = {"code": "T", "name": "Top", "side": "debit"}
EXTRA = {"code": "1001", "name": "More", "side": "debit", "kind": "nostro"}


def chart(*lines: dict[str, Any], version: int = 1, without: str = "", **fields: Any) -> Said:
    """The chart of the tests, with more lines and without one."""
    kept = [line for line in CHART if line["code"] != without]
    body = {"lines": [*kept, *lines]}
    return say(PublishDocument, kind="chart", document="main", version=version, body=body, **fields)


PROBLEMS: list[tuple[Said, str]] = [
    (chart({**EXTRA, "code": "1000"}), "lines[12].code: there is a line 1000 already"),
    (chart({**EXTRA, "parent": "Z"}), "lines[12].parent: there is no line Z"),
    (
        chart({**EXTRA, "parent": "1000"}),
        "lines[12].parent: 1000 has accounts below (of kind nostro), so it has no lines",
    ),
    (
        chart({**TOP, "parent": "U"}, {**TOP, "code": "U", "parent": "T"}),
        "lines[12].parent: T is its own ancestor",
    ),
    (chart({**TOP, "parent": "T"}), "lines[12].parent: T is its own ancestor"),
    (chart(TOP), "lines[12].kind: a line without lines below has a kind of account"),
    (chart(without="2900"), "lines: there is no line for accounts of kind suspense"),
    (
        chart({**EXTRA, "code": "1000", "kind": "income", "parent": "A1"}, EXTRA, without="1000"),
        "lines[11].kind: accounts of kind nostro are kept under 1000",
    ),
    (
        chart({**EXTRA, "code": "1009", "parent": "A1"}, without="1000"),
        "lines: accounts are kept under 1000, so the line cannot be removed",
    ),
]


@pytest.mark.parametrize(("said", "problem"), PROBLEMS)
def test_what_is_no_chart_is_refused_with_its_path(said: Said, problem: str) -> None:
    given()
    when(said)
    (refused,) = then(rejected("document_invalid"))
    assert isinstance(refused, CommandRejected)
    assert problem in str(refused.figures["detail"]).split("; ")


def test_a_chart_takes_the_place_of_the_books_own() -> None:
    given(account("alice", 100))
    when(chart(EXTRA))
    then(happened(DocumentPublished))
    assert list(story().book.chart) == [*(line["code"] for line in CHART), "1001"]
    when(internal("other", ledger="1001"), internal("first"))
    assert [the_account(one).ledger for one in ("other", "first", "alice")] == ["1001", "1000", "2000"]
    when(internal("equity", "equity"))
    then(rejected("ledger_not_found", kind="equity"))
    when(internal("heading", ledger="A"))
    then(rejected("ledger_not_found", ledger="A"))


def test_no_account_is_opened_under_a_line_that_is_to_go() -> None:
    given(chart(EXTRA))
    when(chart(version=2, effective_from_ms=BEGAN_MS + DAY_MS))
    then(happened(DocumentPublished))
    when(internal("other", ledger="1001"))
    then(rejected("ledger_not_found", ledger="1001"))
    when(later(days=1), advance(BEGAN_MS + DAY_MS))
    assert "1001" not in story().book.chart
    assert story().book.chart["1000"].parent == "A1"
