"""What is kept from those who ask: that the bank or an authority acts against somebody (tipping-off).

A refusal keeps its reason and figures in the events, where staff and auditors find them. Whatever shows it to
who asked (the outcomes topic, the command line, the views of `reporting`) says what stands here instead: the
bank has declined it, as it says where rules did, and banks say to each other by MS03 of ISO 20022 where they
may not give the reason. A block that the account's holder wished for is told.
"""

from __future__ import annotations

from typing import Final

from schemas import case_commands, case_reports, case_work, flags, reported, reviews
from schemas.accounts import BY_HOLDER, BlockAccount, LiftBlock
from schemas.message import Command
from schemas.parties import RatePartyRisk
from schemas.payments import SetScreening

DECLINED: Final = "declined"
PROCESSING: Final = "processing"
"""What a payment waits for, where nobody outside may know it."""
WAITS_WITHHELD: Final = frozenset(
    {"risk_review", "party_screening", "payment_screening", "party_not_active", "account_blocked"}
)
STATUS_WITHHELD: Final = frozenset({"blocked"})
"""Of a party. That it is not yet accepted or that it has left, it knows."""

COMMANDS_WITHHELD: Final[frozenset[type[Command]]] = frozenset(
    {
        *flags.COMMANDS,
        *reviews.COMMANDS,
        *case_commands.COMMANDS,
        *case_work.COMMANDS,
        *case_reports.COMMANDS,
        reported.ReportAlerts,
        BlockAccount,
        LiftBlock,
        RatePartyRisk,
        SetScreening,
    }
)
"""What only staff asks for. That somebody has asked for it about somebody is not told either."""
KINDS_WITHHELD: Final = frozenset({"rules", "list", "model", "typologies", "case_policy"})
"""The kinds of documents that say what is looked for."""
TIMERS_WITHHELD: Final = frozenset(
    {"review", "flag", "case_touch", "case_close", "case_step", "case_wait", "case_report"}
)

Figures = dict[str, int | str]


def told(reason: str, figures: Figures) -> tuple[str, Figures]:
    """A refusal's reason and figures as who asked may see them."""
    if reason == "instruction_refused":
        refused = str(figures.get("refused", ""))
        if told(refused, figures)[0] != refused:
            return reason, {"index": figures["index"], "refused": DECLINED}
        return reason, figures
    return (DECLINED, {}) if is_withheld(reason, figures) else (reason, figures)


def is_withheld(reason: str, figures: Figures) -> bool:
    """Whether it says that the bank or an authority acts against somebody. Where figures are not at hand, as
    in a repeat, it is taken to.
    """
    if reason == "account_blocked":
        return figures.get("authority") != BY_HOLDER
    if reason == "party_not_active":
        return figures.get("status", "blocked") in STATUS_WITHHELD
    return False


def told_wait(reason: str, by: str) -> tuple[str, str]:
    """What a payment waits for, as who asked for it may see it."""
    return (PROCESSING, "") if reason in WAITS_WITHHELD else (reason, by)
