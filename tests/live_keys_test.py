"""What the engine's process knows of its home while it runs: keys that change, partitions to keep warm."""

from pathlib import Path

import pytest

from engine.errors import WrongUse
from engine.home import LOCAL_KEY, Home, HomeFile
from engine.live_keys import LiveKeys
from engine.proof import Keyring, new_key
from engine.settings import Settings, read_settings


def known(keys: LiveKeys) -> set[str]:
    keyring = keys.admission().keyring
    assert keyring is not None
    return set(keyring.keys)


def test_a_key_that_is_made_or_withdrawn_counts_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create(HomeFile(1, "admin"))
    keys = LiveKeys(home)
    before = keys.admission()
    assert keys.admission() is before, "what did not change is not read again"
    made = home.keyring().keys
    home.write_keyring(Keyring({**made, "rail": new_key("rail")}))
    assert known(keys) == {*made, "rail"}
    home.write_keyring(Keyring({LOCAL_KEY: made[LOCAL_KEY]}))
    assert known(keys) == {LOCAL_KEY}


def test_a_keyring_that_is_gone_for_a_moment_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create(HomeFile(1, "admin"))
    keys = LiveKeys(home)
    before = known(keys)
    home.keyring_file.unlink()
    assert known(keys) == before


def test_the_partitions_to_keep_warm_are_all_or_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(warm="").warm_partitions() == frozenset()
    assert Settings(warm="0,31").warm_partitions() == frozenset({0, 31})
    assert Settings(warm="all").warm_partitions() is None
    monkeypatch.setenv("DAYBOOK_WARM", "some")
    with pytest.raises(WrongUse, match="DAYBOOK_WARM"):
        read_settings()


@pytest.mark.parametrize("name", ["DAYBOOK_KAFKA_OPTIONS", "DAYBOOK_SIMULATED_RAIL_CONDUCT"])
def test_a_setting_that_is_no_json_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "{")
    with pytest.raises(WrongUse, match=f"{name} is no JSON"):
        read_settings()
