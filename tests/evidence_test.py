"""Evidence packs: the same case gives the same bytes, and whatever is not what the log says is found."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.fold import Folded
from engine.links import next_link
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from engine.receipts import Receipt, Signer, key_id
from replay.as_of import NotKnown
from replay.evidence import Evidence, gather
from replay.pack_proof import PackProof, prove_pack
from replay.packs import (
    _DOMAIN,
    ALERTS,
    BALANCES,
    EVENTS,
    INDEX,
    PROOF,
    RECEIPT,
    SIGNATURE,
    STORY,
    BadPack,
    Index,
    Pack,
    PackedPaper,
    Signature,
    texts,
    write_pack,
)
from replay.waterfalls import waterfalls
from schemas.accounts import AccountBlocked
from schemas.alerts import Alert
from schemas.case_work import AttachToCase
from schemas.catalogue import decode_event
from schemas.flags import Seen
from schemas.rejections import CommandRejected
from schemas.transfers import TransferPosted
from tests.case_words import act, alert, confirm, note, open_case, propose, report, take, workers
from tests.payment_words import pay, rails
from tests.risk_words import over, rule, rules
from tests.story import account, book, given, say, story, transfer, when

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PAPER = b"Dear Sir or Madam"
DIGEST = hashlib.sha256(PAPER).hexdigest()


class Logs:
    """The story's log, as a site of one partition."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log

    def partition_of(self, book: str, /) -> int:
        return 0

    @contextlib.contextmanager
    def read(self, partition: int, /) -> Iterator[MemoryLog]:
        yield (self.log or story().log).reader()


def seqs_of(kind: type) -> list[int]:
    return [one.seq for one in story().events() if isinstance(one, kind) and one.book == "main"]


def a_case() -> None:
    """alice gets money twice and passes it on; ann looks into it, and ben agrees."""
    given(account("alice"), account("bob", balance=5_000), account("carol"), workers("ann", "ben"))
    when(book(name="Other").to("other"))
    when(transfer("bob", "alice", 900), transfer("bob", "alice", 800), transfer("alice", "carol", 1_600))
    first, second, _ = seqs_of(TransferPosted)[-3:]
    seen = (Seen(book="main", seq=first), Seen(book="main", seq=second), Seen(book="other", seq=1))
    when(report("c1", alert(1, evidence=seen, words="Twice just below the threshold.", figures={"count": 2})))
    when(open_case("c2", accounts=("carol",)), take().by("ann"), note("c1", "asked alice").by("ann"))
    paper = {"digest": DIGEST, "name": "letter.pdf", "media_type": "application/pdf", "size": len(PAPER)}
    when(say(AttachToCase, case="c1", **paper).by("ann"))
    when(propose("c1", "suspicious", act("block_account", "alice")).by("ann"), confirm("c1").by("ben"))


def receipts() -> list[Receipt]:
    """One of the whole log."""
    folded = Folded()
    folded.apply(story().log.events(BEFORE_FIRST))
    books = {name: book.seq for name, book in folded.partition.books.items()}
    return [Signer(KEY).sign(folded.partition.epoch_id, folded.offset, books, folded.link, 1)]


def pack(to: Path, *, through: int | None = None, packed: bool = True, vouched: bool = True) -> Evidence:
    evidence = gather(Logs(), "main", "c1", through=through)
    papers = {
        PackedPaper(one.digest, one.size, one.media_type, one.name, packed): lambda: iter([PAPER])
        for one in evidence.papers
    }
    write_pack(to, evidence, texts(evidence), papers, KEY, receipts() if vouched else [])
    return evidence


def proved(path: Path, log: MemoryLog | None = None) -> PackProof:
    return prove_pack(path, Logs(log), KEY.public_key())


