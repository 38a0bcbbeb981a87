"""Refusals as detection reads them. Rules decline a movement by itself, or within what it is a part of."""

from __future__ import annotations

from typing import Final

import msgspec

from detection.face import Face
from schemas.approvals import ApprovalFailed
from schemas.bulk import InstructionRefused
from schemas.message import Event
from schemas.orders import StandingOrderMissed, StandingOrderSkipped
from schemas.rejections import CommandRejected


class FiguresFace(msgspec.Struct, gc=False, frozen=True):
    """refused: why the instruction was that a whole bulk was refused for."""

    refused: int | str = ""


class RefusedFace(Face, gc=False, frozen=True):
    """Whatever says that a movement was refused."""

    reason: str
    figures: FiguresFace = FiguresFace()
    restricted: str = ""


class RejectedFace(RefusedFace, gc=False, frozen=True, tag="CommandRejected"):
    pass


class InstructionFace(RefusedFace, gc=False, frozen=True, tag="InstructionRefused"):
    pass


class MissedFace(RefusedFace, gc=False, frozen=True, tag="StandingOrderMissed"):
    pass


class SkippedFace(RefusedFace, gc=False, frozen=True, tag="StandingOrderSkipped"):
    pass


class ApprovedFace(RefusedFace, gc=False, frozen=True, tag="ApprovalFailed"):
    pass


REFUSALS: Final[dict[type[Event], type[RefusedFace]]] = {
    CommandRejected: RejectedFace,
    InstructionRefused: InstructionFace,
    StandingOrderMissed: MissedFace,
    StandingOrderSkipped: SkippedFace,
    ApprovalFailed: ApprovedFace,
}
"""The events of refusals, each by its face."""
