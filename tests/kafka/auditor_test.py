"""The auditor finds nothing in a log that engines made, and everything that is done to a copy of it."""

import ast
import asyncio
import copy
import hashlib
import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from engine.admission import Admission
from engine.genesis import begin
from engine.log.kafka import KafkaCommands, KafkaLog
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.proof import Key, Keyring, new_key, proof
from engine.reactor import Host
from engine.worker import Worker
from gateway.relay import RELAY, Relay
from projections.projector import Projector
from schemas.books import Administrator
from schemas.outcomes import encode_outcome, outcome_of
from tests.kafka import answers, auditor, money, outcomes, shown
from tests.kafka import pages as paged
from tests.kafka.auditor import Recording, audit
from tests.kafka.client import Seen
from tests.kafka.evidence import Evidence, answers_of
from tests.kafka.money import Money, fold
from tests.kafka.offering import SYSTEMS, Offerings, books_on, open_books
from tests.kafka.pages import pages
from tests.kafka.shown import QUERIES
from tests.kafka_servers import made
from tests.terminal import until

PARTITIONS = 2
SEED = 5
AUDITING = (answers, auditor, money, outcomes, paged, shown)
"""The modules that find what is wrong."""


@pytest.fixture(scope="module")
def evidence(
    kafka_bootstrap: str, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evidence]:
    """What two loads, two engines, a relay and two projectors leave behind, on the real broker."""
    folder = tmp_path_factory.mktemp("recorded")
    kafka = made(kafka_bootstrap, PARTITIONS)
    keys: dict[str, Key] = {
        "local": new_key(owner="admin"),
        **{one: new_key(one) for one in (RELAY, *SYSTEMS)},
    }
    admission = Admission(Keyring(keys))
    books = books_on(PARTITIONS, PARTITIONS)
    stopping = threading.Event()

    def decide(log: KafkaLog) -> None:
        worker = Worker(log, admission=admission, batch=200)
        worker.run(stopping.is_set, 0.05)

    with ExitStack() as stack:
        session = stack.enter_context(psycopg.connect(postgres_server, autocommit=True))
        session.execute(b"CREATE DATABASE audited")
        dsn = make_conninfo(postgres_server, dbname="audited")
        threads = []
        for partition in range(PARTITIONS):
            log = stack.enter_context(KafkaLog(kafka, partition, writer=True))
            begin(log, [Administrator(person="person-admin", user="admin")], wall_clock())
            threads.append(threading.Thread(target=decide, args=[log]))
        readers = [stack.enter_context(KafkaLog(kafka, one)) for one in range(PARTITIONS)]
        sender = KafkaCommands(kafka)

        def submit(outs: object) -> None:
            assert isinstance(outs, list)
            sender.submit([Out(one.key, one.value, proof(RELAY, keys[RELAY], one.value)) for one in outs])

        host = Host(Relay(RELAY), readers, submit)
        threads.append(threading.Thread(target=host.run, args=[stopping, lambda: time.sleep(0.02)]))
        for one in threads:
            one.start()
        try:
            asyncio.run(open_books(kafka.bootstrap, kafka.commands, PARTITIONS, books, keys["local"].secret))
            secrets = {name: key.secret for name, key in keys.items()}
            loads = Offerings(folder, kafka.bootstrap, kafka.prefix, PARTITIONS, books, secrets,
                              seed=SEED, rate=300, watched="events")  # fmt: skip
            stack.callback(loads.close)
            loads.go()
            time.sleep(3)
            assert loads.pause() > 300
            recording = Recording(kafka.bootstrap, kafka.prefix, PARTITIONS, outcomes=False)

            def settled() -> bool:
                asyncio.run(recording.catch_up())
                return host.waiting == 0 and audit(recording.topics()).ok

            until(settled)
            assert loads.longest_ms() > 0
        finally:
            stopping.set()
            for one in threads:
                one.join()
        for partition, reader in enumerate(readers):
            with closing(Projector(dsn, reader, partition)) as projector:
                projector.catch_up()
        found = asyncio.run(recording.evidence(loads.written, dsn))
        found.outcomes = {one: outcomes_of(one, records) for one, records in found.events.items()}
        yield found


