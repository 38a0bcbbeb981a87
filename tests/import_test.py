"""An import: every row gets an outcome, once, whatever the file holds and whenever the process is killed."""

from __future__ import annotations

import csv
import gzip
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DaybookError
from engine.log.recorder import RecorderLog
from engine.log.records import Out
from gateway.csv_file import CsvFile
from gateway.errors import ImportRefused, ImportStopped
from gateway.imports import import_file
from gateway.mapping import Mapping, read_mapping
from gateway.steps import Envelope, Step, opening
from gateway.transfer_rows import Transfers
from schemas.books import Administrator, AdvanceTime, OpenBook
from schemas.catalogue import decode_command, encode
from schemas.transfers import TransferPosted
from tests.intake import ADMIN, Intake, mapping, small, take

ROOT = Path(__file__).parent.parent
PAYMENTS = ROOT.parent / "shared" / "data" / "payments"
needs_sets = pytest.mark.skipif(not PAYMENTS.is_dir(), reason=f"the AMLSim sets are not in {PAYMENTS}")


def naive(file: Path, accounts: Path, first: int | None = None) -> tuple[int, int, dict[str, Decimal]]:
    """An independent count of an AMLSim set: accepted, refused, and what everybody has in the end."""
    with gzip.open(accounts, "rt", newline="") as stream:
        has = {row["nodeid"]: Decimal(row["init_balance"]) for row in csv.DictReader(stream)}
    accepted = refused = 0
    with gzip.open(file, "rt", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream)):
            if number == first:
                break
            payer, payee, value = row["sourceNodeId"], row["targetNodeId"], Decimal(row["value"])
            if payer != payee and has[payer] >= value:
                has[payer] -= value
                has[payee] += value
                accepted += 1
            else:
                refused += 1
    return accepted, refused, has


# --- the AMLSim sets ------------------------------------------------------------------------------------


@needs_sets
@pytest.mark.long
@pytest.mark.parametrize(("name", "accepted"), [("cycle200", 44_932), ("fan_in200", 45_232)])
def test_an_amlsim_set_is_taken_as_it_is(name: str, accepted: int) -> None:
    folder = PAYMENTS / f"amlsim_{name}"
    file = folder / "transactions.csv.gz"
    how = read_mapping(ROOT / "examples" / f"amlsim_{name}.yaml")
    result, intake = take(file, how)
    assert (result.accepted, result.bad_rows, result.setup_by_reason) == (accepted, [], {})
    assert result.rows == result.accepted + result.rejected == naive_rows(file)
    assert result.by_reason["same_account"] == 14
    assert sum(result.by_reason.values()) == result.rejected
    twin_accepted, twin_refused, has = naive(file, folder / "accounts.csv.gz")
    assert (twin_accepted, twin_refused) == (result.accepted, result.rejected)
    balances = intake.balances(how.book.id)
    assert balances.pop("opening-balances") == -560_095_352
    assert balances == {account: int(value * 100) for account, value in has.items()}
    assert sum(balances.values()) == 560_095_352


def naive_rows(file: Path) -> int:
    with gzip.open(file, "rt") as stream:
        return sum(1 for _ in stream) - 1


@needs_sets
@pytest.mark.parametrize("name", ["cycle200", "fan_in200"])
def test_the_first_rows_of_an_amlsim_set_come_out_as_an_independent_count_says(
    name: str, tmp_path: Path
) -> None:
    folder, first = PAYMENTS / f"amlsim_{name}", 5_000
    with gzip.open(folder / "transactions.csv.gz", "rb") as stream:
        lines = [next(stream) for _ in range(first + 1)]
    file = tmp_path / "transactions.csv"
    file.write_bytes(b"".join(lines))
    (tmp_path / "accounts.csv.gz").symlink_to(folder / "accounts.csv.gz")
    accepted, refused, has = naive(folder / "transactions.csv.gz", folder / "accounts.csv.gz", first)
    result, intake = take(file, read_mapping(ROOT / "examples" / f"amlsim_{name}.yaml"))
    assert (result.accepted, result.rejected) == (accepted, refused)
    balances = intake.balances(result.book)
    assert sum(balances.values()) == 0
    assert {one: balances[one] for one in has} == {one: int(value * 100) for one, value in has.items()}


