"""Whoever is looked at must not learn of it: all that callers and customers can see, in one place.

Canaries: words that stand in everything that only staff writes and names. None of them may come out.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from psycopg import errors

from commands.decide import FIRE
from console import outcomes as console_outcomes
from projections.database import Session, connect
from projections.payment_queries import timeline
from projections.payment_told import told_life
from projections.projector import Projector
from projections.reporting import ROLE, STAFF_ROLE
from projections.views import VIEWS
from schemas import reviews
from schemas.accounts import BY_HOLDER, BlockAccount
from schemas.catalogue import COMMAND_TYPES, encode
from schemas.flags import FlagRaised
from schemas.message import Command, Event
from schemas.outcomes import FOR_STAFF, CommandOutcome, decode_face, encode_outcome, grouped, outcome_of_faces
from schemas.payments import SubmitPayment
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from schemas.reviews import PaymentDeclined, ReviewBegan
from schemas.transfers import Transfer
from schemas.withheld import COMMANDS_WITHHELD, TIMERS_WITHHELD, WAITS_WITHHELD
from tests.bulk_test import bulk
from tests.payment_words import PAYEE, pay, rails, screened, the_payment
from tests.random_business import Business
from tests.risk_words import over, rule, rules
from tests.story import Said, Word, account, block, given, party_becomes, say, transfer, when

STAFF_WORDS = re.compile(
    r"review|risk|score|rule|flag|\bcase|alert|assess|suspic|mule|screen|fraud|blocked|compliance|court|canary",
    re.IGNORECASE,
)


def public(events: Sequence[Event]) -> CommandOutcome:
    """What the outcomes topic says of these events."""
    return outcome_of_faces([decode_face(encode(event)) for event in events])


def plain(outcome: CommandOutcome) -> dict[str, Any]:
    """A public record without what differs from one command to the next."""
    said = msgspec.to_builtins(outcome)
    said["events_in_book"] = said.pop("last_seq", said["seq"]) - said["seq"]
    return {name: value for name, value in said.items() if name not in {"seq", "at", "cause", "command"}}


def printed(events: Sequence[Event]) -> str:
    """What the command line prints, without the id and the number."""
    sentence = console_outcomes.outcome_of([encode(event) for event in events]).sentence()
    return re.sub(r"^\S+|seq \d+$", "", sentence)


def no_more() -> Word:
    """A rule that stops whatever alice does."""
    return rules(rule("canary-stop", over(1), stop=True), name="canary")


REFUSED: dict[str, Word] = {
    "by a rule": no_more(),
    "by a court": block("alice", "canary"),
    "by compliance": say(
        BlockAccount, account="alice", block="b", direction="debits", authority="canary", reason="canary"
    ),
    "as its party is blocked": party_becomes("p-alice", "blocked"),
    "by a court, though the holder wished for it, too": [
        say(BlockAccount, account="alice", block="o", direction="debits", authority=BY_HOLDER, reason="lost"),
        block("alice", "canary", "debits"),
    ],
}


@pytest.mark.parametrize("asked", [transfer("alice", "bob", 10), pay("p1", 10)], ids=["transfer", "payment"])
def test_whoever_is_behind_it_a_refusal_says_the_same(asked: Said) -> None:
    told = {}
    for why, word in REFUSED.items():
        given(account("alice", 100), account("bob"), rails(), word)
        (events,) = when(asked)
        told[why] = plain(public(events)), printed(events)
        (again,) = when(asked.with_id(events[0].command).issued_at(events[0].issued_at_ms))
        assert public(again).reason == "declined", why
        assert "(declined)" in printed(again)
    first, *others = told.values()
    assert first[0] == {**first[0], "verdict": "rejected", "reason": "declined"}
    assert "figures" not in first[0]
    assert all(one == first for one in others), told


def test_nobody_learns_that_who_they_pay_is_blocked() -> None:
    given(account("alice", 100), account("bob"), block("bob", "canary", "credits"))
    (events,) = when(transfer("alice", "bob", 10))
    assert (public(events).reason, public(events).figures) == ("declined", {})
    assert isinstance(events[0], CommandRejected)
    assert events[0].reason == "account_blocked", "staff finds it in the events"


def test_a_block_that_the_holder_wished_for_is_told() -> None:
    given(
        account("alice", 100),
        account("bob"),
        say(BlockAccount, account="alice", block="o", direction="both", authority=BY_HOLDER, reason="lost"),
    )
    (events,) = when(transfer("alice", "bob", 10))
    assert public(events).reason == "account_blocked"
    assert public(events).figures == {"account": "alice", "direction": "debits", "authority": BY_HOLDER}


WAITING: dict[str, Word] = {
    "review": rules(rule("canary", over(1), 60)),
    "screening of the party": screened("party", "p-alice", "hit"),
    "a stop": [],
}


def test_whatever_it_waits_for_a_payment_is_accepted_in_the_same_words() -> None:
    told = {}
    for why, word in WAITING.items():
        given(account("alice", 100), rails(screening="pending" if why == "a stop" else "cleared"), word)
        (events,) = when(pay("p1", 10))
        assert the_payment("p1").status == "waiting", why
        told[why] = plain(public(events)), printed(events)
    first, *others = told.values()
    assert first[0]["events"] == {"PaymentSubmitted": 1, "PaymentWaiting": 1}
    assert first[0]["events_in_book"] == 1
    assert all(one == first for one in others), told


@pytest.mark.parametrize("mode", ["each", "all_or_nothing"])
def test_what_a_bulk_says_of_its_parts_says_no_more(mode: str) -> None:
    given(account("alice", 100), account("bob", 100), block("alice", "canary"))
    (events,) = when(bulk(("bob", "alice", 5), ("alice", "bob", 5), mode=mode))
    said = public(events)
    parts = [(one.reason, one.figures) for one in said.refused] or [(said.reason, said.figures)]
    if mode == "each":
        assert parts == [("declined", {}), ("declined", {})]
    else:
        assert parts == [("instruction_refused", {"index": 0, "refused": "declined"})]
    assert not STAFF_WORDS.search(encode_outcome(said).decode())


# --- everything at once -----------------------------------------------------------------------------------


class Watched(Business):
    """A random business in which rules decline and want reviews, and whatever staff writes is a canary."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.staff: set[tuple[str, str]] = set()
        self._drawn += [(SubmitPayment, 60), *((kind, 8) for kind in reviews.COMMANDS)]
        for book in ("main", "side"):
            body = {
                "currency": "EUR",
                "rules": [
                    {"id": "canary-large", "when": over(25), "points": 60},
                    {"id": "canary-huge", "when": over(900), "points": 60},
                ],
                "thresholds": {"review": 50, "decline": 100},
            }
            self.told += 1
            self.submit(
                PublishDocument(
                    id=f"c{self.told}",
                    book=book,
                    actor="root",
                    issued_at_ms=self.now,
                    kind="rules",
                    document="canary",
                    version=1,
                    body=body,
                )
            )

    def _actor(self, kind: type[Command]) -> str:
        return self.chance.choice(("root", "vera")) if kind in reviews.COMMANDS else super()._actor(kind)

    def _learn(self, event: Event) -> None:
        """What staff has said is not what anybody else says next."""
        super()._learn(event)
        for pool in self.known.values():
            pool[:] = [one for one in pool if "canary" not in one and one not in WAITS_WITHHELD]

    def _made(self, kind: type[Command]) -> Command:
        made = super()._made(kind)
        if kind not in COMMANDS_WITHHELD:
            return made
        self.staff.add((made.actor, made.id))
        said = {
            name: "canary"
            for name in ("reason", "authority", "flag", "note", "title", "text")
            if isinstance(getattr(made, name, None), str) and getattr(made, name)
        }
        return msgspec.structs.replace(made, **said)


