"""Papers of cases from the terminal: attached, fetched, erased, and the store held against the log.

The bytes are stored first and the command is sent then, so that what the log names is there.
"""

from __future__ import annotations

import mimetypes
import time
from pathlib import Path
from typing import Final

from console.case_work import about
from console.cases import Desk, at_desk, found_case
from console.identity import acting_user
from console.output import Output
from console.read_models import read_models
from console.sending import send
from engine.attachment_keys import AttachmentErased, AttachmentKeys, Erased
from engine.attachments import Attached, LeftOver
from engine.errors import DaybookError, WrongUse
from engine.home import Home
from engine.log.records import wall_clock
from engine.settings import Settings
from engine.site import Site
from projections import case_queries
from projections.case_rows import PaperRow
from projections.database import connect
from schemas.case_work import AddCaseNote, AttachToCase

UNKNOWN: Final = "application/octet-stream"
IN_USE_H: Final = 24
"""How long what nobody names is left alone: its command may be waiting for approval."""
READS: Final = AttachToCase.__name__
"""Who may read papers: whoever may attach them, to the cases that they may see."""


def attach(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    file: Path,
    *,
    named: str | None,
    name: str,
    media_type: str,
) -> bool:
    """Store a file and put it to the case. Raises BadAttachment."""
    with at_desk(output, home, settings, book, named) as desk:
        _reads(desk)
        row, found = found_case(desk, case), desk.book
    attached = Site(home, settings).attachments().put(found, row.case_id, file)
    outcome = send(
        *(output, home, settings, AttachToCase, named, found),
        case=row.case_id,
        digest=attached.digest,
        name=name or file.name,
        media_type=media_type or mimetypes.guess_type(file.name)[0] or UNKNOWN,
        size=attached.size,
    )
    return not outcome.rejected


def _reads(desk: Desk) -> None:
    if not case_queries.may(desk.session, desk.book, desk.viewer, READS):
        raise WrongUse(f"{desk.viewer} has nothing to do with papers.", f"A role that permits {READS} has.")


def paper(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    digest: str,
    *,
    named: str | None,
    out: Path,
) -> None:
    """Write a paper to a file, proven to be what was attached."""
    with at_desk(output, home, settings, book, named) as desk:
        _reads(desk)
        row = found_case(desk, case)
        one = paper_like(case_queries.papers(desk.session, desk.book, row.case_id), row.case_id, digest)
        wanted = Attached(desk.book, row.case_id, one.digest, one.size)
    Site(home, settings).attachments().get(wanted, out)
    output.say(f"Wrote {out}: {one.name}, {one.media_type}, {one.size:,} bytes, as attached.")
    output.emit(file=str(out), digest=one.digest, name=one.name, media_type=one.media_type, size=one.size)


def paper_like(papers: list[PaperRow], case: str, digest: str) -> PaperRow:
    """The paper whose digest begins so. Raises WrongUse where there is none, or several."""
    alike = [one for one in papers if one.digest.startswith(digest)]
    if len(alike) != 1:
        what = "Several papers" if alike else "No paper"
        raise WrongUse(f"{what} of the case {case} begin with {digest}.", "See `daybook cases show`.")
    return alike[0]


def erase(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    digest: str,
    *,
    named: str | None,
    reason: str,
) -> bool:
    """Write down in the case that a paper is erased, then destroy its key and bytes."""
    with at_desk(output, home, settings, book, named) as desk:
        _reads(desk)
        row = found_case(desk, case)
        one = paper_like(case_queries.papers(desk.session, desk.book, row.case_id), row.case_id, digest)
        name = desk.book
    text = f"Erased the paper {one.digest}: {reason}"
    if not about(output, home, settings, name, named, AddCaseNote, row.case_id, text=text):
        return False
    mark = Erased(wall_clock(), acting_user(home, settings, named), reason)
    Site(home, settings).attachments().erase(Attached(name, row.case_id, one.digest, one.size), mark)
    output.say(f"The paper {one.digest[:16]} cannot be read any more, wherever copies of it are.")
    return True


def rotate(output: Output, home: Home, settings: Settings) -> None:
    """Wrap the keys of all papers anew."""
    done = AttachmentKeys(home).rotate()
    output.say(f"{done:,} keys are wrapped by a new key of the home; the old one is destroyed.")
    output.emit(keys=done)


def check(output: Output, home: Home, settings: Settings, *, remove: bool, older_than_h: float) -> bool:
    """Hold the store against the log: read what is named, list what is not. True if all is well."""
    with read_models(output, home, settings) as database, connect(database.dsn) as session:
        papers = case_queries.all_papers(session)
    store = Site(home, settings).attachments()
    named = [Attached(one.book, one.case_id, one.digest, one.size) for one in papers]
    whole = erased = 0
    broken: list[str] = []
    for one in named:
        try:
            store.check(one)
        except AttachmentErased as error:
            erased += 1
            output.say(f"erased   {error.what}")
        except DaybookError as error:
            broken.append(error.what)
            output.say(f"PROBLEM  {error.what}")
        else:
            whole += 1
    before_s = time.time() - older_than_h * 3_600
    left = store.left_over(named)
    for over in left:
        output.say(f"unnamed  {_left(over)}")
    removed = [over for over in left if remove and over.begun_s < before_s and store.drop(over)]
    output.say(
        f"{len(named):,} papers: {whole:,} whole, {erased:,} erased, {len(broken):,} not readable. "
        f"{len(left):,} that no case names, {len(removed):,} of them removed."
    )
    output.emit(
        ok=not broken,
        papers=len(named),
        whole=whole,
        erased=erased,
        problems=broken,
        unnamed=[over.name for over in left],
        removed=[over.name for over in removed],
    )
    return not broken


def _left(over: LeftOver) -> str:
    hours = (time.time() - over.begun_s) / 3_600 if over.begun_s else None
    age = "of unknown age" if hours is None else f"{hours:.0f} h old"
    return f"{over.name[:16]}  {age}, {'bytes and key' if over.has_bytes else 'a key alone'}"
