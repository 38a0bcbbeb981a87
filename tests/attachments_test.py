"""Attachments: what comes back is what was put there, to the byte, or one sentence says why nothing does."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from engine import attachment_keys
from engine import attachments as module
from engine.attachment_keys import AttachmentErased, AttachmentKeyLost, AttachmentKeys, Erased
from engine.attachments import (
    ENDING,
    MOST_BYTES,
    Attached,
    AttachmentDamaged,
    AttachmentMissing,
    Attachments,
    BadAttachment,
)
from engine.files import write_whole
from engine.home import Home
from engine.places import Place, PlaceFailed, place_at
from tests.buckets import Bucket
from tests.terminal import ROOT

CHUNK = 64 << 10
MARK = Erased(at_ms=1_715_767_200_000, by="dora", reason="court order 4711")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.keys.mkdir(parents=True)
    return made


@pytest.fixture(params=["path", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made: dict[str, Callable[[], Place]] = {
        "path": lambda: place_at(tmp_path / "store"),
        "bucket": lambda: Place(Bucket(), f"/{secrets.token_hex(4)}"),
    }
    return made[request.param]()


@pytest.fixture
def store(home: Home, place: Place) -> Attachments:
    return Attachments(place, AttachmentKeys(home))


def file(tmp_path: Path, content: bytes, name: str = "letter.pdf") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def back(store: Attachments, attached: Attached) -> bytes:
    return b"".join(store.read(attached))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_was_attached_comes_back(store: Attachments, place: Place, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    attached = store.put("main", "case-1", file(tmp_path, content))
    assert attached == Attached("main", "case-1", hashlib.sha256(content).hexdigest(), size)
    assert back(store, attached) == content
    (name,) = place.names(ENDING)
    kept = place.read(name)
    assert size < 16 or content[:16] not in kept, "nobody reads it in the store"
    assert attached.digest not in name, "nor proves by its digest that it is there"
    store.get(attached, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == content
    assert (tmp_path / "out.pdf").stat().st_mode & 0o077 == 0


def test_the_same_twice_is_kept_once_and_in_another_case_by_itself(
    store: Attachments, place: Place, tmp_path: Path
) -> None:
    path = file(tmp_path, b"the same")
    first = store.put("main", "case-1", path)
    before = place.read(place.names(ENDING)[0])
    assert store.put("main", "case-1", path) == first
    assert [place.read(name) for name in place.names(ENDING)] == [before]
    other = store.put("main", "case-2", path)
    assert len(place.names(ENDING)) == 2
    store.erase(other, MARK)
    assert back(store, first) == b"the same", "each is erased by itself"


def test_what_two_put_at_once_is_whole(store: Attachments, tmp_path: Path) -> None:
    content = os.urandom(2 * CHUNK + 5)
    path = file(tmp_path, content)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: store.put("main", "case-1", path), range(8)))
    assert len(found) == 1
    assert back(store, found.pop()) == content


def test_what_cannot_be_attached_is_said(
    store: Attachments, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadAttachment, match="is not there"):
        store.put("main", "case-1", tmp_path / "nowhere")
    with pytest.raises(BadAttachment, match="is no plain file"):
        store.put("main", "case-1", tmp_path)
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(MOST_BYTES + 1)
    with pytest.raises(BadAttachment, match="is larger than 64 MiB"):
        store.put("main", "case-1", tmp_path / "huge")

    growing = file(tmp_path, b"x" * CHUNK, "growing")
    digest = module._digest

    def grows(stream: BinaryIO, path: Path) -> tuple[str, int]:
        found = digest(stream, path)
        with growing.open("ab") as more:
            more.write(b"more")
        return found

    monkeypatch.setattr(module, "_digest", grows)
    with pytest.raises(BadAttachment, match="changed while it was read"):
        store.put("main", "case-1", growing)
    assert place.names("") == [], "nothing of it is there"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit": lambda kept: kept[:-1] + bytes([kept[-1] ^ 1]),
    "the head": lambda kept: b"D" + kept[1:],
    "a chunk cut off": lambda kept: kept[: len(kept) - 5 - 16],
    "half a chunk": lambda kept: kept[: len(kept) - CHUNK],
    "chunks swapped": lambda kept: (
        kept[:21] + kept[21 + CHUNK + 16 : 21 + 2 * (CHUNK + 16)] + kept[21 : 21 + CHUNK + 16] + kept[-21:]
    ),
    "nothing": lambda kept: b"",
    "the head alone": lambda kept: kept[:21],
    "more behind": lambda kept: kept + kept[-21:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_mended_by_attaching_again(
    store: Attachments, place: Place, tmp_path: Path, damage: str
) -> None:
    path = file(tmp_path, os.urandom(2 * CHUNK + 5))
    attached = store.put("main", "case-1", path)
    (name,) = place.names(ENDING)
    kept = place.read(name)
    assert len(kept) == 21 + 2 * (CHUNK + 16) + 5 + 16, "or these damages mean something else"
    place.write(name, DAMAGES[damage](kept))
    assert place.read(name) != kept
    with pytest.raises(AttachmentDamaged, match=r"of case case-1 in .* is damaged\."):
        back(store, attached)
    out = tmp_path / "out.pdf"
    with pytest.raises(AttachmentDamaged):
        store.get(attached, out)
    assert not out.exists(), "no half file either"
    store.put("main", "case-1", path)
    assert back(store, attached) == path.read_bytes()


def test_another_object_under_its_name_is_not_taken(store: Attachments, place: Place, tmp_path: Path) -> None:
    one = store.put("main", "case-1", file(tmp_path, b"one"))
    (name,) = place.names(ENDING)
    store.put("main", "case-1", file(tmp_path, b"two"))
    (other,) = (found for found in place.names(ENDING) if found != name)
    place.write(name, place.read(other))
    with pytest.raises(AttachmentDamaged):
        back(store, one)


def test_a_log_that_names_another_size_is_found(store: Attachments, tmp_path: Path) -> None:
    one = store.put("main", "case-1", file(tmp_path, b"one"))
    with pytest.raises(AttachmentDamaged, match="whole, but not what the log names"):
        back(store, Attached("main", "case-1", one.digest, 4))


def test_what_is_missing_is_said(store: Attachments, home: Home, place: Place, tmp_path: Path) -> None:
    attached = store.put("main", "case-1", file(tmp_path, b"one"))
    (name,) = place.names(ENDING)
    place.drop(name)
    with pytest.raises(AttachmentMissing, match=rf"{attached.digest[:16]}… of case case-1 is not in "):
        back(store, attached)
    (home.keys / "attachments" / f"{name.removesuffix(ENDING)}.key").unlink()
    with pytest.raises(AttachmentKeyLost, match="missing"):
        back(store, attached)


def test_keys_that_are_damaged_or_gone_are_said_and_never_made_anew(
    store: Attachments, home: Home, tmp_path: Path
) -> None:
    attached = store.put("main", "case-1", file(tmp_path, b"one"))
    (path,) = (home.keys / "attachments").glob("*.key")
    whole = path.read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b'"wrapped":"', b'"wrapped":"AAAA')):
        path.write_bytes(damaged)
        with pytest.raises(AttachmentKeyLost, match="damaged"):
            back(store, attached)
    path.write_bytes(whole)
    (home.keys / "attachments.json").unlink()
    with pytest.raises(AttachmentKeyLost, match=r"attachments\.json is missing"):
        store.put("main", "case-1", file(tmp_path, b"two"))


def test_what_is_erased_is_gone_and_stays_so(
    store: Attachments, place: Place, home: Home, tmp_path: Path
) -> None:
    path = file(tmp_path, b"one")
    attached = store.put("main", "case-1", path)
    (name,) = place.names(ENDING)
    copy = place.read(name)
    store.erase(attached, MARK)
    store.erase(attached, Erased(0, "somebody", "later"))
    assert place.names(ENDING) == []
    place.write(name, copy)  # a backup of the store is brought back
    with pytest.raises(AttachmentErased, match="was erased by dora: court order 4711"):
        back(store, attached)
    with pytest.raises(AttachmentErased):
        store.put("main", "case-1", path)
    assert store.erased(attached) == MARK
    (left,) = store.left_over([attached])
    assert left.has_bytes, "and whoever checks is told that the bytes are back"
    store.drop(left)
    assert place.names("") == []
    assert store.left_over([attached]) == []
    assert store.erased(attached) == MARK
    keys = b"".join(one.read_bytes() for one in (home.keys / "attachments").iterdir())
    assert b"wrapped" not in keys


def test_keys_are_wrapped_anew_and_the_old_one_is_gone(
    store: Attachments, home: Home, tmp_path: Path
) -> None:
    kept = [store.put("main", f"case-{n}", file(tmp_path, b"x" * n)) for n in range(5)]
    store.erase(kept[0], MARK)
    keys = AttachmentKeys(home)
    before = (home.keys / "attachments.json").read_bytes()
    assert keys.rotate() == 4
    after = (home.keys / "attachments.json").read_bytes()
    assert before != after
    assert after.count(b'"current"') == 1
    assert len(after) < len(before) + 10, "one key, not two"
    assert [back(store, one) for one in kept[1:]] == [b"x" * n for n in range(1, 5)]
    assert store.erased(kept[0]) == MARK
    (home.keys / "attachments.json").write_bytes(before)
    with pytest.raises(AttachmentKeyLost, match="which an attachment's key needs"):
        back(store, kept[1])


def test_a_rotation_that_is_killed_anywhere_is_ended_by_the_next(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    store = Attachments(place_at(tmp_path / "store"), AttachmentKeys(home))
    kept = [store.put("main", f"case-{n}", file(tmp_path, b"x" * n)) for n in range(3)]
    for steps in range(5):  # the home's keys, three, the home's keys again
        left = steps

        def breaks(path: Path, content: bytes) -> None:
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            write_whole(path, content)

        monkeypatch.setattr(attachment_keys, "write_whole", breaks)
        with pytest.raises(Killed):
            AttachmentKeys(home).rotate()
        monkeypatch.setattr(attachment_keys, "write_whole", write_whole)
        assert [back(store, one) for one in kept] == [b"", b"x", b"xx"], steps
    assert AttachmentKeys(home).rotate() == 3
    assert [back(store, one) for one in kept] == [b"", b"x", b"xx"]
    assert (home.keys / "attachments.json").read_bytes().count(b"==") == 1, "one key is left"


def test_what_nobody_names_is_listed_and_removed(
    store: Attachments, home: Home, place: Place, tmp_path: Path
) -> None:
    named = store.put("main", "case-1", file(tmp_path, b"named"))
    began = time.time() - 5
    store.put("main", "case-1", file(tmp_path, b"nobody sent the command"))
    AttachmentKeys(home).make("0" * 64)
    found = store.left_over([named])
    assert sorted(one.has_bytes for one in found) == [False, True]
    assert all(one.begun_s > began for one in found), "so that what is under way can be left alone"
    nobody = next(one for one in found if one.has_bytes)
    store.put("main", "case-1", tmp_path / "letter.pdf")
    assert not store.drop(nobody), "somebody is attaching it just now"
    assert all(store.drop(one) for one in store.left_over([named]))
    assert store.left_over([named]) == []
    assert back(store, named) == b"named"
    assert len(place.names("")) == 1


def test_an_object_store_that_breaks_off_leaves_nothing(home: Home, tmp_path: Path) -> None:
    bucket = Bucket()
    place = Place(bucket, "/x")
    store = Attachments(place, AttachmentKeys(home))
    path = file(tmp_path, os.urandom(3 * CHUNK))
    bucket.fails = True
    with pytest.raises(PlaceFailed, match="the network went away"):
        store.put("main", "case-1", path)
    assert place.names("") == []
    bucket.fails = False
    assert back(store, store.put("main", "case-1", path)) == path.read_bytes()


PUTS = """
import sys
from pathlib import Path
from engine.attachment_keys import AttachmentKeys
from engine.attachments import Attachments
from engine.files import write_whole
from engine.home import Home
from engine.places import place_at
store = Attachments(place_at(sys.argv[2]), AttachmentKeys(Home(Path(sys.argv[1]))))
print("begins", flush=True)
store.put("main", "case-1", Path(sys.argv[3]))
print("done", flush=True)
"""


@pytest.mark.long
def test_a_process_that_is_killed_while_it_writes_loses_nothing(home: Home, tmp_path: Path) -> None:
    """Killed at 20 moments from the beginning to about the end: whole or not there, never half."""
    place = place_at(tmp_path / "store")
    store = Attachments(place, AttachmentKeys(home))
    kept = store.put("main", "case-0", file(tmp_path, b"from before"))
    path = file(tmp_path, os.urandom(48 << 20), "large")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    attached = Attached("main", "case-1", digest, path.stat().st_size)
    given = [sys.executable, "-c", PUTS, str(home), str(tmp_path / "store"), str(path)]
    began = time.monotonic()
    subprocess.run(given, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    whole_s = time.monotonic() - began
    cut_off = whole = 0
    for moment in range(20):
        for name in place.names(""):
            if name != store._keys.name("main", "case-0", kept.digest) + ENDING:
                place.drop(name)
        with subprocess.Popen(given, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            time.sleep(whole_s * moment / 20)
            process.send_signal(signal.SIGKILL)
        names = place.names(ENDING)
        if len(names) == 2:
            store.check(attached)
            whole += 1
        else:
            cut_off += 1
            with pytest.raises((AttachmentMissing, AttachmentKeyLost)):
                store.check(attached)
        for left in store.left_over([kept]):
            store.drop(left)
        assert len(place.names("")) == 1
        assert back(store, kept) == b"from before"
    assert cut_off > 3, (cut_off, whole)
