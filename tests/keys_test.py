"""`daybook key`: a secret is changed without a pause, and nobody speaks for a system by accident."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.sites import make_home
from daybook import app
from engine.admission import Admission
from engine.errors import WrongUse
from engine.home import LOCAL_KEY, Home, HomeFile
from engine.log.records import Out, Record
from engine.proof import Key, new_key, proof
from engine.settings import Settings
from schemas.catalogue import encode
from schemas.message import Command
from schemas.transfers import Transfer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    root = tmp_path / "home"
    make_home(root, Settings(), HomeFile(version=1, user="ada"))
    monkeypatch.setenv("DAYBOOK_HOME", str(root))
    return Home(root)


def run(*words: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(app, ["key", *words, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return [json.loads(line) for line in done.stdout.splitlines()]


def heard(home: Home, id: str, secret: str, actor: str = "cards") -> bool:
    """Whether a payment of this actor, signed with that secret, is admitted."""
    command = Transfer(
        id="1",
        book="main",
        actor=actor,
        issued_at_ms=1,
        debit="a",
        credit="b",
        amount=1,
        currency="EUR",
    )
    value = encode(command)
    out = Out(b"main", value, proof(id, Key(bytes.fromhex(secret)), value))
    record = Record(out.key, out.value, 0, 0, out.headers)
    return isinstance(Admission(home.keyring()).admit(record), Command)


def test_a_new_key_counts_at_once_and_the_old_one_until_it_is_removed(home: Home) -> None:
    [old] = run("add", "cards")
    [new] = run("add", "cards")
    assert (old["key"], new["key"]) == ("cards", "cards-2")
    assert old["secret"] != new["secret"]
    assert heard(home, "cards", old["secret"])
    assert heard(home, "cards-2", new["secret"])
    assert not heard(home, "cards-2", old["secret"])
    assert not heard(home, "cards", old["secret"], actor="other"), "it speaks as its system only"
    run("remove", "cards")
    assert not heard(home, "cards", old["secret"])
    assert heard(home, "cards-2", new["secret"])


def test_the_last_key_of_a_system_is_not_removed_by_accident(home: Home) -> None:
    run("add", "cards")
    with pytest.raises(WrongUse, match="gateways could speak"):
        run("remove", "cards")
    run("remove", "cards", "--last")
    with pytest.raises(WrongUse, match="There is no key 'cards'"):
        run("remove", "cards")


def test_a_gateway_speaks_for_people_but_for_no_system_that_has_a_key(home: Home) -> None:
    [gate] = run("add", "web", "--gateway")
    assert heard(home, "web", gate["secret"], actor="cora")
    run("add", "cards")
    assert not heard(home, "web", gate["secret"], actor="cards")
    run("remove", "web")
    assert not heard(home, "web", gate["secret"], actor="cora")


def test_what_is_listed_names_whose_keys_they_are_and_no_secret(home: Home) -> None:
    [made] = run("add", "cards")
    listed = run("list")
    assert {"key": "cards", "kind": "a system", "of": "cards"} in listed
    assert {"key": "local", "kind": "the home's command line", "of": "ada"} in listed
    assert made["secret"] not in json.dumps(listed)


@pytest.mark.parametrize("id", [LOCAL_KEY, "relay", "user:cora"])
def test_the_homes_own_keys_and_those_of_people_are_not_removed_here(home: Home, id: str) -> None:
    keys = home.keyring().keys
    if id.startswith("user:"):
        home.write_keyring(type(home.keyring())({**keys, id: new_key("cora")}))
    with pytest.raises(WrongUse, match="the home's own, or a person's"):
        run("remove", id, "--last")


@pytest.mark.parametrize("name", ["local", "user:cora", "", " x", "a" * 61, "Zürich"])
def test_names_that_are_taken_or_are_none_are_refused(home: Home, name: str) -> None:
    with pytest.raises(WrongUse, match="cannot be a system's name"):
        run("add", name)
