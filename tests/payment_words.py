"""Holds and payments in the domain's words, for stories: the rail `sepa` in EUR and what it needs."""

from __future__ import annotations

from typing import Any, get_args

from book.payment import Payment
from schemas.fields import Screening
from schemas.holds import CaptureHold, PlaceHold, RaiseHold, ReleaseHold
from schemas.payments import CancelPayment, Payee, RecallPayment, SetScreening, SubmitPayment
from schemas.publishing import PublishDocument
from schemas.rail_reports import ReportPayment, ReportStatus
from schemas.repairs import RepairAction, RepairPayment
from schemas.stops import ResumePayments, StopPayments, StopScope
from tests.story import Said, Word, internal, role, say, story, system, user

HOUR_MS = 3_600_000
SEPA: dict[str, Any] = {
    "name": "SEPA credit transfers",
    "adapter": "sepa-gate",
    "currencies": [
        {
            "currency": "EUR",
            "nostro": "nostro",
            "in_transit": "sepa-transit",
            "suspense": "sepa-suspense",
            "maximum": 1_000_000,
        }
    ],
    "answer_within_ms": HOUR_MS,
    "resends": 2,
}
PAYEE = Payee(name="Paula Payee", account="DE02120300000000202051", agent="BYLADEM1001", country="DE")


def rail(version: int = 1, **changes: Any) -> Said:
    """A version of the rail `sepa`."""
    body = {**SEPA, **changes}
    return say(PublishDocument, kind="rail", document="sepa", version=version, body=body)


def rail_of(name: str) -> Word:
    """Another rail, with accounts of its own: `NAME-nostro`, `NAME-transit`, `NAME-suspense`."""
    through = {
        "nostro": f"{name}-nostro",
        "in_transit": f"{name}-transit",
        "suspense": f"{name}-suspense",
    }
    body = {**SEPA, "currencies": [{"currency": "EUR", **through}]}
    return [
        internal(through["nostro"]),
        internal(through["in_transit"], "suspense"),
        internal(through["suspense"], "suspense"),
        say(PublishDocument, kind="rail", document=name, version=1, body=body),
    ]


def rails(**changes: Any) -> Word:
    """The rail `sepa` with its accounts, and the system `sepa-gate` that speaks for it."""
    return [
        internal("sepa-transit", "suspense"),
        internal("sepa-suspense", "suspense"),
        role("rail-adapter", ReportPayment),
        system("sepa-gate", roles=["rail-adapter"]),
        rail(**changes),
    ]


def repairers() -> Word:
    """Two users of two persons who may repair: `rita` and `rolf`."""
    return [
        role("repairs", RepairPayment),
        user("rita", roles=["repairs"]),
        user("rolf", roles=["repairs"]),
    ]


def pay(payment: str, amount: int, account: str = "alice", **fields: Any) -> Said:
    given = {"currency": "EUR", "rail": "sepa", "payee": PAYEE, **fields}
    return say(SubmitPayment, payment=payment, account=account, amount=amount, **given)


def cancel(payment: str) -> Said:
    return say(CancelPayment, payment=payment, reason="changed my mind")


def recall(payment: str) -> Said:
    return say(RecallPayment, payment=payment, reason="paid twice")


def report(payment: str, status: ReportStatus, amount: int | None = None, ref: str = "", **more: Any) -> Said:
    """What the rail's adapter says."""
    assert status in get_args(ReportStatus)
    return say(ReportPayment, payment=payment, status=status, amount=amount, rail_reference=ref, **more).by(
        "sepa-gate"
    )


def repair(payment: str, action: RepairAction, by: str = "rita") -> Said:
    return say(RepairPayment, payment=payment, action=action, reason="called the bank").by(by)


def screened(subject: str, of: str, state: Screening) -> Said:
    return say(SetScreening, subject=subject, of=of, state=state, reason="list 7")


def stop(stop_id: str, scope: StopScope = "book", value: str = "") -> Said:
    return say(StopPayments, stop=stop_id, scope=scope, value=value, reason="outage")


def resume(stop_id: str) -> Said:
    return say(ResumePayments, stop=stop_id, reason="over")


def hold(account: str, amount: int, hold_id: str = "h", **fields: Any) -> Said:
    return say(PlaceHold, hold=hold_id, account=account, amount=amount, **{"currency": "EUR", **fields})


def raised(amount: int, hold_id: str = "h", **fields: Any) -> Said:
    return say(RaiseHold, hold=hold_id, amount=amount, **fields)


def capture(amount: int, credit: str = "shop", hold_id: str = "h", **fields: Any) -> Said:
    return say(CaptureHold, hold=hold_id, amount=amount, credit=credit, **fields)


def release(hold_id: str = "h") -> Said:
    return say(ReleaseHold, hold=hold_id, reason="no longer needed")


def the_payment(payment: str) -> Payment:
    return story().book.payments.by_id[payment]
