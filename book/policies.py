"""Approval policies in force, by command type, so that a command without one costs a single look-up."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas.documents.approval_policies import ApprovalPolicy, Group, PolicyLine, When

FOUR_EYES = "~four-eyes"
"""The policy that a book opens with. No document has such a name."""
GUARDED: tuple[str, ...] = (
    "DefineRole",
    "GrantRole",
    "RevokeRole",
    "RegisterUser",
    "RegisterSystem",
    "ReinstateActor",
    "PublishDocument",
)
"""What needs a second administrator, in a book that opened with four eyes, wherever no document asks more."""
BUILT_IN = PolicyLine(
    id="administrators",
    commands=GUARDED,
    needs=(Group(roles=("administrator",)),),
    expires_after_s=7 * 86_400,
)


CARRIED = ("Transfer", "SubmitPayment")
"""What an instruction of a bulk or an order becomes."""
CARRIERS = ("SubmitBulk", "SchedulePayment", "CreateStandingOrder", "ChangeStandingOrder")
"""The commands that carry instructions: what policy asks of those, it asks of these."""


class LineInForce(msgspec.Struct):
    """A line, and where it stands. approvers: how many persons it asks.

    floors: from which amount on, by currency.
    """

    policy: str
    version: int
    line: PolicyLine
    approvers: int
    floors: dict[str, int]


class LinesInForce(msgspec.Struct):
    """The lines of one command type, in the order in which they are asked.

    amounts_only: nothing but amounts narrows any, which is quickly asked.   sums: some add up over time.
    """

    lines: tuple[LineInForce, ...]
    amounts_only: bool
    sums: bool


def compiled(
    documents: Iterable[tuple[str, int, ApprovalPolicy]], *, four_eyes: bool
) -> dict[str, LinesInForce]:
    """The lines by command type; those that ask most persons first, so that the first that asks counts."""
    lines = [
        _in_force(policy, version, line) for policy, version, document in documents for line in document.lines
    ]
    lines.sort(key=lambda one: -one.approvers)  # stable: of those that ask as many, the first
    if four_eyes:
        lines.append(_in_force(FOUR_EYES, 0, BUILT_IN))
    found: dict[str, list[LineInForce]] = {}
    for one in lines:
        names = dict.fromkeys(one.line.commands)
        if not names.keys().isdisjoint(CARRIED):
            names |= dict.fromkeys(CARRIERS)
        for command in names:
            found.setdefault(command, []).append(one)
    return {command: _together(tuple(its)) for command, its in found.items()}


def _together(lines: tuple[LineInForce, ...]) -> LinesInForce:
    return LinesInForce(
        lines,
        amounts_only=all(_amounts_only(one.line.when) for one in lines),
        sums=any(one.line.when.together is not None for one in lines),
    )


def _amounts_only(when: When) -> bool:
    return bool(when.amounts) and not (when.document_kinds or when.segments or when.risks or when.together)


def _in_force(policy: str, version: int, line: PolicyLine) -> LineInForce:
    return LineInForce(policy, version, line, sum(group.count for group in line.needs), line.when.amounts)