# --- rows -----------------------------------------------------------------------------------------------


def test_a_row_is_a_transfer_at_its_time_and_equal_rows_are_different_transfers(tmp_path: Path) -> None:
    file = small(tmp_path, "from,to,value,day\na,b,12.3,1\na,b,12.3,1\nb,c,30.11,4\n")
    result, intake = take(file, mapping())
    assert (result.rows, result.accepted, result.by_reason) == (3, 2, {"insufficient_funds": 1})
    assert intake.balances("shop") == {"opening-balances": -105_50, "a": 75_40, "b": 30_10, "c": 0}
    posted = [event for event in intake.told() if isinstance(event, TransferPosted) and event.reference == ""]
    assert [(one.debit, one.credit, one.amount, str(one.booking_date)) for one in posted] == [
        ("a", "b", 12_30, "2025-01-02"),
        ("a", "b", 12_30, "2025-01-02"),
    ]


BAD = [
    ("a,b,1.00", "it has 3 columns, not 4"),
    ("a,b,1.00,1,x", "it has 5 columns, not 4"),
    ("a,b,-1.00,1", "the amount '-1.00' is not above zero"),
    ("a,b,0,1", "the amount '0' is not above zero"),
    ("a,b,1.005,1", "the amount '1.005' has more than 2 decimal places"),
    ("a,b,1e3,1", "the amount '1e3' is not a decimal amount such as 147.80"),
    ("a,b,NaN,1", "the amount 'NaN' is not a decimal amount such as 147.80"),
    ("a,b,,1", "the amount '' is not a decimal amount such as 147.80"),
    ("a,b,92233720368547758.08,1", "the amount '92233720368547758.08' does not fit into 64 bits"),
    ("a,b," + "9" * 5000 + ",1", "the amount '" + "9" * 40 + "'... is too long"),
    ("a,b,1.00,soon", "the time 'soon' is not a whole number of steps"),
    ("a,b,1.00,-1", "the time '-1' is not a whole number of steps"),
    ("a,b,1.00,1.5", "the time '1.5' is not a whole number of steps"),
    ("a,b,1.00,999999999999", "the time '999999999999' is after 9998"),
    ("a,b,1.00,400", "the time '400' is 399 days after the row before"),
    (",b,1.00,1", "the debit account is empty"),
    ("a, ,1.00,1", "the credit account is empty"),
    ("a," + "b" * 65 + ",1.00,1", f"the credit account '{'b' * 40}'... is longer than 64 characters"),
    ("a,b\0,1.00,1", "the credit account holds the character NUL"),
    ('"a,b,1.00,1', "it is not CSV: unexpected end of data"),
    ('"a"x,b,1.00,1', "it is not CSV: ',' expected after '\"'"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason[:40] for _, reason in BAD])
def test_a_bad_row_is_named_by_line_and_reason_and_the_rest_goes_on(
    row: str, reason: str, tmp_path: Path
) -> None:
    result, intake = take(small(tmp_path, f"from,to,value,day\na,b,1.00,1\n{row}\na,b,2.00,1\n"), mapping())
    assert [(bad.file, bad.line, bad.reason) for bad in result.bad_rows] == [("rows.csv", 3, reason)]
    assert (result.rows, result.accepted, result.rejected, result.by_reason) == (3, 2, 1, {"bad_row": 1})
    assert intake.balances("shop")["b"] == 8_50


