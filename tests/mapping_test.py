"""A mapping: other people's files are read as it says, and what is wrong with it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import MappingWrong
from gateway.mapping import mapping_of, read_mapping
from schemas.transfers import TransferPosted
from tests.intake import mapping, small, take

# --- other people's files -------------------------------------------------------------------------------


def one_row(tmp_path: Path, text: str, **parts: Any) -> TransferPosted:
    accounts = ACCOUNTS_AS.get(parts.pop("accounts_as", ""), "id,balance\na,1000000\nb,0\n")
    file = small(tmp_path, "", accounts)
    file.write_bytes(text.encode(parts.get("file", {}).get("encoding", "utf-8")))
    written: dict[str, Any] = {"accounts": {"written": {}, "amount": {}}}
    result, intake = take(file, mapping(**(written | parts)))
    assert (result.rows, result.accepted, result.bad_rows) == (1, 1, [])
    return next(
        one for one in intake.told() if isinstance(one, TransferPosted) and one.reference != "opening balance"
    )


ACCOUNTS_AS = {
    "usd": "id,balance,cur\na,1000000,USD\nb,0,USD\n",
    "jpy": "id,balance,cur\na,1000000,JPY\nb,0,JPY\n",
}
ISO, BERLIN = {"format": "iso"}, {"time_zone": "Europe/Berlin"}
WITH_CURRENCY = {"currency": "cur"}
ACCOUNTS_WITH_CURRENCY = {
    "columns": {"account": "id", "opening_balance": "balance", "currency": "cur"},
    "written": {},
    "amount": {},
}


@pytest.mark.parametrize(
    ("text", "parts", "amount", "issued_at_ms"),
    [
        ("from,to,value,day\na,b,1.5,2025-06-01T12:00:00.123Z\n", {"time": ISO}, 150, 1_748_779_200_123),
        ("from,to,value,day\na,b,1.5,2025-06-01T12:00:00+02:00\n", {"time": ISO}, 150, 1_748_772_000_000),
        ("from,to,value,day\na,b,1.5,2025-06-01 12:00\n", {"time": ISO | BERLIN}, 150, 1_748_772_000_000),
        (
            "from;to;value;day\na;b;1.234,56;01.06.2025 12:00\n",
            {
                "file": {"separator": ";"},
                "time": {"format": "%d.%m.%Y %H:%M"} | BERLIN,
                "amount": {"decimal_point": ",", "thousands": "."},
            },
            1_234_56,
            1_748_772_000_000,
        ),
        (
            "from,to,value,day\na,b,150,20240\n",
            {"amount": {"units": "minor"}, "time": {"format": "steps", "start": "1970-01-01", "unit": "day"}},
            150,
            20_240 * 86_400_000,
        ),
        (
            "from,to,value,day\na,b,15000,1748779200\n",
            {
                "amount": {"units": "minor", "decimals": 4},
                "time": {"format": "steps", "start": "1970-01-01", "unit": "second"},
            },
            150,
            1_748_779_200_000,
        ),
        (
            'from,to,value,day\na,b,"1,500.00",100\n',
            {
                "amount": {"thousands": ","},
                "time": {"format": "steps", "start": "2025-01-01", "unit": "hour", "every": 6},
            },
            1_500_00,
            1_735_689_600_000 + 600 * 3_600_000,
        ),
    ],
)
def test_times_and_amounts_are_read_exactly(
    text: str, parts: dict[str, Any], amount: int, issued_at_ms: int, tmp_path: Path
) -> None:
    # What stands in `time` replaces the steps of the small mapping whole.
    time = parts["time"]
    posted = one_row(tmp_path, text, **(parts | {"time": {"start": None} | time}))
    assert (posted.amount, posted.issued_at_ms) == (amount, issued_at_ms)


def test_a_day_is_a_day_in_the_books_time_zone_also_when_clocks_change(tmp_path: Path) -> None:
    book = {"id": "shop", "currency": "EUR", "time_zone": "Europe/Berlin"}
    posted = one_row(tmp_path, "from,to,value,day\na,b,1,180\n", book=book)
    assert str(posted.booking_date) == "2025-06-30"
    assert posted.issued_at_ms == 1_751_234_400_000  # 2025-06-29T22:00:00Z


def test_columns_can_be_places_and_texts_another_encoding(tmp_path: Path) -> None:
    columns = {"debit": 2, "credit": 3, "amount": 4, "time": 1, "reference": 5}
    posted = one_row(
        tmp_path,
        "7;a;b;1;Grüße\n",
        columns=columns,
        file={"header": False, "encoding": "latin-1", "separator": ";"},
    )
    assert (posted.debit, posted.reference) == ("a", "Grüße")


@pytest.mark.parametrize(("kind", "amount"), [("usd", 150), ("jpy", 150)])
def test_a_currency_column_decides_the_digits_and_each_currency_is_funded(
    kind: str, amount: int, tmp_path: Path
) -> None:
    value = "1.50" if kind == "usd" else "150"
    text = f"from,to,value,day,cur\na,b,{value},1,{kind.upper()}\n"
    posted = one_row(tmp_path, text, columns=WITH_CURRENCY, accounts=ACCOUNTS_WITH_CURRENCY, accounts_as=kind)
    assert (posted.amount, posted.currency) == (amount, kind.upper())


# --- the mapping ----------------------------------------------------------------------------------------

TIME = {"format": "steps", "start": "2025-01-01"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"book": {"nam": "x"}}, "book.nam: there is no such setting (did you mean name?)"),
        ({"banana": 1}, "banana: there is no such setting (known here: accounts, amount, book,"),
        (
            {"accounts": {"columns": {"acount": "x"}}},
            "accounts.columns.acount: there is no such setting (did you mean",
        ),
        (
            {"book": {"currency": "EURO"}},
            "book.currency: 'EURO' is no ISO 4217 currency; write a code such as EUR",
        ),
        ({"book": {"time_zone": "Berlin"}}, "book.time_zone: 'Berlin' is no time zone"),
        ({"book": {"id": "~system"}}, "book.id: String should match pattern"),
        ({"book": {"clock": "wall"}}, "book.clock: Input should be 'commanded'"),
        ({"file": {"separator": ";;"}}, "file.separator: String should have at most 1 character"),
        ({"file": {"encoding": "utf-16"}}, "file.encoding: utf-16 does not end a line with one byte"),
        ({"file": {"encoding": "klingon"}}, "file.encoding: 'klingon' is no encoding"),
        ({"amount": {"units": "cents"}}, "amount.units: Input should be 'major' or 'minor'"),
        ({"amount": {"thousands": "."}}, "amount: decimal_point and thousands are the same character"),
        ({"time": {"format": "steps"}}, "time: steps are counted from a date: add start"),
        ({"time": TIME | {"format": "ISO"}}, "time: start belongs to steps"),
        ({"time": {"format": "days"}}, "time: 'days' is neither steps nor iso nor a pattern"),
        ({"columns": {"debit": 0}}, "columns.debit: "),
        ({"columns": {"debit": True}}, "columns.debit: "),
        ({"columns": {"debit": None}}, "columns.debit: "),
    ],
)
def test_a_wrong_setting_is_named_by_its_path_with_what_would_be_right(
    change: dict[str, Any], said: str
) -> None:
    given: dict[str, Any] = {
        "book": {"id": "shop", "currency": "EUR"},
        "columns": {"debit": "from", "credit": "to", "amount": "value", "time": "day"},
        "time": TIME,
    }
    for part, settings in change.items():
        given[part] = given.get(part, {}) | settings if part not in ("time", "banana") else settings
    with pytest.raises(MappingWrong) as caught:
        mapping_of(given)
    assert said in str(caught.value)
    assert any(problem.startswith(said[:40]) for problem in caught.value.problems)


def test_all_problems_of_a_mapping_are_said_at_once() -> None:
    with pytest.raises(MappingWrong) as caught:
        mapping_of({"book": {}, "columns": {}, "colour": 1})
    assert len(caught.value.problems) == 8  # 2 of the book, 4 columns, time, and what is unknown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"book: [", "is not YAML at line"),
        (b"- 1\n", "holds no settings"),
        (b"", "holds no settings"),
        (b"\xff", "is not UTF-8"),
        (b"a: !!python/object:os.system {}", "is not YAML at line 1"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_in_one_sentence(text: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_bytes(text)
    with pytest.raises(MappingWrong) as caught:
        read_mapping(file)
    assert said in str(caught.value)
    with pytest.raises(MappingWrong, match="cannot be read"):
        read_mapping(tmp_path / "none.yaml")
