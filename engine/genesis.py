"""How a log begins: a page with one event, which opens the system book and names its administrators."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from msgspec.structs import force_setattr

from book.state import SYSTEM_BOOK
from commands.decide import RELEASE
from engine.epochs import epoch_id_of
from engine.links import FIRST_LINK, linked
from engine.log.records import BEFORE_FIRST, BookLog, Out
from schemas.books import Administrator, SystemBookOpened
from schemas.catalogue import encode


def begin(
    log: BookLog, administrators: Sequence[Administrator], at_ms: int, epoch_id: str | None = None
) -> bool:
    """Write the first event of an empty log. False, and nothing is written, where it has begun already.

    epoch_id: by which receipts know the log; by where it is kept, or by chance, unless a simulation says it.
    """
    if next(iter(log.events(BEFORE_FIRST)), None) is not None:
        return False
    event = SystemBookOpened(
        administrators=tuple(administrators),
        release=RELEASE,
        epoch_id=epoch_id or epoch_id_of(log) or secrets.token_hex(8),
    )
    force_setattr(event, "seq", 1)
    force_setattr(event, "book", SYSTEM_BOOK)
    force_setattr(event, "at", at_ms)
    outs = [Out(SYSTEM_BOOK.encode(), encode(event))]
    linked(FIRST_LINK, outs)
    log.commit(outs, BEFORE_FIRST, at_ms)
    return True
