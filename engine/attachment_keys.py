"""The keys of attachments: one for each, wrapped by a key of the home, so that one can be destroyed alone.

What is kept in the store can be read with its own key only, and its own key only with the home's. Destroying
the former is how an attachment is erased, wherever copies of its bytes may be; a mark stays, so that nobody
takes it for lost. Nothing here may touch the store.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from engine.errors import DaybookError
from engine.files import UNFINISHED, write_new, write_whole
from engine.home import Home

KEY_BITS: Final = 512
"""AES-256 in SIV mode (RFC 5297) takes two keys. It is safe where the same is encrypted twice, and where a
file changed while it was read."""
ENDING: Final = ".key"


class AttachmentErased(DaybookError):
    """The attachment was erased: its key was destroyed. What the log says of it stays."""

    advice = "It cannot be brought back; `daybook cases attachments check` says who erased it, when and why."


class AttachmentKeyLost(DaybookError):
    """The key of an attachment, or the home's key over all of them, is missing or damaged."""

    advice = "Restore the folder `keys` of the home from a backup; nothing else can read the attachment."


class _Wrapping(msgspec.Struct, forbid_unknown_fields=True):
    """The home's keys. current: the id of the one that wraps.   naming: what objects' names are made with."""

    version: Literal[1]
    current: str
    keys: dict[str, bytes]
    naming: bytes


class Erased(msgspec.Struct, frozen=True):
    """Who erased an attachment, when (Unix ms) and why."""

    at_ms: int
    by: str
    reason: str


class _Kept(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A file of a key: wrapped, and by which of the home's keys; or that it was erased."""

    by: str = ""
    wrapped: bytes = b""
    erased: Erased | None = None


class AttachmentKeys:
    """The keys of a home's attachments. Names: see `name`."""

    def __init__(self, home: Home) -> None:
        self._file = home.keys / "attachments.json"
        self._lock = home.keys / "attachments.lock"
        self._folder = home.keys / "attachments"

    def name(self, book: str, case: str, digest: str) -> str:
        """What the attachment with these contents is called in the store, and its key here: 64 hex digits.

        The same wherever it is asked for, and telling nothing to whoever sees only the store.
        """
        with self._locked(fcntl.LOCK_SH):
            naming = self._wrapping().naming
        return hmac.new(naming, msgspec.json.encode((book, case, digest)), "sha256").hexdigest()

    def make(self, name: str) -> AESSIV:
        """The key of this name, made where there is none. Raises AttachmentErased."""
        with self._locked(fcntl.LOCK_EX):
            wrapping = self._wrapping()
            kept = self._read(name)
            if kept is None:
                key = AESSIV.generate_key(KEY_BITS)
                write_whole(self._path(name), _encode(_wrapped(wrapping, name, key)))
                return AESSIV(key)
            os.utime(self._path(name))  # it is in use: nobody takes it for left over
            return AESSIV(_unwrapped(wrapping, name, kept))

    def find(self, name: str) -> AESSIV:
        """The key of this name. Raises AttachmentErased, AttachmentKeyLost."""
        with self._locked(fcntl.LOCK_SH):
            kept = self._read(name)
            if kept is None:
                raise AttachmentKeyLost("The key of the attachment is missing in the home.")
            return AESSIV(_unwrapped(self._wrapping(), name, kept))

    def erased(self, name: str) -> Erased | None:
        """Who erased the attachment of this name; None where nobody did."""
        kept = self._read(name)
        return None if kept is None else kept.erased

    def erase(self, name: str, mark: Erased) -> None:
        """Destroy the key of this name, for ever. What was erased keeps the mark that it has."""
        with self._locked(fcntl.LOCK_EX):
            kept = self._read(name)
            if kept is None or kept.erased is None:
                write_whole(self._path(name), _encode(_Kept(erased=mark)))

    def forget(self, name: str, written_s: float, drop: Callable[[], None]) -> bool:
        """Have the bytes dropped, then destroy the key of what was never attached, and leave no mark.

        False, and nothing is done, where the key is not of that time: somebody has asked for it since.
        """
        with self._locked(fcntl.LOCK_EX):
            if (self.written_s(name) or 0.0) != written_s:
                return False
            drop()
            if self.erased(name) is None:
                self._path(name).unlink(missing_ok=True)
            return True

    def names(self) -> list[str]:
        """Those that have a key, or a mark that they were erased, in their order."""
        return sorted(one.name.removesuffix(ENDING) for one in self._folder.glob(f"*{ENDING}"))

    def written_s(self, name: str) -> float | None:
        """When the key was written, in seconds since 1970; None where there is none."""
        try:
            return self._path(name).stat().st_mtime
        except FileNotFoundError:
            return None

    def rotate(self) -> int:
        """Wrap every key anew by a new key of the home, and destroy the old one; returns how many.

        Ended in the middle it leaves both, and run again it ends what it began.
        """
        with self._locked(fcntl.LOCK_EX):
            old = self._wrapping()
            current = secrets.token_hex(8)
            keys = {**old.keys, current: AESSIV.generate_key(KEY_BITS)}
            both = _Wrapping(1, current, keys, old.naming)
            write_whole(self._file, msgspec.json.encode(both))
            done = 0
            for name in self.names():
                kept = self._read(name)
                if kept is not None and kept.erased is None:
                    key = _unwrapped(both, name, kept)
                    write_whole(self._path(name), _encode(_wrapped(both, name, key)))
                    done += 1
            write_whole(
                self._file,
                msgspec.json.encode(_Wrapping(1, current, {current: keys[current]}, old.naming)),
            )
            for left in self._folder.glob(f"*{UNFINISHED}"):
                left.unlink()  # of a process that was killed; whoever writes holds the lock
            return done

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{ENDING}"

    def _read(self, name: str) -> _Kept | None:
        path = self._path(name)
        try:
            return _decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise AttachmentKeyLost(f"{path} is damaged: {error}.") from None

    def _wrapping(self) -> _Wrapping:
        try:
            return _decode_wrapping(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise AttachmentKeyLost(f"{self._file} is damaged: {error}.") from None
        if any(self._folder.glob(f"*{ENDING}")):  # a new one would fit none of them
            raise AttachmentKeyLost(f"{self._file} is missing.")
        first = secrets.token_hex(8)
        made = _Wrapping(1, first, {first: AESSIV.generate_key(KEY_BITS)}, secrets.token_bytes(32))
        write_new(self._file, msgspec.json.encode(made))
        return _decode_wrapping(self._file.read_bytes())

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Among the processes of a home: no key is made or read while all are wrapped anew."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.open("a") as lock:
            fcntl.flock(lock, how)
            yield


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Kept).decode
_decode_wrapping = msgspec.json.Decoder(_Wrapping).decode


def _wrapped(wrapping: _Wrapping, name: str, key: bytes) -> _Kept:
    by = wrapping.current
    return _Kept(by=by, wrapped=AESSIV(wrapping.keys[by]).encrypt(key, [name.encode()]))


def _unwrapped(wrapping: _Wrapping, name: str, kept: _Kept) -> bytes:
    if kept.erased is not None:
        raise AttachmentErased("The attachment was erased.")
    key = wrapping.keys.get(kept.by)
    if key is None:
        raise AttachmentKeyLost(f"The home's key {kept.by}, which an attachment's key needs, is missing.")
    try:
        return AESSIV(key).decrypt(kept.wrapped, [name.encode()])
    except InvalidTag:
        raise AttachmentKeyLost("The key of the attachment is damaged.") from None
