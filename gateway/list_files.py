"""Changes to a list from a CSV file: additions and removals, every bad line told with its number.

The columns are `action` (add or remove), `entry`, and, for additions, `until` and `note`, both of which may
be left out. An entry of a list of payees is an account as rails know it: its key is made of it here, so that
no account number gets into a document. Nothing is sent from here; the next version is a document like others.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.csv_file import CsvFile
from gateway.errors import DocumentsWrong
from gateway.mapping import FilePart
from schemas.documents.lists import MOST_ENTRIES, entry_problem
from schemas.fields import LATEST_MS
from schemas.payees import payee_key

COLUMNS = ("action", "entry", "until", "note")
NEEDED = ("action", "entry")
LONGEST_ENTRY, LONGEST_NOTE = 64, 500
MOST_TOLD = 1_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Changed(NamedTuple):
    """The next version's body, and what differs. moved: entries that stay and end at another time, or have
    another note.
    """

    body: dict[str, Any]
    added: int
    removed: int
    moved: int


class _Line(NamedTuple):
    line: int
    action: str
    entry: str
    until_ms: int | None
    note: str


def changed(path: Path, body: dict[str, Any], zone: ZoneInfo) -> Changed:
    """The list as the file changes it. body: as it is now.   zone: in which `until` is meant.

    Raises DocumentsWrong with every line that is wrong, and ImportRefused where the file cannot be read.
    """
    problems: list[tuple[int, str]] = []
    lines = _lines(path, str(body["of"]), zone, problems)
    entries: dict[str, dict[str, Any]] = {one["id"]: dict(one) for one in body.get("entries", ())}
    before = {name: dict(one) for name, one in entries.items()}
    seen: dict[str, int] = {}
    for one in lines:
        if (other := seen.setdefault(one.entry, one.line)) != one.line:
            problems.append((one.line, f"the entry stands in line {other} too"))
        elif one.action == "remove":
            if entries.pop(one.entry, None) is None:
                problems.append((one.line, "the entry does not stand on the list"))
        else:
            entries[one.entry] = _entry(one)
    told = [f"line {line}: {what}" for line, what in sorted(problems)]
    if len(entries) > MOST_ENTRIES:
        told.append(f"the list would have {len(entries):,} entries, and the most is {MOST_ENTRIES:,}")
    if told:
        _refuse(path, told)
    added = len(entries.keys() - before.keys())
    moved = sum(1 for name in entries.keys() & before.keys() if entries[name] != before[name])
    return Changed(
        {**body, "entries": list(entries.values())}, added, len(before.keys() - entries.keys()), moved
    )


def _refuse(path: Path, problems: Sequence[str]) -> None:
    count = len(problems)
    told = tuple(problems[:MOST_TOLD])
    if count > MOST_TOLD:
        told += (f"... and {count - MOST_TOLD:,} more",)
    what = "1 thing is" if count == 1 else f"{count:,} things are"
    raise DocumentsWrong(f"{path.name}: {what} wrong, so the list stays as it is.", told, ADVICE)


ADVICE = "Nothing was sent. Correct them, and send the file again."


def _entry(one: _Line) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": one.entry}
    if one.until_ms is not None:
        entry["until_ms"] = one.until_ms
    if one.note:
        entry["note"] = one.note
    return entry


def _lines(path: Path, of: str, zone: ZoneInfo, problems: list[tuple[int, str]]) -> list[_Line]:
    file = CsvFile(path, FilePart())
    unknown = [name for name in file.header if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in file.header]
    if unknown or missing or len(set(file.header)) < len(file.header):
        raise DocumentsWrong(
            f"{path.name}: its columns are {', '.join(file.header)[:200]}.",
            (f"they must be {', '.join(NEEDED)}, and may be {', '.join(COLUMNS[len(NEEDED) :])}",),
            ADVICE,
        )
    found = []
    for row in file.rows():
        if row.fields is None:
            problems.append((row.line, row.problem))
            continue
        told = dict(zip(file.header, (field.strip() for field in row.fields), strict=True))
        one = _line(row.line, told, of, zone)
        if isinstance(one, _Line):
            found.append(one)
        else:
            problems.append((row.line, one))
    return found


def _line(line: int, told: dict[str, str], of: str, zone: ZoneInfo) -> _Line | str:
    """The line, or what is wrong with it."""
    action, entry = told["action"].lower(), told["entry"]
    until, note = told.get("until", ""), told.get("note", "")
    if action not in ("add", "remove"):
        return "action must be add or remove"
    if not entry:
        return "entry is empty"
    if "\0" in entry or "\0" in note:
        return "a text holds the character NUL"
    if of == "payee":
        entry = payee_key(entry)
    elif wrong := entry_problem(of, entry):
        return f"entry {wrong}"
    if len(entry) > LONGEST_ENTRY:
        return f"entry must have at most {LONGEST_ENTRY} characters"
    if len(note) > LONGEST_NOTE:
        return f"note must have at most {LONGEST_NOTE} characters"
    if action == "remove" and (until or note):
        return "what is removed has neither until nor note"
    until_ms = _until_ms(until, zone) if until else None
    return until_ms if isinstance(until_ms, str) else _Line(line, action, entry, until_ms, note)


def _until_ms(text: str, zone: ZoneInfo) -> int | str:
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        return "until must be a date or time such as 2026-03-01 or 2026-03-01T08:00"
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    ms = (at - _EPOCH) // datetime.timedelta(milliseconds=1)
    return ms if 0 <= ms <= LATEST_MS else "until is too far away"
