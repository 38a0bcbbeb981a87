"""An evidence pack: what a case rests on, in one zip file that says the same whenever it is made.

What is in it is listed in `index.json`, each file with its digest; the digest of `index.json` names the pack,
and is what the report to the authority carries. `signature.json` is the site's over that, and `receipt.json`
a link that the site has signed behind all of it: both vouch for the pack and are not part of what it says.
Files are stored as they are, in one order, with one time, so that the same case gives the same bytes.

A pack is read by people outside: nothing here may put into it what the case does not rest on.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import DaybookError, WrongUse
from engine.files import writing_whole
from engine.receipts import Receipt, key_id
from replay.evidence import Evidence
from replay.telling import FORMAT, told

INDEX: Final = "index.json"
SIGNATURE: Final = "signature.json"
RECEIPT: Final = "receipt.json"
EVENTS: Final = "events.jsonl"
PROOF: Final = "proof.jsonl"
ALERTS: Final = "alerts.jsonl"
BALANCES: Final = "balances.jsonl"
STORY: Final = "case.txt"
PAPERS: Final = "papers/"
_DOMAIN: Final = b"daybook evidence pack 1\n"
_TIME: Final = (1980, 1, 1, 0, 0, 0)
MOST_INDEX_BYTES: Final = 64 << 20


class BadPack(DaybookError):
    """A file that should be an evidence pack is none."""

    advice = "Give the file as `daybook cases pack` wrote it."
    status = 2


class PackedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a pack. sha256: of its bytes, hex."""

    name: str
    sha256: str
    size: int


class PackedPaper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper of the case. packed: its bytes are here, as `papers/DIGEST`; else whoever made the
    pack could not, or may not, read them.
    """

    digest: str
    size: int
    media_type: str
    name: str
    packed: bool


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pack is of, and what is in it. through, at_ms: the newest event of the case that it knows.

    missing: events that alerts name and the log did not hold, each book and seq.   telling: of `case.txt`.
    """

    pack: Literal[1]
    telling: int
    book: str
    case: str
    through: int
    at_ms: int
    files: list[PackedFile]
    papers: list[PackedPaper]
    missing: list[tuple[str, int]]

    def encoded(self) -> bytes:
        """As it stands in the pack."""
        return msgspec.json.encode(self, order="sorted") + b"\n"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who vouches for a pack. key: id of the public key.   signature: Ed25519 over the index, hex."""

    key: str
    signature: str


class Packed(msgspec.Struct, frozen=True):
    """A pack that was made. digest: of its index, by which it is named.   receipt: that is in it, if any."""

    digest: str
    index: Index
    receipt: Receipt | None


Bytes = Callable[[], Iterable[bytes]]
"""Gives the contents of a paper in parts, anew each time."""


def texts(evidence: Evidence, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The files of a pack but its papers, by name. more: such as waterfalls."""
    return {
        STORY: told(evidence).encode(),
        ALERTS: _lines(evidence.alerts),
        BALANCES: _lines(evidence.balances),
        EVENTS: b"".join(one + b"\n" for one in evidence.events),
        PROOF: _lines(evidence.proof),
        **(more or {}),
    }


def write_pack(
    to: Path,
    evidence: Evidence,
    files: Mapping[str, bytes],
    papers: Mapping[PackedPaper, Bytes],
    key: Ed25519PrivateKey,
    receipts: Iterable[Receipt],
) -> Packed:
    """Make the pack, readable for its owner only, there whole or not at all. files: see `texts`."""
    packed = [one for one in papers if one.packed]
    index = Index(
        pack=1,
        telling=FORMAT,
        book=evidence.book,
        case=evidence.case,
        through=evidence.through,
        at_ms=evidence.at_ms,
        files=[
            *(PackedFile(name, _sha256(files[name]), len(files[name])) for name in sorted(files)),
            *(PackedFile(PAPERS + one.digest, one.digest, one.size) for one in packed),
        ],
        papers=list(papers),
        missing=evidence.missing,
    )
    encoded = index.encoded()
    receipt = covering(evidence, receipts)
    signature = Signature(key_id(key.public_key()), key.sign(_DOMAIN + encoded).hex())
    try:
        with writing_whole(to) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
            _add(pack, INDEX, [encoded])
            _add(pack, SIGNATURE, [msgspec.json.encode(signature, order="sorted") + b"\n"])
            if receipt is not None:
                _add(pack, RECEIPT, [receipt.encoded() + b"\n"])
            for name in sorted(files):
                _add(pack, name, [files[name]])
            for one in packed:
                _add(pack, PAPERS + one.digest, papers[one]())
    except OSError as error:
        raise WrongUse(f"{to} cannot be written: {error.strerror or error}.") from None
    return Packed(_sha256(encoded), index, receipt)


