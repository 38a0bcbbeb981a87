"""Documents as people write them: every mistake is told with its place, and says what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from gateway.document_files import read_drafts
from gateway.errors import DocumentsWrong
from schemas.documents.difference import differences, values_in
from schemas.documents.document import Document, Problem
from schemas.documents.kinds import DOCUMENTS, known, read

TARIFF = {"lines": [{"id": "transfer", "currency": "EUR", "income": "fees", "flat": 50}]}
LIMITS = {"lines": [{"id": "day", "measure": "sum", "most": 100_000, "window": "day", "currency": "EUR"}]}


def line(**fields: Any) -> dict[str, Any]:
    """A tariff of one line, with these fields of it changed."""
    return {"lines": [{**TARIFF["lines"][0], **fields}]}


WRONG: list[tuple[str, Any, str, str]] = [
    ("tariff", {}, "lines", "is missing"),
    ("tariff", {"lines": []}, "lines", "must have 1 entry or more"),
    ("tariff", {"lines": {}}, "lines", "must be a list, and is named fields"),
    ("tariff", {"lines": "all"}, "lines", 'must be a list, and is "all"'),
    ("tariff", line(rate=0.0125), "lines[0].rate", 'write a rate as text: "0.0125"'),
    ("tariff", line(rate=1e-7), "lines[0].rate", 'write a rate as text: "0.0000001"'),
    ("tariff", line(rate=2), "lines[0].rate", 'write a rate as text: "2"'),
    (
        "tariff",
        line(rate="1,25"),
        "lines[0].rate",
        (
            'must be a decimal number such as "0.0125" for 1.25 %, with a point and at most 12 places, '
            'and is "1,25"'
        ),
    ),
    (
        "tariff",
        line(flat=1.5),
        "lines[0].flat",
        "must be a whole number, and is 1.5; amounts are in minor units (12.50 is 1250)",
    ),
    ("tariff", line(flat="50"), "lines[0].flat", "must be a number: write 50 without quotes"),
    ("tariff", line(flat=True), "lines[0].flat", "must be a whole number, and is true"),
    ("tariff", line(flat=None), "lines[0].flat", "must be a whole number, and is nothing"),
    ("tariff", line(flat=-1), "lines[0].flat", "must be 0 or more, and is -1"),
    ("tariff", line(most=0), "lines[0].most", "must be more than 0, and is 0"),
    (
        "tariff",
        line(most=10**400),
        "lines[0].most",
        "must be 9223372036854775807 or less, and is a number of more than 60 digits",
    ),
    ("tariff", line(currency=978), "lines[0].currency", 'write it as text: "978"'),
    ("tariff", line(currency="E"), "lines[0].currency", "must have 2 characters or more"),
    (
        "tariff",
        line(currency="EUROPEAN-UNION"),
        "lines[0].currency",
        "must have at most 12 characters, and has 14",
    ),
    (
        "tariff",
        line(income=False),
        "lines[0].income",
        "must be text, and is false; text is written in quotes",
    ),
    ("tariff", line(income=[]), "lines[0].income", "must be text, and is a list"),
    ("tariff", line(income="a\0b"), "lines[0].income", "must not hold the character NUL"),
    ("tariff", line(id=""), "lines[0].id", "must not be empty"),
    (
        "tariff",
        line(id="a/b"),
        "lines[0].id",
        'must be letters, digits, _ and - beginning with a letter or digit, and is "a/b"',
    ),
    (
        "tariff",
        line(rounding="half-even"),
        "lines[0].rounding",
        'must be half_even or half_up or up or down, and is "half-even"; did you mean half_even?',
    ),
    ("tariff", line(every="day"), "lines[0].every", 'must be month, and is "day"'),
    ("tariff", line(flt=1), "lines[0].flt", "there is no such field (did you mean flat?)"),
    (
        "tariff",
        line(waived_for={"zzz": 1}),
        "lines[0].waived_for.zzz",
        "there is no such field (known: segments, parties)",
    ),
    (
        "tariff",
        line(waived_for=[]),
        "lines[0].waived_for",
        "must be fields: segments, parties; it is a list",
    ),
    (
        "tariff",
        line(only={"from_time": "8:00"}),
        "lines[0].only.from_time",
        'must be a time of day such as "22:30", and is "8:00"',
    ),
    ("limits", {"lines": [{}]}, "lines[0].id", "is missing"),
    (
        "product",
        {"name": "x", "overdraft": {"E": 1}},
        "overdraft.E",
        'the name "E": must have 2 characters or more',
    ),
    ("product", {"name": "x", "overdraft": {"EUR": -1}}, "overdraft.EUR", "must be 0 or more, and is -1"),
    ("product", {"name": "x", "overdraft": 7}, "overdraft", "must be named fields; it is 7"),
    ("product", {"name": "x" * 501}, "name", "must have at most 500 characters, and has 501"),
    ("product", {"name": "x", "limits": ["a"] * 21}, "limits", "must have at most 20 entries"),
    ("product", {"name": "x", "currencies": ["EUR", "EUR"]}, "currencies[1]", "EUR stands in the list twice"),
    (
        "calendar",
        {"name": "x", "holidays": [{"date": "0"}]},
        "holidays[0].date",
        'must be a date such as 2026-01-31, and is "0"',
    ),
    (
        "calendar",
        {"name": "x", "holidays": [{"date": "1.5.2026"}]},
        "holidays[0].date",
        'must be a date such as 2026-01-31, and is "1.5.2026"',
    ),
    ("product", {"nam": "x"}, "nam", "there is no such field (did you mean name?)"),
    ("product", {"name": float("nan")}, "name", "must be text, and is nothing"),
]


@pytest.mark.parametrize(("kind", "body", "path", "what"), WRONG)
def test_a_mistake_is_told_with_its_path_and_what_would_be_right(
    kind: str, body: Any, path: str, what: str
) -> None:
    found = read(kind, body)
    assert isinstance(found, list)
    assert Problem(path, what) in found


def test_many_mistakes_are_told_at_once_and_not_without_end() -> None:
    found = read("tariff", {"lines": [{"id": "a"}], "a": 1, "b": 2})
    assert isinstance(found, list)
    assert {one.path for one in found} == {"lines[0].currency", "lines[0].income", "a", "b"}
    found = read("tariff", {"lines": [], **{f"f{number}": number for number in range(5_000)}})
    assert isinstance(found, list)
    assert len(found) == 1_000


def test_what_cannot_be_written_or_is_nested_without_end_is_told() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert read("product", {"name": deep}) == [Problem("", "is nested too deeply")]
    (found,) = read("product", {"name": "\ud800"})  # type: ignore[misc]
    assert found.what.startswith("cannot be written as JSON")


def test_a_field_may_be_called_what_pydantic_calls_a_name() -> None:
    found = read("tariff", {"[key]": None, "lines": []})
    assert isinstance(found, list)
    assert [one.what.partition(" (")[0] for one in found if one.path == "[key]"] == ["there is no such field"]
    found = read("approval_policy", {"lines": [{"id": "a", "when": {"amounts": {"[key]": "x", "E": 1}}}]})
    assert isinstance(found, list)
    said = {one.path: one.what for one in found}
    assert said["lines[0].when.amounts.E"].startswith('the name "E": must ')
    assert "lines[0].when.amounts.[key]" in said


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["EUR", "day", "month", "0.5", "transfer"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted({field.name for kind in DOCUMENTS.values() for field in msgspec.structs.fields(kind)})


@settings(max_examples=300, deadline=None)
@hypothesis_given(
    kind=st.sampled_from(sorted(DOCUMENTS)),
    body=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), ANYTHING, max_size=6),
)
def test_whatever_a_body_holds_it_is_a_document_or_problems(kind: str, body: dict[str, Any]) -> None:
    found = read(kind, body)
    if isinstance(found, Document):
        assert read(kind, msgspec.to_builtins(found)) == found
        assert known(kind, msgspec.json.decode(msgspec.json.encode(found))) == found
    else:
        assert found
        assert all(one.what and len(one.what) < 2_000 for one in found)


# --- files ------------------------------------------------------------------------------------------------


def wrong(folder: Path, text: str | bytes, name: str = "file.yaml") -> str:
    """What is said about a file with this text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DocumentsWrong) as caught:
        read_drafts(path)
    return str(caught.value).replace(str(path), "FILE")


