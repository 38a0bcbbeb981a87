"""How the command line speaks: tables and sentences for people, a JSON object a line for machines."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

WIDEST = 1_000
Cell = str | int | bool | None


NOBODY_READS = 141
"""The exit status that shells know for a broken pipe."""


def utc(at_ms: int) -> str:
    """A time of a book or of the log, for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_ms / 1000))


class _Terminal(Console):
    def on_broken_pipe(self) -> NoReturn:
        _nobody_reads()


class Output:
    """json: whether a machine reads. Results go to standard output, progress and errors to standard error."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.people = _Terminal(highlight=False, soft_wrap=True)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def emit(self, **fields: Any) -> None:
        """A JSON object on a line of its own; nothing for people."""
        self.line(msgspec.json.encode(fields, enc_hook=str))

    def line(self, document: bytes) -> None:
        """A JSON object that is written already; nothing for people."""
        if self.json:
            try:
                sys.stdout.buffer.write(document + b"\n")
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                _nobody_reads()

    def say(self, text: str) -> None:
        """A sentence for people; nothing for machines. Markup is not interpreted."""
        if not self.json:
            self.people.print(text, markup=False)
            try:
                self.people.file.flush()  # somebody may be following a file
            except BrokenPipeError:
                _nobody_reads()

    def head(self, text: str) -> None:
        """A heading for people."""
        if not self.json:
            self.people.print(f"\n[bold]{text}[/bold]")

    def fail(self, text: str) -> None:
        """One clear sentence about what went wrong; as an object with `error` for machines."""
        if self.json:
            self.emit(error=text)
        else:
            self.errors.print(text, markup=False, style="red")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """A table for people. A column whose name starts with `>` is right-aligned."""
        if self.json:
            return
        from rich.table import Table  # noqa: PLC0415 - most subcommands show none

        table = Table(
            title=title or None,
            title_justify="left",
            show_header=any(columns),
            header_style="bold",
            box=None,
            pad_edge=False,
        )
        for column in columns:
            table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
        for row in rows:
            table.add_row(*(_cell(cell) for cell in row))
        # As wide as it is: what a narrow terminal wraps can still be read, searched and widened.
        wide = Console(width=WIDEST, highlight=False)
        with wide.capture() as captured:
            wide.print(table)
        for line in captured.get().splitlines():
            self.people.out(line.rstrip(), highlight=False)

    def progress(self) -> Progress:
        """A progress bar on standard error; silent for machines and where nobody watches."""
        from rich.progress import (  # noqa: PLC0415 - same
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.errors,
            transient=True,
            disable=self.json or not sys.stderr.isatty(),
        )


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return str(value).replace("[", "\\[")


def _nobody_reads() -> NoReturn:
    """End at once, and quietly: Python would try to write what is left once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(NOBODY_READS)
