"""The plans that decide against the documents read one comparison after another: the same, whatever they say.

Documents are drawn without regard to what a publisher would refuse: contradictions, caps below their rules,
thresholds out of order have to come out the same, too.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from book.ruling import RulesInForce
from book.state import Book
from commands.movements import Movement
from commands.risk import assess
from replay.ruling import as_assessed, told
from schemas.documents.conditions import FLAGGED, LISTED
from schemas.documents.kinds import known
from schemas.documents.rules import SCORED
from schemas.features import FEATURES
from schemas.flags import RaiseFlag
from schemas.payees import payee_key
from schemas.risk import ModelScore, Origin
from tests.risk_words import listing, model
from tests.story import BEGAN_MS, DAY_MS, account, forget, given, internal, party, say, story, when

IBAN = "DE02120300000000202051"
EDGES = (0, 1, 2, 59, 99, 100, 101, 359, 360, 500, 719, 720, 721, 999, 1_000, 10**6)
LISTS = {"parties": "party", "accounts": "account", "payees": "payee", "countries": "country"}


@functools.cache
def the_book() -> Book:
    """Two parties of different segments, with somebody on every list, flagged, and two models in force."""
    given(
        party("pa", segment="retail", country="DE"),
        account("a1", 1_000, party_id="pa"),
        account("a2", 1_000, party_id="pa", currency="USD"),
        party("pb", segment="private", country="FR"),
        account("b1", 1_000, party_id="pb"),
        internal("own"),
    )
    when(
        listing("parties", "party", "watch", "pa"),
        listing("accounts", "account", "block", "b1", a1=BEGAN_MS + DAY_MS),
        listing("payees", "payee", "allow", payee_key(IBAN)),
        listing("countries", "country", "watch", "FR", "KP"),
        model("net", version=3, lowest=100),
        model("tree", role="challenger"),
    )
    for subject, of, score in (
        ("party", "pa", 700),
        ("account", "b1", 300),
        ("payee", payee_key(IBAN), 900),
        ("device", "d1", 1_000),
    ):
        when(
            say(
                RaiseFlag,
                subject=subject,
                of=of,
                flag="mule",
                expires_at_ms=BEGAN_MS + 2 * DAY_MS,
                score=score,
            )
        )
    book = story().book
    forget()
    return book


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["feature"] * 5 + ["on_list", "flag", "model"]))
    bound = st.sampled_from(EDGES)
    if kind == "on_list":
        name = draw(st.sampled_from(sorted(LISTS)))
        return {"on_list": name, "of": draw(st.sampled_from(LISTED[LISTS[name]]))}
    bounds = draw(
        st.dictionaries(
            st.sampled_from(["at_least", "at_most", "above", "below", "equals"]),
            bound,
            min_size=1,
            max_size=2,
        )
    )
    if kind == "flag":
        return {
            "flag": draw(st.sampled_from(["mule", "mule", "other"])),
            "of": draw(st.sampled_from(FLAGGED)),
            **(bounds if draw(st.booleans()) else {}),
        }
    if kind == "model":
        return {"model": draw(st.sampled_from(["net", "tree", "none"])), **bounds}
    name = draw(st.sampled_from(["amount", "local_minute", *sorted(FEATURES)]))
    if FEATURES[name].unit == "yes_no":
        return {"feature": name, "holds": draw(st.booleans())}
    currency = {"currency": draw(st.sampled_from(["EUR", "USD"]))} if draw(st.booleans()) else {}
    return {"feature": name, **bounds, **(currency if FEATURES[name].unit == "minor" else {})}


def conditions(depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    if depth == 0:
        return comparisons()
    below = st.lists(conditions(depth - 1), min_size=1, max_size=3)
    group = st.sampled_from(["all", "all", "any", "none"])
    return st.one_of(comparisons(), st.builds(lambda name, parts: {name: parts}, group, below))


CHANNELS = ["", "online", "branch"]
CORRIDORS = ["", "DE-FR", "DE-KP"]
WHERE = st.fixed_dictionaries(
    {},
    optional={
        "movements": st.lists(st.sampled_from(SCORED), min_size=1, max_size=2),
        "channels": st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=2),
        "corridors": st.lists(st.sampled_from(CORRIDORS), min_size=1, max_size=2),
        "segments": st.lists(st.sampled_from(["retail", "private"]), min_size=1, max_size=1),
    },
)
NUMBERS = itertools.count()
MOMENTS = [BEGAN_MS + days * DAY_MS // 4 for days in range(13)]


@st.composite
def rules(draw: st.DrawFn, number: int) -> dict[str, Any]:
    stage = draw(st.sampled_from(["live", "live", "live", "shadow", "share", "off"]))
    points = draw(st.integers(-20, 60))
    return {
        "id": f"r{number}",
        "when": draw(conditions()),
        "only": draw(WHERE) if draw(st.booleans()) else {},
        "points": points,
        "stop": points == 0,
        "group": draw(st.sampled_from([None, None, "g", "h"])) if points else None,
        "stage": stage,
        "share": draw(st.integers(1, 999)) if stage == "share" else None,
        "from_ms": draw(st.one_of(st.none(), st.sampled_from(MOMENTS))),
        "until_ms": draw(st.one_of(st.none(), st.sampled_from(MOMENTS))),
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    stage = draw(st.sampled_from(["live", "live", "shadow", "share"]))
    thresholds = st.fixed_dictionaries(
        {},
        optional={"review": st.integers(1, 60), "decline": st.integers(1, 100)},
    )
    return {
        "rules": [draw(rules(number)) for number in range(draw(st.integers(1, 6)))],
        "thresholds": draw(thresholds),
        "by": draw(
            st.lists(
                st.builds(
                    lambda one, channels: {**one, "channels": channels},
                    thresholds,
                    st.lists(st.sampled_from(CHANNELS), max_size=2),
                ),
                max_size=2,
            )
        ),
        "caps": [{"group": "g", "most": draw(st.integers(1, 80))}, {"group": "h", "most": 30}],
        "currency": draw(st.sampled_from(["EUR", "USD", None])),
        "only": draw(WHERE) if draw(st.booleans()) else {},
        "stage": stage,
        "share": draw(st.integers(1, 999)) if stage == "share" else None,
    }


MOVEMENTS = st.builds(
    lambda kind, account_id, amount, counterparty, channel, corridor: (
        kind,
        account_id,
        amount,
        counterparty,
        channel,
        corridor,
    ),
    st.sampled_from(SCORED),
    st.sampled_from(["a1", "a1", "a2", "b1", "own"]),
    st.sampled_from(EDGES[1:]),
    st.sampled_from(["", IBAN, "b1", "a1", "own", "DE00"]),
    st.sampled_from(CHANNELS),
    st.sampled_from(CORRIDORS),
)
SCORES = st.lists(
    st.builds(
        ModelScore,
        model=st.sampled_from(["net", "tree"]),
        version=st.sampled_from([1, 3]),
        score=st.sampled_from([0, 99, 100, 500, 1_000]),
    ),
    max_size=3,
).map(tuple)
ORIGINS = st.one_of(
    st.none(),
    st.builds(
        Origin,
        device=st.sampled_from(["", "d1", "d2"]),
        country=st.sampled_from(["", "FR", "DE"]),
        scores=SCORES,
    ),
)


@pytest.mark.by_hand
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@drawn(
    st.lists(documents(), min_size=1, max_size=2),
    st.lists(st.tuples(MOVEMENTS, ORIGINS, st.sampled_from(MOMENTS)), min_size=1, max_size=8),
)
def test_what_is_compiled_decides_as_what_is_read(
    bodies: list[dict[str, Any]], asked: list[tuple[Any, Origin | None, int]]
) -> None:
    book = the_book()
    ruling = book.in_force.ruling
    ruling.rules = {
        f"d{number}": RulesInForce(number + 1, "", known("rules", body))  # type: ignore[arg-type]
        for number, body in enumerate(bodies)
    }
    ruling.key = f"drawn {next(NUMBERS)}"  # as `book/risk.py` names each set of documents
    for (kind, account_id, amount, counterparty, channel, corridor), origin, at_ms in asked:
        account_ = book.accounts[account_id]
        movement = Movement(
            kind, account_id, account_, amount, account_.currency, counterparty, channel, corridor
        )
        found = assess(book, movement, origin, at_ms)
        assert found == as_assessed(told(book, movement, origin, at_ms))
