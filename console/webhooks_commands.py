"""`daybook webhooks ...`. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import HomeOption, Json
from console.start import in_home

Endpoint = Annotated[str, typer.Argument(help="The endpoint's id.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    webhooks = typer.Typer(help="Alerts that are posted to other systems, signed.", no_args_is_help=True)
    webhooks.command()(add)
    webhooks.command("list")(list_)
    webhooks.command()(remove)
    webhooks.command()(rotate)
    webhooks.command()(dead)
    webhooks.command()(resend)
    webhooks.command("test")(try_out)
    app.add_typer(webhooks, name="webhooks")


def add(
    endpoint: Endpoint,
    url: Annotated[str, typer.Argument(help="Where to post: https, or http on this machine.")],
    kind: Annotated[str, typer.Option(help="Only of this typology, rule or document of rules.")] = "",
    book: Annotated[str, typer.Option(help="Only about this book.")] = "",
    confidence: Annotated[int, typer.Option(min=0, max=1_000, help="At least so sure, per mille.")] = 0,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Post alerts there from now on. Prints the secret of its signatures, once."""
    from console import webhooks as work

    in_home(work.add, json, home, endpoint, url, kind=kind, book=book, confidence=confidence)


def list_(home: HomeOption = None, json: Json = False) -> None:
    """The endpoints: what they want, what waits for them, what was given up. Fails where one is disabled."""
    from console import webhooks as work

    raise typer.Exit(DONE if in_home(work.list_endpoints, json, home) else CHECK_FAILED)


def remove(endpoint: Endpoint, home: HomeOption = None, json: Json = False) -> None:
    """Post there no more, and forget what waits for it."""
    from console import webhooks as work

    in_home(work.remove, json, home, endpoint)


def rotate(
    endpoint: Endpoint,
    hours: Annotated[float, typer.Option(min=0, max=720, help="How long the old secret signs, too.")] = 24.0,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Give it a new secret, beside which the old one signs for a while. Prints it once."""
    from console import webhooks as work

    in_home(work.rotate, json, home, endpoint, hours)


def dead(
    endpoint: Annotated[str | None, typer.Argument(help="Only of this one; of all if left out.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The dead letters: what was given up, and why."""
    from console import webhooks as work

    in_home(work.dead, json, home, endpoint)


def resend(
    endpoint: Endpoint,
    message: Annotated[str | None, typer.Argument(help="Which; all its dead letters if left out.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Try dead letters again, under the same ids; an endpoint that said it was gone gets alerts again."""
    from console import webhooks as work

    in_home(work.resend, json, home, endpoint, message)


def try_out(endpoint: Endpoint, home: HomeOption = None, json: Json = False) -> None:
    """Post a signed test message there at once, and say what came of it."""
    from console import webhooks as work

    raise typer.Exit(DONE if in_home(work.try_out, json, home, endpoint) else CHECK_FAILED)
