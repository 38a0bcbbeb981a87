"""What is proven of every history when all has come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from book.digest import book_digest, partition_digest
from book.state import SYSTEM_BOOK
from engine.fold import Folded
from engine.log.records import BEFORE_FIRST, Record
from engine.publisher import published
from engine.receipts import read_links
from engine.snapshots import belongs, decode_snapshot
from engine.worker import Worker
from projections.accounts import BALANCES
from projections.audit import AUDIT
from projections.batches import batches
from projections.commands import COMMANDS
from projections.entries import ENTRIES
from projections.read_models import changes_of
from replay.redecide import redecide
from replay.verify import verify_all
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.rejections import CommandRejected
from tests.simulation.money import is_settled
from tests.simulation.opening import opened
from tests.simulation.processes import Partition
from tests.simulation.rows import Rows
from tests.simulation.site import KEY, Broken, Site


def prove(site: Site) -> None:
    """Raises Broken with everything that does not hold."""
    site.check_money()
    problems = [*is_settled(site.fold()), *_verified(site.partitions)]
    for partition, rows in zip(site.partitions, site.rows, strict=True):
        folded = site.folded[partition.number]
        events = [decode_event(one.value) for one in partition.log.events(BEFORE_FIRST)]
        found = (
            *_answered(partition, events),
            *_told(partition, events),
            *_published(partition),
            *(str(difference) for difference in redecide(partition.log).differences),
            *_shown(partition, rows, folded),
            *_snapshots(partition, folded),
            *_undisturbed(site, partition, folded),
        )
        problems += [f"partition {partition.number}: {problem}" for problem in found]
    if problems:
        raise Broken("\n".join(problems))


def _answered(partition: Partition, events: Sequence[Event]) -> Iterator[str]:
    """By counting alone, without any of the code that verify shares with the engine."""
    answers: Counter[int] = Counter()
    before = BEFORE_FIRST
    seqs: Counter[str] = Counter()
    for event in events:
        seqs[event.book] += 1
        if event.seq != seqs[event.book]:
            yield f"{event.book} has seq {event.seq} where {seqs[event.book]} belongs"
        if event.cause >= 0:
            if event.cause != before:
                answers[event.cause] += 1
            before = event.cause
        if isinstance(event, CommandRejected) and event.reason == "internal_error":
            yield f"a decision failed: {event.restricted}"
    stored = [one.offset for one in partition.log.commands(BEFORE_FIRST, 1_000_000, 0.0)]
    if list(answers) != stored or any(count != 1 for count in answers.values()):
        yield f"commands without answer: {sorted(set(stored) - set(answers))}, answered twice: " + str(
            [offset for offset, times in answers.items() if times > 1]
        )


def _told(partition: Partition, events: Sequence[Event]) -> Iterator[str]:
    """What upstream was told is what stood in the log at that time."""
    stored: dict[int, list[Record]] = {}
    for one, event in zip(partition.log.events(BEFORE_FIRST), events, strict=True):
        stored.setdefault(event.cause, []).append(one)
    for cause, answer, end in partition.told:
        outcome = stored.get(cause, [])
        if [one.value for one in outcome] != list(answer):
            yield f"upstream was told of command {cause} what is not in the log"
        elif outcome[-1].offset > end:
            yield f"upstream was told of command {cause} before its outcome was durable"


def _published(partition: Partition) -> Iterator[str]:
    """The public stream has each command once, as it follows from the events."""
    public = [one.value for one in partition.outcomes.events(BEFORE_FIRST)]
    if public != [out.value for out in published(list(partition.log.events(BEFORE_FIRST)))]:
        yield f"the {len(public)} public outcomes are not those of the events"
    if len(public) != partition.log.last_command_offset() + 1:
        yield f"{len(public)} public outcomes for {partition.log.last_command_offset() + 1} commands"


def _verified(partitions: Sequence[Partition]) -> Iterator[str]:
    receipts = [receipt for one in partitions for receipt in read_links(one.receipts)]
    found = verify_all(
        [(one.number, one.log) for one in partitions],
        receipts=receipts,
        public_key=KEY.public_key(),
        several=True,
    )
    yield from (str(problem) for problem in found.problems)
    if not receipts or found.receipts != len(receipts) or found.unsigned_tail:
        yield f"{found.receipts} of {len(receipts)} receipts fit, {found.unsigned_tail} events are not signed"


def _shown(partition: Partition, rows: Rows, folded: Folded) -> Iterator[str]:
    """The rows are those of one undisturbed batch, and the last balances are the state's."""
    (whole,) = batches(partition.number, partition.log.events(BEFORE_FIRST), 1_000_000)
    twin = Rows()
    twin.changes = changes_of(whole)
    for table in (AUDIT, ENTRIES, COMMANDS):
        if rows.table(table.name) != twin.table(table.name):
            yield f"the rows of {table.name} are not those of the events"
    if rows.positions[partition.number].offset != folded.offset:
        yield f"the read models end at {rows.positions[partition.number].offset}, the log at {folded.offset}"
    for name, book in folded.partition.books.items():
        if name == SYSTEM_BOOK:
            continue
        shown = rows.balances(BALANCES.name, name)
        state = {one: account.booked for one, account in book.accounts.items() if one in shown}
        if shown != state or any(book.accounts[one].booked for one in book.accounts if one not in shown):
            yield f"the balances of {name} are shown as {shown} and are {state}"


def _snapshots(partition: Partition, folded: Folded) -> Iterator[str]:
    """Every snapshot that is whole leads to the same state."""
    digest = partition_digest(folded.partition)
    for path in partition.snapshots.glob("*/*.snapshot"):
        taken = decode_snapshot(path.read_bytes())
        if taken is None:
            continue
        if not belongs(taken, partition.log):
            yield f"the snapshot {path.name} is of another history"
        taken.apply(partition.log.events(taken.offset))
        if partition_digest(taken.partition) != digest:
            yield f"the snapshot {path.name} leads to another state"


def _undisturbed(site: Site, partition: Partition, folded: Folded) -> Iterator[str]:
    """An engine to which nothing happens makes the same of these commands.

    Defined for commanded books; for wall books too where the clock was never set back, and no engine fired
    timers before commands that it had not seen.
    """
    begun = opened(site.way)[partition.number]
    log = begun.log(lambda: 0)
    log._stored.commands = list(partition.log._stored.commands)
    alone = decode_snapshot(begun.snapshot)
    log = log.reopen()
    worker = Worker(log, alone, clock=lambda: 0, elapsed=lambda: 0.0, batch=1_000)
    while worker.step():
        pass
    for name, book in worker.folded.partition.books.items():
        if name == SYSTEM_BOOK:
            continue
        if book.clock == "commanded" and book_digest(book) != book_digest(folded.partition.books[name]):
            yield f"{name} is not what it would be if nothing had gone wrong"
