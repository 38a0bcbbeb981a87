"""`daybook rules` and `daybook lists`: what risk staff see, and how each command ends."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.features import FEATURES
from schemas.payees import payee_key
from tests.terminal import ROOT, Terminal, ndjson, small_bank

pytestmark = pytest.mark.long

RULES = """
kind: rules
id: payments
body:
  currency: EUR
  rules:
    - {id: large, why: Large for a household, when: {feature: amount, at_least: 5000}, points: 60}
    - {id: often, when: {feature: out_count_24h, at_least: 3}, points: 50, stage: shadow}
    - {id: huge, when: {feature: amount, at_least: 9000}, stop: true}
  thresholds: {review: 60}
"""


def pays(name: str, amount: int) -> dict[str, Any]:
    return {
        "type": "Transfer",
        "id": name,
        "book": "main",
        "debit": "a1",
        "credit": "a2",
        "amount": amount,
        "currency": "EUR",
    }


@pytest.fixture
def home(tmp_path: Any, postgres_dsn: str) -> Terminal:
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    terminal.ok("init", "--book", "main", "--second-admin", "")
    terminal.ok("submit", "-", "--stamp", stdin=small_bank(deposit=50_000))
    (tmp_path / "rules.yaml").write_text(RULES)
    terminal.ok("documents", "publish", "rules.yaml")
    return terminal


def test_the_waterfall_of_what_went_through_and_of_what_was_declined(home: Terminal) -> None:
    some = ndjson([pays("t1", 100), pays("t2", 6_000), pays("t3", 9_000), pays("t4", 100)])
    done = home.run("submit", "-", "--stamp", stdin=some)
    assert done.status == 3
    assert "RiskAssessed" not in done.out
    assert "declined: The bank has declined this." in done.out
    shown = home.ok("rules", "explain", "t3").out
    assert "amount at least 90.00 EUR" in shown
    assert "Score 60 (review from 60): decline, by the stop huge, whatever the score." in shown
    assert shown.endswith("It was declined.\n")
    told = home.ok("rules", "explain", "t2", "--json").last
    assert (told["verdict"], told["as_recorded"], told["amount"]) == ("review", True, 6_000)
    every = home.ok("rules", "explain", f"#{told['seq']}", "--all").out
    assert "does not hold" in every
    assert home.run("rules", "explain", "nothing").status == 2
    stats = {one["rule"]: one for one in home.ok("rules", "stats", "--json").lines}
    assert (stats["payments/large"]["hits"], stats["payments/large"]["declined"]) == (2, 1)
    assert stats["payments/often"]["counted"] == 0
    assert [one["done"] for one in home.ok("rules", "hits", "--json").lines] == [
        "approve",
        "decline",
        "review",
    ]
    assert len(home.ok("rules", "hits", "--rule", "payments/huge", "--json").lines) == 1
    home.ok("replay", "verify")
    home.ok("replay", "redecide")


def test_rules_are_listed_and_told_as_sentences(home: Terminal) -> None:
    (row,) = home.ok("rules", "list", "--json").lines
    assert (row["rules"], row["live"], row["in_shadow"], row["thresholds"]) == (
        "payments",
        2,
        1,
        "review from 60",
    )
    assert "Large for a household" in home.ok("rules", "show", "payments").out
    (one,) = home.ok("rules", "show", "payments/often", "--json").lines
    assert (one["says"], one["stage"], one["gives"]) == ("out count 24h at least 3", "shadow", "+50")
    assert home.run("rules", "show", "nothing").status == 1
    assert len(home.ok("rules", "features", "--json").lines) == len(FEATURES)
    assert home.ok("rules", "stats").out == "No rule has applied.\n"


def test_a_list_is_changed_from_a_file_as_a_whole_or_not_at_all(home: Terminal) -> None:
    for name in ("list.yaml", "model.yaml"):
        home.ok("documents", "publish", ROOT / "examples" / name)
    folder = home.folder
    (folder / "good.csv").write_text("action,entry,until,note\nadd,DE02 1203,2099-01-01,case 7\nadd,FR1,,\n")
    (folder / "bad.csv").write_text("action,entry\nremove,nobody\nadd,\n")
    refused = home.run("lists", "change", "blocked-payees", "bad.csv")
    assert refused.status == 2
    assert "line 2: the entry does not stand on the list" in refused.err
    assert "line 3: entry is empty" in refused.err
    home.ok("lists", "change", "blocked-payees", "good.csv", "--check")
    before = {one["list"]: one for one in home.ok("lists", "list", "--json").lines}
    assert (before["blocked-payees"]["version"], before["blocked-payees"]["entries"]) == (1, 1)
    home.ok("lists", "change", "blocked-payees", "good.csv")
    home.ok("lists", "change", "blocked-payees", "good.csv")  # nothing changes, so no version is made
    rows = home.ok("lists", "show", "blocked-payees", "--json").lines
    assert [one["entry"] for one in rows[1:]] == [payee_key("DE021203"), payee_key("FR1")]
    assert home.ok("lists", "show", "blocked-payees", "--of", "fr 1").out.count("\n") > 1
    assert home.run("lists", "show", "blocked-payees", "--of", "FR2").status == 1
    assert home.run("lists", "show", "nothing").status == 2
    assert "DE021203" not in home.ok("events", "--json").out


def test_the_examples_can_be_published_together_and_begin_in_shadow(home: Terminal) -> None:
    named = [ROOT / "examples" / name for name in ("list.yaml", "model.yaml", "rules.yaml")]
    home.ok("documents", "check", *named)
    home.ok("documents", "publish", *named[:2])
    (home.folder / "other.yaml").write_text(named[2].read_text().replace("id: payments", "id: example", 1))
    home.ok("documents", "publish", "other.yaml")
    rows = {one["rules"]: one for one in home.ok("rules", "list", "--json").lines if "rules" in one}
    assert rows["example"]["stage"] == "shadow"
