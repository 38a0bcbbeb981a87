"""The words of approvals, for stories: staff with roles, policies, and yes or no to what waits."""

from __future__ import annotations

from typing import Any

from book.waiting import Waiting
from schemas.access import RegisterUser
from schemas.approvals import Approve, Decline, Withdraw
from schemas.publishing import PublishDocument
from schemas.transfers import Transfer
from tests.story import Said, Word, grant, role, say, story, user

CHECKING = (Approve, Decline, Withdraw)


def staff() -> Word:
    """mia makes payments; cora, carl and cleo check them; max is head of risk."""
    return [
        role("maker", Transfer, "Withdraw", "PostEntries"),
        role("checker", *CHECKING),
        role("risk", *CHECKING),
        user("mia", roles=["maker"]),
        *(user(name, roles=["checker"]) for name in ("cora", "carl", "cleo")),
        user("max", roles=["risk"]),
    ]


def line(
    *commands: str, roles: tuple[str, ...] = ("checker",), count: int = 1, **fields: Any
) -> dict[str, Any]:
    """A policy line that asks so many persons with one of these roles."""
    needs = fields.pop("needs", [{"roles": list(roles), "count": count}])
    name = fields.pop("id", "-".join(commands).lower()[:60])
    return {"id": name, "commands": list(commands or ("Transfer",)), "needs": needs, **fields}


def policy(*lines: dict[str, Any], version: int = 1, document: str = "payments", **fields: Any) -> Said:
    """A version of an approval policy."""
    return say(
        PublishDocument,
        kind="approval_policy",
        document=document,
        version=version,
        body={"lines": list(lines)},
        **fields,
    )


def roles(*definitions: dict[str, Any], version: int = 1, **fields: Any) -> Said:
    """A version of a roles document."""
    return say(
        PublishDocument,
        kind="roles",
        document="roles",
        version=version,
        body={"roles": list(definitions), **fields},
    )


def newest() -> int:
    """The approval that was asked for last."""
    return max(story().book.approvals.waiting)


def waiting(approval: int | None = None) -> Waiting:
    return story().book.approvals.waiting[newest() if approval is None else approval]


def approve(by: str, approval: int | None = None, shown: str | None = None) -> Said:
    """Say yes to what was shown last; to the newest that waits unless it is told."""
    number = newest() if approval is None else approval
    seen = story().book.approvals.waiting.get(number)
    return say(Approve, approval=number, shown=shown or (seen.shown if seen else "0" * 64)).by(by)


def decline(by: str, approval: int | None = None) -> Said:
    return say(Decline, approval=newest() if approval is None else approval, reason="not so").by(by)


def withdraw(by: str, approval: int | None = None) -> Said:
    return say(Withdraw, approval=newest() if approval is None else approval, reason="changed my mind").by(by)


def held(account: str) -> int:
    return story().book.accounts[account].held


def second_user(user_id: str, of: str, *granted: str) -> Word:
    """Another user of the person behind a user of `user(...)`."""
    return [say(RegisterUser, user=user_id, person=f"person-{of}"), *(grant(user_id, one) for one in granted)]
