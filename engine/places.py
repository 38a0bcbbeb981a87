"""Where files are kept that are written once and whole: a folder, or an object store through fsspec.

An object is there whole or not at all, under its name or not: it is written first and named then, as far as
the store can (a folder by a rename, an object store by ending the upload). What a store may still do to it is
for the reader to find: everything kept here carries a digest of its own.
Nothing here may know what an object says.
"""

from __future__ import annotations

import datetime
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from engine.errors import DaybookError, WrongUse
from engine.files import writing_whole


class PlaceFailed(DaybookError):
    """An object store or folder could not be read or written."""

    advice = "Check the URL, the leave to use it, and that it can be reached; nothing that was there is lost."


class Place:
    """A folder of objects. names are single words; `of` gives the folder within.

    url: a path, or a URL of any protocol that fsspec knows: `s3://bucket/x`, `file:///srv/x`, `memory://x`.
    """

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._local = isinstance(files, LocalFileSystem)
        self.root = root.rstrip("/")

    def __str__(self) -> str:
        return str(self._files.unstrip_protocol(self.root))

    def of(self, name: str) -> Place:
        """The folder of this name within."""
        return Place(self._files, posixpath.join(self.root, name))

    def names(self, ending: str) -> list[str]:
        """The objects with this ending, in the order of their names. Raises PlaceFailed."""
        return sorted(name for name, _ in self._listed(ending))

    def oldest_first(self, ending: str) -> list[str]:
        """The objects with this ending, in the order in which they were written. Raises PlaceFailed.

        Where a store keeps no times, in the order of their names.
        """
        return [name for name, _ in sorted(self._listed(ending), key=lambda one: (one[1], one[0]))]

    def newest_s(self, ending: str) -> float | None:
        """When the newest object with this ending was written, in seconds since 1970, if there is one.

        0.0 where the store keeps no times. Raises PlaceFailed.
        """
        return max((written for _, written in self._listed(ending)), default=None)

    def read(self, name: str) -> bytes:
        """What the object holds. Raises PlaceFailed; FileNotFoundError where it is gone."""
        with _failing(f"reading {name} in {self}"):
            found: bytes = self._files.cat_file(self._path(name))
            return found

    def write(self, name: str, content: bytes) -> str:
        """Put an object there, durable when this returns; replaces what had its name. Raises PlaceFailed."""
        with self.writing(name) as stream:
            stream.write(content)
        return self._path(name)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """As `write`, for what comes in parts: there when this ends, and nothing of it where it raises."""
        path = self._path(name)
        with _failing(f"writing {name} in {self}"):
            self._files.makedirs(self.root, exist_ok=True)
            if self._local:
                folder = Path(self.root)
                folder.chmod(0o700)
                with writing_whole(Path(path)) as file:
                    yield file
                return
            stream = self._files.open(path, "wb", autocommit=False)
            try:
                yield stream
                stream.close()
            except BaseException:
                stream.discard()
                raise
            stream.commit()
            self._files.invalidate_cache(self.root)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """As `read`, in parts. Raises PlaceFailed; FileNotFoundError where it is gone."""
        with _failing(f"reading {name} in {self}"), self._files.open(self._path(name), "rb") as stream:
            yield stream

    def drop(self, name: str) -> None:
        """Have the object gone. Raises PlaceFailed."""
        with _failing(f"removing {name} in {self}"):
            try:
                self._files.rm_file(self._path(name))
            except FileNotFoundError:
                return
            self._files.invalidate_cache(self.root)

    def _path(self, name: str) -> str:
        return posixpath.join(self.root, name)

    def _listed(self, ending: str) -> Iterator[tuple[str, float]]:
        with _failing(f"listing {self}"):
            try:
                self._files.invalidate_cache(self.root)
                found = self._files.ls(self.root, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return
            for one in found:
                name = posixpath.basename(one["name"])
                if one["type"] == "file" and name.endswith(ending):
                    yield name, _written(one)


def place_at(where: str | Path) -> Place:
    """The folder or object store at a path or URL. Raises WrongUse where its protocol is not installed."""
    try:
        files, root = fsspec.core.url_to_fs(str(where))
    except (ValueError, ImportError) as error:
        raise WrongUse(
            f"{where} cannot be used: {error}.",
            "Give a path or a URL such as s3://bucket/x, and install its fsspec package (s3fs for s3).",
        ) from None
    return Place(files, root)


@contextmanager
def _failing(doing: str) -> Iterator[None]:
    """Whatever a store raises, in our words; what is not there stays FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, DaybookError):
        raise
    except Exception as error:  # each protocol has exceptions of its own, many of them no OSError
        raise PlaceFailed(f"Failed at {doing}: {type(error).__name__}: {error}.") from error


def _written(info: dict[str, Any]) -> float:
    """When the object was written, in whatever terms its store has for that."""
    for name in ("mtime", "LastModified", "last_modified", "created", "updated"):
        found = info.get(name)
        if isinstance(found, int | float):
            return float(found)
        if isinstance(found, datetime.datetime):
            return found.timestamp()
    return 0.0
