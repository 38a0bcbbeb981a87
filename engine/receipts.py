"""Receipts: a signed link, handed out and kept elsewhere. Its holder can tell whether history was changed.

A link names all history up to it (`engine/links.py`), so one signature vouches for everything before. The
home keeps its own in `links.ndjson`; a receipt in other hands also finds a home that was set back whole.
Nothing here may read the log: what is signed comes from who has folded it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from engine.errors import DaybookError
from engine.files import sync_folder, write_whole

LINKS_FILE = "links.ndjson"
NEWEST_FILE = "newest.json"
_DOMAIN = b"daybook receipt 1\n"
"""Stands before what is signed, so that a signature of ours never fits another kind of document."""


class BadReceipt(DaybookError):
    """A file that should hold a receipt does not."""

    advice = "Give the receipt as it was handed out, one JSON object."
    status = 2


class BadSigningKey(DaybookError):
    """A file that should hold an Ed25519 key does not, or is missing."""

    advice = "Restore it from a backup, or make a new key; receipts of the old one need its public key."


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link and who vouches for it.

    partition, epoch_id: which log.   offset: of the page's last event.   books: seq of each one's newest.
    link: hex.   key: id of the public key.   signature: Ed25519 over the canonical JSON of the rest, hex.
    """

    receipt: Literal[1]
    partition: int
    epoch_id: str
    offset: int
    books: dict[str, int]
    link: str
    signed_at_ms: int
    key: str
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature is over: JSON with sorted keys and no spaces, without `signature`."""
        fields = msgspec.to_builtins(self)
        del fields["signature"]
        return _DOMAIN + msgspec.json.encode(fields, order="sorted")

    def encoded(self) -> bytes:
        """The receipt as it is handed out: one line of JSON."""
        return msgspec.json.encode(self)


class Signer:
    """Signs links with a private key."""

    def __init__(self, key: Ed25519PrivateKey, partition: int = 0) -> None:
        self._key = key
        self.partition = partition
        self.public_key = key.public_key()
        self.key_id = key_id(self.public_key)

    def sign(
        self, epoch_id: str, offset: int, books: Mapping[str, int], link: bytes, signed_at_ms: int
    ) -> Receipt:
        """A receipt for all history up to the event at `offset`, which carries `link`."""
        plain = Receipt(
            1, self.partition, epoch_id, offset, dict(books), link.hex(), signed_at_ms, self.key_id
        )
        signature = self._key.sign(plain.signed_bytes()).hex()
        return msgspec.structs.replace(plain, signature=signature)


def key_id(key: Ed25519PublicKey) -> str:
    """16 hex digits that name a public key."""
    digest = Hash(SHA256())
    digest.update(key.public_bytes_raw())
    return digest.finalize().hex()[:16]


def is_signed(receipt: Receipt, key: Ed25519PublicKey) -> bool:
    """Whether the receipt is what the key's owner signed."""
    try:
        key.verify(bytes.fromhex(receipt.signature), receipt.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True


# --- key files ----------------------------------------------------------------------------------------


def public_key_path(path: Path) -> Path:
    """Where the public key stands: in `signing.pub.pem` beside `signing.pem`."""
    return path.with_suffix(".pub" + path.suffix)


def make_signing_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it, readable for its owner only, with its public key beside it for everyone."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_whole(path, private, 0o600)
    write_whole(public_key_path(path), public, 0o644)
    return key


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in the file. Raises BadSigningKey."""
    try:
        key = serialization.load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise BadSigningKey(f"{path} holds no private key: {error}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSigningKey(f"The key in {path} is not an Ed25519 key.")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in the file. Raises BadSigningKey."""
    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise BadSigningKey(f"{path} holds no public key: {error}.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadSigningKey(f"The key in {path} is not an Ed25519 key.")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSigningKey(f"{path} cannot be read: {error.strerror}.") from None


# --- receipts in files --------------------------------------------------------------------------------

_decode = msgspec.json.Decoder(Receipt).decode


def parse_receipt(content: bytes, name: str) -> Receipt:
    """The receipt in `content`, which came from `name`. Raises BadReceipt with one sentence."""
    try:
        receipt = _decode(content)
        well_formed = len(bytes.fromhex(receipt.link)) == 32 and len(bytes.fromhex(receipt.signature)) == 64
    except UnicodeDecodeError:
        raise BadReceipt(f"{name} is not a receipt: it is not text.") from None
    except RecursionError:
        raise BadReceipt(f"{name} is not a receipt: it is nested too deeply.") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadReceipt(f"{name} is not a receipt: {error}.") from None
    if not well_formed or receipt.offset < 0:
        raise BadReceipt(f"{name} is not a receipt: its link, signature or offset has the wrong form.")
    return receipt


def read_receipt(path: Path) -> Receipt:
    """The receipt in the file. Raises BadReceipt."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadReceipt(f"{path} cannot be read: {error.strerror}.") from None
    return parse_receipt(content, str(path))


def read_receipts(path: Path) -> list[Receipt]:
    """The receipts in the file, a line each: a log of several partitions has one for each of them."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadReceipt(f"{path} cannot be read: {error.strerror}.") from None
    if len(lines) < 2:
        return [read_receipt(path)]
    return [parse_receipt(line, f"Line {number} of {path}") for number, line in enumerate(lines, 1)]


def read_links(folder: Path) -> list[Receipt]:
    """Every receipt that the follower has signed here, oldest first. A torn last line never was one.

    Raises BadReceipt where a whole line is damaged.
    """
    path = folder / LINKS_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadReceipt(f"{path} cannot be read: {error.strerror}.") from None
    lines = content.split(b"\n")[:-1]
    return [parse_receipt(line, f"Line {number} of {path}") for number, line in enumerate(lines, 1)]


def append_link(folder: Path, receipt: Receipt) -> None:
    """Keep a signed link, durable when this returns; also as the newest receipt, to be handed out."""
    path = folder / LINKS_FILE
    is_new = not path.exists()
    with path.open("a+b") as stream:
        stream.truncate(_whole_lines(stream))
        stream.write(receipt.encoded() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        sync_folder(folder)
    write_whole(folder / NEWEST_FILE, receipt.encoded() + b"\n")


def set_aside(folder: Path, lost: Collection[Receipt], name: str) -> Path:
    """Move receipts that fit no longer to a file beside the others, where whoever asks still finds them."""
    kept = [one for one in read_links(folder) if one not in lost]
    path = folder / name
    write_whole(path, b"".join(one.encoded() + b"\n" for one in lost))
    write_whole(folder / LINKS_FILE, b"".join(one.encoded() + b"\n" for one in kept))
    if kept:
        write_whole(folder / NEWEST_FILE, kept[-1].encoded() + b"\n")
    else:
        (folder / NEWEST_FILE).unlink(missing_ok=True)
    return path


def _whole_lines(stream: BinaryIO) -> int:
    """How many bytes of the file are whole lines; what follows was torn by a crash."""
    size = start = stream.seek(0, os.SEEK_END)
    newline = -1
    while newline < 0 and start > 0:
        start = max(0, size - 2 * (size - start) - 4096)
        stream.seek(start)
        newline = stream.read().rfind(b"\n")
    return start + newline + 1
