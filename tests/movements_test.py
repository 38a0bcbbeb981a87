"""From events to flows: what counts as money that moved, between whom, and what is taken back."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from detection.facts import decode_fact
from detection.flows import Flow
from detection.watch import Watch
from engine.log.records import BEFORE_FIRST
from schemas.alerts import Alert
from schemas.approvals import ApprovalFailed
from schemas.bulk import InstructionRefused
from schemas.catalogue import encode
from schemas.crossbook import CrossBookCompleted, CrossBookReceived, CrossBookReleased, CrossBookSent
from schemas.message import Event
from schemas.orders import StandingOrderMissed, StandingOrderSkipped
from schemas.payees import payee_key
from schemas.payments_in import Payer, ReceiptParked, SuspenseResolved
from schemas.postings import Posting
from schemas.rejections import CommandRejected
from schemas.reviews import PaymentDeclined
from schemas.risk import Assessment, Declined, RiskAssessed, RuleHit
from tests.payment_words import PAYEE, cancel, pay, rails, report
from tests.story import BEGAN_MS, MAIN, account, book, given, later, reversal, story, transfer, when

TODAY = datetime.date(2024, 5, 15)
AT_MS = BEGAN_MS + 3_600_000


class Seen:
    """A typology that remembers what it is shown."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.back: list[Flow] = []


def shown(events: Sequence[Event] = ()) -> Seen:
    """Everything that a book of the story, and then these events, would show a typology."""
    seen, watch = Seen(), Watch()
    flow, back = watch.flow, watch.taken_back

    def noted(one: Flow) -> Any:
        seen.flows.append(one)
        return flow(one)

    def noted_back(one: Flow | None) -> Any:
        seen.back += [] if one is None else [one]
        return back(one)

    watch.flow, watch.taken_back = noted, noted_back  # type: ignore[method-assign, assignment]
    values = [one.value for one in story().log.events(BEFORE_FIRST) if one.key == MAIN.encode()]
    for value in [*values, *(encode(event) for event in events)]:
        watch.event(decode_fact(value))
    return seen


def test_a_transfer_names_both_sides_and_their_balances() -> None:
    given(account("alice", balance=1_000), account("bob"), later(days=1))
    when(transfer("alice", "bob", 300, channel="mobile"))
    flow = shown().flows[-1]
    assert (flow.kind, flow.source, flow.target) == ("transfer", "alice", "bob")
    assert (flow.source_party, flow.target_party) == ("p-alice", "p-bob")
    assert (flow.source_after, flow.target_after, flow.amount) == (700, 300, 300)
    assert (flow.channel, flow.day) == ("mobile", (TODAY + datetime.timedelta(1)).toordinal())
    assert flow.minute == 10 * 60
    first = shown().flows[0]
    assert (first.source_party, first.target_party) == ("", "p-alice"), "the bank's own have no party"


def test_a_payment_counts_when_it_is_sent_and_not_when_it_is_asked_for() -> None:
    given(rails(), account("alice", balance=5_000))
    when(pay("p1", 100, channel="web"), pay("p2", 200, execution_date=TODAY + datetime.timedelta(5)))
    outs = [flow for flow in shown().flows if flow.kind == "payment_out"]
    assert [(flow.movement, flow.amount, flow.channel) for flow in outs] == [("p1", 100, "web")]
    assert outs[0].outside == payee_key(PAYEE.account)
    when(cancel("p2"))
    assert shown().back == []


def test_a_payment_that_fails_is_taken_back_by_its_seq_and_one_that_returns_late_by_its_amount() -> None:
    given(rails(), account("alice", balance=5_000))
    when(pay("p1", 100), report("p1", "failed"))
    seen = shown()
    sent = next(flow for flow in seen.flows if flow.kind == "payment_out")
    (back,) = seen.back
    assert (back.seq, back.amount, back.source, back.outside) == (sent.seq, 100, "alice", sent.outside)
    when(pay("p2", 150), report("p2", "settled"), report("p2", "returned", 150))
    assert [(one.seq, one.amount) for one in shown().back[1:]] == [(0, 150)]
    when(pay("p3", 150), report("p3", "settled"), report("p3", "returned", 50))
    assert len(shown().back) == 2, "a part that comes back takes nothing back"


