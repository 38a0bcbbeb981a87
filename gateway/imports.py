"""Import of a CSV file into a book: every row gets an outcome, once, also over kills and restarts.

The whole of it stands in the log: the id of each command names the import (by the content of its files and
its mapping) and the row, so that what was answered is found there and never sent again. Nothing is kept
elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from engine.log.records import Out
from gateway.account_rows import Accounts
from gateway.csv_file import CsvFile
from gateway.errors import ImportRefused, ImportStopped
from gateway.history import OPENING, ROWS, Past, ReadsEvents, glance, past_of
from gateway.mapping import Mapping
from gateway.steps import BadRow, Envelope, Step, opening
from gateway.transfer_rows import Transfers
from schemas.books import Administrator
from schemas.catalogue import decode_event
from schemas.rejections import CommandRejected, sentence

Submit = Callable[[Sequence[Out]], Sequence[tuple[bytes, ...]]]
"""Send commands, get each one's outcome, in order: its events as stored."""
Progress = Callable[[int, int], None]
"""Told how many rows are done, and how many there are, about."""

BATCH = 1_000
MOST_SHOWN = 1_000
"""How many bad rows a result lists; all are counted, and `on_bad` hears of all."""
BAD_ROW = "bad_row"
"""Stands among the reasons for the rows that no command could be made of."""
HOPELESS = frozenset({"not_permitted", "actor_unproven", "unknown_book", "wrong_partition"})
"""Reasons that every later command of the import would get as well."""


class Imported(msgspec.Struct):
    """What became of an import, from its first row, over all its runs.

    rows: accepted + rejected.   by_reason: the rejected ones, with `bad_row` for what could not be read.
    bad_rows: the first of them, and what of the accounts file was bad or refused.   accounts: opened by it.
    setup_by_reason: parties, accounts and opening balances that failed.   went_on_behind: the row, 0 for
    none.
    """

    book: str
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    by_reason: dict[str, int] = msgspec.field(default_factory=dict)
    bad_rows: list[BadRow] = msgspec.field(default_factory=list)
    accounts: int = 0
    setup_by_reason: dict[str, int] = msgspec.field(default_factory=dict)
    went_on_behind: int = 0


def import_file(
    csv: Path,
    mapping: Mapping,
    actor: str,
    submit: Submit,
    reader: ReadsEvents,
    *,
    resume: bool = False,
    another: bool = False,
    progress: Progress | None = None,
    on_bad: Callable[[BadRow], None] | None = None,
    batch: int = BATCH,
) -> Imported:
    """Take the file into the mapping's book, acting as `actor`, who administers the book that is opened for
    it.

    resume: go on behind the last row answered; begins where nothing was.   another: into a book that is open
    already, beside what it holds; its accounts stay as they are.   reader: the log that `submit` leads to.
    Raises ImportRefused before anything is sent, ImportStopped where it cannot go on, and what `submit` does.
    """
    transfers = Transfers(CsvFile(csv, mapping.file), mapping)
    accounts = _accounts(csv, mapping)
    envelope = Envelope(_mark(transfers, accounts, mapping), mapping.book.id, actor)
    past = past_of(reader, mapping.book.id, envelope.mark)
    _check(past, mapping, resume=resume, another=another)
    steps = _steps(envelope, mapping, transfers, accounts, past)
    run = _Run(mapping.book.id, past, submit, on_bad)
    total = transfers.file.contents.lines - mapping.file.header
    waiting: list[Step] = []
    for step in steps:
        if isinstance(step, BadRow):
            run.bad(step, counts=step.file == csv.name)
        elif step.place > past.last:
            waiting.append(step)
            if len(waiting) >= batch or step.place[0] == OPENING:
                run.send(waiting)
                waiting = []
                if progress is not None:
                    progress(run.result.rows, total)
    run.send(waiting)
    if progress is not None:
        progress(run.result.rows, run.result.rows)
    return run.result


def _accounts(csv: Path, mapping: Mapping) -> Accounts | None:
    part = mapping.accounts
    if part is None:
        return None
    path = csv.parent / part.file
    if not path.exists():
        raise ImportRefused(
            f"accounts.file: there is no {path}.",
            "The path is relative to the CSV's folder; nothing was sent.",
        )
    return Accounts(CsvFile(path, part.written or mapping.file), part, mapping)


def _mark(transfers: Transfers, accounts: Accounts | None, mapping: Mapping) -> str:
    """What begins the ids of this import: a digest over all that its commands follow from, names of files
    excepted.
    """
    digest = hashlib.sha256(mapping.model_dump_json().encode())
    digest.update(transfers.file.contents.digest)
    if accounts is not None:
        digest.update(accounts.file.contents.digest)
    return f"{mapping.ids.command}-{digest.hexdigest()[:12]}"


