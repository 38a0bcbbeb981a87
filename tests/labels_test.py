"""Labels: what people found, as long as it holds; from the log and from the read models the same."""

from __future__ import annotations

import contextlib

import pytest

from projections import case_figures
from projections.database import connect
from projections.projector import Projector
from replay.labels import Label, Labels, read_labels
from schemas.cases import CaseLabel
from schemas.flags import Seen
from schemas.reviews import DeclinePayment, ReleasePayment
from schemas.transfers import TransferPosted
from tests.case_words import (
    alert,
    assign,
    merge,
    open_case,
    policy,
    propose,
    reopen,
    report,
    workers,
)
from tests.payment_words import pay, rails
from tests.risk_words import over, rule, rules
from tests.story import Said, Word, account, given, role, say, story, transfer, user, when

DESK: list[Word] = [
    workers("ann", "ben"),
    policy(kinds=[{"kind": kind, "second_person": []} for kind in ("aml", "fraud", "other")]),
]


def labels() -> Labels:
    return read_labels(story().log.reader(), "main")


def closed(case: str, label: CaseLabel) -> list[Word]:
    """ann decides it alone, as policy allows."""
    return [assign(case, "ann"), propose(case, label).by("ann")]


def said(found: dict[str, Label] | dict[int, Label]) -> dict[str | int, str]:
    return {name: one.label for name, one in found.items()}


def test_a_label_holds_from_the_closing_until_the_case_is_reopened() -> None:
    given(account("alice"), DESK, report("c1", alert(1), alert(2)))
    first, second = alert(1).id, alert(2).id
    assert said(labels().alerts()) == {}
    when(*closed("c1", "suspicious"))
    assert said(labels().alerts()) == {first: "suspicious", second: "suspicious"}
    seq = story().book.seq
    when(reopen("c1"))
    assert said(labels().alerts()) == {}
    assert len(read_labels(story().log.reader(), "main", through=seq).alerts()) == 2, "it held then"
    when(*closed("c1", "false_positive"))
    assert said(labels().alerts()) == {first: "false_positive", second: "false_positive"}
    when(report("c1", alert(3)))
    assert said(labels().alerts()) == {}, "a late alert reopens it"


def test_what_several_cases_are_about_has_the_worst_label() -> None:
    given(account("alice", 1_000), rails(), DESK, pay("p1", 300))
    when(report("c1", alert(1, movement="p1")), open_case("c2", payments=("p1",)))
    when(*closed("c1", "false_positive"))
    assert said(labels().payments()) == {"p1": "false_positive"}
    when(*closed("c2", "confirmed_fraud"))
    assert labels().payments()["p1"].case == "c2"
    assert labels().payments()["p1"].is_bad
    when(reopen("c2"))
    assert labels().payments()["p1"].is_bad is False


@pytest.mark.parametrize(
    ("label", "is_bad"),
    [
        ("confirmed_fraud", True),
        ("suspicious", True),
        ("legitimate", False),
        ("false_positive", False),
        ("inconclusive", None),
    ],
)
def test_what_a_label_says(label: CaseLabel, is_bad: bool | None) -> None:
    assert Label(label, "c1", 1, 1).is_bad is is_bad


def test_transfers_are_labelled_by_the_events_that_rules_noticed() -> None:
    given(account("alice", 1_000), account("bob"), DESK, transfer("alice", "bob", 7))
    (seq,) = (one.seq for one in story().events() if isinstance(one, TransferPosted) and one.amount == 7)
    seen = (Seen(book="main", seq=seq), Seen(book="other", seq=1))
    when(report("c1", alert(1, source="rule", kind="core/large", evidence=seen), alert(2, evidence=seen)))
    when(*closed("c1", "legitimate"))
    assert said(labels().transfers()) == {seq: "legitimate"}


def test_the_alerts_of_a_case_that_was_merged_have_the_label_of_the_other() -> None:
    given(account("alice"), DESK, report("c1", alert(1)), report("c2", alert(2)))
    when(merge("c1", "c2"), *closed("c2", "suspicious"))
    assert said(labels().alerts()) == {alert(1).id: "suspicious", alert(2).id: "suspicious"}


def reviewed(payment: str, label: str, *, sent: bool) -> Said:
    kind = ReleasePayment if sent else DeclinePayment
    return say(kind, payment=payment, reason="asked", label=label).by("rita")


def test_what_was_said_in_review_is_a_label_until_a_case_says_otherwise(postgres_dsn: str) -> None:
    reviewers: list[Word] = [role("reviews", ReleasePayment, DeclinePayment), user("rita", roles=["reviews"])]
    within = {"within_ms": 3_600_000}
    given(
        account("alice", 10_000),
        rails(),
        reviewers,
        DESK,
        rules(rule("large", over(100), 60), reviews=within),
    )
    when(pay("p1", 300), pay("p2", 400), pay("p3", 500))
    when(reviewed("p1", "legitimate", sent=True), reviewed("p2", "confirmed_fraud", sent=False))
    when(reviewed("p3", "", sent=True))
    assert said(labels().payments()) == {"p1": "legitimate", "p2": "confirmed_fraud"}
    assert labels().payments()["p1"].case == ""
    when(open_case("c1", payments=("p1",)), report("c2", alert(1, movement="p2")))
    when(*closed("c1", "suspicious"), *closed("c2", "false_positive"))
    assert said(labels().payments()) == {"p1": "suspicious", "p2": "false_positive"}
    when(reopen("c1"))
    found = said(labels().payments())
    assert found == {"p2": "false_positive"}, "nobody knows about p1 just now"
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        projector.catch_up()
    with contextlib.closing(connect(postgres_dsn)) as session:
        rows = case_figures.labels(session, "main")
    assert {one.id: one.label for one in rows if one.what == "payment"} == found
