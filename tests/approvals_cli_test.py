"""Approvals and access from the command line: two persons, each by a credential, with and without `up`."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from tests.terminal import Terminal, Up

pytestmark = pytest.mark.long


def ndjson(*commands: dict[str, Any]) -> str:
    return "".join(json.dumps({"book": "main", **one}) + "\n" for one in commands)


@pytest.fixture
def home(tmp_path: Any, postgres_dsn: str) -> Terminal:
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    terminal.ok("init", "--book", "main", "--second-admin", "boss/2")
    return terminal


def secret(home: Terminal) -> dict[str, str]:
    return {"DAYBOOK_CREDENTIAL": (home.folder / ".daybook/handover/boss%2F2").read_text().strip()}


ROLE = {"type": "DefineRole", "id": "r", "role": "teller", "permits": [{"command": "Transfer"}]}
PERSON = {"type": "RegisterPerson", "id": "p", "person": "tina", "name": "Tina"}
USER = {"type": "RegisterUser", "id": "u", "user": "tina", "person": "tina"}


def test_a_role_waits_for_the_second_administrator(home: Terminal) -> None:
    (asked,) = home.ok("submit", "-", "--stamp", "--json", stdin=ndjson(ROLE)).lines
    assert asked["verdict"] == "waiting"
    number = str(asked["seq"])
    (row,) = home.ok("approvals", "--json").lines
    assert (row["approval"], row["maker"], row["roles_left"]) == (asked["seq"], "admin", ["administrator"])
    # The maker cannot, nobody can act as another without a credential, and a wrong one is none.
    assert home.run("approve", number, "--json").last["reason"] == "maker_cannot_check"
    assert home.run("approve", number, "--as", "boss/2").status == 2
    assert home.run("approve", number, "--as", "boss/2", DAYBOOK_CREDENTIAL="wrong wrong wrong").status == 2
    assert home.run("approve", "99", "--as", "boss/2", **secret(home)).status == 1
    assert home.run("approve", number, "--shown", "else", "--as", "boss/2", **secret(home)).status == 2
    mine = home.ok("approvals", "--mine", "--as", "boss/2", "--json", **secret(home)).lines
    assert [one["approval"] for one in mine] == [asked["seq"]]
    done = home.ok("approve", number, "--as", "boss/2", "--json", **secret(home)).last
    assert done["events"] == ["ApprovalGiven", "RoleDefined"]
    assert home.run("approve", number, "--as", "boss/2", "--json", **secret(home)).last["reason"] == (
        "approval_decided"
    )
    assert home.ok("approvals", "--all", "--json").last["status"] == "approved"
    home.ok("replay", "verify")
    home.ok("replay", "redecide")


def test_what_waits_is_declined_or_withdrawn(home: Terminal) -> None:
    lines = home.ok("submit", "-", "--stamp", "--json", stdin=ndjson(PERSON, USER, ROLE)).lines
    assert [one["verdict"] for one in lines] == ["accepted", "waiting", "waiting"]
    first, second = (str(one["seq"]) for one in lines[1:])
    refused = home.run("decline", first, "--reason", "who is that")
    assert refused.status == 3
    home.ok("decline", first, "--reason", "who is that", "--as", "boss/2", **secret(home))
    home.ok("withdraw", second)
    assert [one["status"] for one in home.ok("approvals", "--all", "--json").lines] == [
        "declined",
        "withdrawn",
    ]
    assert "Nothing waits." in home.ok("approvals").out


def test_a_credential_is_changed_by_who_has_it(home: Terminal) -> None:
    old = secret(home)
    assert home.run("access", "credential", "boss/2").status == 2
    new = home.ok("access", "credential", "boss/2", "--json", **old).last["credential"]
    assert not (home.folder / ".daybook/handover/boss%2F2").exists()
    home.ok("submit", "-", "--stamp", stdin=ndjson(ROLE))
    assert home.run("approve", "2", "--as", "boss/2", **old).status == 2
    home.ok("approve", "2", "--as", "boss/2", DAYBOOK_CREDENTIAL=new)
    kept = home.folder / ".daybook/handover/boss%2F2"
    home.ok("access", "credential", "boss/2", "--out", kept, DAYBOOK_CREDENTIAL=new)
    newest = kept.read_text().strip()
    assert newest != new
    home.ok("access", "credential", "boss/2", DAYBOOK_CREDENTIAL=newest)


def test_access_says_who_could_do_what_then(home: Terminal) -> None:
    home.ok("submit", "-", "--stamp", stdin=ndjson(PERSON, USER, ROLE))
    before = home.ok("events", "--json").last["at"]
    home.ok("approve", "3", "--as", "boss/2", **secret(home))
    home.ok("approve", "4", "--as", "boss/2", **secret(home))
    assert [one["actor"] for one in home.ok("access", "--json").last["actors"]] == ["admin", "boss/2", "tina"]
    then = datetime.datetime.fromtimestamp(before / 1000, datetime.UTC).isoformat()
    found = home.ok("access", "--at", then, "--json").last
    assert [one["actor"] for one in found["actors"]] == ["admin", "boss/2"]
    assert found["actors"][0]["checks"] == ["~four-eyes/administrators"]
    assert home.run("access", "--user", "nobody").status == 1
    assert "Nothing was done by override." in home.ok("access").out


def test_the_running_engine_asks_for_the_same(home: Terminal) -> None:
    running = Up(home)
    try:
        (asked,) = home.ok("submit", "-", "--stamp", "--json", stdin=ndjson(ROLE)).lines
        number = str(asked["seq"])
        forged = {"type": "Approve", "id": "f", "actor": "boss/2", "approval": asked["seq"], "shown": "x"}
        answer = home.run("submit", "-", "--stamp", "--json", stdin=ndjson(forged)).last
        assert answer["reason"] == "actor_unproven"
        # A credential that is made while it runs counts at once.
        new = home.ok("access", "credential", "boss/2", "--json", **secret(home)).last["credential"]
        home.ok("approve", number, "--as", "boss/2", DAYBOOK_CREDENTIAL=new)
        assert running.stop() == 0
    finally:
        running.kill_all()
