"""Rules, lists and models that nobody can mean: refused before anything is live, each with its path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from schemas.documents.conditions import Condition, kind_of, parts_of
from schemas.documents.document import Document, Problem
from schemas.documents.kinds import known, read
from schemas.documents.lists import MOST_ENTRIES
from schemas.documents.reachable import can_hold
from schemas.documents.rules import Rules
from schemas.features import NONE
from schemas.payees import payee_key
from schemas.publishing import DocumentPublished
from schemas.rejections import CommandRejected
from tests.risk_words import listing, model, over, rule, rules
from tests.story import account, given, happened, rejected, story, then, when

LATE = {"feature": "local_minute", "at_least": 1_320}
EARLY = {"feature": "local_minute", "below": 360}


def problems(body: dict[str, Any], kind: str = "rules") -> list[Problem]:
    found = read(kind, body)
    return [] if isinstance(found, Document) else found


def one(when_: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"currency": "EUR", "rules": [{"id": "r", "when": when_, "points": 50, **more}]}


def several(*some: dict[str, Any], **body: Any) -> dict[str, Any]:
    return {"currency": "EUR", "rules": list(some), **body}


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no rules", several(), "rules", "must have 1 entry or more"),
    ("unknown feature", one({"feature": "shoe_size", "at_least": 1}), "rules[0].when.feature", "no feature"),
    (
        "unknown feature within",
        one({"all": [LATE, {"none": [{"feature": "shoe_size", "at_least": 1}]}]}),
        "rules[0].when.all[1].none[0].feature",
        "no feature shoe_size",
    ),
    ("unknown field", one({"feature": "amount", "atleast": 1}), "rules[0].when.atleast", "at_least"),
    (
        "nothing asked",
        one({}),
        "rules[0].when",
        "exactly one of feature, on_list, flag, model, all, any, none",
    ),
    ("two at once", one({"feature": "amount", "at_least": 1, "all": [LATE]}), "rules[0].when", "exactly one"),
    ("beside a group", one({"all": [LATE], "at_least": 1}), "rules[0].when.at_least", "nothing beside it"),
    ("nothing compared", one({"feature": "amount"}), "rules[0].when", "say what it is compared with"),
    ("a group of nothing", one({"all": []}), "rules[0].when", "exactly one"),
    (
        "too deep",
        one({"all": [{"all": [{"all": [{"all": [LATE]}]}]}]}),
        "rules[0].when.all[0].all[0].all[0].all",
        "no such field",
    ),
    ("below zero", one(over(-1)), "rules[0].when.at_least", "must be 0 or more"),
    ("a number with a point", one(over(0.5)), "rules[0].when.at_least", "whole number"),  # type: ignore[arg-type]
    (
        "no currency",
        {"rules": [{"id": "r", "when": over(1), "points": 1}]},
        "rules[0].when.currency",
        "give the currency",
    ),
    (
        "a currency of what is no amount",
        one({**LATE, "currency": "EUR"}),
        "rules[0].when.currency",
        "only a comparison of an amount",
    ),
    ("holds of a number", one({"feature": "amount", "holds": True}), "rules[0].when.holds", "yes or no"),
    (
        "contradicts itself",
        one({"feature": "local_minute", "above": 10, "below": 11}),
        "rules[0].when",
        "contradicts itself",
    ),
    (
        "never that high",
        one({"feature": "local_minute", "at_least": 1_440}),
        "rules[0].when",
        "highest value is 1439",
    ),
    ("both ends", one({"all": [LATE, EARLY]}), "rules[0].when", "contradict each other"),
    (
        "both ends, deeper",
        one({"all": [LATE, {"any": [EARLY, {"all": [EARLY, over(1)]}]}]}),
        "rules[0].when",
        "contradict",
    ),
    ("and not itself", one({"all": [over(10), {"none": [over(5)]}]}), "rules[0].when", "contradict"),
    (
        "two currencies at once",
        one({"all": [over(10), over(10, currency="USD")]}),
        "rules[0].when",
        "contradict",
    ),
    ("neither points nor stop", one(over(1), points=0), "rules[0]", "either points or stop"),
    ("points and stop", one(over(1), stop=True), "rules[0]", "either points or stop"),
    (
        "lowers without a list",
        one(over(1), points=-5),
        "rules[0].points",
        "allow list, or say `lowers: true`",
    ),
    (
        "lowers because it is not on a list",
        one({"none": [{"on_list": "good", "of": "payee"}]}, points=-5),
        "rules[0].points",
        "allow list",
    ),
    ("lowers upwards", one(over(1), lowers=True), "rules[0].lowers", "below zero"),
    ("a list of nobody", one({"on_list": "good"}), "rules[0].when.of", "is missing"),
    ("of a feature", one({**LATE, "of": "payee"}), "rules[0].when.of", "a feature has no `of`"),
    (
        "a flag of a country",
        one({"flag": "mule", "of": "payee_country"}),
        "rules[0].when.of",
        "must be party or",
    ),
    (
        "a stop in a group",
        one(over(1), points=0, stop=True, group="g"),
        "rules[0].group",
        "no cap can hold it",
    ),
    ("a group without a cap", one(over(1), group="g"), "rules[0].group", "no cap for the group g"),
    (
        "a cap below a rule",
        several(rule("r", over(1), 50, group="g"), caps=[{"group": "g", "most": 49}]),
        "rules[0].points",
        "50 can never count whole: the cap of g is 49",
    ),
    ("a cap of nobody", {**one(over(1)), "caps": [{"group": "g", "most": 9}]}, "caps[0].group", "no rule"),
    (
        "two caps",
        several(
            rule("r", over(1), 5, group="g"), caps=[{"group": "g", "most": 9}, {"group": "g", "most": 8}]
        ),
        "caps[1].group",
        "twice",
    ),
    (
        "thresholds out of order",
        {**one(over(1)), "thresholds": {"review": 50, "decline": 40}},
        "thresholds.review",
        "must be below decline, which is 40",
    ),
    (
        "thresholds that are one",
        {**one(over(1)), "thresholds": {"review": 50, "decline": 50}},
        "thresholds.review",
        "must be below decline",
    ),
    (
        "a threshold out of reach",
        {**one(over(1)), "thresholds": {"review": 50, "decline": 51}},
        "thresholds.decline",
        "at most 50",
    ),
    (
        "out of reach because of a cap",
        several(
            rule("a", over(1), 50, group="g"),
            rule("b", over(2), 50, group="g"),
            caps=[{"group": "g", "most": 60}],
            thresholds={"decline": 61},
        ),
        "thresholds.decline",
        "at most 60",
    ),
    (
        "out of reach without what is off",
        several(rule("a", over(1), 50), rule("b", over(2), 50, stage="off"), thresholds={"decline": 51}),
        "thresholds.decline",
        "at most 50",
    ),
    (
        "thresholds for everybody twice",
        {**one(over(1)), "by": [{"review": 50}]},
        "by[0]",
        "name channels or segments",
    ),
    (
        "thresholds that another line hides",
        {
            **one(over(1)),
            "by": [{"channels": ["a", "b"]}, {"channels": ["b"], "segments": ["s"], "review": 50}],
        },
        "by[1]",
        "by[0] fits all",
    ),
    (
        "the same rule twice",
        several(rule("a", over(1), 5), rule("b", over(1), 6)),
        "rules[1].when",
        "rules[0], a",
    ),
    ("the same id twice", several(rule("a", over(1), 5), rule("a", over(2), 6)), "rules[1].id", "twice"),
    (
        "a share of everybody",
        one(over(1), stage="share", share=1_000),
        "rules[0].share",
        "must be 999 or less",
    ),
    ("a share without its stage", one(over(1), share=5), "rules[0].share", "only there"),
    ("the stage share without one", {**one(over(1)), "stage": "share"}, "share", "only there"),
    ("ends before it begins", one(over(1), from_ms=5, until_ms=5), "rules[0].until_ms", "after from_ms"),
    (
        "about what the document is not",
        {**one(over(1), only={"channels": ["app"]}), "only": {"channels": ["branch"]}},
        "rules[0].only.channels",
        "can never apply",
    ),
    (
        "about what nobody scores",
        one(over(1), only={"movements": ["hold"]}),
        "rules[0].only.movements[0]",
        "hold is not scored",
    ),
    (
        "a review that may wait for ever",
        {**one(over(1)), "reviews": {"within_ms": 1}},
        "reviews.within_ms",
        "1000 or more",
    ),
    (
        "a review that time releases",
        {**one(over(1)), "reviews": {"then": "release"}},
        "reviews.then",
        "escalate or decline",
    ),
]


@pytest.mark.parametrize(("body", "path", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_nobody_can_mean_is_refused_with_its_path(body: dict[str, Any], path: str, says: str) -> None:
    found = problems(body)
    assert any(one.path == path and says in one.what for one in found), found


RIGHT: list[dict[str, Any]] = [
    one(over(1)),
    one({"any": [LATE, EARLY]}),
    one({"all": [over(10), {"none": [over(20)]}]}),
    one({"all": [{"none": [over(10)]}, {"none": [over(10, currency="USD")]}]}),
    one({"all": [over(10), {"none": [over(10, currency="USD")]}]}),
    one(over(1), points=-5, lowers=True),
    {**one(over(1)), "thresholds": {"review": 50}},
    several(rule("a", over(1), 5), rule("b", over(1), 5, only={"channels": ["app"]})),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_can_be_meant_is_taken(body: dict[str, Any]) -> None:
    assert problems(body) == []


def test_a_document_of_ten_thousand_rules_is_refused_by_its_bound() -> None:
    body = several(*(rule(f"r{number}", over(number), 1) for number in range(10_000)))
    assert problems(body) == [Problem("rules", "must have at most 500 entries")]


def test_comparisons_are_bounded_too() -> None:
    wide = {"any": [{"any": [over(a * 20 + b) for b in range(20)]} for a in range(20)]}
    body = several(*(rule(f"r{number}", {"all": [wide, over(number)]}, 1) for number in range(10)))
    assert [str(one.what) for one in problems(body)] == [
        "all together ask 4010 comparisons, and the most is 4000"
    ]


# --- can a condition hold? --------------------------------------------------------------------------------

NAMES = ("local_minute", "amount")
VALUES = (NONE, 0, 1, 2, 3, 1_439)


def leaf() -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.dictionaries(
        st.sampled_from(["at_least", "at_most", "equals"]), st.integers(0, 3), min_size=1, max_size=2
    )
    return st.builds(lambda name, given_: {"feature": name, **given_}, st.sampled_from(NAMES), bounds)


def groups(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    if depth == 0:
        return leaf()
    return st.one_of(
        leaf(),
        st.builds(
            lambda name, parts: {name: parts},
            st.sampled_from(["all", "any", "none"]),
            st.lists(groups(depth - 1), min_size=1, max_size=3),
        ),
    )


def holds(one: Any, values: dict[str, int]) -> bool:
    kind = kind_of(one)
    parts = [holds(part, values) for part in parts_of(one)]
    if kind in ("all", "any", "none"):
        return all(parts) if kind == "all" else any(parts) if kind == "any" else not any(parts)
    low, high = one.interval()
    return bool(low <= values[one.feature] <= high)


@settings(max_examples=200, deadline=None)
@drawn(groups(3))
def test_a_condition_can_hold_where_some_values_make_it_hold(told: dict[str, Any]) -> None:
    """With bounds of 0 to 3, the values -1 to 3 and one far away are all that can make a difference."""
    body = known("rules", one(told))
    assert isinstance(body, Rules)
    condition: Condition = body.rules[0].when
    some = any(
        holds(condition, {"local_minute": minute, "amount": amount})
        for minute in VALUES
        for amount in (*VALUES[:-1], 10**9)
    )
    assert can_hold(condition, "EUR") == some


# --- what only the book can tell --------------------------------------------------------------------------


def detail() -> str:
    (refused,) = story().last
    assert isinstance(refused, CommandRejected), refused
    assert refused.reason == "document_invalid"
    return str(refused.figures["detail"])


def test_lists_models_and_currencies_have_to_be_there() -> None:
    given(account("alice"))
    asks = {"on_list": "bad", "of": "payee"}
    when(rules(rule("r", asks, 5)))
    assert detail() == "rules[0].when.on_list: there is no list bad; publish it first"
    when(rules(rule("r", {"all": [{"model": "net", "at_least": 5}, asks]}, 5)))
    assert "rules[0].when.all[0].model: there is no model net" in detail()
    when(rules(rule("r", over(5, currency="XXQ"), 5)))
    assert detail() == "rules[0].when.currency: there is no currency XXQ"
    when(rules(rule("r", over(5), 5), currency="XXQ"))
    assert detail() == "currency: there is no currency XXQ"
    when(listing("bad", "country", "block", "KP"), rules(rule("r", asks, 5)))
    assert detail() == (
        "rules[0].when.of: bad is a list of the kind country: "
        "party_country or payee_country or origin_country"
    )
    when(rules(rule("r", {"on_list": "bad", "of": "payee_country"}, 5)))
    then(happened(DocumentPublished))


def test_only_an_allow_list_lowers_by_itself() -> None:
    given(account("alice"))
    asks = {"on_list": "some", "of": "payee_country"}
    when(listing("some", "country", "watch", "DE"), rules(rule("r", asks, -5)))
    assert detail() == "rules[0].points: lower the score, and no list that is asked for is an allow list"
    when(rules(rule("r", asks, -5, lowers=True)))
    then(happened(DocumentPublished))


def test_a_challenger_has_no_say() -> None:
    given(account("alice"))
    when(model("net", role="challenger"), rules(rule("r", {"model": "net", "above": 5}, 5)))
    assert detail() == "rules[0].when.model: net is a challenger, and only rules in shadow read it"
    when(rules(rule("r", {"model": "net", "above": 5}, 5, stage="shadow")))
    then(happened(DocumentPublished))


def test_a_list_begins_before_the_rules_that_ask_it() -> None:
    given(account("alice"))
    said = listing("bad", "country", "block", "KP")
    later = story().now + 10_000
    when(said.__class__(said.kind, {**said.fields, "effective_from_ms": later}))
    when(rules(rule("r", {"on_list": "bad", "of": "payee_country"}, 5)))
    assert "the list document bad begins" in detail()


def test_lists_keep_what_they_are_and_hold_no_strangers() -> None:
    given(account("alice"))
    when(listing("l", "account", "watch", "alice"), listing("l", "account", "block", "alice", version=2))
    assert detail() == "purpose: was watch and never changes; give the new list another id"
    when(listing("l", "account", "watch", "alice", "nobody", version=2))
    assert detail() == "entries[1].id: there is no account nobody"
    when(listing("p", "party", "watch", "p-alice", "p-nobody"))
    assert detail() == "entries[1].id: there is no party p-nobody"


@pytest.mark.parametrize(
    ("of", "entry", "says"),
    [
        ("payee", "DE02120300000000202051", "a payee's key of 32 hex digits"),
        ("country", "Germany", "two capitals"),
        ("country", "", "must not be empty"),
    ],
)
def test_an_account_number_never_stands_in_a_list(of: str, entry: str, says: str) -> None:
    (found,) = problems({"purpose": "block", "of": of, "entries": [{"id": entry}]}, "list")
    assert found.path == "entries[0].id"
    assert says in found.what


def test_large_lists_are_taken_and_bounded() -> None:
    entries = [{"id": payee_key(str(number))} for number in range(MOST_ENTRIES + 1)]
    body = {"purpose": "block", "of": "payee", "entries": entries[:-1]}
    assert problems(body, "list") == []
    assert problems({**body, "entries": entries}, "list") == [
        Problem("entries", "must have at most 20000 entries")
    ]
    twice = {**body, "entries": [entries[0], entries[1], entries[0]]}
    (found,) = problems(twice, "list")
    assert found.path == "entries[2].id"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"approved_by": "data science"}, "approved_by"),
        ({"trained_on": " "}, "trained_on"),
        ({"lowest": 500, "highest": 500}, "highest"),
        ({"role": "king"}, "role"),
        ({"highest": 1_001}, "highest"),
    ],
)
def test_a_model_says_who_answers_for_it(changes: dict[str, Any], path: str) -> None:
    given(account("alice"))
    when(model("net", **changes))
    then(rejected("document_invalid"))
    assert detail().startswith(f"{path}: ")
