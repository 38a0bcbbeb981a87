"""Reports to the authority, and the evidence packs that go with them, from the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from console.case_papers import READS
from console.cases import at_desk, counted, found_case
from console.output import Output
from console.sending import send
from engine.attachments import Attached, Attachments
from engine.errors import DaybookError, WrongUse
from engine.home import Home
from engine.receipts import public_key_path, read_links, read_public_key, read_signing_key
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest
from projections import case_queries
from projections.case_rows import CaseRow, ReportRow
from replay.evidence import Paper, gather
from replay.pack_proof import prove_pack
from replay.packs import Bytes, Pack, PackedPaper, texts, write_pack
from replay.waterfalls import waterfalls
from schemas.case_reports import ApproveReport, DraftReport, FileReport, SendReportBack
from schemas.message import Command


def pack(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    out: Path,
    *,
    named: str | None,
    seq: int | None,
) -> None:
    """Write the evidence pack of a case. seq: only what was known after this event."""
    with at_desk(output, home, settings, book, named) as desk:
        row = found_case(desk, case)
        name, viewer = desk.book, desk.viewer
        reads = case_queries.may(desk.session, name, viewer, READS)
    site = Site(home, settings)
    evidence = gather(site, name, row.case_id, through=seq)
    store = site.attachments()
    papers = dict(_papered(store, name, row.case_id, one, reads=reads) for one in evidence.papers)
    partition = site.partition_of(name)
    with site.read(partition) as log:
        first = min((one.offset for one in evidence.proof if one.book == name), default=0)
        folded = load_newest(site.snapshots(partition), log, before=first)
        files = texts(evidence, waterfalls(log, evidence, folded))
    receipts = read_links(site.receipts(partition))
    made = write_pack(out, evidence, files, papers, read_signing_key(home.signing_key), receipts)
    left_out = [one for one in papers if not one.packed]
    output.say(
        f"Wrote {out}: {counted(len(evidence.events), 'event')}, {counted(len(evidence.alerts), 'alert')}, "
        f"{counted(len(papers) - len(left_out), 'paper')}, as known after event {evidence.through}."
    )
    for one in left_out:
        output.say(f"Not in it: the paper {one.digest[:16]}, {one.name}.")
    for missing_book, missing_seq in evidence.missing:
        output.say(f"Not in it: event {missing_seq} of book {missing_book}, which the logs here do not hold.")
    if made.receipt is None:
        output.say("No receipt vouches for all of it yet; `daybook up` signs one, and a new pack has it.")
    output.say(f"Digest {made.digest}")
    output.emit(
        file=str(out),
        digest=made.digest,
        case_id=row.case_id,
        through=evidence.through,
        events=len(evidence.events),
        alerts=len(evidence.alerts),
        papers=[msgspec.to_builtins(one) for one in papers],
        missing=evidence.missing,
        receipt=made.receipt is not None,
    )


def _papered(
    store: Attachments, book: str, case: str, paper: Paper, *, reads: bool
) -> tuple[PackedPaper, Bytes]:
    attached = Attached(book, case, paper.digest, paper.size)
    packed = reads and _is_whole(store, attached)
    one = PackedPaper(paper.digest, paper.size, paper.media_type, paper.name, packed)
    return one, lambda: store.read(attached)


def _is_whole(store: Attachments, attached: Attached) -> bool:
    try:
        store.check(attached)
    except DaybookError:
        return False
    return True


def verify_pack(output: Output, home: Home, settings: Settings, file: Path) -> bool:
    """Check a pack by itself and against the log."""
    site = Site(home, settings)
    found = prove_pack(file, site, read_public_key(public_key_path(home.signing_key)))
    for one in found.problems:
        output.say(f"PROBLEM  {one}")
    receipt = "a receipt vouches for them" if found.receipt else "no receipt is in it"
    output.say(
        f"Case {found.case} of book {found.book}, as known after event {found.through}: "
        f"{counted(found.events, 'event')}, {receipt}. "
        + (
            "The pack is what the log says."
            if found.ok
            else f"The pack has {counted(len(found.problems), 'problem')}."
        )
    )
    output.say(f"Digest {found.digest}")
    output.emit(ok=found.ok, **msgspec.to_builtins(found))
    return found.ok


def draft(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    report: str,
    file: Path,
) -> bool:
    """Write the report, or write it anew. file: its narrative, a text."""
    try:
        narrative = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}.", "Name a file of text.") from None
    except UnicodeDecodeError:
        raise WrongUse(f"{file} is not text.", "Write the narrative in UTF-8.") from None
    name, row, known = _report(output, home, settings, book, case, named)
    given = report or (known.report if known else "") or f"report-{row.case_id}"
    return _send(
        output, home, settings, DraftReport, named, name, row, report=given[:64], narrative=narrative
    )


def approve(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    shown: int | None,
) -> bool:
    """Show the draft and agree to exactly that. Raises WrongUse where it is not what was seen."""
    name, row, known = _report(output, home, settings, book, case, named)
    draft = _draft(row, known)
    if shown not in (None, draft):
        raise WrongUse(f"What waits now is the draft of event {draft}.", "Read it again.")
    return _send(output, home, settings, ApproveReport, named, name, row, draft=draft)


def send_back(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    reason: str,
) -> bool:
    """Disagree with the draft."""
    name, row, known = _report(output, home, settings, book, case, named)
    fields = {"draft": _draft(row, known), "reason": reason}
    return _send(output, home, settings, SendReportBack, named, name, row, **fields)


def file(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    pack: Path,
    *,
    named: str | None,
    reference: str,
) -> bool:
    """Say that the report has gone to the authority with this pack, which is checked before.

    Raises WrongUse where the pack is another case's, or not what the log says.
    """
    name, row, _ = _report(output, home, settings, book, case, named)
    read = Pack(pack)
    if (read.index.book, read.index.case) != (name, row.case_id):
        raise WrongUse(f"{pack} is of the case {read.index.case} of book {read.index.book}.")
    found = prove_pack(pack, Site(home, settings), read_public_key(public_key_path(home.signing_key)))
    if not found.ok:
        raise WrongUse(f"{pack} is not what the log says: {found.problems[0]}.", "Make it anew.")
    fields = {"reference": reference, "evidence": found.digest}
    return _send(output, home, settings, FileReport, named, name, row, **fields)


def _report(
    output: Output, home: Home, settings: Settings, book: str | None, case: str, named: str | None
) -> tuple[str, CaseRow, ReportRow | None]:
    """The book, the case, and its report that is not filed."""
    with at_desk(output, home, settings, book, named) as desk:
        row = found_case(desk, case)
        file = case_queries.case_file(desk.session, desk.book, desk.viewer, row.case_id)
        assert file is not None, "it was found just now"
        return desk.book, row, _open(file.reports)


def _open(reports: Iterable[ReportRow]) -> ReportRow | None:
    return next((one for one in reports if one.status != "filed"), None)


def _draft(row: CaseRow, known: ReportRow | None) -> int:
    if known is None or known.draft is None:
        raise WrongUse(f"The case {row.case_id} has no draft of a report.", "Write one first.")
    return known.draft


def _send(
    output: Output,
    home: Home,
    settings: Settings,
    kind: type[Command],
    named: str | None,
    book: str,
    row: CaseRow,
    /,
    **fields: object,
) -> bool:
    return not send(output, home, settings, kind, named, book, case=row.case_id, **fields).rejected
