"""The read model `documents` says what the shelves say, and what each version changed."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import msgspec
import pytest

from projections.database import Session, connect
from projections.document_queries import version, versions
from projections.projector import Projector
from schemas.documents.difference import Change, differences
from schemas.publishing import DocumentPublished, PublishDocument
from tests.approvals_words import approve, policy, staff
from tests.approvals_words import line as policy_line
from tests.projecting import is_right, utc
from tests.story import BEGAN_MS, DAY_MS, MAIN, Said, advance, given, internal, later, say, story, when
from tests.terms_words import fee


@contextlib.contextmanager
def shown(dsn: str, limit: int) -> Any:
    log = story().log.reader()
    with contextlib.closing(Projector(dsn, log)) as projector:
        projector.catch_up(limit)
    assert is_right(dsn, log)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def prices(number: int, at: int | None = None, *lines: dict[str, Any], **fields: Any) -> Said:
    """A version of the tariff `prices`."""
    body = {"lines": list(lines or (fee("flat", flat=number),)), **fields}
    return say(
        PublishDocument,
        kind="tariff",
        document="prices",
        version=number,
        body=body,
        effective_from_ms=at,
    )


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_version_says_what_became_of_it(postgres_dsn: str, limit: int) -> None:
    day = BEGAN_MS + DAY_MS
    given(internal("fees", "income"), prices(1), prices(2, day), prices(3, day + 3 * DAY_MS))
    when(prices(5, day + 2 * DAY_MS), later(days=1), advance(day + 1))
    with shown(postgres_dsn, limit) as session:
        rows = versions(session, MAIN, "tariff", "prices")
        assert [(row.version, row.status) for row in rows] == [
            (1, "superseded"),
            (2, "in force"),
            (3, "replaced"),
            (5, "pending"),
        ]
        assert [row.in_force_at for row in rows][1:] == [utc(day), None, None]
        assert rows[0].ended_at == rows[1].in_force_at
        assert rows[3].effective_from == utc(day + 2 * DAY_MS)
        assert [row.changes for row in rows][1:] == [
            [{"path": "lines[flat].flat", "was": was, "now": now}] for was, now in ((1, 2), (2, 3), (3, 5))
        ]
        check_shelves(session)
        whole = version(session, MAIN, "tariff", "prices")
        assert whole is not None
        body = msgspec.to_builtins(story().book.documents["tariff/prices"].body)
        assert (whole.version, whole.body) == (2, json.loads(json.dumps(body)))
        assert version(session, MAIN, "tariff", "prices", 9) is None
        assert version(session, MAIN, "tariff", "none") is None


def check_shelves(session: Session) -> None:
    """What is in force and pending is what the fold has on its shelves."""
    rows = versions(session, MAIN)
    shelves = story().book.documents
    assert {f"{row.kind}/{row.document}" for row in rows} == set(shelves)
    for name, shelf in shelves.items():
        mine = [row for row in rows if f"{row.kind}/{row.document}" == name]
        assert [row.version for row in mine if row.status == "in force"] == [shelf.in_force] * bool(
            shelf.in_force
        )
        assert {row.version: row.digest for row in mine if row.status == "pending"} == {
            number: one.digest for number, one in shelf.pending.items()
        }
        assert max(row.version for row in mine) == shelf.latest


def test_who_published_and_who_approved_is_told_apart(postgres_dsn: str) -> None:
    given(staff(), internal("fees", "income"), policy(policy_line("PublishDocument", count=2)))
    when(prices(1))
    when(approve("cora"))
    when(approve("carl"))
    with shown(postgres_dsn, 10_000) as session:
        (row,) = versions(session, MAIN, "tariff")
        assert (row.published_by, row.approved_by) == ("root", ["cora", "carl"])
        (first,) = versions(session, MAIN, "approval_policy")
        assert (first.published_by, first.approved_by) == ("root", [])


@pytest.mark.parametrize("seed", range(3))
def test_changes_are_those_of_the_naive_twin(postgres_dsn: str, seed: int) -> None:
    chance = random.Random(seed)

    def lines() -> list[dict[str, Any]]:
        names = chance.sample("abcdef", chance.randint(1, 5))
        return [
            fee(
                name,
                flat=chance.randint(1, 3),
                only={"channels": chance.sample(["web", "app", "desk"], chance.randint(0, 3))},
                slabs={"steps": [{"up_to": 10, "rate": "0.1"}, {"above": 10}]}
                if chance.random() < 0.4
                else None,
            )
            for name in names
        ]

    given(internal("fees", "income"), *(prices(number, None, *lines()) for number in range(1, 9)))
    with shown(postgres_dsn, 10_000) as session:
        rows = versions(session, MAIN, "tariff")
    bodies: list[dict[str, Any]] = [{}]
    bodies += [json.loads(json.dumps(one.body)) for one in story().events() if type(one) is DocumentPublished]
    assert len(rows) == 8
    for row, was, now in zip(rows, bodies, bodies[1:], strict=False):
        assert [Change(**one) for one in row.changes] == differences(was, now), row.version
