"""Is an evidence pack what the log says? It is made again from the log, and whatever differs is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from engine.receipts import BadReceipt, is_signed, parse_receipt
from replay.as_of import NotKnown
from replay.evidence import Evidence, Logs, Proven, gather
from replay.packs import EVENTS, PROOF, RECEIPT, STORY, Pack, texts
from replay.telling import FORMAT

Row = tuple[str, int]


class PackProof(msgspec.Struct, frozen=True):
    """What came of it. digest: names the pack.   events: how many it rests on.

    receipt: whether a link that the site signed vouches for all of them.
    """

    digest: str
    book: str
    case: str
    through: int
    events: int
    receipt: bool
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def prove_pack(path: Path, logs: Logs, key: Ed25519PublicKey) -> PackProof:
    """Check a pack by itself, then against the log. Raises BadPack where the file is none.

    Not compared are waterfalls, which another release may tell otherwise; the index vouches for them.
    """
    pack = Pack(path)
    problems = list(pack.problems(key))
    try:
        evidence = gather(logs, pack.index.book, pack.index.case, through=pack.index.through)
    except NotKnown as error:
        evidence = None
        problems.append(error.what)
    if evidence is not None:
        problems.extend(_against(pack, evidence))
    receipt = False
    if RECEIPT in pack.names:
        try:
            receipt = is_signed(parse_receipt(pack.text(RECEIPT), RECEIPT), key)
        except BadReceipt as error:
            problems.append(error.what)
        else:
            if not receipt:
                problems.append("the receipt is forged: its signature does not fit")
            elif evidence is not None:
                problems.extend(_vouched(pack, evidence))
    return PackProof(
        digest=pack.digest,
        book=pack.index.book,
        case=pack.index.case,
        through=pack.index.through,
        events=len(pack.text(EVENTS).splitlines()),
        receipt=receipt,
        problems=problems,
    )


def _against(pack: Pack, evidence: Evidence) -> Iterator[str]:
    """Where the pack differs from what the log gives."""
    index = pack.index
    if (index.through, index.at_ms) != (evidence.through, evidence.at_ms):
        yield f"the case's newest event up to there has seq {evidence.through}, not {index.through}"
    if index.missing != evidence.missing:
        yield "the events that are missing are not those that the log lacks"
    named = {one.digest: one for one in evidence.papers}
    for one in index.papers:
        there = named.pop(one.digest, None)
        if there is None or (there.size, there.media_type, there.name) != (
            one.size,
            one.media_type,
            one.name,
        ):
            yield f"paper {one.digest} is not one that the log names"
    for digest in named:
        yield f"paper {digest}, which the log names, is not in the index"
    for name, content in texts(evidence).items():
        otherwise_told = name == STORY and index.telling != FORMAT
        if name not in (EVENTS, PROOF) and not otherwise_told and pack.text(name) != content:
            yield f"{name} is not what the log gives"
    yield from _events(pack, evidence)


def _events(pack: Pack, evidence: Evidence) -> Iterator[str]:
    values = pack.text(EVENTS).splitlines()
    try:
        rows = [_proven(line) for line in pack.text(PROOF).splitlines()]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        yield f"{PROOF} is damaged: {error}"
        return
    if len(rows) != len(values):
        yield f"{EVENTS} has {len(values)} events, and {PROOF} places for {len(rows)}"
        return
    here = _by_place(zip(rows, values, strict=True))
    there = _by_place(zip(evidence.proof, evidence.events, strict=True))
    for place in sorted(here.keys() | there.keys()):
        book, seq = place
        if place not in there:
            yield f"the case does not rest on the event {seq} of book {book}"
        elif place not in here:
            yield f"the event {seq} of book {book} is missing"
        else:
            yield from _same(place, here[place], there[place])


def _same(place: Row, here: tuple[Proven, bytes], there: tuple[Proven, bytes]) -> Iterator[str]:
    book, seq = place
    (row, value), (expected, stored) = here, there
    if value != stored:
        yield f"the event {seq} of book {book} is not the one in the log"
    elif row.link != expected.link:
        yield f"the history up to the event {seq} of book {book} is not the one that the pack was made from"
    elif row != expected and row.epoch_id == expected.epoch_id:
        yield f"the place of the event {seq} of book {book} is not the one in the log"


def _by_place(rows: Iterator[tuple[Proven, bytes]]) -> Mapping[Row, tuple[Proven, bytes]]:
    return {(row.book, row.seq): (row, value) for row, value in rows}


def _vouched(pack: Pack, evidence: Evidence) -> Iterator[str]:
    """Whether the receipt is behind all events of the book. That it fits the log is for `replay verify`."""
    receipt = parse_receipt(pack.text(RECEIPT), RECEIPT)
    if receipt.books.get(evidence.book, 0) < evidence.through:
        yield f"the receipt vouches for less than the event {evidence.through} of book {evidence.book}"


_proven = msgspec.json.Decoder(Proven).decode
