"""Documents as people write them: YAML or JSON, a head and a body; several in one file, between `---`.

What YAML would quietly make of a text is left a text: `NO`, `08`, `12:30` and `2026-01-31` stay as written,
and only `true`, `false`, `null` and plain numbers are something else. What repeats or refers (names given
twice, anchors, aliases, merges, tags) is refused, so that what is read is what stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.errors import DocumentsWrong
from schemas.documents.document import Document, Problem
from schemas.documents.kinds import DOCUMENTS, read
from schemas.documents.wording import cut, shown
from schemas.fields import NEW_ID
from schemas.publishing import PublishDocument

LARGEST = 1 << 20
DEEPEST = 40
MOST = 100
HEAD = ("kind", "id", "version", "effective_from", "body")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?")


class Draft(msgspec.Struct, frozen=True):
    """A document of a file, not published yet.

    version: None for the next one.   effective_from: a date or time as written, None for at once.
    place: the file, and which document in it where there are several.
    """

    kind: str
    id: str
    version: int | None
    effective_from: str | None
    body: dict[str, Any]
    document: Document
    place: str

    @property
    def name(self) -> str:
        """`kind/id`."""
        return f"{self.kind}/{self.id}"


def read_drafts(path: Path) -> list[Draft]:
    """The documents in a file. Raises DocumentsWrong with every problem in them, each with its path."""
    whole = _parsed(path)
    if len(whole) > MOST:
        raise DocumentsWrong(f"{path} holds {len(whole)} documents.", advice=f"Put at most {MOST} in a file.")
    drafts: list[Draft] = []
    problems: list[str] = []
    for number, given in enumerate(whole, 1):
        place = f"{path}, document {number}" if len(whole) > 1 else str(path)
        draft = _draft(given, place)
        if isinstance(draft, Draft):
            drafts.append(draft)
        else:
            problems += [told(place, one) for one in draft]
    if problems:
        raise DocumentsWrong(f"{path} cannot be published.", tuple(problems))
    return drafts


def told(place: str, problem: Problem) -> str:
    """A problem of a document, with its place."""
    return f"{place}: {problem.path}: {problem.what}" if problem.path else f"{place}: {problem.what}"


def _draft(given: Any, place: str) -> Draft | list[Problem]:
    if not isinstance(given, dict):
        return [Problem("", f"must begin with {', '.join(HEAD[:2])} and body, and is {shown(given)}")]
    problems = list(_head_problems(given))
    kind: Any = given.get("kind")
    readable = isinstance(kind, str) and kind in DOCUMENTS and isinstance(given.get("body"), dict)
    document = read(kind, given["body"]) if readable else []
    if isinstance(document, list):
        problems += [Problem(f"body.{one.path}" if one.path else "body", one.what) for one in document]
    if problems or isinstance(document, list):
        return problems
    return Draft(
        given["kind"],
        given["id"],
        given.get("version"),
        given.get("effective_from"),
        given["body"],
        document,
        place,
    )


def _head_problems(given: dict[str, Any]) -> Iterator[Problem]:
    for name in given:
        if name not in HEAD:
            yield Problem(cut(name), f"there is no such field here; a document has {', '.join(HEAD)}")
    kinds = ", ".join(DOCUMENTS)
    for name, what in (
        ("kind", f"is missing; the kinds are {kinds}"),
        ("id", "is missing"),
        ("body", "is missing"),
    ):
        if name not in given:
            yield Problem(name, what)
    if "kind" in given and (not isinstance(given["kind"], str) or given["kind"] not in DOCUMENTS):
        yield Problem("kind", f"there is no kind {shown(given['kind'])}; the kinds are {kinds}")
    if "id" in given and not (
        isinstance(given["id"], str) and len(given["id"]) <= 64 and re.fullmatch(NEW_ID[:-1], given["id"])
    ):
        what = "must be 1 to 64 letters, digits and . _ : @ / + - beginning with a letter or digit"
        yield Problem("id", f"{what}, and is {shown(given['id'])}")
    if "body" in given and not isinstance(given["body"], dict):
        yield Problem("body", f"must be the document's fields, and is {shown(given['body'])}")
    version = given.get("version")
    if version is not None and (type(version) is not int or not 1 <= version < 2**31):
        yield Problem(
            "version", f"must be a whole number from 1 on, and is {shown(version)}; leave it out for the next"
        )
    when = given.get("effective_from")
    if when is not None and not (isinstance(when, str) and _WHEN.fullmatch(when)):
        yield Problem(
            "effective_from",
            f"must be a date such as 2026-03-01 or a time such as 2026-03-01T08:00, and is {shown(when)}",
        )


# --- YAML and JSON ----------------------------------------------------------------------------------------


def _parsed(path: Path) -> list[Any]:
    try:
        with path.open("rb") as stream:
            value = stream.read(LARGEST + 1)
    except OSError as error:
        raise DocumentsWrong(f"{path} cannot be read: {error.strerror}.", advice="Check the path.") from None
    if len(value) > LARGEST:
        raise DocumentsWrong(f"{path} is larger than 1 MiB.", advice="Put the documents into several files.")
    try:
        text = value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentsWrong(
            f"{path} is not UTF-8 (byte {error.start}).", advice="Save it as UTF-8."
        ) from None
    try:
        found = [_json(text)] if text.lstrip()[:1] in ("{", "[") else _yaml(text)
    except RecursionError:
        raise DocumentsWrong(f"{path} is nested too deeply.") from None
    except _Unreadable as error:
        raise DocumentsWrong(f"{path} cannot be read{error.where}: {error}.") from None
    if not found:
        raise DocumentsWrong(f"{path} holds no document.", advice="It begins with kind: and id: .")
    return found


class _Unreadable(Exception):
    """line: counted from 1, 0 where it is not known."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.where = f" at line {line}" if line else ""


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise _Unreadable(f'the name "{cut(name)}" stands there twice')
            found[name] = value
        return found

    def never(constant: str) -> Any:
        raise _Unreadable(f"{constant} is no number")

    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=never, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise _Unreadable(f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.lineno) from None
    _shallow(found)
    return found


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= 40 else text