def covering(evidence: Evidence, receipts: Iterable[Receipt]) -> Receipt | None:
    """The first receipt that vouches for every event of the book in the pack; None where none does yet."""
    own = [one for one in evidence.proof if one.book == evidence.book]
    epoch, page = own[-1].epoch_id, max(one.page for one in own)
    fitting = (one for one in receipts if one.epoch_id == epoch and one.offset >= page)
    return min(fitting, key=lambda one: (one.offset, one.signed_at_ms), default=None)


class Pack:
    """A pack that is read. Raises BadPack where it is none; what is wrong within is for `problems`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as pack:
                names = pack.namelist()
                if INDEX not in names or pack.getinfo(INDEX).file_size > MOST_INDEX_BYTES:
                    raise BadPack(f"{path} is no evidence pack: it has no {INDEX}.")
                self.encoded = pack.read(INDEX)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise BadPack(f"{path} is no evidence pack: {error}.") from None
        except OSError as error:
            raise BadPack(f"{path} cannot be read: {error.strerror or error}.") from None
        try:
            self.index = _index(self.encoded)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadPack(f"{path} is no evidence pack: its {INDEX} is damaged: {error}.") from None
        self.names = names
        self.digest = _sha256(self.encoded)

    def text(self, name: str) -> bytes:
        """A file of it; empty where there is none that can be read."""
        try:
            with zipfile.ZipFile(self.path) as pack:
                return pack.read(name)
        except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
            return b""

    def problems(self, key: Ed25519PublicKey) -> Iterator[str]:
        """What is wrong with it as it is, without the log: files that are not what the index says, and an
        index that is not what the key's owner signed.
        """
        listed = {one.name: one for one in self.index.files}
        extra = {INDEX, SIGNATURE, RECEIPT}
        for name in sorted(set(self.names)):
            if self.names.count(name) > 1:
                yield f"{name} is there more than once"
            if name not in listed and name not in extra:
                yield f"{name} is not in the index"
        for name, one in listed.items():
            if name not in self.names:
                yield f"{name} is missing"
            elif self._digest(name) != (one.sha256, one.size):
                yield f"{name} is not what the index says"
        for paper in self.index.papers:
            there = listed.get(PAPERS + paper.digest)
            if paper.packed and (there is None or there.sha256 != paper.digest):
                yield f"paper {paper.digest} is not what its name says"
        if not self._is_signed(key):
            yield f"the index is not what the key {key_id(key)} signed"

    def _digest(self, name: str) -> tuple[str, int]:
        hashed, size = hashlib.sha256(), 0
        try:
            with zipfile.ZipFile(self.path) as pack, pack.open(name) as stream:
                while part := stream.read(1 << 16):
                    hashed.update(part)
                    size += len(part)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
            return "", -1
        return hashed.hexdigest(), size

    def _is_signed(self, key: Ed25519PublicKey) -> bool:
        try:
            signature = _signature(self.text(SIGNATURE))
            key.verify(bytes.fromhex(signature.signature), _DOMAIN + self.encoded)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, InvalidSignature):
            return False
        return signature.key == key_id(key)


_index = msgspec.json.Decoder(Index).decode
_signature = msgspec.json.Decoder(Signature).decode


def _lines(rows: Iterable[msgspec.Struct]) -> bytes:
    return b"".join(msgspec.json.encode(one, order="sorted") + b"\n" for one in rows)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _add(pack: zipfile.ZipFile, name: str, parts: Iterable[bytes]) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system = 3  # as on Unix, wherever it is made
    info.external_attr = 0o600 << 16
    out: IO[bytes]
    with pack.open(info, "w") as out:
        for part in parts:
            out.write(part)
