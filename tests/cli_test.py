"""The command line as real processes: statuses, JSON, homes, and one sentence for whatever is wrong."""

import contextlib
import fcntl
import gzip
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import psutil  # type: ignore[import-untyped]
import pytest

from console import options
from projections import answers
from schemas import fields
from tests.terminal import DAYBOOK, ROOT, SOON_S, Terminal, Up, ndjson, small_bank, until

MAPPING = """
book: {id: imported, currency: EUR}
columns: {debit: from, credit: to, amount: amount, time: day}
time: {format: steps, start: 2026-01-01}
accounts:
  file: accounts.csv
  columns: {account: id, opening_balance: opening}
  party_kind: person
  funding: opening-balances
ids: {party: party-}
"""
ACCOUNTS = "id,opening\na,10\nb,20\nc,x\n"
ROWS = "from,to,amount,day\na,b,5,1\nb,a,1000,1\na,b,nonsense,2\nb,b,1,2\na,b\na,nobody,1,3\nb,a,2.50,3\n"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Terminal:
    """A home with a bank, for tests that only read or add to it. Its read models are on the tests' server."""
    folder = tmp_path_factory.mktemp("bank")
    terminal = Terminal(folder, DAYBOOK_DATABASE_URL=postgres_server)
    terminal.ok("init", "--book", "main")
    terminal.ok("submit", "-", "--stamp", stdin=small_bank())
    return terminal