def test_a_line_that_is_not_text_or_too_long_is_a_bad_row(tmp_path: Path) -> None:
    file = small(tmp_path, "")
    file.write_bytes(
        b"\xef\xbb\xbffrom,to,value,day\r\na,b,1.00,1\r\n\r\n\xff,b,1,1\na,b,1,1"
        + b"0" * (1 << 21)
        + b"\n  \na,b,2,1"
    )
    result, _ = take(file, mapping())
    assert [(bad.line, bad.reason) for bad in result.bad_rows] == [
        (4, "byte 1 of it is not utf-8"),
        (5, "it is longer than 1048576 bytes"),
    ]
    assert (result.rows, result.accepted) == (4, 2)


def test_what_is_wrong_with_the_accounts_file_is_said_and_the_rows_go_on(
    tmp_path: Path,
) -> None:
    accounts = "id,balance\na,100\na,5\nb,x\n-c,1\nd,-3\n"
    result, intake = take(small(tmp_path, "from,to,value,day\na,b,1,1\na,d,1,1\n", accounts), mapping())
    assert sorted((bad.file, bad.line, bad.reason.partition(" ")[0]) for bad in result.bad_rows) == [
        ("accounts.csv", 3, "account_exists:"),
        ("accounts.csv", 4, "the"),
        ("accounts.csv", 5, "the"),
        ("accounts.csv", 6, "insufficient_funds:"),
    ]
    assert result.setup_by_reason == {"account_exists": 1, "bad_row": 2, "insufficient_funds": 1}
    assert (result.accepted, result.by_reason) == (1, {"account_not_found": 1})
    assert sum(intake.balances("shop").values()) == 0


def test_book_time_never_goes_back_and_an_older_row_keeps_its_value_date(tmp_path: Path) -> None:
    file = small(tmp_path, "from,to,value,day\na,b,1,20\na,b,2,3\na,b,3,21\n")
    result, intake = take(file, mapping(book={"id": "shop", "currency": "EUR", "opened_on": "2025-01-01"}))
    assert result.accepted == 3
    posted = [event for event in intake.told() if isinstance(event, TransferPosted) and event.reference == ""]
    assert [(str(one.booking_date), str(one.value_date)) for one in posted] == [
        ("2025-01-21", "2025-01-21"),
        ("2025-01-21", "2025-01-04"),
        ("2025-01-22", "2025-01-22"),
    ]


# --- going on -------------------------------------------------------------------------------------------

LONG_FILE = "from,to,value,day\n" + "".join(
    f"{'abc'[n % 3]},{'abc'[n // 3 % 3]},{n % 7}.{n % 10},{n // 2}\n" for n in range(60)
)
# One row is too far ahead where it stands, but would not be, seen from the end.
LONG_FILE = LONG_FILE.replace(",1\n", ",1\na,b,1.00,380\n", 1)


class Killed(Exception):
    """The process ended here."""


def killed_at(
    submit: Callable[[Sequence[Out]], Any], call: int, *, decided: bool
) -> Callable[[Sequence[Out]], Any]:
    """Submit, until the given call, which dies before or after the engine has decided."""
    calls = iter(range(1_000_000))

    def dying(outs: Sequence[Out]) -> Any:
        last = next(calls) == call
        if last and not decided:
            raise Killed
        answers = submit(outs)
        if last:
            raise Killed
        return answers

    return dying


@pytest.mark.parametrize("decided", [False, True])
def test_an_import_that_was_killed_anywhere_goes_on_with_nothing_lost_or_doubled(
    decided: bool, tmp_path: Path
) -> None:
    """30 days of book time: the ids of the early rows are forgotten long before the end."""
    file = small(tmp_path, LONG_FILE)
    whole = Intake()
    calls: list[int] = []

    def counted(outs: Sequence[Out]) -> Any:
        calls.append(len(outs))
        return whole.submit(outs)

    expected = import_file(file, mapping(), ADMIN, counted, whole, batch=7)
    assert expected.by_reason["bad_row"] > 0
    assert expected.by_reason["same_account"] > 0
    digest = whole.digest()
    assert len(calls) > 9
    for call in range(len(calls)):
        intake = Intake()
        with pytest.raises(Killed):
            import_file(
                file, mapping(), ADMIN, killed_at(intake.submit, call, decided=decided), intake, batch=7
            )
        result, _ = take(file, mapping(), intake, resume=True, batch=7)
        result.went_on_behind = 0
        assert result == expected
        assert intake.digest() == digest
        again, _ = take(file, mapping(), intake, resume=True)
        assert (again.accepted, again.by_reason) == (expected.accepted, expected.by_reason)
        assert intake.digest() == digest


