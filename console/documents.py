"""Documents, from the command line: checked, compared, listed, shown."""

from __future__ import annotations

import copy
import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from book.state import Book
from commands.calendar import midnight_ms, zone
from console.choices import book_named, date_of
from console.feeds import only_book
from console.output import Output
from console.sites import at_home
from console.views import reading
from engine.errors import WrongUse
from engine.fold import Folded
from engine.home import Home, NoHome
from engine.log.records import wall_clock
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest
from gateway.document_files import Draft, read_drafts
from gateway.errors import DocumentsWrong
from projections.database import Session
from projections.document_queries import VersionRow, version, versions
from projections.queries import books as find_books
from replay.drafts import Drafted, Refused, publish_drafts
from schemas.documents.difference import Change, differences
from schemas.rejections import sentence

_NAME = re.compile(r"([a-z_]+)/([^@]+)(?:@(\d{1,10}))?")


# --- check ------------------------------------------------------------------------------------------------


def check(
    output: Output,
    settings: Settings,
    files: Sequence[Path],
    book: str | None,
    *,
    offline: bool,
    named: bool,
) -> bool:
    """Say what is wrong with the documents; False where anything is. named: a home was asked for."""
    drafts: list[Draft] = []
    wrong = 0
    for path in files:
        try:
            drafts += read_drafts(path)
        except DocumentsWrong as error:
            wrong += 1
            output.fail(str(error).removesuffix(f"\n{error.advice}"))
    if wrong:
        return False
    where = "by themselves; what they name was not looked up"
    if not offline:
        try:
            with at_home(settings) as (home, found):
                at, against = the_book(home, found, book)
        except NoHome:
            if named:
                raise
        else:
            where = f"and fit the book {against.id}"
            for told in refusals(drafts, publish_drafts(against, drafted(drafts, against.time_zone), at)):
                wrong += 1
                output.fail(told)
    for draft in drafts:
        output.emit(kind=draft.kind, document=draft.id, place=draft.place, ok=not wrong)
    if not wrong:
        names = ", ".join(draft.name for draft in drafts)
        output.say(f"{names}: {'right' if len(drafts) == 1 else 'all right'} {where}.")
    return not wrong


def the_book(home: Home, settings: Settings, book: str | None) -> tuple[int, Book]:
    """A copy of the book as it is, and what time it is in it."""
    site = Site(home, settings)
    book = book or only_book(site)
    partition = site.partition_of(book)
    with site.read(partition) as log:
        folded = load_newest(site.snapshots(partition), log) or Folded()
        folded.apply(log.events(folded.offset))
    found = folded.partition.books.get(book)
    if found is None:
        raise WrongUse(f"There is no book {book}.", "Leave --book out to see which there are.")
    return max(found.at, wall_clock()) if found.clock == "wall" else found.at, copy.deepcopy(found)


def drafted(drafts: Sequence[Draft], time_zone: str) -> list[Drafted]:
    """The drafts with their times as the book has them. Raises WrongUse."""
    return [
        Drafted(
            draft.kind,
            draft.id,
            draft.body,
            None if draft.effective_from is None else instant_in(time_zone, draft.effective_from),
        )
        for draft in drafts
    ]


def refusals(drafts: Sequence[Draft], refused: Sequence[Refused]) -> list[str]:
    """Why the book would not take drafts, each with its place."""
    return [
        f"{drafts[one.index].place}: "
        + (
            str(one.rejection.figures["detail"])
            if one.rejection.reason == "document_invalid"
            else sentence(one.rejection.reason, one.rejection.figures)
        )
        for one in refused
    ]


def instant_in(time_zone: str, text: str) -> int:
    """A date's midnight, or a time, in the zone unless the time names another. Raises WrongUse."""
    if len(text) <= 10:
        return midnight_ms(time_zone, date_of(text))
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is no time.", "Write it like 2026-03-01T08:00.") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone(time_zone))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (at - epoch) // datetime.timedelta(milliseconds=1)


# --- what is published ------------------------------------------------------------------------------------