def test_a_pack_holds_what_the_case_rests_on(tmp_path: Path) -> None:
    a_case()
    evidence = pack(tmp_path / "one.zip")
    stored = {
        (one.book, one.seq): record.value
        for record in story().log.events(BEFORE_FIRST)
        if (one := decode_event(record.value))
    }
    assert [stored[one.book, one.seq] for one in evidence.proof] == evidence.events, "as stored, to the byte"
    because = {(one.book, one.seq): one.because for one in evidence.proof}
    first, second, third = seqs_of(TransferPosted)[-3:]
    assert because["main", first] == because["main", second] == because["other", 1] == "evidence"
    assert ("main", third) not in because, "nothing that the case does not rest on"
    assert because["main", seqs_of(AccountBlocked)[0]] == "outcome"
    assert [(one.account, one.booked, one.seq) for one in evidence.balances] == [("alice", 1_700, second)]
    assert (evidence.missing, evidence.through) == ([], evidence.history[-1].seq)
    assert [one.digest for one in evidence.papers] == [DIGEST]
    with zipfile.ZipFile(tmp_path / "one.zip") as made:
        assert made.testzip() is None
        assert made.read(f"papers/{DIGEST}") == PAPER
        told = made.read(STORY).decode()
    for words in ("Twice just below the threshold.", "asked alice", "main 7" if first == 7 else "evidence:"):
        assert words in told
    found = proved(tmp_path / "one.zip")
    assert (found.problems, found.receipt, found.events) == ([], True, len(evidence.events))


def test_the_same_case_gives_the_same_bytes_whenever_it_is_packed(tmp_path: Path) -> None:
    a_case()
    one, two, later = (tmp_path / f"{name}.zip" for name in ("one", "two", "later"))
    evidence = pack(one)
    pack(two)
    assert one.read_bytes() == two.read_bytes()
    when(transfer("bob", "alice", 1))
    pack(later)
    assert Pack(later).digest == Pack(one).digest, "the log goes on, the case does not"
    when(note("c1", "one more thing").by("ann"))
    pack(later)
    assert Pack(later).digest != Pack(one).digest
    assert proved(one).ok, "what was packed stays true"
    pack(two, through=evidence.through)
    assert Pack(two).digest == Pack(one).digest, "and can be made again"
    assert "one more thing" not in Pack(two).text(STORY).decode()


def test_who_may_not_read_papers_gets_a_pack_without_them(tmp_path: Path) -> None:
    a_case()
    pack(tmp_path / "one.zip", packed=False, vouched=False)
    read = Pack(tmp_path / "one.zip")
    assert [one.packed for one in read.index.papers] == [False]
    assert f"papers/{DIGEST}" not in read.names
    found = proved(tmp_path / "one.zip")
    assert (found.ok, found.receipt) == (True, False)


def test_what_an_alert_names_and_no_log_holds_is_said(tmp_path: Path) -> None:
    a_case()
    nowhere = (Seen(book="nowhere", seq=3), Seen(book="main", seq=9_999))
    when(report("c1", alert(2, evidence=nowhere)))
    evidence = pack(tmp_path / "one.zip")
    assert evidence.missing == [("main", 9_999), ("nowhere", 3)]
    assert proved(tmp_path / "one.zip").ok


def test_a_case_that_is_not_there_has_no_pack() -> None:
    a_case()
    with pytest.raises(NotKnown, match="holds no case c9 of the book main"):
        gather(Logs(), "main", "c9")
    with pytest.raises(NotKnown):
        gather(Logs(), "main", "c1", through=3)