def outcomes_of(partition: int, records: list[Seen]) -> list[Seen]:
    """What a publisher makes of the events."""
    runs = answers_of(pages(partition, records, []))
    made = [(run[0].record.key, outcome_of([one.record.value for one in run])) for run in runs]
    return [Seen(key, encode_outcome(one), at, one.at) for at, (key, one) in enumerate(made)]


def test_what_engines_made_is_found_right(evidence: Evidence) -> None:
    report = audit(evidence)
    assert report.problems == []
    assert (report.lost, report.doubled) == (0, 0)
    assert report.repeats > 0, "what was sent twice got its first outcome again"
    assert report.refused > 0
    types = {json.loads(one.value)["type"] for records in evidence.events.values() for one in records}
    assert {"AccountOpened", "TransferPosted", "HoldPlaced", "HoldReleased", "CrossBookCompleted",
            "CrossBookReleased", "CommandRepeated", "CommandRejected"} <= types  # fmt: skip


# --- a wrong engine -----------------------------------------------------------------------------------

Wrong = Callable[[Evidence], None]


def changed(record: Seen, **says: object) -> Seen:
    """The event with other content."""
    return replace(record, value=json.dumps({**json.loads(record.value), **says}).encode())


def linked_anew(records: list[Seen]) -> list[Seen]:
    """As an engine that is wrong would have linked what it decided."""
    done, previous, page = [], bytes(32), b""
    for one in records:
        page += one.value
        if "link" in dict(one.headers):
            previous, page = hashlib.sha256(previous + page).digest(), b""
            one = replace(one, headers=(("link", previous),))  # noqa: PLW2901 - the record as it should be
        done.append(one)
    return done


