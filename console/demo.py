"""The demo: a small bank for a month, decided, projected and verified before your eyes."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from console import demo_day, demo_kafka, demo_risk, demo_stream
from console.demo_tables import show, what_next
from console.options import LogKind
from console.outcomes import outcome_of
from console.output import Output
from console.read_models import AT_ONCE
from console.sites import administrator, at_home, make_home
from engine.embedded import EachPartition, InProcess, Submits, site_digest
from engine.genesis import begin
from engine.home import Home, HomeFile, HomeInUse
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.settings import Settings
from engine.site import OpenLog, Site
from gateway.demo_bank import BOOK, DemoBank
from gateway.demo_risk import BOOK as RISK_BOOK
from projections.database import open_database
from projections.position import OtherLog
from projections.projector import Projector
from projections.rebuild import Rebuilt, rebuild
from replay.redecide import Redecided, redecide, together
from replay.verify import Verified, verify_all

HOME = ".daybook-demo"
USER = "admin"
BATCH = 4_000


def run(output: Output, settings: Settings, *, seed: int, parties: int, days: int, log: LogKind) -> bool:
    """Make the demo's home anew, run the bank through it, prove it, show it. False where a proof failed."""
    root = settings.home or Path.cwd() / HOME
    _may_be_made_anew(root)
    with contextlib.ExitStack() as stack:
        own_broker = log == "kafka" and settings.kafka_bootstrap is None
        topics = None
        if log == "kafka":
            settings, topics = demo_kafka.place(output, settings, stack)
        shutil.rmtree(root, ignore_errors=True)
        make_home(
            root, settings, HomeFile(1, USER, demo=True, log="sqlite" if log == "memory" else log), topics
        )
        output.say(f"A bank of {parties:,} parties over {days} days, seed {seed}, in {root}.")
        home, settings = stack.enter_context(at_home(settings.model_copy(update={"home": root})))
        database = stack.enter_context(open_database(home.postgres, settings.database_url))
        site = Site(home, settings)
        engine, logs = _engine(log, site, stack)
        bank = DemoBank(seed, parties, days, admin=USER)
        outcomes, events, decided_s = _decide(output, engine, bank.outs())
        day = demo_day.decide(output, engine.submit, USER)
        month = demo_risk.live(output, engine.submit, USER, site, logs)
        projected_s = _project(output, database.dsn, logs)
        began = time.perf_counter()
        verified = verify_all(enumerate(logs), several=len(logs) > 1)
        verified_s = time.perf_counter() - began
        book = engine.book(BOOK)
        commands = sum(outcomes.values())
        accepted = outcomes["accepted"] + outcomes["repeated"]  # of which the first one was accepted
        again_s, again = _redecide(logs)
        rebuilt_s, rebuilt = _rebuild(database.dsn, logs)
        demo_risk.show(output, month, logs[site.partition_of(RISK_BOOK)])
        demo_day.balance(output, database.dsn)
        show(output, database.dsn, book, bank, outcomes, events)
        output.head("How fast, on this machine")
        output.table(
            "",
            ["step", ">count", ">seconds", ">per second"],
            [
                _speed("commands decided and made durable", commands, decided_s),
                _speed("events projected to PostgreSQL", verified.events, projected_s),
                _speed("events verified", verified.events, verified_s),
                _speed("commands decided again, to the byte", again.commands, again_s),
                _speed("events projected anew, and every row compared", rebuilt.events, rebuilt_s),
            ],
        )
        ok = _proven(output, verified, again, rebuilt) and month.ok and all(line.meant for line in day)
        output.say(f"\nDigest {verified.digest}: the same seed gives the same on every machine and log.")
        if isinstance(engine, EachPartition):
            ok = demo_stream.again(output, engine, site, len(month.alerts)) and ok
            output.say(f"Digest {site_digest(site)} with what they have said.")
    output.emit(
        commands=commands,
        accepted=accepted,
        rejected=commands - accepted,
        events=verified.events,
        digest=verified.digest,
        day=len(day),
        alerts=len(month.alerts),
        cases=len(month.order),
        ok=ok,
    )
    if log == "kafka" and own_broker:
        output.say(f"\n{demo_kafka.ENDED}")
    elif log != "memory":
        what_next(output, home, book, demo_kafka.exports(settings) if log == "kafka" else ())
    return ok


def _proven(output: Output, verified: Verified, again: Redecided, rebuilt: Rebuilt) -> bool:
    for problem in verified.problems:
        output.fail(str(problem))
    for difference in again.differences:
        output.fail(f"decided again, {difference.what} (seq {difference.seq} of {difference.book})")
    for table in rebuilt.tables:
        if table.differing:
            output.fail(f"made anew, {table.name} has {table.differing} other rows")
    return verified.ok and again.ok and rebuilt.identical


def _may_be_made_anew(root: Path) -> None:
    home = Home(root)
    if root.exists() and (not home.exists() or not home.read().demo):
        raise HomeInUse(f"{root} is not a demo's home, and a demo makes its home anew.")


def _engine(
    log: LogKind, site: Site, stack: contextlib.ExitStack
) -> tuple[InProcess | EachPartition, Sequence[OpenLog | MemoryLog]]:
    """What decides, and a reader of each partition."""
    if log == "memory":
        memory = MemoryLog()
        begin(memory, [administrator(USER)], wall_clock())
        return InProcess(memory), [memory]
    if log == "kafka":
        return EachPartition(site, stack), stack.enter_context(site.read_all())
    writer = stack.enter_context(site.write())
    return InProcess(writer), [writer]


def _decide(
    output: Output, engine: Submits, commands: Iterable[Out]
) -> tuple[Counter[str], Counter[str], float]:
    outcomes: Counter[str] = Counter()
    events: Counter[str] = Counter()
    took = 0.0
    stream = iter(commands)
    with output.progress() as bar:
        task = bar.add_task("deciding", total=None)
        while batch := list(islice(stream, BATCH)):
            began = time.perf_counter()
            answers = engine.submit(batch)
            took += time.perf_counter() - began
            for answer in answers:
                outcome = outcome_of(answer)
                outcomes[outcome.reason or outcome.verdict] += 1
                events.update(outcome.events)
            bar.update(task, advance=len(batch))
    return outcomes, events, took


def _project(output: Output, dsn: str, logs: Sequence[OpenLog | MemoryLog]) -> float:
    began = time.perf_counter()
    done, others = 0, False
    with output.progress() as bar:
        task = bar.add_task("projecting", total=None)
        for partition, log in enumerate(logs):
            try:
                projector = Projector(dsn, log, partition)
            except OtherLog:
                others = True
                continue
            with contextlib.closing(projector):
                others = others or projector.offset > BEFORE_FIRST
                while applied := projector.step(AT_ONCE):
                    done += applied
                    bar.update(task, completed=done)
    if others:  # a demo has been there, in a database of its own
        rebuild(dsn, logs, anew=True)
    return time.perf_counter() - began


def _redecide(logs: Sequence[OpenLog | MemoryLog]) -> tuple[float, Redecided]:
    began = time.perf_counter()
    found = together([redecide(log) for log in logs])
    return time.perf_counter() - began, found


def _rebuild(dsn: str, logs: Sequence[OpenLog | MemoryLog]) -> tuple[float, Rebuilt]:
    began = time.perf_counter()
    found = rebuild(dsn, logs, compare_only=True)
    return time.perf_counter() - began, found


def _speed(what: str, count: int, seconds: float) -> tuple[str, str, str, str]:
    return what, f"{count:,}", f"{seconds:.2f}", f"{count / seconds:,.0f}"