def test_what_the_rules_made_of_it_is_in_the_pack(tmp_path: Path) -> None:
    """A payment that was declined, and a transfer to which a rule applied; each as it was seen then."""
    given(account("alice", 100_000), account("bob"), rails(), workers("ann", "ben"))
    when(rules(rule("large", over(5_000), 50), rule("larger", over(20_000), 40), thresholds={"decline": 80}))
    when(transfer("alice", "bob", 6_000), pay("p1", 30_000), transfer("alice", "bob", 10))
    assessed, plain = seqs_of(TransferPosted)[-2:]
    (declined,) = (one.seq for one in story().events() if isinstance(one, CommandRejected))
    seen = tuple(Seen(book="main", seq=seq) for seq in (assessed, declined, plain))
    when(report("c1", alert(1, evidence=seen)))
    evidence = gather(Logs(), "main", "c1")
    told = waterfalls(story().log.reader(), evidence)
    assert list(told) == [f"waterfalls/{assessed}.json", f"waterfalls/{declined}.json"]
    first, second = map(json.loads, told.values())
    assert (first["verdict"], first["as_recorded"], first["documents"][0]["score"]) == ("approve", True, 50)
    assert (second["verdict"], second["as_recorded"], second["documents"][0]["score"]) == (
        "decline",
        True,
        90,
    )
    path = tmp_path / "one.zip"
    write_pack(path, evidence, texts(evidence, told), {}, KEY, receipts())
    assert Pack(path).text(f"waterfalls/{declined}.json") == told[f"waterfalls/{declined}.json"]
    assert proved(path).ok


class Two(Logs):
    """A site of two partitions: the other book is on the second."""

    def __init__(self, other: MemoryLog) -> None:
        super().__init__()
        self.other = other

    def partition_of(self, book: str, /) -> int:
        return int(book == "other")

    @contextlib.contextmanager
    def read(self, partition: int, /) -> Iterator[MemoryLog]:
        yield (self.other if partition else story().log).reader()


def test_evidence_of_a_book_on_another_partition_is_proven_there(tmp_path: Path) -> None:
    given(account("alice"))
    when(book(name="Other").to("other"))
    there = story().log.reopen()
    given(account("alice"), account("bob", balance=900))
    when(transfer("bob", "alice", 900))
    seen = (Seen(book="other", seq=1), Seen(book="main", seq=seqs_of(TransferPosted)[-1]))
    when(report("c1", alert(1, source="stream", evidence=seen)))
    logs = Two(there)
    evidence = gather(logs, "main", "c1")
    assert evidence.missing == []
    assert {(one.book, one.partition) for one in evidence.proof} == {("main", 0), ("other", 1)}
    path = tmp_path / "one.zip"
    write_pack(path, evidence, texts(evidence), {}, KEY, receipts())
    assert prove_pack(path, logs, KEY.public_key()).ok
    assert not prove_pack(path, Logs(), KEY.public_key()).ok, "here the other book is not"


# --- whatever is changed is found ---------------------------------------------------------------------

Files = dict[str, bytes]


def lines(files: Files, name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)


def without_an_event(files: Files) -> None:
    for name in (EVENTS, PROOF):
        files[name] = b"".join(lines(files, name)[:-1])


def another_amount(files: Files) -> None:
    files[EVENTS] = files[EVENTS].replace(b'"amount":900', b'"amount":901')
    rows = [json.loads(one) for one in lines(files, PROOF)]
    for row, value in zip(rows, files[EVENTS].splitlines(), strict=True):
        row["sha256"] = hashlib.sha256(value).hexdigest()
    files[PROOF] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def another_event(files: Files) -> None:
    record = next(iter(story().log.events(BEFORE_FIRST + 2)))
    event = decode_event(record.value)
    row = json.loads(lines(files, PROOF)[0]) | {"seq": event.seq, "book": event.book}
    files[EVENTS] += record.value + b"\n"
    files[PROOF] += json.dumps(row).encode() + b"\n"


def another_link(files: Files) -> None:
    row = json.loads(lines(files, PROOF)[0])
    files[PROOF] = files[PROOF].replace(row["link"].encode(), b"0" * 64)


def another_place(files: Files) -> None:
    row = json.loads(lines(files, PROOF)[0])
    files[PROOF] = files[PROOF].replace(f'"offset":{row["offset"]}'.encode(), b'"offset":1', 1)


