"""Somebody's CSV, plain or gzipped, one row at a time in bounded memory. What is wrong with a row is said of
that row and goes no further: a line is a row, so that a quote left open spoils its own line only.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from gateway.bounded_lines import bounded_lines
from gateway.errors import ImportRefused, ImportStopped
from gateway.mapping import FilePart

LONGEST_LINE_BYTES = 1 << 20
_READ_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


class Contents(NamedTuple):
    """digest: SHA-256 of the file's bytes, unpacked.   lines: about how many it has, for progress."""

    digest: bytes
    lines: int


class Row(NamedTuple):
    """number: of the row of data, from 1.   line: of the file, from 1.   fields: None where `problem` says
    why.
    """

    number: int
    line: int
    fields: list[str] | None
    problem: str = ""


class CsvFile:
    """A file as its mapping says it is written. Raises ImportRefused where it cannot be read to its end."""

    def __init__(self, path: Path, written: FilePart) -> None:
        self.path = path
        self.written = written
        self.contents = self._survey()
        self.header = self._read_header()
        self.width = len(self.header)

    def column(self, wanted: str | int, setting: str) -> int:
        """The place of a column, from 0. Raises ImportRefused that names the columns there are."""
        if isinstance(wanted, int):
            if wanted <= self.width:
                return wanted - 1
            raise ImportRefused(f"{setting}: {self.path.name} has {self.width} columns, not {wanted}.")
        if not self.written.header:
            raise ImportRefused(
                f"{setting}: {self.path.name} has no header, so {wanted!r} cannot be found.",
                "Give the column's place, counted from 1; nothing was sent.",
            )
        places = [place for place, name in enumerate(self.header) if name == wanted]
        if len(places) == 1:
            return places[0]
        if places:
            raise ImportRefused(f"{setting}: {self.path.name} has {len(places)} columns named {wanted!r}.")
        known = ", ".join(repr(name[:40]) for name in self.header[:40])
        raise ImportRefused(f"{setting}: {self.path.name} has no column {wanted!r}; it has {known}.")

    def rows(self) -> Iterator[Row]:
        """The rows of data in order. Blank lines are no rows. Raises ImportStopped where the file breaks
        off.
        """
        width = self.width
        number = 0
        lines = self._lines()
        if self.written.header:
            next(lines, None)
        try:
            for line, text in lines:
                if isinstance(text, UnreadableLine):
                    number += 1
                    yield Row(number, line, None, str(text))
                    continue
                if not text or text.isspace():
                    continue
                number += 1
                try:
                    fields = self._split(text)
                except csv.Error as error:
                    yield Row(number, line, None, f"it is not CSV: {error}")
                    continue
                if len(fields) == width:
                    yield Row(number, line, fields)
                else:
                    yield Row(number, line, None, f"it has {len(fields)} columns, not {width}")
        except (OSError, EOFError, zlib.error) as error:
            raise ImportStopped(f"{self.path} cannot be read on behind row {number}: {error}.") from None

    def _survey(self) -> Contents:
        digest, lines, last = hashlib.sha256(), 0, b"\n"
        try:
            with self._open() as stream:
                while block := stream.read(_READ_BYTES):
                    digest.update(block)
                    lines += block.count(b"\n")
                    last = block
        except EOFError:
            raise ImportRefused(f"{self.path} ends early: it is not a whole gzip file.") from None
        except (gzip.BadGzipFile, zlib.error):
            raise ImportRefused(f"{self.path} is a damaged gzip file.") from None
        except OSError as error:
            raise ImportRefused(f"{self.path} cannot be read: {error.strerror or error}.") from None
        return Contents(digest.digest(), lines + (not last.endswith(b"\n")))

    def _read_header(self) -> list[str]:
        for _, text in self._lines():
            if isinstance(text, UnreadableLine):
                raise ImportRefused(f"{self.path}: {text}, in its first line.")
            try:
                return [field.strip() for field in self._split(text)]
            except csv.Error as error:
                raise ImportRefused(f"{self.path}: its first line is not CSV: {error}.") from None
        raise ImportRefused(f"{self.path} is empty.")

    def _split(self, text: str) -> list[str]:
        quote = self.written.quote
        if not quote or quote not in text:
            return text.split(self.written.separator)
        return next(csv.reader([text], delimiter=self.written.separator, quotechar=quote, strict=True))

    def _lines(self) -> Iterator[tuple[int, str | UnreadableLine]]:
        encoding = self.written.encoding
        with self._open() as stream:
            for line, value in enumerate(bounded_lines(stream, LONGEST_LINE_BYTES), start=1):
                if value is None:
                    yield line, UnreadableLine(f"it is longer than {LONGEST_LINE_BYTES} bytes")
                    continue
                if line == 1:
                    value = value.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901 - a mark, not a character
                try:
                    yield line, value.decode(encoding)
                except UnicodeDecodeError as error:
                    yield line, UnreadableLine(f"byte {error.start + 1} of it is not {encoding}")

    @contextlib.contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        with self.path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            if packed:
                with gzip.open(raw, "rb") as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                yield raw


class UnreadableLine(str):
    """Why a line is not text."""

    __slots__ = ()
