"""How a subcommand starts: what it speaks through, the settings, the home. Imports only what is asked for."""

# ruff: noqa: PLC0415 - `--help` and wrong use should not wait for pydantic and Rich

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from console.output import Output
    from engine.home import Home
    from engine.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


def output_to(json: bool) -> Output:
    """What a subcommand speaks through."""
    from console.output import Output

    return Output(json=json)


def settings_for(home: Path | None) -> Settings:
    """The settings; a home that was named on the command line goes before the environment's."""
    from engine.settings import read_settings

    settings = read_settings()
    return settings if home is None else settings.model_copy(update={"home": home})


def in_home(
    work: Callable[Concatenate[Output, Home, Settings, P], T],
    json: bool,
    home: Path | None,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do the work in the nearest home, or in the one that was named. Raises NoHome."""
    from console.sites import at_home

    with at_home(settings_for(home)) as (found, settings):
        return work(output_to(json), found, settings, *args, **kwargs)
