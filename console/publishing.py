"""Publishing documents, from the command line."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from console.documents import instant_in, the_book
from console.identity import acting_user, identity_of
from console.outcomes import outcome_of
from console.output import Output
from engine.embedded import connect
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import Out, wall_clock
from engine.settings import Settings
from gateway.document_files import command_of, read_drafts
from schemas.approvals import ApprovalRequested
from schemas.catalogue import decode_event, encode

_DIGEST = re.compile("[0-9a-f]{64}")


def publish(
    output: Output,
    home: Home,
    settings: Settings,
    files: Sequence[Path],
    effective: str | None,
    proof: str,
    as_user: str | None,
    book: str | None,
) -> int:
    """Publish what the files hold, in their order; returns how many documents were rejected.

    All files are read before the first document is sent. A version that is not given is the next one.
    proof: the digest of a what-if.
    """
    if proof and not _DIGEST.fullmatch(proof):
        raise WrongUse("A proof is the digest of a what-if: 64 hex digits.", "Ask `daybook what-if` for it.")
    drafts = [draft for path in files for draft in read_drafts(path)]
    at, found = the_book(home, settings, book)
    if found.clock == "wall":
        at = wall_clock()
    user = acting_user(home, settings, as_user)
    newest = {name: shelf.latest for name, shelf in found.documents.items()}
    rejected = 0
    with connect(home, settings, identity_of(home, user)) as connection:
        for draft in drafts:
            when = effective or draft.effective_from
            number = draft.version or newest.get(draft.name, 0) + 1
            command = command_of(
                draft,
                version=number,
                effective_from_ms=None if when is None else instant_in(found.time_zone, when),
                proof=proof,
                id=f"publish-{uuid.uuid4().hex}",
                book=found.id,
                actor=user,
                at_ms=at,
            )
            (answer,) = connection.submit([Out(found.id.encode(), encode(command))])
            outcome = outcome_of(answer)
            newest[draft.name] = max(number, newest.get(draft.name, 0))
            name = f"{draft.name}@{number}"
            if outcome.rejected:
                rejected += 1
                output.fail(f"{name}  {outcome.sentence().partition('  ')[2]}")
            elif type(first := decode_event(answer[0])) is ApprovalRequested:
                output.say(f"{name}  waits for approval: {first.seq}")
            else:
                output.say(f"{name}  {'published' if when is None else f'published, in force from {when}'}")
            output.emit(document=draft.name, version=number, **outcome.fields())
    return rejected
