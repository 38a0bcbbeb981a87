"""Places: an object is there whole, under its name, or not at all; whatever keeps it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import WrongUse
from engine.places import Place, PlaceFailed, place_at
from tests.buckets import Bucket


@pytest.fixture(params=["path", "file", "memory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made: dict[str, Callable[[], Place]] = {
        "path": lambda: place_at(tmp_path / "x"),
        "file": lambda: place_at(f"file://{tmp_path}/x"),
        "memory": lambda: place_at(f"memory://{secrets.token_hex(4)}"),
        "bucket": lambda: Place(Bucket(), f"/{secrets.token_hex(4)}"),
    }
    return made[request.param]()


def test_what_was_written_is_read_listed_and_dropped(place: Place) -> None:
    assert place.names(".x") == []
    place.of("within").write("b.x", b"two")
    place.of("within").write("a.x", b"one")
    place.of("within").write("c.y", b"three")
    place.of("within").write("b.x", b"again")
    within = place.of("within")
    assert place.names(".x") == [], "a folder is no object"
    assert within.names(".x") == ["a.x", "b.x"]
    assert set(within.oldest_first(".x")) == {"a.x", "b.x"}
    assert within.read("b.x") == b"again"
    within.drop("b.x")
    within.drop("b.x")
    assert within.names("") == ["a.x", "c.y"]
    with pytest.raises(FileNotFoundError):
        within.read("b.x")


def test_an_upload_that_breaks_off_leaves_nothing_under_the_name() -> None:
    bucket = Bucket()
    place = Place(bucket, f"/{secrets.token_hex(4)}")
    place.write("kept.x", b"before")
    bucket.fails = True
    try:
        with pytest.raises(PlaceFailed, match=r"writing kept\.x in bucket:.*the network went away"):
            place.write("kept.x", b"after" * 100)
        with pytest.raises(PlaceFailed):
            place.write("new.x", b"after" * 100)
    finally:
        bucket.fails = False
    assert place.names("") == ["kept.x"]
    assert place.read("kept.x") == b"before"


def test_a_protocol_that_nobody_knows_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="carrier-pigeon"):
        place_at("carrier-pigeon://coop/1")


def test_files_are_their_owners(tmp_path: Path) -> None:
    path = Path(place_at(tmp_path / "deep" / "er").write("a.x", b"1"))
    assert path.read_bytes() == b"1"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["a.x"], "what was written beside is gone"


def test_a_place_is_named_by_its_url() -> None:
    assert str(place_at("memory://x/y").of("z")) == "memory:///x/y/z"
