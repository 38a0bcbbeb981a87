"""Files that are there whole or not at all, also after a crash or a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

UNFINISHED: Final = ".new"
"""How the name of a file ends until it is whole; one that is found was left by a process that was killed."""


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write beside, make durable, rename, make the name durable. Readers see the old file or the new one."""
    with writing_whole(path, mode) as stream:
        stream.write(content)


@contextmanager
def writing_whole(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """As `write_whole`, for what comes in parts: it has its name when this ends, and none where it raises."""
    with _beside(path, mode) as (stream, beside):
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        beside.replace(path)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes, mode: int = 0o600) -> bool:
    """As `write_whole`, but what has the name already keeps it. False: somebody was first."""
    with _beside(path, mode) as (stream, beside):
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside, which is gone afterwards unless it was renamed."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream, beside
    finally:
        beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
