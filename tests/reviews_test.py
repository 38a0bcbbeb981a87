"""Review of payments: what waits for a person, what they may do about it, and what time does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from commands.reviews import MOST_LEVELS
from projections.database import connect
from projections.projector import Projector
from projections.reviews_queries import reviews
from schemas.access import RegisterUser, Scope
from schemas.accounts import CloseAccount
from schemas.approvals import ApprovalFailed, ApprovalGiven, ApprovalRequested
from schemas.payments import (
    CancelPayment,
    PaymentCancelled,
    PaymentDispatched,
    PaymentSubmitted,
    PaymentWaiting,
)
from schemas.rejections import Reason
from schemas.reserves import Reserve
from schemas.reviews import (
    DeclinePayment,
    EscalateReview,
    PaymentDeclined,
    ReleasePayment,
    ReviewBegan,
    ReviewEscalated,
    ReviewReleased,
)
from schemas.risk import RiskAssessed
from tests.approvals_words import approve, line, policy
from tests.payment_words import HOUR_MS, cancel, pay, rails, resume, screened, stop, the_payment
from tests.projecting import utc
from tests.risk_words import over, rule, rules
from tests.story import (
    TODAY,
    Said,
    Word,
    account,
    balance,
    block,
    given,
    grant,
    happened,
    later,
    party,
    party_becomes,
    rejected,
    role,
    say,
    story,
    system,
    the_account,
    then,
    transfer,
    user,
    when,
)
from tests.terms_words import limit, limits, product

LIMIT = 100
TICK = transfer("nostro", "ticker", 1)


def release(payment: str = "p1", by: str = "rita", **more: Any) -> Said:
    return say(ReleasePayment, payment=payment, reason="called the customer", **more).by(by)


def declined(payment: str = "p1", by: str = "rita", **more: Any) -> Said:
    return say(DeclinePayment, payment=payment, reason="the payee is a mule", **more).by(by)


def passed_on(payment: str = "p1", by: str = "rita") -> Said:
    return say(EscalateReview, payment=payment, reason="above my head").by(by)


def reviewing(**reviews: Any) -> Said:
    """From 100 on a payment is looked at; within an hour."""
    return rules(rule("large", over(LIMIT), 60), reviews={"within_ms": HOUR_MS, **reviews})


def team() -> Word:
    """Rita and Rolf review; Carl pays by hand, and reviews too."""
    return [
        role("reviews", ReleasePayment, DeclinePayment, EscalateReview, "Approve"),
        role("payer", "SubmitPayment", CancelPayment),
        user("rita", roles=["reviews"]),
        user("rolf", roles=["reviews"]),
        user("carl", roles=["reviews", "payer"]),
    ]


def in_review(*more: Word, **reviews: Any) -> None:
    given(account("alice", 1_000), account("ticker"), rails(), team(), *more, reviewing(**reviews))
    when(pay("p1", 300))


def review() -> Any:
    return story().book.payments.reviews.get("p1")


def timers() -> list[str]:
    return [timer for timer in story().book.timers.due if timer.startswith("review")]


def test_a_payment_in_review_waits_with_its_money_reserved_and_its_time_runs() -> None:
    in_review()
    at = story().book.at
    then(
        happened(PaymentSubmitted, payment="p1", reserves=(Reserve("alice", 300, 300),)),
        happened(PaymentWaiting, reason="risk_review", by="p1", due_ms=None),
        happened(
            ReviewBegan,
            payment="p1", account="alice", party="p-alice", amount=300, currency="EUR", maker="root",
            person="ruth", within_ms=HOUR_MS, then="escalate", answer_by_ms=at + HOUR_MS,
        ),
        happened(RiskAssessed, movement="p1", verdict="review"),
    )  # fmt: skip
    assert (balance("alice"), the_account("alice").held) == (1_000, 300)
    assert (review().level, review().since_ms) == (0, at)
    when(transfer("alice", "nostro", 701))
    then(rejected("insufficient_funds"))


def test_a_release_sends_it_and_does_not_score_it_again() -> None:
    in_review()
    when(reviewing_stricter(), release(label="legitimate"))
    then(
        happened(ReviewReleased, payment="p1", person="person-rita", label="legitimate", level=0),
        happened(PaymentDispatched, payment="p1", reserves=(Reserve("alice", -300, 0),)),
    )
    assert (balance("alice"), the_account("alice").held) == (700, 0)
    assert (the_payment("p1").status, review(), timers()) == ("dispatched", None, [])


def reviewing_stricter() -> Said:
    return rules(rule("large", over(1), stop=True), version=2)


def test_a_decline_gives_back_money_and_limits() -> None:
    in_review(
        limits("tight", limit("daily", 500)),
        product("giro", limits=["tight"]),
        account("bea", 1_000, product="giro"),
    )
    when(pay("p2", 450, "bea"))
    when(pay("p3", 60, "bea"))
    then(rejected("limit_exceeded"))
    when(declined("p2", label="confirmed_fraud"))
    then(
        happened(
            PaymentDeclined,
            payment="p2", person="person-rita", label="confirmed_fraud", restricted="the payee is a mule",
            reserves=(Reserve("bea", -450, 0),),
        )
    )  # fmt: skip
    assert (balance("bea"), the_account("bea").held) == (1_000, 0)
    assert (the_payment("p2").status, the_payment("p2").payee) == ("declined", None)
    when(pay("p3", 60, "bea"))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    for said in (release("p2"), declined("p2"), passed_on("p2"), cancel("p2")):
        when(said)
        then(rejected("payment_state_conflict", status="declined"))


@pytest.mark.parametrize(
    ("standing", "reason", "away"),
    [
        (stop("night"), "stopped", resume("night")),
        (screened("party", "p-alice", "pending"), "party_screening", screened("party", "p-alice", "cleared")),
        (screened("payment", "p1", "hit"), "payment_screening", screened("payment", "p1", "cleared")),
        (party_becomes("p-alice", "blocked"), "party_not_active", party_becomes("p-alice", "active")),
        (block("alice", "b"), "account_blocked", None),
    ],
)
def test_what_stands_in_the_way_meets_it_when_it_is_released_and_not_before(
    standing: Said, reason: str, away: Said | None
) -> None:
    in_review()
    when(standing, *([] if away is None else [away]), TICK)
    assert review() is not None, "what is lifted does not send what waits for review"
    if away is not None:
        when(standing)
    when(release())
    then(happened(ReviewReleased), happened(PaymentWaiting, payment="p1", reason=reason))
    assert (the_account("alice").held, review(), timers()) == (300, None, [])
    if away is not None:
        when(away, TICK)
        assert the_payment("p1").status == "dispatched"
    when(release())
    then(rejected("payment_state_conflict"))


def test_one_for_a_later_day_waits_for_the_day_once_it_is_released() -> None:
    given(account("alice", 1_000), account("ticker"), rails(), team(), reviewing())
    when(pay("p1", 300, execution_date=TODAY.replace(day=TODAY.day + 2)))
    when(later(ms=HOUR_MS // 2), release())
    then(happened(ReviewReleased), happened(PaymentWaiting, reason="execution_date"))
    when(later(days=3), TICK)
    assert the_payment("p1").status == "dispatched"


def test_the_day_of_one_in_review_comes_and_goes_without_sending_it() -> None:
    given(account("alice", 1_000), account("ticker"), rails(), team(), reviewing())
    when(pay("p1", 300, execution_date=TODAY.replace(day=TODAY.day + 2)), later(days=5), TICK)
    assert (the_payment("p1").status, review().level) == ("waiting", MOST_LEVELS)
    when(release())
    then(happened(ReviewReleased, level=MOST_LEVELS), happened(PaymentDispatched))


def test_who_asked_for_it_never_releases_it_whoever_they_act_as() -> None:
    given(account("alice", 1_000), rails(), team(), reviewing())
    when(
        say(RegisterUser, user="carl-2", person="person-carl"),
        grant("carl-2", "reviews"),
        user("owner", of_party="p-alice", roles=["reviews"]),
        pay("p1", 300).by("carl"),
    )
    for one in ("carl", "carl-2"):
        when(release(by=one))
        then(rejected("maker_cannot_check", person="person-carl"))
    when(release(by="owner"))
    then(rejected("maker_cannot_check", person="person-owner"))
    when(release())
    then(happened(ReviewReleased), happened(PaymentDispatched))


def test_who_pays_under_their_own_id_never_releases_it() -> None:
    given(
        party("person-olga"), account("olga", 1_000, party_id="person-olga"), rails(), team(),
        user("olga", roles=["reviews"]), reviewing(),
    )  # fmt: skip
    when(pay("p1", 120, account="olga"))
    when(release(by="olga"))
    then(rejected("maker_cannot_check", person="person-olga"))
    when(release())
    then(happened(ReviewReleased), happened(PaymentDispatched))


def test_the_maker_of_what_was_approved_is_who_made_it() -> None:
    given(
        account("alice", 1_000), rails(), team(), reviewing(),
        policy(line("pay", commands=["SubmitPayment"], needs=[{"roles": ["reviews"]}])),
    )  # fmt: skip
    when(pay("p1", 300).by("carl"))
    when(approve("rolf"))
    assert (review().maker, review().person) == ("carl", "person-carl")
    when(release(by="rolf"))
    then(happened(ReviewReleased), happened(PaymentDispatched))


def test_who_leaves_it_to_others_can_no_longer_release_it() -> None:
    in_review()
    due = story().book.at + HOUR_MS
    when(passed_on())
    then(happened(ReviewEscalated, level=1, person="person-rita", answer_by_ms=due))
    when(passed_on())
    then(rejected("nothing_to_change"))
    when(release())
    then(rejected("second_person_needed", person="person-rita"))
    when(release(by="rolf"))
    then(happened(ReviewReleased, level=1), happened(PaymentDispatched))


def test_who_leaves_it_to_others_may_still_decline_it() -> None:
    in_review()
    when(passed_on(), declined())
    then(happened(PaymentDeclined, level=1))


def test_time_hands_it_up_and_never_releases_it() -> None:
    in_review()
    began = review().since_ms
    when(later(days=30), TICK)
    ups = [event for event in story().events() if isinstance(event, ReviewEscalated)]
    assert [(one.level, one.at, one.person) for one in ups] == [
        (level, began + level * HOUR_MS, "") for level in range(1, MOST_LEVELS + 1)
    ]
    assert ups[-1].answer_by_ms is None
    assert (the_payment("p1").status, the_account("alice").held, timers()) == ("waiting", 300, [])
    when(release())
    then(happened(ReviewReleased), happened(PaymentDispatched))


def test_time_declines_it_where_the_rules_say_so_counted_from_the_wait() -> None:
    in_review(then="decline")
    began = review().since_ms
    when(later(ms=HOUR_MS // 2), passed_on(), later(ms=HOUR_MS), TICK)
    (over_,) = [event for event in story().events() if isinstance(event, PaymentDeclined)]
    assert (over_.at, over_.person, over_.actor, over_.level) == (began + HOUR_MS, "", "", 1)
    assert (the_payment("p1").status, the_account("alice").held, timers()) == ("declined", 0, [])


@pytest.mark.parametrize("ended", [release(), declined(), cancel("p1")])
def test_its_time_ends_with_it(ended: Said) -> None:
    in_review(then="decline")
    when(ended)
    assert (review(), timers()) == (None, [])
    status = the_payment("p1").status
    when(later(ms=2 * HOUR_MS), TICK)
    assert the_payment("p1").status == status or status == "dispatched"


def test_of_several_documents_the_least_time_counts() -> None:
    given(account("alice", 1_000), rails(), team(), reviewing())
    when(
        rules(rule("a", over(LIMIT), 60), name="other", reviews={"within_ms": HOUR_MS, "then": "decline"}),
        rules(rule("b", over(LIMIT), 60), name="shadow", stage="shadow", reviews={"within_ms": 60_000}),
        pay("p1", 300),
    )
    assert (review().within_ms, review().then) == (HOUR_MS, "decline")


def test_a_customer_may_cancel_it_and_learns_nothing() -> None:
    in_review(user("owner", of_party="p-alice"), role("own", CancelPayment, scope=Scope(own_party=True)))
    when(grant("owner", "own"), cancel("p1").by("owner"))
    then(happened(PaymentCancelled, reserves=(Reserve("alice", -300, 0),)))
    assert (the_payment("p1").status, review(), timers()) == ("cancelled", None, [])


def test_what_it_began_under_holds_whatever_becomes_of_the_rules() -> None:
    in_review(then="decline")
    when(rules(rule("large", over(LIMIT), 60), version=2, stage="off", reviews={"within_ms": 5 * HOUR_MS}))
    when(pay("p2", 300))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))
    assert (the_payment("p1").status, review().within_ms) == ("waiting", HOUR_MS)
    when(later(ms=HOUR_MS), TICK)
    assert the_payment("p1").status == "declined"


def test_neither_the_account_nor_the_party_can_be_closed_meanwhile() -> None:
    in_review()
    when(transfer("alice", "nostro", 700))
    when(say(CloseAccount, account="alice", reason="moved away"))
    then(rejected("account_not_empty"))
    when(party_becomes("p-alice", "closed"))
    then(rejected("party_has_accounts"))
    when(block("alice", "b"), declined())
    then(happened(PaymentDeclined))
    assert the_account("alice").held == 0


def test_policy_may_ask_for_a_second_person_and_never_takes_the_maker() -> None:
    in_review(
        policy(
            line(
                "release",
                commands=["ReleasePayment"],
                when={"amounts": {"EUR": 200}},
                needs=[{"roles": ["reviews"]}],
            )
        )
    )
    when(pay("p2", 300).by("carl"), release("p2"))
    then(happened(ApprovalRequested, maker="rita"))
    assert the_account("alice").held == 600, "what is reserved already is not reserved twice"
    when(approve("rita"))
    then(rejected("maker_cannot_check"))
    when(approve("carl"))
    then(rejected("maker_cannot_check", person="person-carl"))
    when(approve("rolf"))
    then(happened(ApprovalGiven), happened(ReviewReleased, person="person-rita"), happened(PaymentDispatched))
    assert the_account("alice").held == 300


def test_what_was_decided_before_the_second_person_stays_decided() -> None:
    in_review(policy(line("release", commands=["ReleasePayment"], needs=[{"roles": ["reviews"]}])))
    when(release())
    when(cancel("p1"), approve("rolf"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="payment_state_conflict"))


def test_systems_decide_nothing_and_scopes_hold() -> None:
    in_review(
        role("small", ReleasePayment, DeclinePayment, scope=Scope(amounts={"EUR": 299})),
        user("sam", roles=["small"]),
    )
    when(role("all", ReleasePayment), system("robot"), grant("robot", "all"))
    then(rejected("not_for_systems"))
    for said in (release(by="sam"), declined(by="sam"), release(by="robot")):
        when(said)
        then(rejected("not_permitted"))


GIVEN: list[Word] = [
    account("alice", 10_000), rails(), team(), reviewing(),
    pay("sent", 5), pay("mine", 300).by("carl"), pay("left", 300), passed_on("left"),
]  # fmt: skip
REJECTIONS: list[tuple[Reason, Said]] = [
    ("payment_not_found", release("nothing", by="carl")),
    ("payment_state_conflict", release("sent", by="carl")),
    ("maker_cannot_check", release("mine", by="carl")),
    ("second_person_needed", release("left")),
    ("payment_not_found", declined("nothing")),
    ("payment_state_conflict", declined("sent")),
    ("payment_not_found", passed_on("nothing")),
    ("payment_state_conflict", passed_on("sent")),
    ("nothing_to_change", passed_on("left")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    held = the_account("alice").held
    when(said)
    then(rejected(reason))
    assert the_account("alice").held == held


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    in_review()
    when(pay("plain", 5), pay("gone", 100), pay("no", 100), pay("yes", 101), pay("back", 102), stop("s"))
    when(pay("later", 5), cancel("later"), passed_on("gone"), cancel("gone"))
    when(declined("no", label="suspicious"), release("yes", by="rolf"), passed_on("p1"))
    when(release("back", by="rolf"), cancel("back"))
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(postgres_dsn)) as session:
        everything = {one.payment: one for one in reviews(session, "main", over=True)}
        waiting = reviews(session, "main")
    assert {one.payment for one in waiting} == set(story().book.payments.reviews) == {"p1"}
    assert {name: (one.status, one.decided_by, one.label) for name, one in everything.items()} == {
        "p1": ("open", "", ""),
        "gone": ("cancelled", "", ""),
        "no": ("declined", "person-rita", "suspicious"),
        "yes": ("released", "person-rolf", ""),
        "back": ("released", "person-rolf", ""),
    }
    (row,) = waiting
    one = story().book.payments.reviews["p1"]
    due = story().book.timers.due["review\np1"]
    assert (row.level, row.began_at, row.answer_by) == (one.level, utc(one.since_ms), utc(due))
    assert (row.amount, row.party, row.maker, row.on_timeout) == (300, "p-alice", "root", "escalate")
    assert everything["no"].reason == "the payee is a mule"
