"""`daybook alerts`. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.options import BookOption, HomeOption, Json
from console.start import in_home


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    alerts = typer.Typer(help="What was noticed, for risk staff.", invoke_without_command=True)
    alerts.callback()(list_alerts)
    alerts.command()(show)
    app.add_typer(alerts, name="alerts")


def list_alerts(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more.")] = False,
    kind: Annotated[
        str, typer.Option(help="Only of this typology, or of this rule or document of rules.")
    ] = "",
    party: Annotated[str, typer.Option(help="Only about this party.")] = "",
    since: Annotated[str, typer.Option(help="Only from this business day on, YYYY-MM-DD.")] = "",
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The alerts of typologies and rules, as they stand in their log."""
    if context.invoked_subcommand is not None:
        return
    from console import alerts as work

    wanted = work.Wanted(kind, party, book or "", since)
    in_home(work.alerts, json, home, wanted, follow=follow)


def show(
    alert: Annotated[str, typer.Argument(help="The alert's id.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """An alert, and the events behind it as they stand in the log."""
    from console import alerts as work

    in_home(work.show, json, home, alert)