HEAD = "kind: product\nid: current\nbody:\n  name: Current\n"
BAD_FILES: list[tuple[str, str | bytes]] = [
    ("FILE holds no document", ""),
    ("FILE holds no document", "---\n---\n# nothing\n"),
    ("must begin with kind, id and body, and is a list", "- kind: product\n"),
    ("kind: is missing; the kinds are product", "id: x\nbody: {name: x}\n"),
    ('kind: there is no kind "prodct"', "kind: prodct\nid: x\nbody: {name: x}\n"),
    ("kind: there is no kind a list", "kind: [product]\nid: x\nbody: {name: x}\n"),
    ("id: must be 1 to 64 letters", "kind: product\nid: a b\nbody: {name: x}\n"),
    ("id: must be 1 to 64 letters", "kind: product\nid: 7\nbody: {name: x}\n"),
    ("body: is missing", "kind: product\nid: x\n"),
    ("body: must be the document's fields, and is nothing", "kind: product\nid: x\nbody:\n"),
    ("body.name: is missing", "kind: product\nid: x\nbody: {}\n"),
    ("versoin: there is no such field here", HEAD + "versoin: 2\n"),
    ("version: must be a whole number from 1 on, and is 0", HEAD + "version: 0\n"),
    ("version: must be a whole number from 1 on, and is true", HEAD + "version: true\n"),
    ("effective_from: must be a date such as 2026-03-01", HEAD + "effective_from: soon\n"),
    ('line 5: the name "id" stands there twice', HEAD + "id: other\n"),
    ("anchors and aliases", "kind: product\nid: x\nbody: &a {name: x}\n"),
    ("anchors and aliases", "a: &a [x]\nb: [*a, *a, *a]\n"),
    ("merges (<<) are not read", "kind: product\n<<: {id: x}\n"),
    ("is not read; take it out", "kind: !!python/name:os.system product\n"),
    ("is not read; take it out", "kind: !secret product\n"),
    ("line 4: a tab stands where spaces indent", "kind: product\nid: x\nbody:\n\tname: x\n"),
    ("line 1: the name 1 must be text: put it into quotes", "1: x\n"),
    ("the name nothing must be text", "~: x\n"),
    ("the name true must be text", "true: x\n"),
    ("nested too deeply", "[" * 100_000),
    ("nested too deeply", "a: " + "[" * 60 + "]" * 60),
    ("nested too deeply", "".join(f"{' ' * depth}a:\n" for depth in range(200))),
    ("FILE is not UTF-8 (byte 6)", b"kind: \xff"),
    ("FILE is larger than 1 MiB", b"#" * 50_000_000),
    ("which YAML does not allow", "kind: \x07"),
    ('the name "id" stands there twice', '{"kind": "product", "id": "a", "id": "b"}'),
    ("NaN is no number", '{"kind": "product", "id": "a", "body": {"name": NaN}}'),
    ("it is not JSON", '{"kind": }'),
    (
        "document 2: body.nam: there is no such field (did you mean name?)",
        HEAD + "---\n" + HEAD.replace("name:", "nam:"),
    ),
]


