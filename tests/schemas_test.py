"""What is said: two validators that agree, the published contracts, money as text."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import jsonschema
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import inspect
from pydantic import Field, TypeAdapter, ValidationError

from engine.log.records import LINK
from engine.log.topics import MAX_BYTES
from engine.proof import KEY, MAC
from schemas import export
from schemas.books import OpenBook
from schemas.catalogue import (
    COMMANDS,
    EVENTS,
    AnyCommand,
    Undecodable,
    decode_command,
    decode_event,
    encode,
    fingerprint,
)
from schemas.fields import END, INT64_MAX, LATEST_MS
from schemas.message import ENVELOPE, Command
from schemas.money import EXPONENTS, MAX_SCALE, format_minor, parse_minor
from schemas.outcomes import CommandOutcome
from schemas.parties import ChangePartyProfile, RegisterParty
from schemas.personal import personal_fields
from schemas.rejections import CATALOGUE, REASONS, UNREMEMBERED, CommandRejected, sentence
from schemas.tracing import PARENT, STATE
from schemas.transfers import Transfer
from tests.story import ROOT

STREAM: Callable[[bytes], Command] = decode_command
EDGE: TypeAdapter[Command] = TypeAdapter(Annotated[AnyCommand, Field(discriminator="type")])


def streamed(raw: bytes) -> Command | None:
    try:
        return STREAM(raw)
    except Undecodable:
        return None


def edged(raw: bytes) -> Command | None:
    try:
        return EDGE.validate_json(raw)
    except ValidationError:
        return None


def agreed(raw: bytes) -> Command | None:
    """The command on which both doors agree, or None where both refuse it."""
    one, other = streamed(raw), edged(raw)
    assert one == other, f"stream: {one}, edge: {other}, of {raw!r}"
    return one


# --- both doors accept and refuse the same ----------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def valid(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """JSON that fits the type, with its bounds reached often."""
    match kind:
        case inspect.Metadata():
            return valid(kind.type)
        case inspect.IntType():
            least = (
                kind.ge if kind.ge is not None else (kind.gt if kind.gt is not None else -INT64_MAX - 1) + 1
            )
            return st.integers(least, kind.le) | st.sampled_from([least, kind.le])
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern.removesuffix(END), fullmatch=True).filter(
                lambda text: len(text) <= (kind.max_length or 64) and not text.endswith("\n")
            )
        case inspect.StrType():
            texts = st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                min_size=kind.min_length or 0,
                max_size=min(kind.max_length or 20, 20),
            )
            return texts | st.just("x" * (kind.max_length or 20))
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.VarTupleType():
            return st.lists(valid(kind.item_type), min_size=kind.min_length or 0, max_size=3)
        case inspect.DictType():
            return st.dictionaries(valid(kind.key_type), valid(kind.value_type), max_size=3)
        case inspect.DateType():
            return st.dates().map(datetime.date.isoformat)
        case inspect.BoolType():
            return st.booleans()
        case inspect.AnyType():  # any JSON
            leaf = st.none() | st.booleans() | st.integers(-INT64_MAX, INT64_MAX) | st.text("ab", max_size=9)
            return leaf | st.lists(leaf, max_size=3) | st.dictionaries(st.text("ab", max_size=3), leaf)
        case inspect.NoneType():
            return st.none()
        case inspect.UnionType():
            return st.one_of(*(valid(one) for one in kind.types))
        case inspect.StructType():
            fields = {field.encode_name: valid(field.type) for field in kind.fields}
            required = {name: fields[name] for name in fields if named(kind, name).required}
            optional = {name: fields[name] for name in fields if name not in required}
            if kind.tag is not None:
                required["type"] = st.just(kind.tag)
            return st.fixed_dictionaries(required, optional=optional)
        case _:
            raise AssertionError(f"no strategy for {kind}")


def named(kind: inspect.StructType, name: str) -> inspect.Field:
    return next(field for field in kind.fields if field.encode_name == name)


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**40, LATEST_MS, LATEST_MS + 1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e2, 1e300, 0.1]),
    ANY_TEXT,
    st.sampled_from(
        ["", "\0", "a\0b", "\\u0000", "x" * 64, "x" * 65, "x" * 500, "x" * 501, "a\n", "\n", "1"]
    ),
    st.sampled_from(
        ["2024-02-29", "2023-02-29", "2024-2-9", "0000-01-01", "2024-01-01T00:00:00", "20240101"]
    ),
    st.sampled_from(["customer", "both", "wall", "DE", "DE\n", "GOLD", "GOLD\n", "EUR", "active", "*"]),
    st.lists(st.integers() | ANY_TEXT, max_size=2),
    st.dictionaries(ANY_TEXT, st.integers() | ANY_TEXT, max_size=2),
)


@st.composite
def broken(draw: st.DrawFn, good: st.SearchStrategy[Any]) -> Any:
    """JSON with something in it replaced, removed or added; by chance it may still be good."""
    document = draw(good)
    places: list[tuple[Any, Any]] = []

    def look(value: Any) -> None:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            places.append((value, key))
            if isinstance(inner, (dict, list)):
                look(inner)

    look(document)
    for _ in range(draw(st.integers(1, 2))):
        holder, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if isinstance(holder, list):
            holder[:] = [draw(JUNK)]
        elif change == "replace":
            holder[key] = draw(JUNK)
        elif change == "remove":
            holder.pop(key, None)
        else:
            holder[draw(ANY_TEXT | st.sampled_from(["seq", "at", "type", "cause"]))] = draw(JUNK)
    return document


@pytest.mark.parametrize("kind", COMMANDS)
def test_both_doors_take_what_is_good(kind: type[Command]) -> None:
    published = jsonschema.Draft202012Validator(
        {
            **json.loads(export.documents()["commands.schema.json"]),
            "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"}],
        }
    )

    @settings(max_examples=25, deadline=None)
    @given(valid(inspect.type_info(kind)))
    def check(document: dict[str, Any]) -> None:
        command = agreed(json.dumps(document, ensure_ascii=False).encode())
        assert type(command) is kind
        assert STREAM(encode(command)) == command
        published.validate(document)

    check()


@pytest.mark.parametrize("kind", COMMANDS)
def test_both_doors_refuse_the_same(kind: type[Command]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(broken(valid(inspect.type_info(kind))))
    def check(document: dict[str, Any]) -> None:
        agreed(json.dumps(document).encode())

    check()


def test_no_door_lets_nul_in_by_the_name_of_a_document() -> None:
    """Found by the test above, on a bad day."""
    payment = (
        b'{"type":"SubmitPayment","id":"c","book":"b","actor":"a","issued_at_ms":1,"payment":"p","account":"x",'
        b'"amount":1,"currency":"EUR","payee":{"name":"N","account":"A"},"rail":"%s"}'
    )
    assert agreed(payment % b"sepa") is not None
    assert agreed(payment % b"\\u0000") is None


@pytest.mark.long
@pytest.mark.parametrize("kind", COMMANDS)
def test_both_doors_refuse_the_same_at_length(kind: type[Command]) -> None:
    @settings(max_examples=1_500, deadline=None)
    @given(broken(valid(inspect.type_info(kind))))
    def check(document: dict[str, Any]) -> None:
        agreed(json.dumps(document).encode())

    check()


PARTY = (
    b'{"type":"RegisterParty","id":"c","book":"b","actor":"a","issued_at_ms":1,'
    b'"party":"p","kind":"person","name":"N"}'
)


def test_a_date_is_written_as_one() -> None:
    """pydantic by itself reads "0" as a day of 1970."""
    close = b'{"type":"ClosePeriod","id":"c","book":"b","actor":"a","issued_at_ms":1,"through":%s}'
    assert agreed(close % b'"2024-02-29"') is not None
    for wrong in (b'"0"', b'"86400"', b'"2024-2-9"', b'"20240229"', b'"2024-02-29T00:00:00"', b"0", b"null"):
        assert agreed(close % wrong) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"issued_at_ms":1', b'"issued_at_ms":1e2'),
        (b'"issued_at_ms":1', b'"issued_at_ms":1.0'),
        (b'"issued_at_ms":1', b'"issued_at_ms":01'),
        (b'"issued_at_ms":1', b'"issued_at_ms":+1'),
        (b'"issued_at_ms":1', b'"issued_at_ms":NaN'),
        (b'"issued_at_ms":1', b'"issued_at_ms":Infinity'),
        (b'"issued_at_ms":1', b'"issued_at_ms":true'),
        (b'"issued_at_ms":1', b'"issued_at_ms":"1"'),
        (b'"issued_at_ms":1', b'"issued_at_ms":9223372036854775808'),
        (b'"N"', b'"\xff"'),
        (b'"N"', b'"\xed\xa0\x80"'),
        (b'"N"', b'"\xc0\x80"'),
        (b'"N"', b'"\xf4\x90\x80\x80"'),
        (b'"N"', b'"\x01"'),
        (b'"N"', b'"\\ud83d"'),
        (b'"N"', b'"\\ude00"'),
        (b'"N"', b'"\\ude00\\ud83d"'),
        (b'"N"', b'"\\u0000"'),
        (b'"N"', b'"\\\\\\u0000"'),
        (b'"N"', b'"\\x41"'),
        (b'"type"', b'"Type"'),
        (b"RegisterParty", b"Register"),
        (b'"RegisterParty"', b"5"),
        (b'"person"', b'"Person"'),
        (b'"p"', b'"p\\n"'),
        (b'"p"', b'""'),
        (b'"p"', b'"' + b"p" * 65 + b'"'),
        (b"{", b"[{"),
        (b"}", b"}x"),
        (b"}", b""),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_both_doors_refuse_it(old: bytes, new: bytes) -> None:
    assert agreed(PARTY) is not None
    assert old in PARTY
    assert agreed(PARTY.replace(old, new)) is None


@pytest.mark.parametrize(
    ("new", "name"),
    [
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\\\\\u0000"', "\\\\u0000"),
        (b'"\\u0001\\n"', "\x01\n"),
        (b'"' + "\N{GRINNING FACE}".encode() * 500 + b'"', "\N{GRINNING FACE}" * 500),
        (b'"one","name":"two"', "two"),
    ],
)
def test_both_doors_take_it_for_the_same(new: bytes, name: str) -> None:
    command = agreed(PARTY.replace(b'"N"', new))
    assert isinstance(command, RegisterParty)
    assert command.name == name


@pytest.mark.parametrize(
    "raw", [b"", b" ", b"null", b"5", b'"a"', b"[]", b"{}", b"[" * 100_000, b"{" * 100_000]
)
def test_both_doors_refuse_what_is_no_object(raw: bytes) -> None:
    assert agreed(raw) is None


def test_the_edge_names_every_error_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        EDGE.validate_json(PARTY.replace(b'"person"', b'"cat"').replace(b'"N"', b"7").replace(b'"p"', b'""'))
    assert {error["loc"][-1] for error in caught.value.errors()} == {"kind", "name", "party"}


def test_the_edge_knows_each_type_by_its_name() -> None:
    schema = EDGE.json_schema()
    assert {one.__name__ for one in COMMANDS} <= set(schema["$defs"])
    assert set(schema["discriminator"]["mapping"]) == {one.__name__ for one in COMMANDS}
    party = STREAM(PARTY)
    assert isinstance(party, RegisterParty)
    assert json.loads(TypeAdapter(RegisterParty).dump_json(party)) == json.loads(encode(party))


def test_an_undecodable_record_says_what_is_wrong_and_where() -> None:
    for raw, said in (
        (PARTY.replace(b'"N"', b"7"), "Expected `str`, got `int` - at `$.name`"),
        (PARTY.replace(b'"N"', b'"\xff"'), "it is not UTF-8 (byte 0)"),
        (PARTY.replace(b'"N"', b'"\\u0000"'), "a text holds the character NUL"),
        (b'{"x":' + b"[" * 100_000, "it is nested too deeply"),
    ):
        with pytest.raises(Undecodable, match=re.escape(said)) as caught:
            decode_command(raw)
        assert "\n" not in str(caught.value)


# --- the types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*COMMANDS, *EVENTS])
def test_a_type_is_tagged_with_its_name_and_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.tag == kind.__name__
    assert kind.__struct_config__.tag_field == "type"
    assert kind.__struct_config__.frozen
    assert kind.__doc__
    assert kind.__doc__.strip()


def test_commands_take_no_unknown_field_and_events_do() -> None:
    assert all(one.__struct_config__.forbid_unknown_fields for one in COMMANDS)
    assert not any(one.__struct_config__.forbid_unknown_fields for one in EVENTS)
    event = b'{"type":"CommandRejected","reason":"busy","since a later release":1}'
    assert decode_event(event) == CommandRejected(reason="busy")


def test_names_are_imperatives_and_past_tense_and_never_shared() -> None:
    names = [one.__name__ for one in (*COMMANDS, *EVENTS)]
    assert len(set(names)) == len(names)
    assert set(ENVELOPE) == {
        "seq", "book", "at", "cause", "epoch", "command", "actor", "issued_at_ms", "fingerprint", "timer",
    }  # fmt: skip


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        STREAM(PARTY).id = "other"  # type: ignore[misc]


def test_the_same_command_has_the_same_fingerprint_however_it_was_written() -> None:
    one = STREAM(PARTY)
    fields = json.loads(PARTY)
    shuffled = json.dumps(dict(reversed(fields.items())), indent=3).encode()
    assert fingerprint(STREAM(shuffled)) == fingerprint(one)
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(one))
    explicit = json.dumps({**fields, "status": "pending", "born_on": None}).encode()
    assert fingerprint(STREAM(explicit)) == fingerprint(one)
    for name, other in (("name", "M"), ("issued_at_ms", 2), ("actor", "x"), ("status", "active")):
        assert fingerprint(STREAM(json.dumps({**fields, name: other}).encode())) != fingerprint(one)


def test_the_bounds_of_amounts_and_times() -> None:
    good = {
        "type": "Transfer", "id": "i", "book": "b", "actor": "a", "issued_at_ms": 0, "debit": "d",
        "credit": "c", "currency": "EUR", "amount": 1,
    }  # fmt: skip
    bounds: tuple[tuple[str, tuple[int | str, ...], tuple[int | float | str, ...]], ...] = (
        ("amount", (1, 2**63 - 1), (0, -1, 2**63, 2**64, 1.5)),
        ("issued_at_ms", (0, LATEST_MS), (-1, LATEST_MS + 1)),
        ("id", ("x", "x" * 64), ("", "x" * 65)),
        ("currency", ("EU", "X" * 12), ("E", "X" * 13, "")),
        ("reference", ("", "x" * 500), ("x" * 501,)),
    )
    for name, inside, outside in bounds:
        for fits in inside:
            assert isinstance(agreed(json.dumps({**good, name: fits}).encode()), Transfer)
        for does_not in outside:
            assert agreed(json.dumps({**good, name: does_not}).encode()) is None
    for name in good:
        assert agreed(json.dumps({key: value for key, value in good.items() if key != name}).encode()) is None


# --- personal data ----------------------------------------------------------------------------------------


def test_personal_fields_are_found_by_their_mark_also_within_parts() -> None:
    assert personal_fields(RegisterParty) == ("name", "born_on", "number")
    assert personal_fields(ChangePartyProfile) == ("name", "born_on", "number")
    assert personal_fields(OpenBook) == ("administrators[].name",)
    assert personal_fields(Transfer) == ()


def test_every_field_that_holds_a_persons_name_is_marked() -> None:
    for kind in (*COMMANDS, *EVENTS):
        if any(word in kind.__name__ for word in ("Person", "Party")) and "name" in kind.__struct_fields__:
            assert "name" in personal_fields(kind)


def test_the_contract_says_what_is_personal() -> None:
    for name, types in (("commands.schema.json", COMMANDS), ("events.schema.json", EVENTS)):
        parts = json.loads(export.documents()[name])["$defs"]
        marked = {
            f"{part}.{field}"
            for part, schema in parts.items()
            for field, one in schema.get("properties", {}).items()
            if one.get("x-personal")
        }
        expected = {
            f"{one.__name__}.{path}"
            for one in types
            for path in personal_fields(one)
            if not set(path) & {"[", "."}  # what is within a part is marked there
        }
        nested = {"Administrator.name", "Payee.name", "Payee.account", "Payer.name", "Payer.account"}
        assert marked == expected | nested


# --- the published contracts ------------------------------------------------------------------------------


def test_what_is_published_is_what_the_types_say() -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in export.PUBLISHED.iterdir()}
    assert stored == export.documents(), "run python -m schemas.export, and say so to those who read it"


def test_the_contracts_are_json_schemas_that_refuse_too() -> None:
    for name in ("commands.schema.json", "events.schema.json"):
        schema = json.loads(export.documents()[name])
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        assert not validator.is_valid({"type": "Transfer"})
        assert not validator.is_valid({"type": "Nothing"})
        assert not validator.is_valid(5)


def test_every_event_of_a_story_fits_the_contract() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(export.documents()["events.schema.json"]))
    rejection = CommandRejected(reason="busy", figures={"remembered": 5}, seq=4, book="b")
    validator.validate(json.loads(encode(rejection)))
    opened = OpenBook(
        id="i", book="b", actor="a", issued_at_ms=1, name="n", currency="EUR", administrators=(ROOT,)
    )
    commands = jsonschema.Draft202012Validator(json.loads(export.documents()["commands.schema.json"]))
    commands.validate(json.loads(encode(opened)))


def test_the_contract_of_the_topics_names_what_records_carry_and_forbids_long_transactions() -> None:
    asyncapi = json.loads(export.documents()["asyncapi.json"])
    traits = {
        name: set(trait["headers"]["properties"])
        for name, trait in asyncapi["components"]["messageTraits"].items()
    }
    trace = {PARENT, STATE}
    assert traits == {
        "commands": {KEY, MAC} | trace,
        "events": {LINK} | trace,
        "outcomes": {"through"} | trace,
        "alerts": {"through"} | trace,
    }
    for name, channel in asyncapi["channels"].items():
        assert channel["address"] == f"daybook.{name}"
        topic = channel["bindings"]["kafka"]["topicConfiguration"]
        assert (topic["retention.ms"], topic["max.message.bytes"]) == (-1, MAX_BYTES)
    assert "murmur2" in asyncapi["channels"]["commands"]["description"]
    assert "transaction.timeout.ms" in asyncapi["channels"]["commands"]["description"]


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    documents = {name: json.loads(text) for name, text in export.documents().items()}
    asyncapi = documents["asyncapi.json"]
    assert asyncapi["asyncapi"] == "3.0.0"
    references = re.findall(r'"\$ref": "([^"]*)"', export.documents()["asyncapi.json"])
    assert len(references) == 3 * (len(COMMANDS) + len(EVENTS) + 2) + 4
    for reference in references:
        file, _, path = reference.partition("#/")
        found = documents[file.removeprefix("./")] if file else asyncapi
        for part in path.split("/"):
            found = found[part]
        assert found
    assert set(asyncapi["components"]["messages"]) == {
        *(one.__name__ for one in COMMANDS),
        *(one.__name__ for one in EVENTS),
        CommandOutcome.__name__,
        "Alert",
    }


# --- the catalogue of rejections --------------------------------------------------------------------------


def test_every_reason_has_a_sentence_and_advice() -> None:
    assert list(CATALOGUE) == list(REASONS)
    assert set(REASONS) >= UNREMEMBERED
    for reason, entry in CATALOGUE.items():
        assert re.fullmatch("[a-z]+(_[a-z]+)*", reason)
        assert entry.text.endswith((".", "}"))
        assert sentence(reason, {})


def test_a_sentence_is_filled_with_its_figures() -> None:
    figures: dict[str, int | str] = {"available": 1200, "needed": 1500, "currency": "EUR"}
    assert sentence("insufficient_funds", figures) == "Available 1200, needed 1500 (minor units of EUR)."
    assert sentence("book_exists", {}) == "There is already a book (book not given)."


# --- money ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("EUR", 2), ("USD", 2), ("CHF", 2), ("GBP", 2), ("HUF", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0),
        ("ISK", 0), ("VND", 0), ("XOF", 0), ("BHD", 3), ("KWD", 3), ("TND", 3), ("CLF", 4), ("UYW", 4),
        ("MGA", 2), ("MRU", 2),
    ],
)  # fmt: skip
def test_currencies_have_the_digits_of_iso_4217(code: str, digits: int) -> None:
    assert EXPONENTS[code] == digits


def test_codes_are_three_capitals_and_those_withdrawn_are_gone() -> None:
    assert all(re.fullmatch("[A-Z]{3}", code) for code in EXPONENTS)
    assert len(EXPONENTS) > 150
    assert not {"DEM", "HRK", "VEF", "ZWL", "SLL", "ANG", "XXX", "XAU", "XTS", "BGN", "CUC"} & set(EXPONENTS)


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, MAX_SCALE))
@example(-5, 2)
@example(0, 9)
def test_money_is_written_and_read_without_loss(amount: int, digits: int) -> None:
    text = format_minor(amount, digits)
    assert parse_minor(text, digits) == amount
    assert re.fullmatch(r"-?\d+" + (rf"\.\d{{{digits}}}" if digits else ""), text)
    assert parse_minor(text, MAX_SCALE) == amount * 10 ** (MAX_SCALE - digits)


@pytest.mark.parametrize(
    ("text", "digits", "minor"),
    [
        ("147.8", 2, 14780), ("147.80", 2, 14780), ("147", 2, 14700), (" 1.5 ", 2, 150), ("+3", 0, 3),
        ("-0.05", 2, -5), (".5", 2, 50), ("-.5", 1, -5), ("1.500", 1, 15), ("0", 9, 0), ("007", 0, 7),
    ],
)  # fmt: skip
def test_amounts_are_read(text: str, digits: int, minor: int) -> None:
    assert parse_minor(text, digits) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-",
        "1.",
        "1,5",
        "1.5.0",
        "1e2",
        "--1",
        "+-1",
        "NaN",
        "½",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1 000",
        "0x1",
        "1_0",
        "- 1",
    ],
)
def test_what_is_no_amount_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is not a decimal amount"):
        parse_minor(text, 2)


def test_more_places_than_the_currency_has_are_refused_unless_they_are_zero() -> None:
    with pytest.raises(ValueError, match="more than 2 decimal places"):
        parse_minor("1.005", 2)
    with pytest.raises(ValueError, match="more than 0 decimal places"):
        parse_minor("1.5", 0)
    assert parse_minor("1.50", 1) == 15


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [(-1205, 2, "-12.05"), (5, 2, "0.05"), (0, 2, "0.00"), (7, 0, "7"), (-7, 0, "-7"), (1, 9, "0.000000001")],
)
def test_amounts_are_written(minor: int, digits: int, text: str) -> None:
    assert format_minor(minor, digits) == text
