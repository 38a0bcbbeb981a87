"""No tipping-off: whatever is said about cases, what goes to the public says nothing of it."""

from __future__ import annotations

from schemas import case_reports, case_work, cases
from schemas.catalogue import encode
from schemas.outcomes import FOR_STAFF, encode_outcome, outcome_of
from schemas.rejections import CATALOGUE, CommandRejected
from tests import case_decisions_test, case_reports_test, case_work_test, cases_test
from tests.case_words import (
    act,
    alert,
    approve,
    confirm,
    draft,
    file,
    look_again,
    note,
    open_case,
    policy,
    propose,
    reopen,
    report,
    take,
    tick,
    workers,
)
from tests.story import Said, Word, account, given, story, when

EVENTS = (*cases.EVENTS, *case_work.EVENTS, *case_reports.EVENTS)
SECRETS = ("secret-case", "p-alice", "structuring", "Case", "Alert", "Report", "Sla", "Decision", "Quality")
"""Ids, whom it is about, why, and the words in which it would be told."""


def test_no_event_of_a_case_is_named_in_public() -> None:
    assert set(EVENTS) <= FOR_STAFF


def public(said: Word) -> bytes:
    """The public record of what comes of it."""
    (outcome,) = when(said)
    record = outcome_of([encode(event) for event in outcome])
    return encode_outcome(record)


def test_the_whole_life_of_a_case_leaves_nothing_in_public() -> None:
    kinds = [{"kind": "aml", "quality_per_mille": 1_000, "checklist": [{"id": "call", "text": "Call"}]}]
    given(account("alice"), workers("ann", "ben", "cid"), policy(kinds=kinds))
    life: list[Said] = [
        report("secret-case", alert(1)),
        take().by("ann"),
        note("secret-case").by("ann"),
        tick("secret-case", "call").by("ann"),
        draft("secret-case", "secret-case-report").by("ann"),
        approve("secret-case").by("ben"),
        file("secret-case").by("ben"),
        propose("secret-case", "suspicious", act("block_account", "alice")).by("ann"),
        confirm("secret-case").by("ben"),
        look_again("secret-case").by("cid"),
        reopen("secret-case").by("cid"),
        open_case("secret-case-2", party="p-alice"),
    ]
    for said in life:
        record = public(said).decode()
        assert '"verdict":"accepted"' in record
        assert not [secret for secret in SECRETS if secret in record], record
        assert '"events":{}' in record or "events" not in record


def test_no_rejection_of_a_case_says_which_or_about_whom() -> None:
    """Of all the rows of all tables: no figure is the id of a case, of a party, or of an alert."""
    for module in (cases_test, case_decisions_test, case_work_test, case_reports_test):
        given(*module.GIVEN)
        book = story().book
        secret = {*book.cases.by_id, *book.cases.alerts, *book.cases.reports, *book.parties}
        found = 0
        for reason, said in module.REJECTIONS:
            (outcome,) = when(said)
            rejected = outcome[0]
            assert isinstance(rejected, CommandRejected)
            assert rejected.reason == reason
            found += 1
            told = {value for value in rejected.figures.values() if isinstance(value, str)}
            assert not told & secret, rejected
        assert found > 15


def test_no_sentence_of_a_rejection_asks_for_such_an_id() -> None:
    for reason, entry in CATALOGUE.items():
        if reason.startswith(("case_", "report_", "act_", "checklist", "queue", "not_sampled", "proposal")):
            assert "{case}" not in entry.text
            assert "{party}" not in entry.text