@pytest.mark.parametrize(("said", "text"), BAD_FILES, ids=[str(number) for number in range(len(BAD_FILES))])
def test_a_file_that_cannot_be_read_says_why_and_where(tmp_path: Path, said: str, text: str | bytes) -> None:
    assert said in wrong(tmp_path, text)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentsWrong, match="cannot be read: No such file"):
        read_drafts(tmp_path / "none.yaml")


def test_yaml_makes_nothing_of_a_text_that_looks_like_something_else(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    for text in (
        "NO",
        "yes",
        "off",
        "08",
        "1_000",
        "0x1F",
        "12:30",
        "2026-01-31",
        ".nan",
        ".inf",
        "1.",
        "=",
        "'7'",
    ):
        path.write_text(HEAD.replace("Current", text))
        (draft,) = read_drafts(path)
        assert draft.body == {"name": text.strip("'")}


def test_a_file_holds_one_document_or_several_as_yaml_or_json(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(HEAD + "version: 3\neffective_from: 2026-03-01\n---\n" + HEAD.replace("current", "other"))
    first, second = read_drafts(path)
    assert (first.name, first.version, first.effective_from) == ("product/current", 3, "2026-03-01")
    assert (second.name, second.version, second.effective_from) == ("product/other", None, None)
    path.write_text(json.dumps({"kind": "tariff", "id": "t", "body": TARIFF}))
    (third,) = read_drafts(path)
    assert third.body == TARIFF


# --- differences ------------------------------------------------------------------------------------------


def test_lines_are_found_by_their_id() -> None:
    was = {"lines": [{"id": "a", "flat": 1}, {"id": "b", "flat": 2}], "name": "x"}
    now = {"lines": [{"id": "b", "flat": 3}, {"id": "a", "flat": 1}, {"id": "c", "flat": 4}]}
    assert [(one.path, one.was, one.now) for one in differences(was, now)] == [
        ("lines[b].flat", 2, 3),
        ("lines[c].flat", None, 4),
        ("lines[c].id", None, "c"),
        ("name", "x", None),
    ]


@hypothesis_given(one=st.dictionaries(st.text(max_size=3), ANYTHING, max_size=4))
def test_a_document_does_not_differ_from_itself(one: dict[str, Any]) -> None:
    assert not [change for change in differences(one, one) if change.was == change.was]  # nan is never itself
    assert {change.path for change in differences({}, one)} >= {
        path for path, value in values_in("", one) if path and value is not None
    } - {""}