@pytest.fixture
def empty(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def transfer(
    id: str = "", *, debit: str = "a1", credit: str = "a2", amount: Any = 1, **more: Any
) -> dict[str, Any]:
    given = {
        "type": "Transfer",
        "book": "main",
        "debit": debit,
        "credit": credit,
        "amount": amount,
        "currency": "EUR",
    }
    return given | ({"id": id} if id else {}) | more


def submit(terminal: Terminal, *commands: dict[str, Any] | str) -> Sequence[dict[str, Any]]:
    lines = "".join(one + "\n" if isinstance(one, str) else ndjson([one]) for one in commands)
    return terminal.run("submit", "-", "--stamp", "--json", stdin=lines).lines


# --- homes --------------------------------------------------------------------------------------------


def test_init_makes_a_home_once_and_opens_books(empty: Terminal) -> None:
    first = empty.ok("init", "--user", "ada", "--json").last
    assert (first["made"], first["user"], first["book"]) == (True, "ada", None)
    again = empty.ok("init", "--user", "eve", "--book", "main", "--currency", "USD", "--json").last
    assert (again["made"], again["user"]) == (False, "ada")
    assert again["book"]["verdict"] == "accepted"
    assert empty.run("init", "--book", "main").status == 3
    assert empty.run("init", "--book", "no/t a book").status == 3
    assert empty.run("init", "--book", "x", "--currency", "NOPE").status == 3
    assert empty.run("init", "--book", "y", "--time-zone", "Nowhere/At_all").status == 3
    assert empty.run("init", "--book", "z", "--clock", "sundial").status == 2
    for path in (empty.folder / ".daybook").rglob("*"):
        assert path.stat().st_mode & 0o066 == 0, f"{path} is its owner's alone"


@pytest.mark.long
def test_init_refuses_what_is_not_its_own(empty: Terminal) -> None:
    (empty.folder / ".daybook").mkdir()
    (empty.folder / ".daybook/diary.txt").write_text("mine")
    assert empty.run("init").status == 2
    assert empty.run("init", DAYBOOK_HOME=str(empty.folder / ".daybook/diary.txt")).status == 2
    assert empty.run("init", "--home", "/proc/nothing").status == 1
    assert empty.run("init", "--home", "h", "--user", "x" * 65).status == 2
    assert empty.run("init", "--home", "h", "--user", "not a user").status == 2
    assert empty.run("init", "--home", "h", "--user", "").status == 2
    assert not (empty.folder / "h").exists()


@pytest.mark.long
def test_without_a_home_all_refuse_but_those_that_make_one(empty: Terminal) -> None:
    (empty.folder / "x").write_text("")
    # Without a home; with a file in its place; with a folder that is not there.
    for words, home in zip(
        (
            ["up"],
            ["submit", "-"],
            ["events"],
            ["account", "a"],
            ["statement", "a"],
            ["audit"],
            *(["replay", one] for one in ("verify", "rebuild", "as-of", "redecide", "receipt")),
        ),
        itertools.cycle([[], ["--home", "x"], [], ["--home", "nowhere"]]),
        strict=False,
    ):
        done = empty.run(*words, *home, "--json")
        assert done.status == 2, words
        assert "home" in done.last["error"] or ".daybook" in done.last["error"]
        assert "daybook init" in done.last["error"]
    looked = empty.run("doctor", "--json")
    assert looked.status == 1
    assert [one["ok"] for one in looked.lines] == [True, True, False]


def test_the_home_is_the_named_one_or_the_environments_or_the_nearest_upwards(bank: Terminal) -> None:
    (bank.folder / "deep/er").mkdir(parents=True)
    assert bank.run("events", "--type", "BookOpened", "--json", within="deep/er").last["book"] == "main"
    other = bank.folder / "other"
    bank.ok("init", "--home", other, "--book", "theirs")
    assert bank.ok("events", "--home", other, "--json").last["book"] == "theirs"
    assert bank.ok("events", "--json", DAYBOOK_HOME=str(other)).last["book"] == "theirs"
    assert bank.ok("events", "--home", ".daybook", "--json", DAYBOOK_HOME=str(other)).last["book"] == "main"


# --- commands in --------------------------------------------------------------------------------------


RUBBISH = [
    b"no json",
    b"[]",
    b'{"type":"Transfer"}',
    b'{"type":"Nonsense","id":"r1","book":"main","actor":"admin","issued_at_ms":1}',
    b'{"type":"Transfer","book":"main","extra":1}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"type":' + b'"' + b"x" * 1_100_000 + b'"}',
    json.dumps(transfer(amount=2**63)).encode(),
    json.dumps(transfer(amount=-1)).encode(),
    json.dumps(transfer(amount=0)).encode(),
    b'{"type":"Transfer","book":"main","debit":"a1","credit":"a2","amount":NaN,"currency":"EUR"}',
    json.dumps(transfer(amount=1.5)).encode(),
    json.dumps(transfer(currency="XXY")).encode(),
    json.dumps(transfer(id="x" * 65)).encode(),
    json.dumps(transfer(book="nowhere")).encode(),
    json.dumps(transfer(actor="mallory")).encode(),
    json.dumps(transfer(issued_at_ms=1)).encode(),
    json.dumps(transfer(issued_at_ms=9_999_999_999_999)).encode(),
]


def test_each_line_has_its_outcome_rubbish_too(bank: Terminal) -> None:
    lines = [*RUBBISH, b"", json.dumps(transfer("after-all-that")).encode()]
    done = bank.run("submit", "-", "--stamp", "--json", stdin=b"\n".join(lines))
    assert done.status == 3
    assert [one["line"] for one in done.lines] == [*range(1, len(RUBBISH) + 1), len(lines)]
    assert {one["verdict"] for one in done.lines[:-1]} == {"rejected"}
    assert done.last["verdict"] == "accepted"
    people = bank.run("submit", "-", "--stamp", stdin=RUBBISH[0])
    assert people.status == 3
    assert "line 1  ?  rejected  undecodable: The record is not a command" in people.out


def test_without_stamp_no_line_is_changed(bank: Terminal) -> None:
    done = bank.run("submit", "-", "--json", stdin=ndjson([transfer("x")]))
    assert done.status == 3
    assert done.last["reason"] == "undecodable"


def test_a_file_sent_again_is_told_what_it_was_told(bank: Terminal) -> None:
    file = bank.folder / "again.ndjson"
    stamped: dict[str, Any] = {"actor": "admin", "issued_at_ms": int(bank.ok("events", "--json").last["at"])}
    file.write_text(ndjson([transfer("again-1", **stamped), transfer("again-2", amount=10**9, **stamped)]))
    first = bank.run("submit", file, "--json")
    second = bank.run("submit", file, "--json")
    assert (first.status, second.status) == (3, 3)
    assert [one["verdict"] for one in first.lines] == ["accepted", "rejected"]
    assert [one["verdict"] for one in second.lines] == ["repeated", "repeated"]
    assert [one["seq"] for one in second.lines] == [one["seq"] for one in first.lines]
    assert second.last["reason"] == "insufficient_funds"
    assert "rejected (insufficient_funds) before" in bank.run("submit", file).out


def test_an_outcome_comes_before_the_next_line_is_sent(bank: Terminal) -> None:
    process = bank.start("submit", "-", "--stamp", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(3):
        process.stdin.write(ndjson([transfer(f"streamed-{number}")]).encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == f"streamed-{number}"
    process.stdin.write(ndjson([transfer("streamed-last")]).encode().rstrip())  # a last line may lack its end
    out, err = process.communicate(timeout=SOON_S)
    assert json.loads(out)["id"] == "streamed-last"
    assert (process.returncode, err) == (0, b"")


def test_ctrl_c_ends_a_waiting_submit_quietly(bank: Terminal) -> None:
    process = bank.start("submit", "-", "--stamp", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(ndjson([transfer("interrupted")]).encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["verdict"] == "accepted"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=SOON_S)
    assert (process.returncode, out, err) == (130, b"", b"")


NOT_THERE = [
    ["submit", "missing.ndjson"],
    ["replay", "verify", "--against", "missing.json"],
    ["import", "missing.csv", "--mapping", "missing.yaml"],
    ["events", "--book", "nowhere"],
    [],
]
NOT_THERE_EITHER = [
    ["submit", "folder"],
    ["submit", "/proc/self/mem"],
    ["replay", "verify", "--against", "folder"],
    ["replay", "receipt", "--out", "folder"],
    ["replay", "receipt", "--out", "no/such/folder/r.json"],
    ["import", "folder", "--mapping", "folder"],
    ["statement", "a1", "--from", "yesterday"],
    ["replay", "as-of", "--at", "noon"],
    ["replay", "as-of", "--value-date", "2026-02-30"],
    ["replay", "as-of", "--seq", "1", "--at", "2026-01-01"],
    ["events", "--type", "Nonsense"],
    ["replay", "as-of", "--book", "nowhere"],
    ["audit", "--book", "nowhere", "--limit", "0"],
    ["statement", "a1", "--by", "hand"],
    ["nonsense"],
]


@pytest.mark.parametrize(
    "words", [*NOT_THERE, *(pytest.param(words, marks=pytest.mark.long) for words in NOT_THERE_EITHER)]
)
def test_what_cannot_be_read_is_said_in_a_sentence(bank: Terminal, words: list[str]) -> None:
    (bank.folder / "folder").mkdir(exist_ok=True)
    done = bank.run(*words)
    assert done.status in (1, 2)
    # Without words it is the list of all commands.
    assert len(done.out + done.err) < (4_000 if words else 8_000)


@pytest.mark.long
def test_the_same_outcomes_with_and_without_up(tmp_path: Path, postgres_dsn: str) -> None:
    seen = []
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
        terminal = Terminal(tmp_path / name, DAYBOOK_DATABASE_URL=postgres_dsn)
        terminal.ok("init", "--book", "main")
        up = Up(terminal) if name == "with" else None
        sent = small_bank() + ndjson([transfer(f"t{n}", amount=3_000) for n in range(5)]) + "rubbish\n"
        seen.append(terminal.run("submit", "-", "--stamp", "--json", stdin=sent).lines)
        if up is not None:
            assert up.stop() == 0
    assert seen[0] == seen[1]
    assert [one["verdict"] for one in seen[0]] == ["accepted"] * 9 + ["rejected"] * 3


def test_an_outcome_that_got_lost_is_status_4(empty: Terminal, postgres_dsn: str) -> None:
    empty.env["DAYBOOK_DATABASE_URL"] = postgres_dsn
    empty.ok("init", "--book", "main")
    up = Up(empty)
    engine = up.children()["engine"]
    waiting = empty.start("submit", "-", "--stamp", "--json")
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    waiting.stdin.write(b"rubbish\n")
    waiting.stdin.flush()
    assert json.loads(waiting.stdout.readline())["reason"] == "undecodable"
    engine.send_signal(signal.SIGSTOP)  # it listens, and does not answer
    waiting.stdin.write(b"rubbish\n")
    waiting.stdin.flush()
    pipe = waiting.stdin.fileno()
    until(lambda: int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder) == 0)
    until(lambda: psutil.Process(waiting.pid).status() == psutil.STATUS_SLEEPING)
    engine.kill()
    out, _ = waiting.communicate(timeout=SOON_S)
    assert waiting.returncode == 4
    assert "same ids" in json.loads(out)["error"]
    assert up.stop() == 0


def test_a_disk_that_is_full_is_an_unknown_outcome_and_sent_again_it_is_known(
    bank: Terminal, tmp_path: Path
) -> None:
    home = tmp_path / "copy"
    shutil.copytree(bank.folder / ".daybook", home)
    file = tmp_path / "many.ndjson"
    now = bank.ok("events", "--json").last["at"]
    file.write_text(
        ndjson(
            [
                transfer(f"many-{n}", reference="x" * 400, actor="admin", issued_at_ms=now)
                for n in range(2_000)
            ]
        )
    )
    words = ["submit", str(file), "--home", str(home), "--json"]
    # No file may grow beyond 512 blocks, of 512 or 1,024 bytes as shells count them.
    full = subprocess.run(
        ["sh", "-c", 'ulimit -f 512; exec "$@"', "sh", *DAYBOOK, *words],
        env=bank.env,
        cwd=bank.folder,
        capture_output=True,
        check=False,
    )
    *answered, last = (json.loads(line) for line in full.stdout.splitlines())
    assert full.returncode == 4, full
    assert "From line" in last["error"]
    again = bank.run(*words)
    assert [one["line"] for one in again.lines] == list(range(1, 2_001))
    assert [one["seq"] for one in again.lines[: len(answered)]] == [one["seq"] for one in answered]
    assert bank.ok("replay", "verify", "--home", home, "--no-read-models", "--json").last["ok"]


# --- what is shown ------------------------------------------------------------------------------------


def test_events_from_a_seq_of_a_type_and_as_they_come(bank: Terminal) -> None:
    everything = bank.ok("events", "--json").lines
    assert [one["seq"] for one in everything] == list(range(1, len(everything) + 1))
    assert [one["seq"] for one in bank.ok("events", "--from", "3", "--json").lines] == [
        one["seq"] for one in everything[2:]
    ]
    assert {one["type"] for one in bank.ok("events", "--type", "AccountOpened", "--json").lines} == {
        "AccountOpened"
    }
    following = bank.start("events", "--follow", "--from", str(len(everything) + 1), "--json")
    assert following.stdout is not None
    [sent] = submit(bank, transfer("followed"))
    assert json.loads(following.stdout.readline())["seq"] == sent["seq"]
    os.killpg(following.pid, signal.SIGINT)
    _, err = following.communicate(timeout=SOON_S)
    assert (following.returncode, err) == (130, b"")


@pytest.mark.parametrize("words", [["events", "--json"], ["events"]], ids=["json", "people"])
def test_a_reader_that_leaves_ends_it_quietly(bank: Terminal, words: list[str]) -> None:
    process = bank.start(*words, "--follow")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    submit(bank, *(transfer() for _ in range(3)))
    assert process.wait(SOON_S) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_an_account_its_statement_and_the_audit_log(bank: Terminal) -> None:
    [sent] = submit(bank, transfer("shown", debit="nostro", amount=7, value_date=_first_of_month(bank)))
    shown = bank.ok("account", "a2", "--json").last
    assert shown["available"] == shown["booked"]
    for by in ("booking-date", "value-date"):
        told = bank.ok("statement", "a2", "--by", by, "--json").last
        assert (
            told["closing"]
            == shown["booked"]
            == told["opening"] + sum(one["amount"] for one in told["lines"])
        )
        assert sent["seq"] in [one["seq"] for one in told["lines"]]
    later = bank.ok("statement", "a2", "--from", "2199-01-01", "--to", "2199-01-31", "--json").last
    assert (later["opening"], later["lines"]) == (shown["booked"], [])
    assert "closing balance" in bank.ok("statement", "a2").out
    assert "a2 (customer, open)" in bank.ok("account", "a2").out
    assert bank.run("account", "nobody").status == 1
    assert bank.run("statement", "nobody").status == 1
    assert [one["seq"] for one in bank.ok("audit", "--command", "shown", "--json").lines] == [sent["seq"]]
    assert "accepted" in bank.ok("audit", "--command", "shown").out
    assert {one["actor"] for one in bank.ok("audit", "--actor", "admin", "--json").lines} == {"admin"}
    assert bank.ok("audit", "--entity", "nostro", "--limit", "2", "--json").lines[-1]["seq"] == sent["seq"]
    assert bank.ok("audit", "--actor", "nobody").status == 0


def _first_of_month(bank: Terminal) -> str:
    opened: str = bank.ok("events", "--type", "BookOpened", "--json").last["open_from"]
    return opened


# --- proofs -------------------------------------------------------------------------------------------


def test_the_proofs_hold_and_say_so(bank: Terminal) -> None:
    verified = bank.ok("replay", "verify", "--json").last
    assert (verified["ok"], verified["problems"]) == (True, [])
    assert verified["digest"] in bank.ok("replay", "verify", "--no-read-models").out
    assert bank.ok("replay", "rebuild", "--json").last["ok"]
    assert bank.ok("replay", "redecide", "--json").last["digest"] == verified["digest"]
    begun = bank.ok("replay", "as-of", "--seq", "1", "--json").last
    assert begun["accounts"] == []
    now = bank.ok("replay", "as-of", "--value-date", "2199-01-01", "--json").last["accounts"]
    assert sum(one["booked"] for one in now) == sum(one["by_value_date"] for one in now) == 0
    assert bank.run("replay", "as-of", "--account", "nobody", "--json").status == 1
    receipt = bank.folder / "receipt.json"
    bank.ok("replay", "receipt", "--out", receipt)
    assert json.loads(bank.ok("replay", "receipt").out)["receipt"] == 1
    assert (
        bank.ok("replay", "verify", "--against", receipt, "--no-read-models", "--json").last["receipts"] >= 1
    )


def test_tampering_is_found_and_its_place_named(bank: Terminal, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    bank.ok("replay", "receipt", "--out", receipt)
    submit(bank, transfer("behind-the-receipt"))

    def broken(sql: str) -> dict[str, Any]:
        home = tmp_path / "copy"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(bank.folder / ".daybook", home)
        with contextlib.closing(sqlite3.connect(home / "daybook.sqlite")) as file:
            with file:
                file.execute(sql)
            assert file.total_changes, sql
        done = bank.run(
            "replay", "verify", "--home", home, "--no-read-models", "--against", receipt, "--json"
        )
        assert done.status == 1
        return done.last

    whole = bank.ok("replay", "verify", "--against", receipt, "--no-read-models", "--json").last
    assert whole["ok"]
    cut = broken("DELETE FROM pages WHERE originator_version > 1")
    assert "receipt" in json.dumps(cut["problems"]), cut
    gone = broken("DELETE FROM pages WHERE originator_version = 2")
    assert "Page 2 of events-0 is missing" in json.dumps(gone), gone
    flipped = broken(
        "UPDATE pages SET state = CAST(substr(state, 1, 99) || x'21' || substr(state, 101) AS BLOB) "
        "WHERE originator_id = 'events-0' AND originator_version = 1"
    )
    assert "page 1" in json.dumps(flipped).lower(), flipped


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("home.json", b"{", ["events"]),
        ("home.json", b'{"version":2,"user":"x"}', ["events"]),
        ("home.json", b"\xff", ["events"]),
        ("keys/keyring.json", b"{", ["submit", "-"]),
        ("keys/keyring.json", b"{}", ["submit", "-"]),
        ("keys/keyring.json", None, ["submit", "-"]),
        ("keys/signing.pem", b"rubbish", ["replay", "receipt"]),
        ("keys/signing.pem", None, ["replay", "receipt"]),
        ("keys/signing.pub.pem", b"rubbish", ["replay", "verify", "--no-read-models"]),
        ("daybook.sqlite", b"no database at all" * 1_000, ["events"]),
        ("daybook.sqlite", b"", ["events"]),
        ("daybook.sqlite", None, ["replay", "verify"]),
        ("daybook.sqlite", b"no database at all" * 1_000, ["submit", "-"]),
        ("daybook.sqlite", b"no database at all" * 1_000, ["doctor"]),
    ],
)
def test_a_damaged_home_is_a_sentence(
    bank: Terminal, tmp_path: Path, file: str, content: bytes | None, words: list[str]
) -> None:
    home = tmp_path / "copy"
    shutil.copytree(bank.folder / ".daybook", home)
    if content is None:
        (home / file).unlink()
    else:
        (home / file).write_bytes(content)
    done = bank.run(*words, "--home", home, stdin=ndjson([transfer("x")]))
    assert done.status in (1, 2), done
    assert (done.out + done.err).strip()


def test_a_damaged_snapshot_costs_only_time(bank: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "copy"
    shutil.copytree(bank.folder / ".daybook", home)
    for name in ("0000000001.snapshot", "rubbish"):
        (home / "snapshots" / name).write_bytes(b"rubbish")
    bank.ok("submit", "-", "--stamp", "--home", home, stdin=ndjson([transfer("snap")]))


def test_settings_that_are_wrong_are_named(bank: Terminal) -> None:
    for name, value in (
        ("DAYBOOK_DATABASE_URL", "mysql://nope"),
        ("DAYBOOK_LOG_URL", "nope"),
        ("DAYBOOK_ACTOR", "x" * 65),
        ("DAYBOOK_DEBUG", "perhaps"),
    ):
        done = bank.run("events", "--json", **{name: value})
        assert done.status == 2
        assert name in done.last["error"]
    gone = bank.run("account", "a1", "--json", DAYBOOK_DATABASE_URL="postgresql://localhost:1/nope")
    assert gone.status == 1
    assert "DAYBOOK_DATABASE_URL" in gone.last["error"]
    assert bank.run("submit", "-", "--stamp", stdin=ndjson([transfer()]), DAYBOOK_ACTOR="nobody").status == 3


# --- import and demo ----------------------------------------------------------------------------------


def test_an_import_answers_every_row_on_every_log(tmp_path: Path, postgres_dsn: str) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    words = ["import", "rows.csv", "--mapping", "mapping.yaml"]
    results = []
    for log in ("memory", "sqlite", "postgres"):
        settings = {"DAYBOOK_LOG_URL": postgres_dsn} if log == "postgres" else {}
        done = terminal.run(*words, "--log", log, "--home", log, "--json", **settings)
        assert done.status == 3, done
        results.append(done.last)
    assert results[0] == results[1] == results[2]
    found = results[0]
    assert (found["rows"], found["accepted"], found["rejected"]) == (7, 2, 5)
    assert found["by_reason"] == {
        "insufficient_funds": 1,
        "bad_row": 2,
        "same_account": 1,
        "account_not_found": 1,
    }
    assert [(one["file"], one["line"]) for one in found["bad_rows"]] == [
        ("accounts.csv", 4),
        ("rows.csv", 4),
        ("rows.csv", 6),
    ]
    again = terminal.run(*words, "--home", "sqlite", "--json")
    assert again.status == 2
    assert "--resume" in again.last["error"]
    resumed = terminal.run(*words, "--home", "sqlite", "--resume", "--json").last
    assert resumed["digest"] == found["digest"]
    assert resumed["rows"] == found["rows"]
    verified = terminal.ok("replay", "verify", "--home", "sqlite", "--json").last
    assert (verified["ok"], verified["digest"]) == (True, found["digest"])
    other = terminal.run(*words, "--home", "sqlite", "--log", "postgres", "--json")
    assert other.status == 2
    assert terminal.run(*words, "--log", "memory", "--resume").status == 2


def test_a_demo_is_the_same_bank_on_every_log(tmp_path: Path, postgres_dsn: str) -> None:
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    found = []
    for log in ("memory", "sqlite", "postgres"):
        settings = {"DAYBOOK_LOG_URL": postgres_dsn} if log == "postgres" else {}
        words = ["demo", "--parties", "20", "--days", "3", "--log", log]
        found.append(terminal.ok(*words, "--json", **settings).last)
    assert found[0] == found[1] == found[2]
    counts = {"commands", "accepted", "rejected", "events", "day", "alerts", "cases"}
    assert found[0].keys() == {*counts, "digest", "ok"}
    assert found[0]["ok"]
    assert found[0]["day"] > 40
    assert found[0]["commands"] == found[0]["accepted"] + found[0]["rejected"]
    people = terminal.ok("demo", "--parties", "20", "--days", "3", "--seed", "2")
    assert found[0]["digest"] not in people.out
    assert "replay verify" in people.out
    assert "waits for a second person" in people.out
    for proof in ("verify", "redecide", "rebuild"):
        terminal.ok("replay", proof, "--home", ".daybook-demo")
    assert "ok" not in terminal.run("events", "--home", ".daybook-demo", "--type", "Nonsense").out
    terminal.ok("init")
    assert terminal.run("demo", DAYBOOK_HOME=str(tmp_path / ".daybook")).status == 2


# --- the front door -----------------------------------------------------------------------------------


def test_the_choices_of_the_command_line_are_the_engines() -> None:
    assert get_args(options.Clock) == get_args(fields.Clock)
    assert get_args(options.By) == get_args(answers.By)


def test_help_loads_none_of_what_the_work_needs() -> None:
    program = "import sys, daybook; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {"pydantic", "psycopg", "cryptography", "eventsourcing", "rich"} & set(done.stdout.split())
