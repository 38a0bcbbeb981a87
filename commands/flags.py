"""What is decided about flags: raised, moved, cleared, expired.

Outcomes are public, and who is looked at must not learn of it: no figure here names a flag or a subject,
other than one that there is not.
"""

from __future__ import annotations

import re

from book.flags import flag_timer, flags_of
from book.state import Book
from commands.decision import Decide, Decision
from schemas.documents.document import DocumentId
from schemas.flags import ClearFlag, FlagCleared, FlagExpired, FlagRaised, RaiseFlag
from schemas.payees import KEY_DIGITS
from schemas.rejections import reject
from schemas.risk import Version

MOST_OF_A_SUBJECT = 16
MOST_OF_A_BOOK = 100_000
"""Flags that stand at a time, so that nobody can fill the memory of a book: some 300 bytes each."""
MODEL = "model"
"""The kind of the documents that say which models there are."""
_KEY = re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}")


def raise_flag(book: Book, command: RaiseFlag, at_ms: int) -> Decision:
    """What stands already keeps the later of both expiries and the score that was said last, so that what
    arrives late takes nothing back; nor does what was said before a person cleared the flag bring it back.

    Rejected, in this order: party_not_found, account_not_found, key_malformed, expiry_in_past,
    document_not_in_force (the model's), nothing_to_change, at_capacity.
    """
    if command.subject == "party" and command.of not in book.parties:
        return reject("party_not_found", party=command.of)
    if command.subject == "account" and command.of not in book.accounts:
        return reject("account_not_found", account=command.of)
    if command.subject == "payee" and _KEY.fullmatch(command.of) is None:
        return reject("key_malformed", digits=KEY_DIGITS)
    if command.expires_at_ms <= at_ms:
        return reject("expiry_in_past", expires_at_ms=command.expires_at_ms, at=at_ms)
    if command.model is not None and not is_in_force(book, command.model.model, command.model.version):
        said = f"{MODEL}/{command.model.model}@{command.model.version}"
        return reject("document_not_in_force", restricted=said)
    cleared = book.flags.cleared.get(flag_timer(command.subject, command.of, command.flag))
    if cleared is not None and command.issued_at_ms <= cleared.cleared_ms:
        return reject("nothing_to_change")
    standing = flags_of(book, command.subject, command.of)
    had = next((one for one in standing if one.flag == command.flag), None)
    expires_at_ms, score, model = command.expires_at_ms, command.score, command.model
    if had is not None:
        expires_at_ms = max(expires_at_ms, had.expires_at_ms)
        if command.issued_at_ms < had.issued_ms:
            score, model = had.score, None
        if (expires_at_ms, score) == (had.expires_at_ms, had.score):
            return reject("nothing_to_change")
    elif len(standing) >= MOST_OF_A_SUBJECT:
        return reject("at_capacity", most=MOST_OF_A_SUBJECT)
    elif book.flags.standing >= MOST_OF_A_BOOK:
        return reject("at_capacity", most=MOST_OF_A_BOOK)
    return FlagRaised(
        subject=command.subject,
        of=command.of,
        flag=command.flag,
        expires_at_ms=expires_at_ms,
        score=score,
        model=model,
        reason=command.reason,
        evidence=command.evidence,
        again=had is not None,
    )


def clear_flag(book: Book, command: ClearFlag, at_ms: int) -> Decision:
    """Rejected: nothing_to_change (it does not stand)."""
    if not any(one.flag == command.flag for one in flags_of(book, command.subject, command.of, at_ms)):
        return reject("nothing_to_change")
    return FlagCleared(subject=command.subject, of=command.of, flag=command.flag, reason=command.reason)


def expire_flag(book: Book, rest: str, due_ms: int) -> FlagExpired:
    """The timer of a flag: its time is over."""
    subject, flag, of = rest.split("\n", 2)
    return FlagExpired(subject=subject, of=of, flag=flag)  # type: ignore[arg-type]


def is_in_force(book: Book, model: DocumentId, version: Version) -> bool:
    """Whether the document of this model is in force in this version."""
    shelf = book.documents.get(f"{MODEL}/{model}")
    return shelf is not None and shelf.in_force == version


DECIDE: dict[type, Decide] = {RaiseFlag: raise_flag, ClearFlag: clear_flag}