def _shallow(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise RecursionError
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _shallow(one, depth + 1)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values, without what repeats or refers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unreadable("anchors and aliases (& and *) are not read; write it out", line)
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Unreadable(f"the tag {cut(str(event.tag))} is not read; take it out", line)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _Unreadable("it is nested too deeply", line)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def fields(self, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
        found: dict[str, Any] = {}
        yield found
        for name, value in node.value:
            line = name.start_mark.line + 1
            key = self.construct_object(name, deep=True)
            if not isinstance(key, str):
                raise _Unreadable(f"the name {shown(key)} must be text: put it into quotes", line)
            if key == "<<":
                raise _Unreadable("merges (<<) are not read; write it out", line)
            if key in found:
                raise _Unreadable(f'the name "{cut(key)}" stands there twice', line)
            found[key] = self.construct_object(value, deep=True)

    def number(self, node: yaml.ScalarNode) -> int | float | str:
        text = node.value
        return _whole(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)

    def truth(self, node: yaml.ScalarNode) -> bool:
        return bool(node.value.lower() == "true")


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$"),
    list("-+0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.fields)
_Loader.add_constructor("tag:yaml.org,2002:bool", _Loader.truth)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.number)


def _yaml(text: str) -> list[Any]:
    try:
        return [one for one in yaml.load_all(text, _Loader) if one is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        what = " ".join((error.problem or "it is not YAML").split())
        if "'\\t'" in what:
            what = "a tab stands where spaces indent; write spaces"
        raise _Unreadable(what, line) from None
    except yaml.reader.ReaderError as error:
        raise _Unreadable(f"it holds the character {error.character!r}, which YAML does not allow") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _Unreadable(" ".join(str(error).split())) from None


def command_of(
    draft: Draft,
    *,
    version: int,
    effective_from_ms: int | None,
    proof: str,
    id: str,
    book: str,
    actor: str,
    at_ms: int,
) -> PublishDocument:
    """The command that publishes it. proof: the digest of a what-if, or empty."""
    return PublishDocument(
        id=id,
        book=book,
        actor=actor,
        issued_at_ms=at_ms,
        kind=draft.kind,  # type: ignore[arg-type]
        document=draft.id,
        version=version,
        body=draft.body,
        effective_from_ms=effective_from_ms,
        proof=proof,
    )
