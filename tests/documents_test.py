"""Publishing documents: checked whole, versions that only grow, in force from a time on."""

from __future__ import annotations

from typing import Any

from schemas.publishing import DocumentPublished, DocumentTookEffect, PublishDocument
from schemas.rejections import Reason
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    advance,
    given,
    happened,
    later,
    rejected,
    say,
    story,
    then,
    when,
)

CURRENT = {"name": "Current account", "currencies": ["EUR"]}


def published(document: str = "current", version: int = 1, body: Any = None, **fields: Any) -> Said:
    """A version of a document, a product unless it says so."""
    return say(
        PublishDocument,
        **{"kind": "product", "document": document, "version": version, "body": body or CURRENT, **fields},
    )


REJECTIONS: list[tuple[Reason, Said]] = [
    ("document_invalid", published(version=1, body={"nam": "x"}, effective_from_ms=1)),
    ("document_invalid", published(version=1, body={**CURRENT, "currencies": ["XXX"]}, effective_from_ms=1)),
    ("version_not_newer", published(version=1, effective_from_ms=1)),
    ("effective_in_past", published(version=2, effective_from_ms=1)),
]


def test_what_is_wrong_is_refused_with_its_path() -> None:
    given(published())
    for reason, said in REJECTIONS:
        when(said)
        then(rejected(reason))
    when(published(version=2, body={**CURRENT, "currencies": ["EUR", "XXX"]}))
    then(rejected("document_invalid", detail="currencies[1]: there is no currency XXX"))


def test_a_version_is_in_force_at_once_or_from_its_time_on() -> None:
    given(published())
    assert story().book.in_force.products["current"].name == "Current account"
    when(published(version=2, body={"name": "Second"}, effective_from_ms=BEGAN_MS + DAY_MS))
    then(happened(DocumentPublished, version=2))
    assert story().book.in_force.products["current"].name == "Current account"
    when(later(days=1), advance(BEGAN_MS + DAY_MS))
    assert DocumentTookEffect in [type(one) for one in story().events()]
    assert story().book.in_force.products["current"].name == "Second"
    story().check()


def test_a_version_takes_the_place_of_what_was_to_come_later() -> None:
    given(
        published(),
        published(version=2, body={"name": "Second"}, effective_from_ms=BEGAN_MS + 2 * DAY_MS),
        published(version=3, body={"name": "Third"}, effective_from_ms=BEGAN_MS + DAY_MS),
        later(days=3),
        advance(BEGAN_MS + 3 * DAY_MS),
    )
    assert story().book.in_force.products["current"].name == "Third"