def test_a_reversal_takes_back_its_transfer() -> None:
    given(account("alice", balance=1_000), account("bob"))
    when(transfer("alice", "bob", 300, reference="that"), reversal("that"))
    seen = shown()
    (back,) = seen.back
    assert (back.seq, back.source, back.target, back.amount) == (story().seq_of("that"), "alice", "bob", 300)
    assert back.currency == "EUR"


def event(kind: type[Event], **fields: Any) -> Event:
    """With an envelope behind the story's last event; what is left out is empty."""
    made: dict[str, Any] = {"seq": 1_000, "book": MAIN, "at": AT_MS}
    empty = {str: "", int: 0, tuple: (), datetime.date: TODAY}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in fields:
            plain = getattr(field.type, "__origin__", field.type)
            made[field.name] = empty.get(plain, "")
            if "tuple" in str(field.type):
                made[field.name] = ()
            elif "date" in field.name:
                made[field.name] = TODAY
            elif field.name.startswith(("amount", "number", "answer", "sent_seq")):
                made[field.name] = 1
            elif field.name == "figures":
                made[field.name] = {}
    return kind(**{**made, **fields})


def posted(account_id: str, amount: int, balance: int) -> tuple[Posting, ...]:
    return (Posting(account_id, amount, "EUR", balance), Posting("other", -amount, "EUR", 0))


def test_a_payment_to_another_book_counts_when_that_has_credited_it() -> None:
    given(account("alice", balance=1_000))
    sent = event(
        CrossBookSent, transfer="x", number=7, account="alice", amount=90, to_book="b2", to_account="zoe"
    )
    done = event(
        CrossBookCompleted,
        transfer="x",
        number=7,
        to_book="b2",
        account="alice",
        amount=90,
        currency="EUR",
        postings=posted("alice", -90, 910),
    )
    assert [flow.kind for flow in shown([sent]).flows] == ["transfer"]
    flow = shown([sent, done]).flows[-1]
    assert (flow.kind, flow.source, flow.amount, flow.source_after) == ("cross_out", "alice", 90, 910)
    assert flow.outside == payee_key("b2/zoe")
    released = event(CrossBookReleased, transfer="x", number=7, to_book="b2", account="alice", amount=90)
    assert len(shown([sent, released]).flows) == 1


def test_money_of_another_book_comes_from_that_book() -> None:
    given(account("alice"))
    got = event(
        CrossBookReceived,
        transfer="x",
        from_book="b2",
        account="alice",
        amount=90,
        currency="EUR",
        postings=posted("alice", 90, 90),
    )
    flow = shown([got]).flows[-1]
    assert (flow.kind, flow.target_party, flow.outside) == ("cross_in", "p-alice", payee_key("b2/"))


def test_what_waited_in_suspense_comes_from_who_had_paid_it() -> None:
    given(account("alice"))
    payer = Payer(name="Zoe", account="DE12 3", country="FR")
    parked = event(ReceiptParked, receipt="r", payer=payer, reason="account_not_found", amount=90)
    credited = event(
        SuspenseResolved,
        receipt="r",
        account="alice",
        amount=90,
        currency="EUR",
        postings=posted("alice", 90, 90),
    )
    assert shown([parked]).flows == []
    flow = shown([parked, credited]).flows[-1]
    assert (flow.kind, flow.country, flow.outside) == ("payment_in", "FR", payee_key("DE123"))


def test_the_minute_is_that_of_the_books_own_clocks() -> None:
    given(book(time_zone="Europe/Berlin"), account("alice", balance=1))
    assert shown().flows[0].minute == 12 * 60, "10:00 UTC in summer"


# --- what rules have found ------------------------------------------------------------------------------

HITS = (RuleHit("fraud/night", 300, False, True), RuleHit("fraud/mule", 500, False, True))


def found(one: Event) -> list[Alert]:
    watch = Watch()
    return list(watch.event(decode_fact(encode(one))))