@pytest.fixture(scope="module")
def business() -> Watched:
    made = Watched(31)
    made.run(1_200)
    # So that in the end something waits, something was declined and somebody blocked, whatever was drawn.
    book = made.book("main")
    usable = [
        name
        for name, one in book.accounts.items()
        if one.kind == "customer" and one.currency == "EUR" and one.is_open and not one.blocks
    ]
    assert usable
    asked: list[tuple[type[Command], dict[str, Any]]] = []
    for name in usable:
        for amount in (30, 900, 901):
            payment = {"payment": f"last-{name}-{amount}", "rail": "sepa", "payee": PAYEE}
            asked.append((SubmitPayment, {"account": name, "amount": amount, "currency": "EUR", **payment}))
    blocked = {"account": usable[-1], "block": "last", "direction": "both", "reason": "canary"}
    asked.append((BlockAccount, {**blocked, "authority": "canary"}))
    asked += [
        (Transfer, {"debit": debit, "credit": credit, "amount": 1, "currency": "EUR"})
        for debit, credit in ((usable[-1], "nostro"), ("nostro", usable[-1]))
    ]
    for number, (kind, fields) in enumerate(asked):
        at_ms = max(made.now, book.at)
        made.submit(kind(id=f"last-{number}", book="main", actor="root", issued_at_ms=at_ms, **fields))
        if kind in COMMANDS_WITHHELD:
            made.staff.add(("root", f"last-{number}"))
    return made


