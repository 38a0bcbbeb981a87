"""How a book comes to know the system `triage`: what an administrator sends once, for each book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from detection.triage import SYSTEM
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.flags import RaiseFlag
from schemas.message import Command
from schemas.reported import ReportAlerts

SAYS: Final = (ReportAlerts, RaiseFlag)
"""All that it ever sends."""


def introduction(book: str, actor: str, at_ms: int) -> Sequence[Command]:
    """The commands by which `actor` has the book know the system and let it do what it does, no more."""
    permits = tuple(Permit(command=str(one.__struct_config__.tag)) for one in SAYS)
    return [
        RegisterSystem(
            id=f"{SYSTEM}-system", book=book, actor=actor, issued_at_ms=at_ms, system=SYSTEM, purpose="triage"
        ),
        DefineRole(
            id=f"{SYSTEM}-role", book=book, actor=actor, issued_at_ms=at_ms, role=SYSTEM, permits=permits
        ),
        GrantRole(
            id=f"{SYSTEM}-grant", book=book, actor=actor, issued_at_ms=at_ms, subject=SYSTEM, role=SYSTEM
        ),
    ]
