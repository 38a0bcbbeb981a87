"""Which commands are urgent: decided also while a book answers `busy` to all others, because their waiting
does harm that the others' waiting does not.

A type that is not in the table waits. Nobody makes an ordinary command urgent by sending it in another way.
"""

from __future__ import annotations

from typing import Final

from schemas.access import ReinstateActor, RevokeRole, SuspendActor
from schemas.accounts import BlockAccount, LiftBlock
from schemas.approvals import Approve, Decline, RevokeDelegation, Withdraw
from schemas.books import AdvanceTime, ConfirmClock, SetRepeatWindow
from schemas.crossbook import AcknowledgeCrossBook, CompleteCrossBook, ReleaseCrossBook
from schemas.holds import ReleaseHold
from schemas.message import Command
from schemas.orders import PauseStandingOrder
from schemas.parties import ChangePartyStatus
from schemas.payments import CancelPayment, RecallPayment, SetScreening
from schemas.rail_reports import ReportPayment
from schemas.reviews import DeclinePayment, ReleasePayment
from schemas.stops import ResumePayments, StopPayments

BECAUSE: Final[dict[str, tuple[type[Command], ...]]] = {
    "it keeps money from leaving": (
        StopPayments,
        ResumePayments,
        BlockAccount,
        LiftBlock,
        ChangePartyStatus,
        SetScreening,
        CancelPayment,
        RecallPayment,
        PauseStandingOrder,
    ),
    "it takes leave from someone": (SuspendActor, ReinstateActor, RevokeRole, RevokeDelegation),
    "people wait for it, and funds with it": (
        Approve,
        Decline,
        Withdraw,
        ReleaseHold,
        ReleasePayment,
        DeclinePayment,
    ),
    "it ends what another book or a rail has begun": (
        CompleteCrossBook,
        ReleaseCrossBook,
        AcknowledgeCrossBook,
        ReportPayment,
    ),
    "the book itself stands still without it": (ConfirmClock, AdvanceTime, SetRepeatWindow),
}
"""The urgent types by what makes them so."""

URGENT: Final[frozenset[type[Command]]] = frozenset(kind for kinds in BECAUSE.values() for kind in kinds)
