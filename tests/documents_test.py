"""Publishing documents: checked whole, versions that only grow, in force from a time on."""

from __future__ import annotations

from typing import Any

from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from schemas.publishing import DocumentPublished, DocumentTookEffect, PublishDocument
from schemas.rejections import Reason
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    advance,
    given,
    happened,
    internal,
    later,
    rejected,
    say,
    story,
    then,
    when,
)
from tests.terms_words import fee, tariff

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


def test_what_a_document_names_has_to_be_in_force_when_it_is() -> None:
    april, march = BEGAN_MS + 2 * DAY_MS, BEGAN_MS + DAY_MS
    given(
        internal("fees", "income"),
        tariff("prices", fee("flat", flat=10), effective_from_ms=april),
    )
    when(published(body={**CURRENT, "tariff": "prices"}, effective_from_ms=march))
    then(
        rejected(
            "document_invalid",
            detail="tariff: the tariff document prices begins 2024-05-17 10:00, which is after "
            "2024-05-16 10:00, when this would",
        )
    )
    when(published(body={**CURRENT, "tariff": "prices"}))
    then(rejected("document_invalid"))
    when(published(body={**CURRENT, "tariff": "prices"}, effective_from_ms=april))
    then(happened(DocumentPublished))
    when(advance(april))
    assert story().book.in_force.products["current"].tariff == "prices"
    assert "prices" in story().book.in_force.tariffs
    when(published(version=2, body={**CURRENT, "tariff": "prices"}))  # it is in force by now
    then(happened(DocumentPublished))


@settings(max_examples=40, deadline=None)
@hypothesis_given(
    said=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 30), st.integers(0, 8)), max_size=14
    )
)
def test_shelves_are_those_of_a_naive_twin(said: list[tuple[int, int, int, int]]) -> None:
    """Three documents, versions that jump, times ahead, and hours that go by, in any order."""
    given()
    hour = 3_600_000
    said_at: list[tuple[str, int, int, int]] = []
    numbers = dict.fromkeys(("one", "two", "three"), 0)
    for which, more, ahead, hours in said:
        name = tuple(numbers)[which]
        numbers[name] += more
        story().now = max(story().now, story().book.at)
        at = story().now + 1
        effective = None if ahead == 0 else at + ahead * hour
        body = {"name": f"{name} {numbers[name]}"}
        when(published(name, max(1, numbers[name]), body, effective_from_ms=effective))
        newest = max((one[1] for one in said_at if one[0] == name), default=0)
        if max(1, numbers[name]) > newest:
            then(happened(DocumentPublished))
            numbers[name] = max(1, numbers[name])
            said_at.append((name, numbers[name], at, effective or at))
        else:
            then(rejected("version_not_newer"))
        when(advance(story().now + 2 + hours * hour))
        for each in numbers:
            check_twin(each, [one[1:] for one in said_at if one[0] == each])


def check_twin(name: str, versions: list[tuple[int, int, int]]) -> None:
    """Each version holds from its time on, unless one published later begins no later. Looked up from all."""
    now = story().book.at
    held = [
        (effective, number)
        for place, (number, _, effective) in enumerate(versions)
        if not any(
            later_one[2] <= effective and later_one[1] < effective for later_one in versions[place + 1 :]
        )
    ]
    begun = [(effective, number) for effective, number in held if effective <= now]
    shelf = story().book.documents.get(f"product/{name}")
    if shelf is None:
        assert not versions
        return
    assert shelf.in_force == (max(begun)[1] if begun else 0)
    assert sorted(shelf.pending) == sorted(number for effective, number in held if effective > now)
    assert shelf.latest == max(number for number, _, _ in versions)


def test_a_version_takes_the_place_of_what_was_to_come_later() -> None:
    given(
        published(),
        published(version=2, body={"name": "Second"}, effective_from_ms=BEGAN_MS + 2 * DAY_MS),
        published(version=3, body={"name": "Third"}, effective_from_ms=BEGAN_MS + DAY_MS),
        later(days=3),
        advance(BEGAN_MS + 3 * DAY_MS),
    )
    assert story().book.in_force.products["current"].name == "Third"
