"""Credentials: who knows a user's secret speaks as that user, and nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.permission import FOR_PEOPLE
from engine.admission import Admission
from engine.credentials import CredentialRefused, has_credential, key_id, prove, set_credential
from engine.home import LOCAL_KEY, Home, HomeFile
from engine.log.records import Record
from engine.proof import Key, Keyring, proof
from schemas.approvals import Approve
from schemas.catalogue import encode
from schemas.message import Command
from schemas.rejections import Rejection
from schemas.transfers import Transfer

SECRET = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create(HomeFile(1, "admin"))
    return home


def admitted(home: Home, signed_by: str, key: Key, command: Command) -> bool:
    """Whether the engine of the home takes the command as its actor's."""
    value = encode(command)
    record = Record(b"main", value, 0, 0, proof(signed_by, key, value))
    found = Admission(home.keyring()).admit(record)
    if isinstance(found, Rejection):
        assert found.reason == "actor_unproven"
        return False
    return True


def approval(actor: str) -> Approve:
    return Approve(id="1", book="main", actor=actor, issued_at_ms=1, approval=1, shown="x")


def payment(actor: str) -> Transfer:
    return Transfer(
        id="1", book="main", actor=actor, issued_at_ms=1, debit="a", credit="b", amount=1, currency="EUR"
    )


def test_the_homes_own_key_is_its_administrators(home: Home) -> None:
    own = home.keyring().keys[LOCAL_KEY]
    assert admitted(home, LOCAL_KEY, own, approval("admin"))
    assert admitted(home, LOCAL_KEY, own, payment("cards"))  # an upstream system without a key of its own
    assert not admitted(home, LOCAL_KEY, own, approval("cora"))
    assert Approve in FOR_PEOPLE


def test_who_has_a_credential_speaks_by_it_alone(home: Home) -> None:
    own = home.keyring().keys[LOCAL_KEY]
    set_credential(home, "cora", SECRET)
    assert not admitted(home, LOCAL_KEY, own, payment("cora"))
    key = prove(home, "cora", SECRET)
    assert admitted(home, key_id("cora"), key, payment("cora"))
    assert admitted(home, key_id("cora"), key, approval("cora"))
    assert not admitted(home, key_id("cora"), key, approval("admin"))


def test_a_wrong_secret_opens_nothing(home: Home) -> None:
    set_credential(home, "cora", SECRET)
    with pytest.raises(CredentialRefused, match="not the credential of cora"):
        prove(home, "cora", SECRET + "!")
    with pytest.raises(CredentialRefused, match="carl has no credential"):
        prove(home, "carl", SECRET)


def test_a_new_credential_takes_the_place_of_the_old_one(home: Home) -> None:
    set_credential(home, "cora", SECRET)
    old = prove(home, "cora", SECRET)
    set_credential(home, "cora", SECRET)  # the same words, and another key all the same
    assert not admitted(home, key_id("cora"), old, approval("cora"))
    assert admitted(home, key_id("cora"), prove(home, "cora", SECRET), approval("cora"))


def test_a_short_secret_is_none(home: Home) -> None:
    with pytest.raises(CredentialRefused, match="at least 12"):
        set_credential(home, "cora", "short")
    assert not has_credential(home, "cora")


def test_the_secret_is_nowhere_in_the_home(home: Home) -> None:
    set_credential(home, "cora", SECRET)
    stored = b"".join(one.read_bytes() for one in home.root.rglob("*") if one.is_file())
    assert SECRET.encode() not in stored


def test_a_handover_never_leaves_its_folder(home: Home) -> None:
    assert home.handover("a/../../b").parent == home.handovers


def test_a_keyring_of_before_speaks_for_everybody_as_it_did() -> None:
    key = Key(b"k" * 32)
    value = encode(approval("cora"))
    assert Keyring({"k": key}).proves(proof("k", key, value), value, "cora", in_person=True)
