"""Bulk changes of lists: every bad line is told with its number, and nothing is live until all is right."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import DocumentsWrong, ImportRefused
from gateway.list_files import changed
from schemas.documents.kinds import read
from schemas.documents.lists import MOST_ENTRIES, Listing
from schemas.payees import payee_key

BERLIN = ZoneInfo("Europe/Berlin")
ACCOUNTS: dict[str, Any] = {
    "purpose": "block",
    "of": "account",
    "entries": [{"id": "a"}, {"id": "b", "note": "old"}],
}


def told(tmp_path: Path, text: str, body: dict[str, Any] = ACCOUNTS) -> Any:
    file = tmp_path / "changes.csv"
    file.write_text(text)
    return changed(file, body, BERLIN)


def wrong(tmp_path: Path, text: str, body: dict[str, Any] = ACCOUNTS) -> tuple[str, ...]:
    with pytest.raises(DocumentsWrong) as caught:
        told(tmp_path, text, body)
    return caught.value.problems


def test_additions_removals_and_new_ends(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "action,entry,until,note\n"
        "add,c,2026-03-01,seen in a case\n"
        "remove,a,,\n"
        "ADD, b ,2026-03-01T08:00+00:00,\n",
    )
    march = int(datetime.datetime(2026, 3, 1, tzinfo=BERLIN).timestamp() * 1_000)
    assert (found.added, found.removed, found.moved) == (1, 1, 1)
    assert found.body["entries"] == [
        {"id": "b", "until_ms": march + 9 * 3_600_000},
        {"id": "c", "until_ms": march, "note": "seen in a case"},
    ]
    assert isinstance(read("list", found.body), Listing)
    assert ACCOUNTS["entries"] == [{"id": "a"}, {"id": "b", "note": "old"}]


def test_accounts_of_payees_become_their_keys(tmp_path: Path) -> None:
    body = {"purpose": "block", "of": "payee", "entries": [{"id": payee_key("DE1")}]}
    found = told(tmp_path, "entry,action\nde 02 12,add\nDE1,remove\n", body)
    assert found.body["entries"] == [{"id": payee_key("DE0212")}]


def test_every_bad_line_is_told_with_its_number(tmp_path: Path) -> None:
    found = wrong(
        tmp_path,
        "action,entry,until,note\n"
        "add,c,soon,\n"
        "drop,c,,\n"
        "\n"
        "remove,nobody,,\n"
        "add,,,\n"
        "add,d,,\n"
        'add,"e,,\n'
        "remove,d,,\n"
        "remove,a,2026-01-01,\n"
        "add,x,y\n"
        f"add,{'x' * 65},,\n"
        f"add,f,,{'x' * 501}\n"
        "add,g,9999-12-31,\n",
    )
    assert [one.partition(": ")[0] for one in found] == [
        f"line {number}" for number in (2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14)
    ]
    assert "line 9: the entry stands in line 7 too" in found
    assert "line 5: the entry does not stand on the list" in found
    assert any(one.startswith("line 8: it is not CSV") for one in found)


def test_countries_are_two_capitals(tmp_path: Path) -> None:
    body = {"purpose": "watch", "of": "country", "entries": []}
    (found,) = wrong(tmp_path, "action,entry\nadd,KP\nadd,Iran\n", body)
    assert found.startswith("line 3: entry must be a country's two capitals")


def test_a_file_with_other_columns_is_refused_before_its_lines(tmp_path: Path) -> None:
    for header in ("entry,until", "action,entry,who", "action,entry,entry"):
        assert "they must be action, entry" in wrong(tmp_path, f"{header}\nadd,x\n")[0]
    with pytest.raises(ImportRefused, match="empty"):
        told(tmp_path, "")
    with pytest.raises(ImportRefused, match="cannot be read"):
        changed(tmp_path / "none.csv", ACCOUNTS, BERLIN)


def test_ten_thousand_at_once_and_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    body = {"purpose": "block", "of": "payee", "entries": []}
    lines = "".join(f"add,DE{number}\n" for number in range(10_000))
    found = told(tmp_path, f"action,entry\n{lines}", body)
    assert (found.added, len(found.body["entries"])) == (10_000, 10_000)
    more = "".join(f"add,FR{number}\n" for number in range(MOST_ENTRIES))
    (refused,) = wrong(tmp_path, f"action,entry\n{more}", found.body)
    assert refused == "the list would have 30,000 entries, and the most is 20,000"


def test_of_very_many_bad_lines_the_first_thousand_are_told(tmp_path: Path) -> None:
    found = wrong(tmp_path, "action,entry\n" + "drop,x\n" * 1_500)
    assert (len(found), found[-1]) == (1_001, "... and 500 more")
