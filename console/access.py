"""Who may do what, on the terminal; and the credentials by which people speak."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.choices import instant_of
from console.feeds import only_book
from console.identity import secret_of
from console.output import Output, utc
from engine.credentials import has_credential, new_secret, prove, set_credential
from engine.errors import WrongUse
from engine.files import write_whole
from engine.home import Home
from engine.settings import Settings
from engine.site import Site
from replay.access_at import access_at
from schemas.access import Permit, Scope


def access(
    output: Output, home: Home, settings: Settings, book: str | None, *, at: str | None, user: str | None
) -> bool:
    """Show everyone's access as it was, and what was done by override; False where there is no such user."""
    site = Site(home, settings)
    book = book or only_book(site)
    with site.read_book(book) as log:
        found = access_at(log, book, at_ms=None if at is None else instant_of(at))
    actors = [one for one in found.actors if user in (None, one.actor)]
    output.say(f"Book {book} as known after seq {found.seq}, {utc(found.at)}.")
    output.table(
        "",
        ["who", "person", "", "by role", "may send", "may check", "stands in for"],
        [
            (
                one.actor,
                one.person or "(system)",
                "suspended" if one.suspended else "",
                role + (" (emergency)" if role in one.emergency else ""),
                ", ".join(map(_permit, one.permits.get(role, ()))),
                ", ".join(one.checks),
                ", ".join(one.stands_in_for),
            )
            for one in actors
            for role in one.roles or ("",)
        ],
    )
    overrides = [one for one in found.overrides if user in (None, one.actor)]
    if overrides:
        output.table(
            "By override",
            ["at (UTC)", ">seq", "who", "said", ">approval"],
            [(utc(one.at), one.seq, one.actor, one.answer, one.approval) for one in overrides],
        )
    else:
        output.say("Nothing was done by override.")
    shown = msgspec.structs.replace(found, actors=actors, overrides=overrides)
    output.emit(**msgspec.to_builtins(shown))
    if user is not None and not actors:
        output.fail(f"There was no user or system {user} then.")
        return False
    return True


def credential(output: Output, home: Home, settings: Settings, user: str, out: Path | None) -> None:
    """A new credential for a user, in place of the one it has, which has to be shown."""
    if has_credential(home, user):
        prove(home, user, secret_of(user))
    secret = new_secret()
    if out is not None:
        try:
            write_whole(out, secret.encode() + b"\n")
        except OSError as error:
            raise WrongUse(f"{out} cannot be written: {error.strerror}.") from None
    set_credential(home, user, secret)
    handed = home.handover(user)
    if out is None or out.resolve() != handed.resolve():
        handed.unlink(missing_ok=True)
    if out is None:
        output.say(f"The credential of {user}, which is not shown again: {secret}")
        output.emit(user=user, credential=secret)
    else:
        output.say(f"Wrote the credential of {user} to {out}.")
        output.emit(user=user, file=str(out))


def _permit(permit: Permit) -> str:
    if permit.scope == Scope():
        return permit.command
    parts = msgspec.to_builtins(permit.scope)
    return f"{permit.command} within { ({name: value for name, value in parts.items() if value}) }"