def test_what_is_delivered_twice_counts_once(tmp_path: Path) -> None:
    file = small(tmp_path, LONG_FILE)
    expected, _ = take(file, mapping())
    intake = Intake()

    def twice(outs: Sequence[Out]) -> Any:
        answers = intake.submit(outs)
        intake.submit(outs)
        return answers

    import_file(file, mapping(), ADMIN, twice, intake, batch=7)
    result, _ = take(file, mapping(), intake, resume=True)
    result.went_on_behind = 0
    assert result == expected


@pytest.mark.parametrize("call", [1, 2, 5])
def test_an_import_goes_on_also_when_somebody_moved_the_book_s_time_meanwhile(
    call: int, tmp_path: Path
) -> None:
    file = small(tmp_path, LONG_FILE)
    expected, _ = take(file, mapping())
    intake = Intake()
    with pytest.raises(Killed):
        import_file(file, mapping(), ADMIN, killed_at(intake.submit, call, decided=True), intake, batch=7)
    for days in (20, 30, 40):  # time enough to forget all ids
        at_ms = intake.book("shop").at + days * 86_400_000
        advance = AdvanceTime(id=f"on-{days}", book="shop", actor=ADMIN, issued_at_ms=at_ms, to_ms=at_ms)
        intake.submit([Out(b"shop", encode(advance))])
    result, _ = take(file, mapping(), intake, resume=True)
    assert (result.accepted, result.by_reason) == (expected.accepted, expected.by_reason)


def test_resume_works_behind_the_floor_of_forgotten_ids(tmp_path: Path) -> None:
    file = small(tmp_path, LONG_FILE)
    _, intake = take(file, mapping())
    assert intake.book("shop").repeats.floor_ms > 1_735_689_600_000 + 20 * 86_400_000
    before = intake.book("shop").seq
    take(file, mapping(), intake, resume=True)
    assert intake.book("shop").seq == before


def test_the_same_import_ends_with_the_same_digest_on_a_real_file(tmp_path: Path) -> None:
    file = small(tmp_path, LONG_FILE)
    _, memory = take(file, mapping())
    stored = Intake(RecorderLog.sqlite(tmp_path / "log.sqlite"))
    with pytest.raises(Killed):
        import_file(file, mapping(), ADMIN, killed_at(stored.submit, 3, decided=True), stored, batch=9)
    stored.log.close()
    stored = Intake(RecorderLog.sqlite(tmp_path / "log.sqlite"))
    take(file, mapping(), stored, resume=True)
    assert stored.digest() == memory.digest()
    stored.log.close()


# --- refusals -------------------------------------------------------------------------------------------


def refused(file: Path, how: Mapping, intake: Intake | None = None, **options: Any) -> str:
    """The sentence of an import that does not begin, and leaves the log as it was."""
    intake = intake or Intake()
    before = len(intake.told())
    with pytest.raises(ImportRefused) as caught:
        take(file, how, intake, **options)
    assert len(intake.told()) == before
    return str(caught.value)


