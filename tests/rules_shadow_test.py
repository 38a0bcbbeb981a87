"""Shadow never changes a decision: the same business with and without it, told twice and compared."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.log.records import BEFORE_FIRST
from schemas.catalogue import encode
from schemas.documents.document import Document
from schemas.documents.kinds import read
from schemas.message import Event
from schemas.outcomes import CommandOutcome, outcome_of
from schemas.payees import payee_key
from schemas.publishing import PublishDocument
from schemas.risk import ModelScore, Origin, RiskAssessed
from tests.crossbook_words import agreed, send
from tests.payment_words import pay, rails
from tests.risk_words import listing, model, over, rule, rules
from tests.rules_twin_test import IBAN, LISTS, documents
from tests.story import Said, Story, account, given, later, party, say, story, transfer, when

LIVE = rules(
    rule("large", over(60), 40),
    rule("often", {"feature": "out_count_24h", "at_least": 6}, 30),
    rule("new", {"feature": "new_payee", "holds": True}, 20, stage="share", share=500),
    rule("net", {"model": "net", "at_least": 500}, 30),
    thresholds={"review": 50, "decline": 80},
    name="live",
)


def business(seed: int) -> list[Said]:
    """Transfers, payments and sendings of three customers, the same for a seed."""
    chance = random.Random(seed)
    found: list[Said] = []
    for number in range(24):
        payer = chance.choice(("a1", "a1", "b1"))
        amount = chance.choice((1, 20, 60, 99))
        origin = Origin(
            device=chance.choice(("", "d1", "d2")),
            country=chance.choice(("", "DE", "FR")),
            scores=(ModelScore(model="net", version=1, score=chance.choice((0, 600))),),
        )
        kind = chance.choice(("transfer", "transfer", "pay", "send"))
        if kind == "transfer":
            found.append(transfer(payer, chance.choice(("b1", "c1")), amount, origin=origin))
        elif kind == "pay":
            payee = {"name": "P", "account": IBAN, "country": "DE"}
            found.append(pay(f"p{number}", amount, payer, payee=payee, origin=origin))
        else:
            found.append(send(f"x{number}", payer, amount))
    return found


def told(shadow: list[Said], said: list[Said]) -> tuple[Story, list[tuple[Event, ...]]]:
    given(
        party("pa", segment="retail", country="DE"),
        account("a1", 700, party_id="pa"),
        account("b1", 300),
        account("c1"),
        rails(),
        agreed(),
        [listing(name, of, "watch") for name, of in LISTS.items() if name != "payees"],
        listing("payees", "payee", "allow", payee_key(IBAN)),
        model("net"),
        model("tree", role="challenger"),
        LIVE,
        *shadow,
        # so that both stories have come to the same moment when business begins
        [later(ms=1)] * (3 - len(shadow)),
    )
    outcomes = []
    for number, one in enumerate(said):
        outcomes += when(one.with_id(f"b{number}"), later(ms=60_000))
    return story(), outcomes


def seen(outcome: tuple[Event, ...]) -> CommandOutcome:
    """The outcome without the numbers of events, which those of assessments move."""
    public = outcome_of([encode(one) for one in outcome])
    named = {name: one for name, one in public.named.items() if name != "transfer"}
    return replace(public, seq=0, last_seq=0, cause=0, named=named)


def in_shadow(number: int, body: dict[str, Any]) -> Said:
    whole = {**body, "stage": "shadow", "share": None}
    return say(PublishDocument, kind="rules", document=f"s{number}", version=1, body=whole)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@drawn(st.integers(0, 1_000), st.lists(documents(), min_size=1, max_size=2))
def test_shadow_never_changes_a_decision(seed: int, bodies: list[dict[str, Any]]) -> None:
    shadow = [
        in_shadow(number, body)
        for number, body in enumerate(bodies)
        if isinstance(read("rules", body), Document)
    ]
    said = business(seed)
    without, plain = told([], said)
    before = {name: (one.booked, one.held) for name, one in without.book.accounts.items()}
    withal, shadowed = told(shadow, said)
    assert [seen(one) for one in shadowed] == [seen(one) for one in plain]
    assert {name: (one.booked, one.held) for name, one in withal.book.accounts.items()} == before
    assert verdicts(shadowed) == verdicts(plain)


def verdicts(outcomes: list[tuple[Event, ...]]) -> list[str]:
    """What was done with each movement; what nothing live applied to went through."""
    found = []
    for outcome in outcomes:
        (*_, last) = outcome
        found.append(last.verdict if isinstance(last, RiskAssessed) else "")
    return ["" if one == "approve" else one for one in found]


def test_two_runs_of_the_same_business_are_the_same_bytes() -> None:
    first, _ = told([], business(7))
    values = [record.value for record in first.log.events(BEFORE_FIRST)]
    second, _ = told([], business(7))
    again = [record.value for record in second.log.events(BEFORE_FIRST)]
    assert again[1:] == values[1:]  # the first one names the log, which is another