def find(records: list[Seen], type: str) -> int:
    """Where the middle one of the events of a type is."""
    found = [at for at, one in enumerate(records) if json.loads(one.value)["type"] == type]
    return found[len(found) // 2]


def lose_an_event(evidence: Evidence) -> None:
    del evidence.events[0][find(evidence.events[0], "TransferPosted")]


def double_an_event(evidence: Evidence) -> None:
    at = find(evidence.events[0], "TransferPosted")
    evidence.events[0].insert(at, evidence.events[0][at])


def alter_an_event(evidence: Evidence) -> None:
    records = evidence.events[1]
    at = find(records, "TransferPosted")
    records[at] = changed(records[at], reference="altered")


def break_a_link(evidence: Evidence) -> None:
    records = evidence.events[1]
    at = next(at for at, one in enumerate(records) if at > 40 and one.headers)
    records[at] = replace(records[at], headers=(("link", bytes(32)),))


def leave_a_page_open(evidence: Evidence) -> None:
    records = evidence.events[0]
    records[-1] = replace(records[-1], headers=())


def swap_two_pages(evidence: Evidence) -> None:
    records = evidence.events[0]
    ends = [at for at, one in enumerate(records) if one.headers]
    one, two, three = ends[30], ends[31], ends[32]
    records[one + 1 : three + 1] = records[two + 1 : three + 1] + records[one + 1 : two + 1]


def leave_a_command_unanswered(evidence: Evidence) -> None:
    """The last one, so that nothing else is wrong."""
    last = evidence.commands[0][-1]
    evidence.commands[0].append(replace(last, offset=last.offset + 1))


def answer_twice(evidence: Evidence) -> None:
    """The engine forgot that it had answered: the same command once more, seq and link as they should be."""
    records = evidence.events[0]
    at = find(records, "CommandRejected")
    again = json.loads(records[at].value)
    newest = max(
        json.loads(one.value)["seq"] for one in records if json.loads(one.value)["book"] == again["book"]
    )
    again["seq"] = newest + 1
    records.append(
        Seen(records[at].key, json.dumps(again).encode(), records[-1].offset + 2, 0, (("link", b""),))
    )
    evidence.events[0] = linked_anew(records)


def do_it_twice(evidence: Evidence) -> None:
    """Somebody's second sending was decided, not repeated."""
    records = evidence.events[0]
    at = find(records, "CommandRepeated")
    repeated = json.loads(records[at].value)
    first = next(one for one in map(json.loads, (one.value for one in records))
                 if (one["book"], one["seq"]) == (repeated["book"], repeated["first_seq"]))  # fmt: skip
    envelope = {name: repeated[name] for name in ("seq", "at", "cause")}
    records[at] = replace(records[at], value=json.dumps({**first, **envelope}).encode())
    evidence.events[0] = linked_anew(records)


def answer_a_repeat_with_another_outcome(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "CommandRepeated")
    records[at] = changed(records[at], first_seq=json.loads(records[at].value)["first_seq"] + 1)


def set_a_balance_off(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "TransferPosted")
    postings = json.loads(records[at].value)["postings"]
    postings[0]["balance"] += 1
    records[at] = changed(records[at], postings=postings)
    evidence.events[0] = linked_anew(records)


def make_money(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "TransferPosted")
    postings = json.loads(records[at].value)["postings"]
    postings[0]["amount"] += 5
    records[at] = changed(records[at], postings=postings)
    evidence.events[0] = linked_anew(records)


def hold_too_much(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "HoldPlaced")
    (account, amount, held), *_ = json.loads(records[at].value)["reserves"]
    records[at] = changed(records[at], reserves=[[account, amount, held + 1]])
    evidence.events[0] = linked_anew(records)


def credit_a_payment_that_was_refused(evidence: Evidence) -> None:
    for partition, records in evidence.events.items():
        for at, one in enumerate(records):
            if json.loads(one.value)["type"] == "CrossBookReleased":
                records[at] = changed(one, type="CrossBookCompleted")
                evidence.events[partition] = linked_anew(records)
                return


def tear_an_answer(evidence: Evidence) -> None:
    """The two events of a new book in two commits."""
    records = evidence.events[0]
    (run,) = [run for run in answers_of(pages(0, records, [])) if len(run) > 1][:1]
    at = records.index(run[0].record)
    records[at] = replace(records[at], headers=(("link", b""),))
    evidence.events[0] = linked_anew(records)


def lose_what_was_acknowledged(evidence: Evidence) -> None:
    line = next(one for one in evidence.written if "stored" in one)
    line["offset"] += 1_000_000


def acknowledge_something_else(evidence: Evidence) -> None:
    line = next(one for one in evidence.written if "sent" in one)
    line["sha256"] = "00"


def answer_for_another(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "TransferPosted")
    records[at] = changed(records[at], command="somebody-elses")
    evidence.events[0] = linked_anew(records)


def put_a_book_on_another_partition(evidence: Evidence) -> None:
    evidence.events[0], evidence.events[1] = evidence.events[1], evidence.events[0]
    evidence.commands[0], evidence.commands[1] = evidence.commands[1], evidence.commands[0]


def change_a_row(table: str, column: int, value: object) -> Wrong:
    def change(evidence: Evidence) -> None:
        assert evidence.rows is not None
        rows = evidence.rows[table]
        assert isinstance(rows, list)
        row = list(rows[len(rows) // 2])
        row[column] = value
        rows[len(rows) // 2] = tuple(row)

    return change


def lose_a_row(table: str) -> Wrong:
    def lose(evidence: Evidence) -> None:
        assert evidence.rows is not None
        rows = evidence.rows[table]
        assert isinstance(rows, list)
        rows.pop()

    return lose


def double_a_row(table: str) -> Wrong:
    def double(evidence: Evidence) -> None:
        assert evidence.rows is not None
        rows = evidence.rows[table]
        assert isinstance(rows, list)
        rows.append(rows[0])

    return double


def published(evidence: Evidence) -> list[Seen]:
    assert evidence.outcomes is not None
    return evidence.outcomes[0]


def publish_nothing_of_one(evidence: Evidence) -> None:
    del published(evidence)[40]


def publish_one_twice(evidence: Evidence) -> None:
    records = published(evidence)
    records.insert(40, records[40])


def publish_two_in_another_order(evidence: Evidence) -> None:
    records = published(evidence)
    records[40:42] = records[41], records[40]


def publish_another_verdict(evidence: Evidence) -> None:
    records = published(evidence)
    at = next(at for at, one in enumerate(records) if b'"verdict":"rejected"' in one.value)
    records[at] = changed(records[at], verdict="accepted")


def publish_what_only_staff_may_know(evidence: Evidence) -> None:
    records = published(evidence)
    records[40] = changed(records[40], restricted={"rule": "r1"})


def end_with(evidence: Evidence, *legs: tuple[str, int, int]) -> None:
    """One page more, of money that moves in a book for nobody. legs: the kind of account, amount, and by how
    much the balance is said wrong.
    """
    records = evidence.events[0]
    folded = Money()
    assert list(fold(folded, pages(0, records, []))) == []
    book = next(book for (book, _), one in folded.accounts.items() if one.kind == "inter_book")
    postings = []
    for kind, amount, wrong in legs:
        name, account = next(
            (name, one) for (of, name), one in folded.accounts.items() if of == book and one.kind == kind
        )
        postings.append({"account": name, "amount": amount, "currency": account.currency,
                         "balance": account.booked + amount + wrong})  # fmt: skip
    ours = [says for one in records if (says := json.loads(one.value))["book"] == book]
    says = {
        "type": "Moved",
        "book": book,
        "seq": ours[-1]["seq"] + 1,
        "at": ours[-1]["at"],
        "postings": postings,
    }
    link = (("link", b""),)
    records.append(Seen(book.encode(), json.dumps(says).encode(), records[-1].offset + 2, 0, link))
    evidence.events[0] = linked_anew(records)


def overdraw_a_customer(evidence: Evidence) -> None:
    end_with(evidence, ("customer", -(10**15), 0), ("nostro", 10**15, 0))


def end_with_more_money(evidence: Evidence) -> None:
    end_with(evidence, ("nostro", -1, 0), ("customer", 1, 1))


def end_with_money_between_the_books(evidence: Evidence) -> None:
    end_with(evidence, ("nostro", -1, 0), ("inter_book", 1, 0))


def alter_both_legs(**says: object) -> Wrong:
    def alter(evidence: Evidence) -> None:
        records = evidence.events[0]
        at = find(records, "TransferPosted")
        postings = [{**one, **says} for one in json.loads(records[at].value)["postings"]]
        records[at] = changed(records[at], postings=postings)
        evidence.events[0] = linked_anew(records)

    return alter


def alter_envelope(**says: object) -> Wrong:
    def alter(evidence: Evidence) -> None:
        records = evidence.events[0]
        at = find(records, "TransferPosted")
        records[at] = changed(records[at], **says)
        evidence.events[0] = linked_anew(records)

    return alter


def reserve_for_nobody(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "HoldPlaced")
    records[at] = changed(records[at], reserves=[["nobody", 1, 1]])
    evidence.events[0] = linked_anew(records)


def leave_a_payment_on_its_way(evidence: Evidence) -> None:
    for partition, records in evidence.events.items():
        for at, one in enumerate(records):
            if json.loads(one.value)["type"] == "CrossBookAcknowledged":
                records[at] = changed(one, type="Unheard")
                evidence.events[partition] = linked_anew(records)
                return


def give_an_event_another_key(evidence: Evidence) -> None:
    records = evidence.events[0]
    at = find(records, "TransferPosted")
    records[at] = replace(records[at], key=b"another")


def answer_what_nobody_asked(evidence: Evidence) -> None:
    del evidence.commands[0][len(evidence.commands[0]) // 2]


def refuse_a_repeat(evidence: Evidence) -> None:
    """It was done, and whoever asks again is told that it cannot be done."""
    records = evidence.events[0]
    at = find(records, "CommandRepeated")
    records[at] = changed(records[at], type="CommandRejected", reason="insufficient_funds", fingerprint="")
    evidence.events[0] = linked_anew(records)


def write_no_event(evidence: Evidence) -> None:
    records = evidence.events[0]
    records[-1] = replace(records[-1], value=b"no event")


def acknowledge_nothing_of_one(evidence: Evidence) -> None:
    evidence.written.remove(next(one for one in evidence.written if "stored" in one))


def leave_a_transaction_open(evidence: Evidence) -> None:
    evidence.open_transactions.append("events 0")


MUTATIONS: list[tuple[str, Wrong]] = [
    ("seq_gap", lose_an_event),
    ("link_broken", lose_an_event),
    ("unanswered", lose_an_event),
    ("seq_gap", double_an_event),
    ("answered_twice", double_an_event),
    ("link_broken", alter_an_event),
    ("link_broken", break_a_link),
    ("page_unfinished", leave_a_page_open),
    ("answer_out_of_order", swap_two_pages),
    ("unanswered", leave_a_command_unanswered),
    ("answered_twice", answer_twice),
    ("done_twice", do_it_twice),
    ("repeat_of_another", answer_a_repeat_with_another_outcome),
    ("balance_off", set_a_balance_off),
    ("unbalanced", make_money),
    ("held_off", hold_too_much),
    ("crossing_differs", credit_a_payment_that_was_refused),
    ("answer_torn", tear_an_answer),
    ("acknowledged_lost", lose_what_was_acknowledged),
    ("acknowledged_altered", acknowledge_something_else),
    ("answer_of_another", answer_for_another),
    ("book_astray", put_a_book_on_another_partition),
    ("row_differs", change_a_row("accounts", 5, 12_345)),
    ("row_differs", change_a_row("holds", 3, "frozen")),
    ("row_differs", change_a_row("position", 1, 7)),
    *((("row_missing", lose_a_row(table))) for table in QUERIES),
    *((("row_too_many", double_a_row(table))) for table in QUERIES),
    ("outcome_missing", publish_nothing_of_one),
    ("outcome_too_many", publish_one_twice),
    ("outcome_out_of_order", publish_two_in_another_order),
    ("outcome_differs", publish_another_verdict),
    ("outcome_tells", publish_what_only_staff_may_know),
    ("transaction_open", leave_a_transaction_open),
    ("overdrawn", overdraw_a_customer),
    ("not_conserved", end_with_more_money),
    ("not_conserved", end_with_money_between_the_books),
    ("account_unknown", alter_both_legs(account="nobody")),
    ("account_unknown", reserve_for_nobody),
    ("currency_differs", alter_both_legs(currency="XXX")),
    ("time_backwards", alter_envelope(at=1)),
    ("crossing_open", leave_a_payment_on_its_way),
    ("key_differs", give_an_event_another_key),
    ("answer_without_command", answer_what_nobody_asked),
    ("repeat_not_told", refuse_a_repeat),
    ("undecodable", write_no_event),
    ("never_acknowledged", acknowledge_nothing_of_one),
]


def test_every_finding_has_a_wrong_engine() -> None:
    """Whoever adds a finding adds what it finds."""
    parsed = [ast.parse(Path(inspect.getfile(one)).read_text()) for one in AUDITING]
    calls = [node for one in parsed for node in ast.walk(one) if isinstance(node, ast.Call)]
    names = [ast.literal_eval(one.args[0]) for one in calls if ast.unparse(one.func) == "Problem"]
    assert set(names) == {name for name, _ in MUTATIONS}
    assert set(names) >= auditor.LOST | auditor.DOUBLED


@pytest.mark.parametrize(("name", "wrong"), MUTATIONS)
def test_a_wrong_engine_is_caught_and_named(evidence: Evidence, name: str, wrong: Wrong) -> None:
    other = copy.deepcopy(evidence)
    wrong(other)
    assert name in audit(other).names


def test_what_was_aborted_is_nowhere_to_be_seen(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 1)
    with KafkaLog(kafka, writer=True) as log:
        begin(log, [Administrator(person="p", user="admin")], wall_clock())
        assert log._writer is not None
        producer = log._writer.producer
        assert producer is not None
        producer.begin_transaction()
        producer.produce(kafka.events, b'{"type":"Nothing"}', b"book", 0)
        producer.flush()
        recording = Recording(kafka_bootstrap, kafka.prefix, 1, outcomes=False)
        found = asyncio.run(recording.evidence())
        assert audit(found).names["transaction_open"] == 1
        producer.abort_transaction()
        found = asyncio.run(recording.evidence())
        report = audit(found)
        assert report.problems == []
        assert report.aborted == 1
        assert len(list(log.events(BEFORE_FIRST))) == report.events == 1


def test_the_load_is_offered_by_its_own_client(tmp_path: Path) -> None:
    """Neither it nor the auditor loads a room of Daybook; an import contract says so for the source."""
    import subprocess
    import sys

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, tests.kafka.load, tests.kafka.auditor; print(sorted(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    rooms = (
        "schemas",
        "book",
        "commands",
        "engine",
        "projections",
        "replay",
        "gateway",
        "console",
        "daybook",
    )
    loaded = {name.strip("[]' ") for name in done.stdout.strip().split(",")}
    assert "tests.kafka.answers" in loaded
    assert [one for one in loaded if one.split(".")[0] in {*rooms, "msgspec", "confluent_kafka"}] == []
