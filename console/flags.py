"""Flags on the terminal, for risk staff: which stand, one raised, one cleared."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from console.choices import instant_of
from console.output import Output
from console.read_models import book_session
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import wall_clock
from engine.settings import Settings
from projections.flags_queries import flags as find_flags
from projections.terms_queries import book_of
from schemas.documents.wording import problems_in
from schemas.fields import LATEST_MS
from schemas.flags import ClearFlag, FlagSubject, RaiseFlag
from schemas.holds import DAY_S
from schemas.message import Command
from schemas.payees import KEY_DIGITS, payee_key

_KEY = re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}")


def list_flags(
    output: Output, home: Home, settings: Settings, book: str | None, of: str | None, *, over: bool
) -> None:
    """Show the flags that stand, the newest first."""
    with book_session(output, home, settings, book) as (session, name):
        rows = find_flags(session, name, of, over=over)
        if of is not None and not rows:
            rows = find_flags(session, name, payee_key(of), over=over)
    output.table(
        "",
        ["on", "", "flag", "status", ">score", "until (UTC)", "by", "reason"],
        [
            (
                one.subject,
                one.subject_id,
                one.flag,
                one.status,
                one.score,
                f"{one.expires_at:%Y-%m-%d %H:%M}",
                one.raised_by,
                one.reason,
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No flag stands." if not over else "There are no flags.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def raise_flag(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    subject: FlagSubject,
    of: str,
    flag: str,
    until: str,
    score: int,
    reason: str,
) -> bool:
    """Raise a flag; False where that was refused."""
    with book_session(output, home, settings, book) as (session, name):
        about = book_of(session, name)
        assert about is not None, "a book that was found is there"
        at_ms = round(about.at.timestamp() * 1_000)
        now_ms = max(at_ms, wall_clock()) if about.clock == "wall" else at_ms
    fields = {
        "subject": subject,
        "of": _named(subject, of),
        "flag": flag,
        "expires_at_ms": _until(until, now_ms),
        "score": score,
        "reason": reason,
    }
    _right(RaiseFlag, fields)
    return not send(output, home, settings, RaiseFlag, named, name, **fields).rejected


def clear_flag(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    subject: FlagSubject,
    of: str,
    flag: str,
    reason: str,
) -> bool:
    """Take a flag away; False where that was refused."""
    with book_session(output, home, settings, book) as (_, name):
        pass
    fields = {"subject": subject, "of": _named(subject, of), "flag": flag, "reason": reason}
    _right(ClearFlag, fields)
    return not send(output, home, settings, ClearFlag, named, name, **fields).rejected


def _named(subject: FlagSubject, of: str) -> str:
    """What the flag stands on: of a payee always the key, so that no account number gets into the log."""
    return payee_key(of) if subject == "payee" and _KEY.fullmatch(of) is None else of


def _until(text: str, now_ms: int) -> int:
    days = re.fullmatch(r"(\d{1,5})d", text, re.ASCII)
    return instant_of(text) if days is None else min(LATEST_MS, now_ms + int(days[1]) * DAY_S * 1_000)


def _right(kind: type[Command], fields: dict[str, Any]) -> None:
    envelope = {"type": kind.__name__, "id": "-", "book": "-", "actor": "-", "issued_at_ms": 0}
    try:
        TypeAdapter(kind).validate_python({**envelope, **fields})
    except ValidationError as error:
        first = problems_in(kind, error)[0]
        raise WrongUse(f"{first.path} {first.what}.", "See `daybook flags --help`.") from None
