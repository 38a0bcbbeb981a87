"""Flags on the command line: raised for some days, listed, cleared; a payee only ever by its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.payees import payee_key
from tests.terminal import Terminal, small_bank

pytestmark = pytest.mark.long


def test_a_flag_from_raising_to_clearing(tmp_path: Path, postgres_dsn: str) -> None:
    bank = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    bank.ok("init", "--book", "main", "--second-admin", "")
    bank.ok("submit", "-", "--stamp", stdin=small_bank())
    assert bank.ok("flags", "list").out.splitlines()[-1] == "No flag stands."
    bank.ok("flags", "raise", "account", "a1", "mule", "--until", "30d", "--score", "900", "--reason", "ten")
    iban = "DE02 1203 0000 0000 2020 51"
    bank.ok("flags", "raise", "payee", iban, "mule", "--until", "2099-01-01")
    bank.ok("flags", "raise", "payee", payee_key(iban), "seen", "--until", "2099-01-01")
    *payees, account = bank.ok("flags", "list", "--json").lines
    assert (account["subject_id"], account["flag"], account["score"]) == ("a1", "mule", 900)
    assert (account["reason"], account["status"]) == ("ten", "standing")
    assert [(one["subject_id"], one["flag"]) for one in payees] == [
        (payee_key(iban), "seen"), (payee_key(iban), "mule"),
    ]  # fmt: skip
    assert len(bank.ok("flags", "list", iban, "--json").lines) == 2
    bank.ok("flags", "clear", "account", "a1", "mule", "--reason", "asked")
    again = bank.run("flags", "clear", "account", "a1", "mule", "--reason", "asked", "--json")
    assert (again.status, again.last["reason"]) == (3, "nothing_to_change")
    assert bank.ok("flags", "list", "a1").out.splitlines()[-1] == "No flag stands."
    (over,) = bank.ok("flags", "list", "a1", "--all", "--json").lines
    assert (over["status"], over["ended_reason"]) == ("cleared", "asked")
    for wrong in (
        ("raise", "account", "a1", "mule", "--until", "tomorrow"),
        ("raise", "account", "a1", "no mule", "--until", "1d"),
    ):
        said = bank.run("flags", *wrong)
        assert (said.status, said.out, len(said.err.splitlines())) == (2, "", 1), said
