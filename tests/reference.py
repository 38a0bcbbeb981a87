"""The generated parts of documents, between their marks. `python -m tests.reference` writes them."""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import typer.main

from daybook import app
from engine.settings import Settings
from schemas.catalogue import COMMANDS, EVENTS
from schemas.features import FEATURES
from schemas.message import ENVELOPE, Message
from schemas.rejections import CATALOGUE, UNREMEMBERED
from tests.terminal import ROOT

_ENVELOPE = {"id", "book", "actor", "issued_at_ms", *ENVELOPE}


def filled(text: str, of: str = "reference") -> str:
    """The document with its generated parts as they are now."""
    for name, lines in PARTS[of].items():
        begin, end = f"<!-- {name}: python -m tests.reference -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        assert rest, f"{of} has no part {name}"
        _, _, after = rest.partition(end)
        text = before + begin + "\n\n" + "\n".join(lines()) + "\n\n" + end + after
    return text


def subcommands() -> Iterator[str]:
    """Every subcommand with its arguments and options."""
    yield from _subcommands(typer.main.get_command(app), "daybook")


def _subcommands(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from _subcommands(command, f"{path} {name}")
            continue
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        options = [one for one in command.params if one.param_type_name == "option"]
        words = [path, name, *(one.name.upper() for one in arguments)]
        yield f"### `{' '.join(words)}`\n\n{_plain(command.help)}\n"
        for one in arguments:
            yield _parameter([one.name.upper()], one)
        for one in options:
            if one.name not in {"help", "home", "json"}:
                yield _parameter([*one.opts, *one.secondary_opts], one)
        yield ""


def _parameter(names: list[str], one: Any) -> str:
    choices = [choice for choice in get_args(one.type_descriptor.annotation) if isinstance(choice, str)]
    said = [_plain(one.help or "").rstrip(".")] if one.help else []
    said += [f"one of {', '.join(f'`{choice}`' for choice in choices)}"] if choices else []
    said += [f"default {one.default}"] if one.default not in (None, False, True, (), "") else []
    return f"- {', '.join(f'`{name}`' for name in names)}: {'; '.join(said)}."


def settings() -> Iterator[str]:
    """Every setting with what it means, from the class's own words."""
    said = re.split(r"^ *(\w+): ", inspect.getdoc(Settings) or "", flags=re.MULTILINE)[1:]
    about = dict(zip(said[::2], said[1::2], strict=True))
    yield "| setting | means |\n| --- | --- |"
    for name in Settings.model_fields:
        yield f"| `DAYBOOK_{name.upper()}` | {_plain(about[name])} |"


def commands() -> Iterator[str]:
    """Every command type with its own fields."""
    return _messages(COMMANDS)


def events() -> Iterator[str]:
    """Every event type with its own fields."""
    return _messages(EVENTS)


def _messages(types: tuple[type[Message], ...]) -> Iterator[str]:
    yield "| type | says | fields |\n| --- | --- | --- |"
    for one in types:
        fields = [
            f"`{field.name}`" + ("" if field.required else "?")
            for field in msgspec.structs.fields(one)
            if field.name not in _ENVELOPE
        ]
        says = (inspect.getdoc(one) or "").partition("\n\n")[0]
        yield f"| `{one.__name__}` | {_plain(says)} | {', '.join(fields)} |"


def rejections() -> Iterator[str]:
    """The catalogue of rejections."""
    yield "| reason | the caller is told | and should | remembered |\n| --- | --- | --- | --- |"
    for reason, entry in CATALOGUE.items():
        remembered = "no" if reason in UNREMEMBERED else "yes"
        text = _plain(" Or: ".join((entry.text, *entry.instead.values())))
        yield f"| `{reason}` | {text} | {entry.advice} | {remembered} |"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def features() -> Iterator[str]:
    """Every feature that rules can ask for."""
    yield "| feature | means | unit | of the | counted for it |\n| --- | --- | --- | --- | --- |"
    for one in FEATURES.values():
        kept = ", ".join(f"`{name}`" for name in one.keeps)
        yield f"| `{one.name}` | {_plain(one.meaning)} | {one.unit} | {one.about} | {kept} |"


PARTS: dict[str, dict[str, Callable[[], Iterator[str]]]] = {
    "reference": {
        "subcommands": subcommands,
        "settings": settings,
        "commands": commands,
        "events": events,
        "rejections": rejections,
    },
    "risk": {"features": features},
}
"""By the document, `docs/NAME.md`, and the name of the part."""


def path_of(name: str) -> Path:
    """Where a document is."""
    return ROOT / f"docs/{name}.md"


if __name__ == "__main__":
    for name in PARTS:
        path_of(name).write_text(filled(path_of(name).read_text(), name))