def _check(past: Past, mapping: Mapping, *, resume: bool, another: bool) -> None:
    """Refuse what would do something twice, or mix what does not belong together."""
    book = mapping.book.id
    if past.begun:
        if not resume:
            how_far = f"answered up to row {past.last[1]}" if past.last[0] == ROWS else "begun"
            raise ImportRefused(
                f"This import is in the book {book} already, {how_far}.",
                "Say --resume to go on behind it; nothing was sent.",
            )
    elif past.opened and not another:
        raise ImportRefused(
            f"There is a book {book} already, and it does not hold this import: it was opened otherwise, or "
            "the file, its accounts or the mapping have changed since.",
            "Name another book.id in the mapping, or say --another to add these rows to the book; "
            "nothing was sent.",
        )
    elif not past.opened and another:
        raise ImportRefused(
            f"There is no book {book} yet that this could be added to.", "Leave --another out."
        )
    if past.opened and past.clock != "commanded":
        raise ImportRefused(
            f"The book {book} follows the wall clock, and the rows are older than that.",
            "Name another book.id in the mapping; nothing was sent.",
        )


def _steps(
    envelope: Envelope, mapping: Mapping, transfers: Transfers, accounts: Accounts | None, past: Past
) -> Iterator[Step | BadRow]:
    at_ms = past.at_ms if past.opened else transfers.opens_at_ms()
    parts: list[Iterator[Step | BadRow]] = []
    if not past.opened:
        lines = transfers.file.contents.lines + (3 * accounts.file.contents.lines if accounts else 0)
        # The same person and user that a home is begun with.
        administrator = Administrator(person=f"person-{envelope.actor}"[:64], user=envelope.actor)
        parts.append(iter([opening(envelope, mapping, at_ms, administrator, lines + 1_000)]))
    if accounts is not None:
        parts.append(accounts.steps(envelope, max(at_ms, past.now_ms), past.accounts, past.parties))
    parts.append(transfers.steps(envelope, at_ms, past.rows_answered, past.now_ms))
    return chain.from_iterable(parts)


class _Run:
    """Sends, and counts what comes back."""

    def __init__(
        self, book: str, past: Past, submit: Submit, on_bad: Callable[[BadRow], None] | None
    ) -> None:
        answered = sum(past.by_reason.values())
        self.result = Imported(
            book,
            rows=past.accepted + answered,
            accepted=past.accepted,
            rejected=answered,
            by_reason=dict(past.by_reason),
            accounts=past.opened_here,
            setup_by_reason=dict(past.setup_by_reason),
            went_on_behind=past.rows_answered,
        )
        self._submit = submit
        self._on_bad = on_bad

    def bad(self, row: BadRow, *, counts: bool) -> None:
        """Note a bad row. counts: whether it is one of the main file's, or a line of the accounts file."""
        if counts:
            self._count(BAD_ROW)
        else:
            self._count_setup(BAD_ROW)
        if len(self.result.bad_rows) < MOST_SHOWN:
            self.result.bad_rows.append(row)
        if self._on_bad is not None:
            self._on_bad(row)

    def send(self, steps: list[Step]) -> None:
        """Send the commands and count their outcomes."""
        if not steps:
            return
        for step, answer in zip(steps, self._submit([step.out for step in steps]), strict=True):
            first = glance(answer[0])
            if step.place[0] != ROWS:
                self._set_up(step, first.type, first.reason, answer[0])
            elif first.reason:
                self._count(first.reason)
            else:
                self.result.rows += 1
                self.result.accepted += 1

    def _set_up(self, step: Step, type: str, reason: str, value: bytes) -> None:
        if not reason:
            self.result.accounts += type == "AccountOpened"
            return
        event = decode_event(value)
        said = (
            sentence(reason, event.figures)
            if isinstance(event, CommandRejected)
            else "It was refused before."
        )
        if step.place[0] == OPENING or reason in HOPELESS:
            raise ImportStopped(f"The book was not set up: {reason}. {said}")
        self._count_setup(reason)
        bad = BadRow(step.file, step.line, f"{reason}: {said}")
        if len(self.result.bad_rows) < MOST_SHOWN:
            self.result.bad_rows.append(bad)
        if self._on_bad is not None:
            self._on_bad(bad)

    def _count(self, reason: str) -> None:
        self.result.rows += 1
        self.result.rejected += 1
        self.result.by_reason[reason] = self.result.by_reason.get(reason, 0) + 1

    def _count_setup(self, reason: str) -> None:
        self.result.setup_by_reason[reason] = self.result.setup_by_reason.get(reason, 0) + 1