def no_proof(files: Files) -> None:
    files[PROOF] = b"{}\n"


def fewer_places(files: Files) -> None:
    files[PROOF] = b"".join(lines(files, PROOF)[:-1])


def another_alert(files: Files) -> None:
    files[ALERTS] = files[ALERTS].replace(b"Twice", b"Once")


def another_balance(files: Files) -> None:
    files[BALANCES] = files[BALANCES].replace(b'"booked":1700', b'"booked":17')


def another_story(files: Files) -> None:
    files[STORY] = files[STORY].replace(b"asked alice", b"did not ask")


INSIDER: dict[str, tuple[Callable[[Files], None], str]] = {
    "an event left out": (
        without_an_event,
        r"the event \d+ of book other is missing|event \d+ .* is missing",
    ),
    "an amount": (another_amount, "is not the one in the log"),
    "an event more": (another_event, "does not rest on the event"),
    "a link": (another_link, "is not the one that the pack was made from"),
    "a place": (another_place, "the place of the event"),
    "no proof": (no_proof, r"proof\.jsonl is damaged"),
    "fewer places": (fewer_places, "places for"),
    "an alert": (another_alert, r"alerts\.jsonl is not what the log gives"),
    "a balance": (another_balance, r"balances\.jsonl is not what the log gives"),
    "the story": (another_story, r"case\.txt is not what the log gives"),
}


def opened(path: Path) -> Files:
    with zipfile.ZipFile(path) as made:
        return {name: made.read(name) for name in made.namelist()}