def outcomes_of(business: Watched) -> Iterator[CommandOutcome]:
    faces = [decode_face(record.value) for record in business.log.reader().events(-1)]
    for group in grouped(faces):
        yield outcome_of_faces(group)


def test_the_business_has_all_that_could_be_told(business: Watched) -> None:
    events = business.events()
    kinds = {type(event) for event in events}
    assert kinds >= {ReviewBegan, PaymentDeclined, FlagRaised}
    assert {event.reason for event in events if isinstance(event, CommandRejected)} >= {
        "account_blocked",
        "declined",
    }
    assert any(b"canary" in encode(event) for event in events)


def test_no_outcome_of_a_random_business_tells(business: Watched) -> None:
    hidden = {kind.__name__ for kind in FOR_STAFF}
    seen = 0
    for outcome in outcomes_of(business):
        said = encode_outcome(outcome).decode()
        assert "canary" not in said, said
        assert not outcome.events.keys() & hidden, said
        if (outcome.actor, outcome.command) in business.staff:
            assert outcome.reason != "payment_state_conflict", said
            assert outcome.verdict != "accepted" or not (outcome.events or outcome.named), said
            continue
        structure = [outcome.reason, *outcome.figures, *outcome.named, *outcome.events]
        structure += [part for one in outcome.refused for part in (one.reason, *one.figures)]
        assert not STAFF_WORDS.search(" ".join(structure)), said
        seen += outcome.reason == "declined"
    assert seen > 3


@contextlib.contextmanager
def shown(dsn: str, business: Watched) -> Iterator[Session]:
    with contextlib.closing(Projector(dsn, business.log.reader())) as projector:
        projector.catch_up()
    with contextlib.closing(connect(dsn)) as session:
        yield session


def test_no_view_and_no_payment_of_a_random_business_tells(postgres_dsn: str, business: Watched) -> None:
    with shown(postgres_dsn, business) as session:
        names = [
            (book, payment) for book in ("main", "side") for payment in business.book(book).payments.by_id
        ]
        assert names
        waits = {business.book(book).payments.by_id[one].waits_for.partition("\n")[0] for book, one in names}
        assert "risk_review" in waits
        for book, name in names:
            life = timeline(session, book, name)
            assert life is not None
            said = msgspec.json.encode(told_life(life)).decode()
            for word in ("canary", *WAITS_WITHHELD, *(kind.__name__ for kind in FOR_STAFF)):
                assert word not in said, (word, said)
        whole = msgspec.json.encode([timeline(session, *one) for one in names]).decode()
        assert "risk_review" in whole
        assert "ReviewBegan" in whole
        session.execute(f"SET ROLE {ROLE}".encode())
        for view in VIEWS:
            if view.for_staff:
                with pytest.raises(errors.InsufficientPrivilege):
                    session.execute(f"SELECT 1 FROM reporting.{view.name}".encode())
                continue
            (rows,) = session.execute(
                f"SELECT coalesce(string_agg(v::text, ' '), '') FROM reporting.{view.name} AS v".encode()
            ).fetchone() or ("",)
            hidden = ["canary", *WAITS_WITHHELD, *(kind.__name__ for kind in FOR_STAFF)]
            hidden += [kind.__name__ for kind in COMMANDS_WITHHELD] if view.name != "grants" else []
            assert not [word for word in hidden if word in rows], view.name
        session.execute("RESET ROLE")
        session.execute(f"SET ROLE {STAFF_ROLE}".encode())
        for view in VIEWS:
            session.execute(f"SELECT 1 FROM reporting.{view.name}".encode())


def test_what_only_staff_asks_for_is_known() -> None:
    """Whoever adds a command of risk staff finds out here that it has to be said whether it is public."""
    named = {kind for name, kind in COMMAND_TYPES.items() if re.search("Case|Flag|Review|Alert|Risk", name)}
    assert named <= COMMANDS_WITHHELD
    assert {kind for kind in FIRE if re.search("case|flag|review|alert", kind)} <= TIMERS_WITHHELD
