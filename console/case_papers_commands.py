"""`daybook cases`: papers, reports and evidence packs. Thin; the work is imported late."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.case_options import Because, CaseId, status
from console.ending import CHECK_FAILED, DONE
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The paper, by the first digits of its digest.")
]

commands = typer.Typer()
attachments = typer.Typer(help="The store of papers, held against the log.", no_args_is_help=True)
commands.add_typer(attachments, name="attachments")


@commands.command()
def attach(
    case: CaseId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file; at most 64 MiB.")],
    name: Annotated[str, typer.Option(help="What it is called; as the file if left out.")] = "",
    type: Annotated[str, typer.Option("--type", help="Its media type; by the file's name if left out.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Put a paper to a case: it is stored encrypted, and its digest goes into the log."""
    from console import case_papers as work

    done = in_home(work.attach, json, home, book, case, file, named=as_user, name=name, media_type=type)
    raise typer.Exit(status(done))


@commands.command()
def paper(
    case: CaseId,
    digest: Digest,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write it.")],
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Write a paper of a case to a file, proven to be what was attached."""
    from console import case_papers as work

    in_home(work.paper, json, home, book, case, digest, named=as_user, out=out)


@attachments.command("check")
def check_store(
    remove: Annotated[bool, typer.Option("--remove", help="Remove what no case names.")] = False,
    older_than: Annotated[
        float, typer.Option("--older-than", min=0, help="Only what is so many hours old.")
    ] = 24,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Read every paper that a case names, and list what is stored and no case names."""
    from console import case_papers as work

    raise typer.Exit(
        DONE if in_home(work.check, json, home, remove=remove, older_than_h=older_than) else CHECK_FAILED
    )


@attachments.command()
def rotate(home: HomeOption = None, json: Json = False) -> None:
    """Wrap the keys of all papers by a new key of the home, and destroy the old one."""
    from console import case_papers as work

    in_home(work.rotate, json, home)


@attachments.command()
def erase(
    case: CaseId,
    digest: Digest,
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Erase a paper for ever: its key is destroyed, and the case says so. The log still names its digest."""
    from console import case_papers as work

    raise typer.Exit(
        status(in_home(work.erase, json, home, book, case, digest, named=as_user, reason=because))
    )


@commands.command()
def pack(
    case: CaseId,
    out: Annotated[Path, typer.Option("--out", "-o", help="The zip file to write.")],
    seq: Annotated[int | None, typer.Option(min=1, help="As known after this event; else now.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The evidence pack of a case: its history, alerts, events with proof, balances then, papers."""
    from console import case_reporting as work

    in_home(work.pack, json, home, book, case, out, named=as_user, seq=seq)


@commands.command("verify-pack")
def verify_pack(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An evidence pack.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Check an evidence pack by itself and against the log."""
    from console import case_reporting as work

    raise typer.Exit(DONE if in_home(work.verify_pack, json, home, file) else CHECK_FAILED)


@commands.command()
def report(
    case: CaseId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The narrative, a text in UTF-8.")],
    id: Annotated[str, typer.Option("--id", help="The report's id; made from the case's if left out.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Draft the report to the authority, or draft it anew."""
    from console import case_reporting as work

    raise typer.Exit(status(in_home(work.draft, json, home, book, case, named=as_user, report=id, file=file)))


@commands.command("approve-report")
def approve_report(
    case: CaseId,
    shown: Annotated[int | None, typer.Option(help="Only if this is still the event of the draft.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Agree, as another person, with the draft of a report."""
    from console import case_reporting as work

    raise typer.Exit(status(in_home(work.approve, json, home, book, case, named=as_user, shown=shown)))


@commands.command("send-back")
def send_back(
    case: CaseId,
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Disagree with the draft of a report."""
    from console import case_reporting as work

    raise typer.Exit(status(in_home(work.send_back, json, home, book, case, named=as_user, reason=because)))


@commands.command("file-report")
def file_report(
    case: CaseId,
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="The evidence pack that went with it.")],
    reference: Annotated[str, typer.Option(help="What the authority calls it.")],
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say that the approved report has gone to the authority, with this pack; the pack is checked before."""
    from console import case_reporting as work

    done = in_home(work.file, json, home, book, case, pack, named=as_user, reference=reference)
    raise typer.Exit(status(done))