def test_an_import_is_not_done_twice_by_accident(tmp_path: Path) -> None:
    file = small(tmp_path, "from,to,value,day\na,b,1,1\na,b,1,1\n")
    _, intake = take(file, mapping())
    said = refused(file, mapping(), intake)
    assert "is in the book shop already, answered up to row 2" in said
    assert "--resume" in said
    renamed = file.rename(tmp_path / "renamed.csv")
    assert "answered up to row 2" in refused(renamed, mapping(), intake)
    (tmp_path / "accounts.csv").write_text("id,balance\na,1000\n")
    assert "does not hold this import" in refused(renamed, mapping(), intake, resume=True)
    small(tmp_path, "")
    assert "answered up to row 2" in refused(renamed, mapping(), intake)
    renamed.write_bytes(renamed.read_bytes() + b"a,b,1,2\n")
    assert "does not hold this import" in refused(renamed, mapping(), intake, resume=True)


def test_another_file_is_added_to_the_book_only_when_asked(tmp_path: Path) -> None:
    file = small(tmp_path, "from,to,value,day\na,b,1,5\n")
    _, intake = take(file, mapping())
    file.write_text("from,to,value,day\nb,a,2,3\nb,a,2,6\n")
    (tmp_path / "accounts.csv").write_text("id,balance\na,100\nb,5\nnew,7\n")
    result, _ = take(file, mapping(), intake, another=True)
    assert (result.accepted, result.accounts, result.setup_by_reason) == (2, 1, {})
    assert intake.balances("shop") == {
        "opening-balances": -112_50,
        "a": 103_00,
        "b": 2_50,
        "c": 0,
        "new": 7_00,
    }
    again, _ = take(file, mapping(), intake, another=True, resume=True)
    assert (again.accepted, again.went_on_behind) == (2, 2)
    assert "no book shop yet" in refused(file, mapping(), another=True)


def test_a_book_that_follows_the_wall_clock_takes_no_history(tmp_path: Path) -> None:
    intake = Intake()
    opening = OpenBook(
        id="open",
        book="shop",
        actor=ADMIN,
        issued_at_ms=intake.book("~system").at,
        name="",
        currency="EUR",
        administrators=(Administrator(person="p", user=ADMIN),),
    )
    intake.submit([Out(b"shop", encode(opening))])
    file = small(tmp_path, "from,to,value,day\na,b,1,5\n")
    assert "wall clock" in refused(file, mapping(), intake, another=True)


def test_who_may_not_open_the_book_is_told(tmp_path: Path) -> None:
    file, intake = small(tmp_path, "from,to,value,day\na,b,1,5\n"), Intake()
    with pytest.raises(ImportStopped, match="not_permitted") as caught:
        import_file(file, mapping(), "stranger", intake.submit, intake)
    assert isinstance(caught.value, DaybookError)
    assert len(intake.told()) == 2  # the log's first event and the one refusal


def test_a_long_import_opens_a_book_that_can_remember_all_of_it() -> None:
    step = opening(
        Envelope("mark", "shop", ADMIN), mapping(), 0, Administrator(person="p", user=ADMIN), 2_000_000
    )
    command = decode_command(step.out.value)
    assert isinstance(command, OpenBook)
    assert command.repeat_cap == 2_000_000