def test_rules_that_review_or_decline_are_told_once_for_each_document() -> None:
    assessments = (
        Assessment("fraud", 4, "live", 800, "review", HITS),
        Assessment("trial", 1, "shadow", 900, "decline"),
        Assessment("calm", 1, "live", 10, "approve"),
    )
    assessed = event(
        RiskAssessed,
        movement="p1",
        of=999,
        account="alice",
        party="p-alice",
        amount=90,
        currency="EUR",
        verdict="review",
        assessments=assessments,
    )
    live, shadow = found(assessed)
    assert (live.source, live.kind, live.version, live.shadow) == ("rule", "fraud/mule", 4, False)
    assert (live.movement, live.amount, live.confidence) == ("p1", 90, 500)
    assert live.figures == {"score": 800, "verdict": "review", "fraud/night": 300, "fraud/mule": 500}
    assert [seen.seq for seen in live.evidence] == [999, 1_000]
    assert (shadow.kind, shadow.shadow) == ("trial", True)
    assert live.id != shadow.id
    again = msgspec.structs.replace(assessed, seq=1_050)
    assert [one.id for one in found(again)] == [live.id, shadow.id], "one for each movement and document"
    stops = (RuleHit("fraud/mule", 500, True, True),)
    sure = Assessment("fraud", 4, "live", 500, "decline", stops)
    assert found(msgspec.structs.replace(assessed, assessments=(sure,)))[0].confidence == 1_000


@pytest.mark.parametrize(
    ("reason", "restricted", "told"),
    [
        ("declined", "whole", ["fraud/mule"]),
        ("declined", "a person said no", []),
        ("declined", "", []),
        ("insufficient_funds", "whole", []),
    ],
)
def test_a_movement_that_rules_declined_is_told(reason: Any, restricted: str, told: list[str]) -> None:
    declined = Declined(
        "p1", "alice", "p-alice", 90, "EUR", (Assessment("fraud", 4, "live", 990, "decline", HITS),)
    )
    text = msgspec.json.encode(declined).decode() if restricted == "whole" else restricted
    rejected = event(CommandRejected, reason=reason, restricted=text)
    assert [one.kind for one in found(rejected)] == told


DECLINED = msgspec.json.encode(
    Declined("p1", "alice", "p-alice", 90, "EUR", (Assessment("fraud", 4, "live", 990, "decline", HITS),))
).decode()


def test_a_declined_payment_that_is_asked_for_again_under_its_id_is_told_again() -> None:
    first = event(CommandRejected, reason="declined", restricted=DECLINED)
    again = msgspec.structs.replace(first, seq=1_001)
    waits = event(
        RiskAssessed,
        movement="p1",
        of=1_002,
        seq=1_003,
        account="alice",
        party="p-alice",
        amount=90,
        currency="EUR",
        verdict="review",
        assessments=(Assessment("fraud", 4, "live", 500, "review", HITS),),
    )
    alerts = [one for fact in (first, again, waits) for one in found(fact)]
    assert [one.confidence for one in alerts] == [800, 800, 500]
    assert len({one.id for one in alerts}) == 3
    assert found(again) == [alerts[1]], "and each is the same whenever it is derived"


def test_a_movement_that_was_declined_within_another_command_is_told() -> None:
    refused = (
        event(InstructionRefused, reason="declined", restricted=DECLINED),
        event(StandingOrderMissed, reason="declined", restricted=DECLINED),
        event(StandingOrderSkipped, reason="declined", restricted=DECLINED),
        event(ApprovalFailed, reason="declined", restricted=DECLINED),
        event(
            CommandRejected,
            reason="instruction_refused",
            figures={"index": 1, "refused": "declined"},
            restricted=DECLINED,
        ),
    )
    for one in refused:
        (alert,) = found(one)
        assert (alert.kind, alert.account, alert.amount) == ("fraud/mule", "alice", 90)
        assert [seen.seq for seen in alert.evidence] == [1_000]
    for kind in (InstructionRefused, StandingOrderMissed, StandingOrderSkipped, ApprovalFailed):
        assert found(event(kind, reason="insufficient_funds")) == []
    missing = {"index": 1, "refused": "insufficient_funds"}
    assert found(event(CommandRejected, reason="instruction_refused", figures=missing)) == []


def test_a_payment_that_is_declined_in_review_is_not_remembered() -> None:
    given(rails(), account("alice", balance=5_000))
    when(pay("p1", 200, execution_date=TODAY + datetime.timedelta(5)))
    watch = Watch()
    for record in story().log.events(BEFORE_FIRST):
        if record.key == MAIN.encode():
            watch.event(decode_fact(record.value))
    assert list(watch.movements.asked) == ["p1"]
    found_by = event(PaymentDeclined, payment="p1", label="fraud", uses=(), reserves=())
    watch.event(decode_fact(encode(found_by)))
    assert watch.movements.asked == {}