def diff(
    output: Output, home: Home, settings: Settings, one: str, other: str | None, book: str | None
) -> None:
    """Show what differs, value by value."""
    path = Path(one)
    with reading(output, home, settings) as found:
        book = book_named(book, find_books(found))
        if path.suffix or path.exists():
            for draft in read_drafts(path):
                published = _published(found, book, other or draft.name, must=other is not None)
                was = {} if published is None else published.body
                now: dict[str, Any] = msgspec.to_builtins(draft.document)
                title = "nothing" if published is None else f"version {published.version}"
                _show(output, draft.name, title, draft.place, differences(was, now))
            return
        if other is None:
            raise WrongUse("With what?", "Name two versions, such as tariff/prices@1 tariff/prices@2.")
        before, after = _published(found, book, one), _published(found, book, other)
        assert before is not None, "it was looked up"
        assert after is not None, "it was looked up"
        titles = (f"version {before.version}", f"version {after.version}")
        _show(output, f"{before.kind}/{before.document}", *titles, differences(before.body, after.body))


def _show(output: Output, name: str, was: str, now: str, changes: Sequence[Change]) -> None:
    output.say(f"{name}: {now} against {was}{'' if changes else ': no difference'}")
    if changes:
        output.table(
            "",
            ["where", "was", "is now"],
            [(one.path, _value(one.was), _value(one.now)) for one in changes],
        )
    output.emit(document=name, was=was, now=now, changes=[msgspec.to_builtins(one) for one in changes])


def _value(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _published(found: Session, book: str, name: str, *, must: bool = True) -> VersionRow | None:
    kind, document, number = _named(name)
    row = version(found, book, kind, document, number)
    if row is None and must:
        raise WrongUse(
            f"There is no {name} in the book {book}.", "`daybook documents history` lists what there is."
        )
    return row


def _named(name: str) -> tuple[str, str, int | None]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise WrongUse(
            f"{name!r} names no document.", "Write KIND/ID or KIND/ID@VERSION, as tariff/prices@2."
        )
    return match[1], match[2], int(match[3]) if match[3] else None


def history(output: Output, home: Home, settings: Settings, name: str | None, book: str | None) -> bool:
    """List versions; False where there are none."""
    kind, _, document = (name or "").partition("/")
    with reading(output, home, settings) as found:
        book = book_named(book, find_books(found))
        rows = versions(found, book, kind or None, document or None)
    if not rows:
        output.fail(f"The book {book} has no document{f' {name}' if name else ''}.")
        return False
    output.table(
        "",
        [
            "document",
            ">version",
            "status",
            "published (UTC)",
            "by",
            "approved by",
            "in force from (UTC)",
            ">changes",
        ],
        [
            (
                f"{row.kind}/{row.document}",
                row.version,
                row.status,
                row.published_at.strftime("%Y-%m-%d %H:%M:%S"),
                row.published_by,
                ", ".join(row.approved_by),
                row.effective_from.strftime("%Y-%m-%d %H:%M:%S"),
                len(row.changes) if before is not None and _same(before, row) else "new",
            )
            for before, row in zip([None, *rows], rows, strict=False)
        ],
    )
    for row in rows:
        output.emit(**{name: value for name, value in msgspec.to_builtins(row).items() if name != "body"})
    return True


def _same(one: VersionRow, other: VersionRow) -> bool:
    return (one.kind, one.document) == (other.kind, other.document)


def show(output: Output, home: Home, settings: Settings, name: str, book: str | None) -> bool:
    """Show a version as a file; False where there is none."""
    kind, document, number = _named(name)
    with reading(output, home, settings) as found:
        book = book_named(book, find_books(found))
        row = version(found, book, kind, document, number)
    if row is None:
        output.fail(f"There is no {name} in the book {book}.")
        return False
    output.say(f"# version {row.version}, {row.status}, published by {row.published_by}; digest {row.digest}")
    file = {"kind": row.kind, "id": row.document, "body": row.body}
    output.say(yaml.safe_dump(file, sort_keys=False, allow_unicode=True, width=100).rstrip())
    output.emit(**msgspec.to_builtins(row))
    return True
