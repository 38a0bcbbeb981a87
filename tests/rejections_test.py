"""The order of checks: what a handler promises, its table of rejections tests, and no reason is left out."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from commands.decide import DECIDE
from schemas.message import Command
from schemas.rejections import REASONS, UNREMEMBERED, Reason
from tests import (
    access_test,
    accounts_test,
    approvals_test,
    books_test,
    bulk_test,
    case_decisions_test,
    case_reports_test,
    case_work_test,
    cases_test,
    closing_test,
    crossbook_test,
    documents_test,
    exchange_test,
    fees_test,
    flags_test,
    holds_test,
    interest_test,
    limits_test,
    orders_test,
    parties_test,
    payments_in_test,
    payments_test,
    rail_reports_test,
    repairs_test,
    reviews_test,
    stops_test,
    transfers_test,
    value_dates_test,
)
from tests.story import Said

TABLES: tuple[list[tuple[Reason, Said]], ...] = (
    books_test.WALL_REJECTIONS,
    books_test.REJECTIONS,
    access_test.REJECTIONS,
    parties_test.REJECTIONS,
    accounts_test.REJECTIONS,
    transfers_test.REJECTIONS,
    crossbook_test.REJECTIONS,
    documents_test.REJECTIONS,
    bulk_test.REJECTIONS,
    orders_test.REJECTIONS,
    payments_in_test.REJECTIONS,
    closing_test.REJECTIONS,
    interest_test.REJECTIONS,
    interest_test.UNFINISHED,
    approvals_test.REJECTIONS,
    holds_test.REJECTIONS,
    payments_test.REJECTIONS,
    rail_reports_test.REJECTIONS,
    repairs_test.REJECTIONS,
    reviews_test.REJECTIONS,
    stops_test.REJECTIONS,
    limits_test.REJECTIONS,
    fees_test.REJECTIONS,
    flags_test.REJECTIONS,
    exchange_test.REJECTIONS,
    value_dates_test.REJECTIONS,
    cases_test.REJECTIONS,
    case_decisions_test.REJECTIONS,
    case_work_test.REJECTIONS,
    case_reports_test.REJECTIONS,
)
OF_THE_PIPELINE = UNREMEMBERED | {"internal_error", "too_many_waiting"}
"""Reasons that no handler gives; the tests of the pipeline and of bad input have them."""


def rows_of(kind: type[Command]) -> list[str]:
    """The reasons in a command's table, in order, each once."""
    rows = [reason for table in TABLES for reason, said in table if said.kind is kind]
    return [reason for reason, _ in itertools.groupby(rows)]


def promised(kind: type[Command]) -> list[str]:
    """The reasons in the docstring of the command's handler, in order."""
    text = DECIDE[kind].__doc__ or ""
    start = re.search(r"(Rejected(, in this order)?: |Never rejected)", text)
    assert start, f"the docstring of {DECIDE[kind].__name__} says what is rejected"
    # The list ends with its sentence.
    listed = text[start.end() :].partition(".")[0]
    return [word for word in re.findall(r"[a-z]+(?:_[a-z]+)*", listed) if word in REASONS]


@pytest.mark.parametrize("kind", DECIDE, ids=lambda kind: kind.__name__)
def test_what_a_handler_promises_is_tested_in_that_order(kind: type[Command]) -> None:
    assert rows_of(kind) == promised(kind)


def test_no_reason_is_without_a_test() -> None:
    in_tables = {reason for table in TABLES for reason, _ in table}
    assert in_tables == set(REASONS) - OF_THE_PIPELINE
    texts = "".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("pipeline_test.py", "bad_input_test.py", "approvals_test.py")
    )
    for reason in OF_THE_PIPELINE:
        assert f'"{reason}"' in texts, f"{reason} is tested"