def closed(path: Path, files: Files, *more: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in (*files.items(), *more):
            made.writestr(name, content)


def signed(files: Files, key: Ed25519PrivateKey = KEY, **index: Any) -> None:
    """The index as it would be of these files, signed anew: only who has the key can do that."""
    said = json.loads(files[INDEX]) | index
    said["files"] = [
        {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in files.items()
        if name not in (INDEX, SIGNATURE, RECEIPT)
    ]
    files[INDEX] = json.dumps(said).encode()
    signature = Signature(key_id(key.public_key()), key.sign(_DOMAIN + files[INDEX]).hex())
    files[SIGNATURE] = json.dumps({"key": signature.key, "signature": signature.signature}).encode()


@pytest.mark.parametrize("what", INSIDER)
def test_who_has_the_key_cannot_make_a_pack_that_the_log_does_not_say(tmp_path: Path, what: str) -> None:
    a_case()
    path = tmp_path / "one.zip"
    pack(path)
    change, expected = INSIDER[what]
    files = opened(path)
    before = dict(files)
    change(files)
    assert files != before, "something is changed"
    closed(path, files)
    plain = proved(path)
    assert any("is not what the index says" in one for one in plain.problems), plain.problems
    signed(files)
    closed(path, files)
    found = proved(path)
    assert found.problems, what
    assert any(re.search(expected, one) for one in found.problems), found.problems


def test_an_index_that_says_otherwise_is_found(tmp_path: Path) -> None:
    a_case()
    path = tmp_path / "one.zip"
    pack(path)
    whole = opened(path)
    for said, expected in (
        ({"through": 10_000}, "newest event up to there has seq"),
        ({"case": "c9"}, "holds no case c9"),
        ({"papers": []}, f"paper {DIGEST}, which the log names, is not in the index"),
        ({"missing": [["main", 1]]}, "the events that are missing are not those"),
    ):
        files = dict(whole)
        signed(files, **said)
        closed(path, files)
        assert any(expected in one for one in proved(path).problems), proved(path).problems


def test_what_is_wrong_with_the_file_itself_is_found(tmp_path: Path) -> None:
    a_case()
    path = tmp_path / "one.zip"
    pack(path)
    whole = opened(path)

    def problems(change: Callable[[Files], None], *more: tuple[str, bytes]) -> list[str]:
        files = dict(whole)
        change(files)
        closed(path, files, *more)
        return proved(path).problems

    def nothing(files: Files) -> None:
        pass

    assert problems(nothing) == []
    assert "virus.exe is not in the index" in problems(nothing, ("virus.exe", b"MZ"))
    with pytest.warns(UserWarning, match="Duplicate name"):
        assert f"{STORY} is there more than once" in problems(nothing, (STORY, b"another story"))
    assert f"{STORY} is missing" in problems(lambda files: files.__delitem__(STORY))
    assert f"papers/{DIGEST} is not what the index says" in problems(
        lambda files: files.update({f"papers/{DIGEST}": b"Dear Sir"})
    )
    forger = Ed25519PrivateKey.generate()
    assert any("signed" in one for one in problems(lambda files: signed(files, forger)))
    assert any("signed" in one for one in problems(lambda files: files.__delitem__(SIGNATURE)))
    receipt = json.loads(whole[RECEIPT])
    forged = json.dumps({**receipt, "offset": receipt["offset"] + 1}).encode()
    assert any("forged" in one for one in problems(lambda files: files.update({RECEIPT: forged})))
    assert any("not a receipt" in one for one in problems(lambda files: files.update({RECEIPT: b"x"})))
    early = Signer(KEY).sign(receipt["epoch_id"], 5, {"main": 3}, bytes(32), 1).encoded()
    assert any("vouches for less" in one for one in problems(lambda files: files.update({RECEIPT: early})))


def test_a_history_that_was_rewritten_with_valid_links_is_found(tmp_path: Path) -> None:
    """An early event, which the case does not rest on, says otherwise; every link behind it is made anew."""
    a_case()
    path = tmp_path / "one.zip"
    pack(path)
    rewritten = MemoryLog(clock=lambda: 0)
    link, values, outs = bytes(32), [], []
    for record in story().log.events(BEFORE_FIRST):
        value = record.value
        if record.key == b"main":
            value = value.replace(b'"name":"Ruth Root"', b'"name":"Ruth Rott"')
        values.append(value)
        if record.headers:
            link = next_link(link, values)
            values = []
        outs.append(Out(record.key, value, ((("link", link)),) if record.headers else ()))
        if record.headers:
            rewritten.commit(outs, BEFORE_FIRST, 0)
            outs = []
    assert proved(path, rewritten).problems, "the pack keeps the links that it was made from"
    assert all("history up to the event" in one for one in proved(path, rewritten).problems)


@pytest.mark.parametrize(
    "content", [b"", b"no zip at all", b"PK\x05\x06" + bytes(18)], ids=["empty", "text", "zip of nothing"]
)
def test_a_file_that_is_no_pack_is_said(tmp_path: Path, content: bytes) -> None:
    given()
    path = tmp_path / "one.zip"
    path.write_bytes(content)
    with pytest.raises(BadPack, match="is no evidence pack"):
        proved(path)
    with pytest.raises(BadPack, match="cannot be read"):
        proved(tmp_path / "nowhere.zip")


def test_a_pack_that_is_cut_off_or_whose_index_is_damaged_is_said(tmp_path: Path) -> None:
    a_case()
    path = tmp_path / "one.zip"
    pack(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(BadPack):
            proved(path)
    path.write_bytes(whole)
    files = opened(path)
    for damaged in (b"{}", b"\xff", b"[" * 100_000, files[INDEX].replace(b'"pack":1', b'"pack":2')):
        closed(path, {**files, INDEX: damaged})
        with pytest.raises(BadPack, match=r"index\.json is damaged"):
            proved(path)


def test_the_index_reads_back_as_it_was_written(tmp_path: Path) -> None:
    a_case()
    pack(tmp_path / "one.zip")
    read = Pack(tmp_path / "one.zip")
    assert isinstance(read.index, Index)
    assert read.index.encoded() == read.encoded
    assert isinstance(gather(Logs(), "main", "c1").alerts[0], Alert)
