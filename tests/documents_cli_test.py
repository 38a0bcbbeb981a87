"""Documents and what-if from the command line: what people see, and how each command ends."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.terminal import Terminal

pytestmark = pytest.mark.long

PRODUCT = "kind: product\nid: giro\nbody:\n  name: Giro\n  currencies: [EUR]\n"
TARIFF = "kind: tariff\nid: prices\nbody:\n  lines: [{id: flat, currency: EUR, income: fees, flat: 25}]\n"
OPEN = (
    '{"type": "OpenAccount", "book": "main", "account": "fees", "kind": "income", "currency": "EUR"}\n'
    '{"type": "OpenAccount", "book": "main", "account": "nostro", "kind": "nostro", "currency": "EUR"}\n'
)


@pytest.fixture
def home(tmp_path: Any, postgres_dsn: str) -> Terminal:
    """A book that one person runs, so that documents are published at once."""
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    terminal.ok("init", "--book", "main", "--second-admin", "")
    terminal.ok("submit", "-", "--stamp", stdin=OPEN)
    (tmp_path / "product.yaml").write_text(PRODUCT)
    (tmp_path / "tariff.yaml").write_text(TARIFF)
    return terminal


def test_check_needs_no_home_and_uses_one_that_is_there(tmp_path: Any, home: Terminal) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "tariff.yaml").write_text(TARIFF.replace("income: fees", "income: nowhere"))
    (alone / "wrong.yaml").write_text(TARIFF.replace("flat: 25", "flat: 2.5"))
    terminal = Terminal(alone, HOME=str(alone))
    named = str(alone / "tariff.yaml")
    assert home.ok("documents", "check", "--offline", named).out.endswith("not looked up.\n")
    refused = home.run("documents", "check", named)
    assert refused.status == 1
    assert "lines[0].income: there is no open account nowhere of kind income" in refused.err
    wrong = terminal.run("documents", "check", "wrong.yaml", "tariff.yaml", "--offline")
    assert wrong.status == 1
    assert "wrong.yaml: body.lines[0].flat: must be a whole number, and is 2.5" in wrong.err
    assert home.run("documents", "check", "nothing.yaml").status == 1
    assert home.run("documents", "check", "tariff.yaml", "--book", "other").status == 2


def test_versions_are_counted_listed_compared_and_shown(home: Terminal) -> None:
    home.ok("documents", "publish", "tariff.yaml", "product.yaml")
    (home.folder / "tariff.yaml").write_text(TARIFF.replace("flat: 25", "flat: 30"))
    later = home.ok("documents", "publish", "tariff.yaml", "--effective", "2099-01-01", "--json").last
    assert (later["document"], later["version"], later["verdict"]) == ("tariff/prices", 2, "accepted")
    rows = home.ok("documents", "history", "tariff", "--json").lines
    assert [(row["version"], row["status"], row["published_by"]) for row in rows] == [
        (1, "in force", "admin"),
        (2, "pending", "admin"),
    ]
    assert rows[1]["effective_from"].startswith("2099-01-01T00:00:00")
    changed = home.ok("documents", "diff", "tariff/prices@1", "tariff/prices@2", "--json").last["changes"]
    assert changed == [{"path": "lines[flat].flat", "was": 25, "now": 30}]
    assert home.ok("documents", "diff", "tariff.yaml", "tariff/prices@2", "--json").last["changes"] == []
    assert "no difference" in home.ok("documents", "diff", "product.yaml").out
    shown = home.ok("documents", "show", "tariff/prices@1").out
    (home.folder / "again.yaml").write_text(shown)
    assert home.ok("documents", "diff", "again.yaml", "tariff/prices@1", "--json").last["changes"] == []
    home.ok("replay", "verify")


def test_what_cannot_be_is_refused_with_its_reason(home: Terminal) -> None:
    home.ok("documents", "publish", "product.yaml")
    past = home.run("documents", "publish", "product.yaml", "--effective", "2001-01-01")
    assert past.status == 3
    assert "before the book's time" in past.err
    (home.folder / "old.yaml").write_text(PRODUCT + "version: 1\n")
    assert home.run("documents", "publish", "old.yaml", "--json").last["reason"] == "version_not_newer"
    for words in (
        ("documents", "show", "tariff"),
        ("documents", "diff", "tariff/none@1", "tariff/none@2"),
        ("documents", "diff", "tariff/none@1"),
        ("documents", "publish", "product.yaml", "--effective", "soon"),
        ("documents", "publish", "none.yaml"),
        ("what-if", "product.yaml", "--from", "never"),
        ("what-if", "product.yaml", "--from", "2001-01-01"),
        ("what-if", "product.yaml", "--from", "2099-01-01"),
    ):
        assert home.run(*words).status == 2, words
    assert home.run("documents", "show", "tariff/none").status == 1
    assert home.run("documents", "history", "limits").status == 1


def test_what_if_of_what_the_book_would_not_take_says_why(home: Terminal) -> None:
    (home.folder / "wrong.yaml").write_text(PRODUCT + "  tariff: none\n")
    opened = next(one for one in home.ok("events", "--json").lines if one["type"] == "AccountOpened")
    since = datetime.datetime.fromtimestamp(opened["at"] / 1_000, datetime.UTC).isoformat()
    done = home.run("what-if", "wrong.yaml", "--from", since)
    assert done.status == 1
    assert "wrong.yaml: tariff: there is no tariff document none" in done.err
    found = home.ok("what-if", "product.yaml", "--from", since, "--json").last
    assert (found["commands"], found["changed"]) == (2, 0)
