"""What `reporting` shows of approvals: never the command that waits, which may hold what is personal."""

from __future__ import annotations

from projections.view import AT, BOOK, CURRENCY, SEQ, Column, View, one_of, shown
from schemas.withheld import COMMANDS_WITHHELD

_ANSWERED = {
    "book": BOOK,
    "approval": "Seq of the event that asked for it.",
    "seq": SEQ,
    "answer": "yes or no.",
    "actor": "User who said it.",
    "person": "Id of the person behind the user.",
    "roles": "By which roles.",
    "on_behalf_of": "User in whose place, by a delegation; else empty.",
    "delegation": "Id of that delegation; else empty.",
    "counts": "Whether a yes still counts: its right was not lost and the terms have not changed since.",
    "shown": "Digest of the command and terms that were shown.",
    "at": AT,
}
_WITHHELD = one_of(kind.__name__ for kind in COMMANDS_WITHHELD)
VIEWS = (
    View(
        "approvals",
        "What waits for other people's yes, and what became of what waited. The command itself is not shown, "
        "and one that only risk staff sends is not here.",
        f"{{schema}}.approvals AS t WHERE t.command_type NOT IN ({_WITHHELD})",
        (
            *shown(
                {
                    "book": BOOK,
                    "approval": "Seq of the event that asked for it, by which it is named.",
                    "status": "waiting, approved, failed (then refused), declined, withdrawn, expired.",
                    "command_type": "Type of the command that waits.",
                    "command": "Its maker's id for it.",
                    "maker": "User or system that sent it.",
                    "currency": CURRENCY,
                }
            ),
            Column(
                "amount_minor", "t.amount", "Its one amount; null where it has none or several. Minor units."
            ),
            *shown(
                {
                    "policy": "The policy that asks; ~four-eyes is what a book opens with.",
                    "version": "Its version.",
                    "line": "Its line.",
                    "missing": "How many persons have still to say yes.",
                    "roles_left": "Roles by which somebody could still help.",
                    "persons_left": "Persons named by the policy who could still help.",
                    "shown": "Digest of the command and the terms that an approver is shown.",
                    "requested_at": "When it began to wait, book time.",
                    "expires_at": "When it is over without enough of them.",
                    "decided_at": "When it was decided, withdrawn or expired; null while it waits.",
                    "decided_by": "Whose command ended it; empty where a timer did.",
                    "outcome_seq": "Of the event that ended it; what was approved has its events behind it.",
                    "seq": "Number of the newest event about it.",
                }
            ),
        ),
    ),
    View(
        "approval_answers",
        "Every yes and no, and by which right.",
        "{schema}.approval_answers AS t",
        shown(_ANSWERED),
    ),
    View(
        "overrides",
        "What was said by an emergency role alone.",
        "{schema}.approval_answers AS t WHERE t.override",
        shown(_ANSWERED),
    ),
    View(
        "delegations",
        "Who stands or stood in for whom.",
        "{schema}.delegations AS t",
        shown(
            {
                "book": BOOK,
                "seq": "Number of the event that gave it.",
                "delegation": "Its id, which may be given again when it is over.",
                "delegator": "User who is absent.",
                "delegate": "User who may approve in that place.",
                "roles": "By which roles of the delegator's.",
                "from_at": "From when.",
                "until_at": "Until when.",
                "ended_at": "When it was over or revoked; null while it is not.",
            }
        ),
    ),
)