@pytest.mark.parametrize(
    ("make", "part", "said"),
    [
        (lambda file: file.unlink(), {}, "rows.csv cannot be read: No such file"),
        (lambda file: (file.unlink(), file.mkdir()), {}, "cannot be read: Is a directory"),
        (lambda file: file.write_text(""), {}, "is empty"),
        (lambda file: file.write_text("from,to,value,day\n"), {}, "it has no rows"),
        (lambda file: file.write_text("from,to,value,day\na,b,1,x\n"), {}, "no row of it has a time; line 2"),
        (
            lambda file: file.write_bytes(gzip.compress(b"from,to,value,day\n" * 9)[:-9]),
            {},
            "not a whole gzip file",
        ),
        (lambda file: file.write_bytes(b"\x1f\x8b\x08 not gzip"), {}, "gzip file"),
        (
            lambda file: None,
            {"columns": {"debit": "payer"}},
            "columns.debit: rows.csv has no column 'payer'; it has",
        ),
        (lambda file: None, {"columns": {"debit": 9}}, "columns.debit: rows.csv has 4 columns, not 9"),
        (
            lambda file: file.write_text("to,to,value,day\n"),
            {"columns": {"debit": 1}},
            "2 columns named 'to'",
        ),
        (lambda file: None, {"accounts": {"file": "none.csv"}}, "accounts.file: there is no"),
        (
            lambda file: None,
            {"accounts": {"columns": {"account": "ID"}}},
            "accounts.columns.account: accounts.csv has no column 'ID'; it has 'id', 'balance'",
        ),
        (lambda file: None, {"file": {"header": False}}, "rows.csv has no header, so 'from' cannot be found"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence_before_anything_is_sent(
    make: Callable[[Path], Any], part: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = small(tmp_path, "from,to,value,day\na,b,1,5\n")
    make(file)
    assert said in refused(file, mapping(**part))


# --- much -----------------------------------------------------------------------------------------------


def test_random_rubbish_never_stops_an_import_and_every_row_is_answered(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    sys.stderr.write(f"seed {seed}\n")
    chance = random.Random(seed)
    parts = [
        "a",
        "b",
        "c",
        "",
        "1",
        "2.50",
        "-1",
        "x",
        '"',
        '"a"',
        ",",
        ",",
        ",",
        ",",
        "\0",
        "é",
        "\xff",
        " ",
        "9" * 70,
    ]
    lines, data_lines = [], 0
    for _ in range(2_000):
        if chance.random() < 0.5:
            ids = f"{chance.choice('abc')},{chance.choice('abc')}"
            line = f"{ids},{chance.randrange(300)}.{chance.randrange(99)},{chance.randrange(40)}"
        else:
            line = "".join(chance.choice(parts) for _ in range(chance.randrange(9)))
        data_lines += bool(line.strip())
        lines.append(line.encode("latin-1"))
    file = small(tmp_path, "")
    file.write_bytes(b"from,to,value,day\n" + b"\n".join(lines))
    opened = {"id": "shop", "currency": "EUR", "opened_on": "2025-01-01"}
    result, intake = take(file, mapping(book=opened))
    assert result.rows == result.accepted + result.rejected == data_lines
    assert result.accepted > 50
    assert result.by_reason["bad_row"] > 500
    assert sum(intake.balances("shop").values()) == 0
    assert all(balance >= 0 for account, balance in intake.balances("shop").items() if account in "abc")


def test_a_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    rows = 40_000
    file = small(tmp_path, "")
    with gzip.open(file, "wt") as stream:
        stream.write("from,to,value,day\n")
        stream.writelines(f"a,b,1.00,{row // 1000}\n" for row in range(rows))

    def read() -> Iterator[Step]:
        transfers = Transfers(CsvFile(file, mapping().file), mapping())
        for step in transfers.steps(Envelope("mark", "shop", ADMIN), 1_735_689_600_000):
            assert isinstance(step, Step)
            yield step

    tracemalloc.start()
    try:
        assert sum(1 for _ in read()) == rows
        assert tracemalloc.get_traced_memory()[1] < 6_000_000  # two blocks of 1 MiB, and little besides
    finally:
        tracemalloc.stop()


def test_progress_and_bad_rows_are_told_while_it_goes(tmp_path: Path) -> None:
    file = small(tmp_path, LONG_FILE)
    seen: list[tuple[int, int]] = []
    bad: list[int] = []
    result, _ = take(
        file,
        mapping(),
        progress=lambda done, total: seen.append((done, total)),
        on_bad=lambda one: bad.append(one.line),
        batch=5,
    )
    assert seen == sorted(seen)
    assert seen[-1] == (61, 61)
    assert {total for _, total in seen} == {61}
    assert len(bad) == result.by_reason["bad_row"]
