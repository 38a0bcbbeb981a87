"""The demo bank: the same bytes for a seed, and every command gets the answer that was meant."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.demo_bank import DemoBank
from gateway.demo_pen import REPEATED, Sent
from schemas import orders, payments_in
from schemas.catalogue import COMMAND_TYPES, Undecodable, decode_command, decode_event
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.withheld import COMMANDS_WITHHELD
from tests.intake import Intake

ROOT = Path(__file__).parent.parent


def answered(bank: DemoBank) -> tuple[list[Sent], list[str], Intake]:
    """All of a bank's commands and what the engine answers each: a reason, `repeated`, or nothing."""
    intake, sents = Intake(), list(bank.sent())
    answers: list[str] = []
    for start in range(0, len(sents), 5_000):
        for values in intake.submit([sent.out for sent in sents[start : start + 5_000]]):
            first = decode_event(values[0])
            if isinstance(first, CommandRejected):
                answers.append(first.reason)
            else:
                answers.append(REPEATED if isinstance(first, CommandRepeated) else "")
    return sents, answers, intake


def digest(bank: DemoBank) -> str:
    whole = hashlib.sha256()
    for out in bank.outs():
        whole.update(out.key + b"\n" + out.value + b"\n")
    return whole.hexdigest()


@pytest.mark.parametrize(
    ("seed", "parties", "days"),
    [
        (1, 200, 31),
        (2, 10, 90),
        (3, 2, 14),
        (6, 2, 366),
        (4, 1_000, 3),
        (1, 2_000, 30),
        (5, 50, 366),
    ],
)
def test_every_command_is_answered_as_the_generator_means_it(seed: int, parties: int, days: int) -> None:
    """The generator keeps its own books: balances, blocks, and the seq of every event it refers to."""
    bank = DemoBank(seed, parties, days)
    sents, answers, intake = answered(bank)
    wrong = Counter(
        (sent.kind, sent.expected, answer)
        for sent, answer in zip(sents, answers, strict=True)
        if sent.expected != answer
    )
    assert not wrong
    book = intake.book(bank.book)
    assert {name: one.booked + one.overdraft for name, one in book.accounts.items()} == bank.balances()
    assert sum(one.booked for one in book.accounts.values()) == 0
    assert all(one.booked + one.overdraft >= 0 for one in book.accounts.values() if one.kind == "customer")


def test_the_bank_is_small_but_has_everything_in_it() -> None:
    bank = DemoBank(7, 300, 30)
    kinds: Counter[str] = Counter()
    for out in bank.outs():
        try:
            kinds[type(decode_command(out.value)).__name__] += 1
        except Undecodable:
            kinds["undecodable"] += 1
    expected = {line.expected for line in bank.story()}
    assert expected == {
        "",
        REPEATED,
        "insufficient_funds",
        "account_blocked",
        "account_not_found",
        "account_not_open",
        "account_not_empty",
        "party_not_active",
        "currency_mismatch",
        "same_account",
        "not_permitted",
        "id_reused",
        "undecodable",
        "unknown_book",
        "value_date_in_future",
        "period_not_open",
        "already_reversed",
        "refund_exceeds_original",
        "transfer_not_found",
        "too_old",
    }
    unused = {"ConfirmClock", "ClosePeriod", "SetRepeatWindow", "RegisterAsset", "SuspendActor"}
    unused |= {"ReinstateActor", "RevokeRole", "ChangePartyProfile", "SetOverdraft", "LiftBlock"}
    unused |= {"PublishDocument", "SubmitBulk"}
    unused |= {one.__name__ for one in (*payments_in.COMMANDS, *orders.COMMANDS)}
    unused |= {"CapitaliseInterest", "CloseYear"}
    unused |= {"SendToBook", "ReceiveFromBook", "CompleteCrossBook", "ReleaseCrossBook"}
    unused |= {"AcknowledgeCrossBook"}
    unused |= {"Approve", "Decline", "Withdraw", "Delegate", "RevokeDelegation", "RatePartyRisk"}
    unused |= {"RaiseLimit", "WaiveFee"}
    unused |= {"PlaceHold", "RaiseHold", "CaptureHold", "ReleaseHold"}
    unused |= {"SubmitPayment", "CancelPayment", "RecallPayment", "SetScreening", "ReportPayment"}
    unused |= {"RepairPayment", "StopPayments", "ResumePayments"}
    unused |= {"RequestQuote", "Exchange", "PostBackValued"}
    unused |= {kind.__name__ for kind in COMMANDS_WITHHELD}
    assert COMMAND_TYPES.keys() - kinds.keys() <= unused
    assert bank.commands == sum(kinds.values()) == sum(line.commands for line in bank.story())
    refused = sum(line.commands for line in bank.story() if line.expected)
    assert 0.01 < refused / bank.commands < 0.3


def test_the_default_bank_has_the_size_that_was_promised() -> None:
    bank = DemoBank()
    assert 60_000 <= sum(1 for _ in bank.outs()) <= 100_000


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed_and_time_zone() -> None:
    here = digest(DemoBank(11, 60, 20))
    assert here == digest(DemoBank(11, 60, 20))
    assert here != digest(DemoBank(12, 60, 20))
    code = "from tests.demo_test import digest, DemoBank; print(digest(DemoBank(11, 60, 20)))"
    for hash_seed, zone in (("1", "Asia/Kolkata"), ("2", "America/New_York")):
        there = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """A change of this digest is a change of the demo, and so of every figure that documents quote."""
    assert digest(DemoBank(11, 60, 20)) == "5edb6163274aa86c0a76679b8653e28662c59fc5b125c88b597a2a538fbc7806"


def test_two_engines_given_the_same_bank_end_with_the_same_digest() -> None:
    assert answered(DemoBank(3, 40, 10))[2].digest() == answered(DemoBank(3, 40, 10))[2].digest()
