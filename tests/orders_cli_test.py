"""Orders, bulks and suspense on the command line: what stands, what became of each, what waits and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Terminal, ndjson, small_bank

pytestmark = pytest.mark.long

DUE = ["2099-01-31", "00:00", "UTC"]
BOB = {"type": "account", "account": "a2"}
SETUP: list[dict[str, Any]] = [
    {"type": "OpenAccount", "account": "waiting", "kind": "suspense", "currency": "EUR"},
    {
        "type": "PublishDocument",
        "kind": "suspense",
        "document": "rules",
        "version": 1,
        "body": {"accounts": {"EUR": "waiting"}, "owner": "desk"},
    },
]


def instruction(account: str, amount: int, credit: str) -> dict[str, Any]:
    return {
        "account": account,
        "amount": amount,
        "currency": "EUR",
        "to": {"type": "account", "account": credit},
    }


def bulk(name: str, mode: str, *instructions: dict[str, Any]) -> dict[str, Any]:
    amount = sum(one["amount"] for one in instructions)
    return {
        "type": "SubmitBulk",
        "id": name,
        "bulk": name,
        "mode": mode,
        "instructions": instructions,
        "totals": [{"currency": "EUR", "count": len(instructions), "amount": amount}],
    }


def order(name: str, **fields: Any) -> dict[str, Any]:
    body = {"account": "a1", "amount": 250, "currency": "EUR", "to": BOB, **fields}
    return {"id": name, "order": name, **body}


def receipt(name: str, to: str) -> dict[str, Any]:
    body = {"rail": "sepa", "nostro": "nostro", "amount": 4242, "currency": "EUR", "payer": {"name": "Otto"}}
    return {"type": "ReceivePayment", "id": name, "receipt": name, "account": to, **body}


@pytest.fixture
def bank(tmp_path: Path, postgres_dsn: str) -> Terminal:
    """Ada's accounts a1 and a2 with 100.00 each; a book in which one person may do everything."""
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    terminal.ok("init", "--book", "main", "--second-admin", "")
    lines = small_bank() + in_main(*({"id": f"more-{number}", **one} for number, one in enumerate(SETUP)))
    terminal.ok("submit", "-", "--stamp", stdin=lines)
    return terminal


def in_main(*commands: dict[str, Any]) -> str:
    return ndjson([{"book": "main", **one} for one in commands])


def test_orders_are_listed_with_their_next_run(bank: Terminal) -> None:
    assert bank.ok("orders").out == "There are no orders.\n"
    commands = in_main(
        order("rent", type="CreateStandingOrder", every="month", first="2099-01-31"),
        order("old", type="SchedulePayment", on="2099-01-02"),
        {"type": "CancelStandingOrder", "id": "no", "order": "old", "reason": "typed wrongly"},
    )
    bank.ok("submit", "-", "--stamp", stdin=commands)

    shown = bank.ok("orders").out.splitlines()
    assert [line.split()[0] for line in shown] == ["order", "rent"]
    assert shown[1].split()[1:] == ["a1", "a2", "2.50", "EUR", "month", "active", *DUE, "0"]
    (rent,) = bank.ok("orders", "--json").lines
    assert (rent["order_id"], rent["amount"], rent["next_date"]) == ("rent", 250, "2099-01-31")
    states = {one["order_id"]: one["state"] for one in bank.ok("orders", "a1", "--json").lines}
    assert states == {"rent": "active", "old": "cancelled"}
    assert bank.ok("orders", "a2").out == "There are no orders.\n"


def test_fifty_instructions_all_or_nothing_and_each_on_its_own(bank: Terminal) -> None:
    fifty = [instruction("a1", 100 + number, "a2") for number in range(50)]
    fifty[7] = instruction("a1", 7, "nobody")
    commands = in_main(bulk("all", "all_or_nothing", *fifty), bulk("each", "each", *fifty))
    done = bank.run("submit", "-", "--stamp", stdin=commands)
    assert done.status == 3
    refused, accepted = done.out.splitlines()
    assert "instruction 7 (from 0) is refused as account_not_found" in refused
    assert "accepted  BulkAccepted, 7 TransferPosted, InstructionRefused, 42 TransferPosted, seq " in accepted

    none = bank.run("bulk", "all")
    assert (none.status, none.out, none.err) == (1, "", "There is no bulk all in the book main.\n")
    head, *instructions = bank.ok("bulk", "each", "--json").lines
    assert (head["accepted"], head["refused"], head["mode"]) == (49, 1, "each")
    assert [one["index"] for one in instructions] == list(range(50))
    assert [one["index"] for one in instructions if one["state"] == "refused"] == [7]
    assert sum(one["amount"] for one in instructions if one["state"] == "accepted") == sum(
        one["amount"] for one in fifty if one["amount"] >= 100
    )
    shown = bank.ok("bulk", "each").out.splitlines()
    assert shown[0] == "each: 49 accepted, 1 refused (each)."
    assert shown[9].split(maxsplit=2) == ["7", "refused", "There is no account nobody."]
    assert shown[10].split() == ["8", "accepted", "a1", "a2", "1.08", "EUR"]
    assert max(map(len, shown)) <= 80


def test_what_waits_in_suspense_says_why_and_for_whom(bank: Terminal) -> None:
    assert bank.ok("suspense").out == "Nothing waits in suspense.\n"
    bank.ok("submit", "-", "--stamp", stdin=in_main(receipt("r1", "DE99"), receipt("r2", "a1")))
    (waits,) = bank.ok("suspense", "--json").lines
    assert (waits["receipt"], waits["amount"], waits["owner"]) == ("r1", 4242, "desk")
    assert (waits["reason"], waits["figures"]) == ("account_not_found", {"account": "DE99"})
    heading, row = bank.ok("suspense").out.splitlines()
    assert heading.split() == ["receipt", "for", "amount", "owner", "days", "because"]
    assert row.split(maxsplit=6) == [
        "r1", "DE99", "42.42", "EUR", "desk", "0", "There is no account DE99.",
    ]  # fmt: skip
    resolve = {"type": "ResolveSuspense", "id": "x", "receipt": "r1", "account": "a1", "note": "asked Otto"}
    bank.ok("submit", "-", "--stamp", stdin=in_main(resolve))
    assert bank.ok("suspense").out == "Nothing waits in suspense.\n"


def test_a_book_that_is_not_there_is_not_shown_as_an_empty_one(bank: Terminal) -> None:
    for word in ("orders", "suspense", "stops", "repairs", "positions", "audit", "trial-balance"):
        said = bank.run(word, "--book", "mian")
        assert (said.status, said.out) == (2, ""), word
        assert said.err == "There is no book mian. Leave --book out to see which there are.\n"
    assert "error" in json.loads(bank.run("suspense", "--book", "mian", "--json").out)
    for words in (["statement", "a1"], ["ledger", "2000"]):
        said = bank.run(*words, "--from", "2026-01-31", "--to", "2026-01-01")
        assert (said.status, said.out, len(said.err.splitlines())) == (2, "", 1), words
    assert bank.ok("stops").out.splitlines()[-1] == "No stop is on."
    assert bank.ok("repairs").out.splitlines()[-1] == "No payment is in repair."


def test_what_an_option_is_where_it_is_left_out_is_said_in_the_help(bank: Terminal) -> None:
    said = " ".join(bank.ok("pay", "--help").out.replace("│", " ").split())
    assert "a new one if left out" in said
    assert "the home's administrator if left out" in said
    assert "the nearest .daybook upwards if left out" in said
