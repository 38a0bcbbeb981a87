"""Everything at once: whatever business the banks do, history holds, is decided again and shown as it is."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence

import pytest

from book.digest import partition_digest
from engine.fold import Folded
from engine.log.faults import Faults
from engine.log.records import BEFORE_FIRST
from engine.snapshots import decode_snapshot, encode_snapshot
from projections.database import connect
from replay.redecide import redecide
from replay.verify import verify
from schemas.catalogue import MONEY_EVENTS, RESERVING_EVENTS
from schemas.fees import Fee
from schemas.rejections import CommandRejected
from schemas.reserves import Use
from schemas.reviews import PaymentDeclined, ReviewReleased
from schemas.risk import RiskAssessed
from tests.projecting import is_right, projector
from tests.projections_test import check_accounts
from tests.random_business import Business


def holds(business: Business) -> None:
    """What is proven of every history, and that no decision ended in a bug of ours."""
    events = business.events()
    failed = [
        event.restricted
        for event in events
        if isinstance(event, CommandRejected) and event.reason == "internal_error"
    ]
    assert failed == []
    log = business.log.reader()
    assert (found := verify(log)).ok, found.problems
    assert (again := redecide(log)).ok, again.differences
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    assert partition_digest(folded.partition) == partition_digest(business.worker.folded.partition)
    what_is_reserved_is_open(business)


def what_is_reserved_is_open(business: Business) -> None:
    """Funds and room under limits are reserved for what is open, and for nothing else."""
    for book in business.worker.folded.partition.books.values():
        held: Counter[str] = Counter()
        used: Counter[tuple[str, str, str, int]] = Counter()
        captured: Counter[tuple[str, str, str, int]] = Counter()
        for waiting in book.approvals.waiting.values():
            held.update({one.account: one.amount for one in waiting.reserves})
            _count(used, waiting.uses)
        for hold in book.holds.values():
            held[hold.account] += hold.left
            for fee, charged in zip(hold.fees, hold.charged, strict=True):
                held[fee.account] += fee.amount - charged
            _count(captured, hold.uses)  # of which a part may be final already
        for deferred in book.deferred.values():  # credits whose value date is to come
            held.update(deferred.reserved)
        for payment in book.payments.by_id.values():
            if payment.status == "waiting":
                held[payment.account] += payment.amount
                _hold_fees(held, payment.fees)
                _count(used, payment.uses)
        for other in book.crossings.others.values():
            for crossing in other.on_the_way.values():
                held[crossing.account] += crossing.amount
                held[crossing.inter_book] += crossing.amount
                _hold_fees(held, crossing.fees)
                _count(used, crossing.uses)
        assert {name: one.held for name, one in book.accounts.items() if one.held} == +held
        for by, holders in (("account", book.accounts), ("party", book.parties)):
            for key, holder in holders.items():
                for limit, usage in (holder.usage or {}).items():
                    for bucket in usage.buckets():
                        total, reserved = usage.slice_of(bucket) or (0, 0)
                        of = (limit, by, key, bucket)
                        assert used[of] <= reserved <= min(total, used[of] + captured[of]), of


def _count(counted: Counter[tuple[str, str, str, int]], uses: Sequence[Use]) -> None:
    for one in uses:
        counted[one.limit, one.by, one.key, one.bucket] += one.amount


def _hold_fees(held: Counter[str], fees: Sequence[Fee]) -> None:
    for fee in fees:
        held[fee.account] += fee.amount


@pytest.mark.parametrize("seed", range(6))
def test_history_holds_whatever_happens(seed: int) -> None:
    business = Business(seed)
    business.run(250)
    holds(business)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_history_holds_whatever_happens_at_length(seed: int) -> None:
    business = Business(seed)
    business.run(1_200)
    holds(business)


@pytest.mark.parametrize("seed", range(4))
def test_history_holds_wherever_the_engine_crashes(seed: int) -> None:
    """Before and after commits, with lost acknowledgements, and records that come twice."""
    business = Business(seed, faults=Faults(seed=seed, commit_rate=0.1, submit_rate=0.1))
    business.run(250)
    assert business.crashes > 10
    business.log = business.log.reopen(faults=Faults())
    business._recover()
    holds(business)


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_anywhere_is_the_state(seed: int) -> None:
    business = Business(seed)
    business.run(200)
    records = list(business.log.events(BEFORE_FIRST))
    whole = Folded()
    whole.apply(records)
    for place in range(len(records) // 7, len(records), len(records) // 7):
        part = Folded()
        part.apply(records[:place])
        back = decode_snapshot(encode_snapshot(part))
        assert back is not None
        back.apply(records[place:])
        assert partition_digest(back.partition) == partition_digest(whole.partition)
        assert encode_snapshot(back) == encode_snapshot(whole)


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_the_read_models_are_the_same_live_and_rebuilt(postgres_dsn: str, limit: int) -> None:
    business = Business(limit)
    business.run(250 if limit > 1 else 100)
    log = business.log.reader()
    with projector(postgres_dsn, log) as one:
        one.catch_up(limit)
    with contextlib.closing(connect(postgres_dsn)) as session:
        for name, book in business.worker.folded.partition.books.items():
            check_accounts(session, name, book)
    assert is_right(postgres_dsn, log)


def test_the_histories_are_worth_their_name() -> None:
    """Most types of event happen, so that a capability which stops taking part is missed."""
    seen: Counter[type] = Counter()
    declined = 0
    for seed in range(6):
        business = Business(seed)
        business.run(250)
        seen.update(type(event) for event in business.events())
        declined += sum(getattr(event, "reason", "") == "declined" for event in business.events())
    assert seen[RiskAssessed] > 10
    assert declined > 0
    assert seen[PaymentDeclined] + seen[ReviewReleased] > 0
    assert len(seen.keys() & (MONEY_EVENTS | RESERVING_EVENTS)) > 20, sorted(one.__name__ for one in seen)
