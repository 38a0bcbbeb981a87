"""`daybook rules ...`: for risk staff. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated, Literal

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import BookOption, HomeOption, Json
from console.start import in_home

Name = Annotated[str, typer.Argument(help="A payment, a command, or # and the seq of a transfer's event.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    rules = typer.Typer(
        help="Rules: which there are, what they said of a movement, how often they apply.",
        no_args_is_help=True,
    )
    rules.command()(explain)
    rules.command("list")(list_)
    rules.command()(show)
    rules.command()(stats)
    rules.command()(hits)
    rules.command()(features)
    app.add_typer(rules, name="rules")


def explain(
    name: Name,
    every: Annotated[bool, typer.Option("--all", help="Also the rules that did not apply.")] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The waterfall of a movement: values, the account's norm, rules, points, thresholds, verdict."""
    from console import rules as work

    same = in_home(work.explain, json, home, name, book, every=every)
    raise typer.Exit(DONE if same else CHECK_FAILED)


def list_(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """Documents of rules and models: their stage, how many rules are live and in shadow, their thresholds."""
    from console import rules_shown as work

    in_home(work.list_rules, json, home, book)


def show(
    name: Annotated[str, typer.Argument(help="ID of a document in force, or ID/RULE.")],
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The rules of a document as sentences."""
    from console import rules_shown as work

    raise typer.Exit(DONE if in_home(work.show, json, home, name, book) else CHECK_FAILED)


Since = Annotated[str | None, typer.Option("--from", help="From then on: 2026-03-01, or a time in UTC.")]
Until = Annotated[str | None, typer.Option("--to", help="Up to, but without, then.")]


def stats(
    since: Since = None,
    until: Until = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """How often each rule applied, on how many parties, and what became of those movements."""
    from console import rules_shown as work

    in_home(work.stats, json, home, since, until, book)


def hits(
    rule: Annotated[str | None, typer.Option(help="Only where this one applied: ID/RULE.")] = None,
    party: Annotated[str | None, typer.Option(help="Only of this party.")] = None,
    done: Annotated[
        Literal["approve", "review", "decline"] | None, typer.Option(help="Only what this became of.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The movements on which rules applied, the newest first."""
    from console import rules_shown as work

    in_home(work.hits, json, home, book, rule=rule, party=party, done=done, limit=limit)


def features(json: Json = False) -> None:
    """Every feature that a rule may ask for: its unit, of what it is one, and what it means."""
    from console import rules_shown as work
    from console.start import output_to

    work.features(output_to(json))
