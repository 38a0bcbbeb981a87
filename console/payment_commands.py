"""The subcommands of payments. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(pay)
    app.command()(payment)
    app.command()(repairs)
    app.command()(stops)


def pay(
    account: Annotated[str, typer.Argument(help="The account that pays.")],
    amount: Annotated[str, typer.Argument(help="How much, such as 147.80.")],
    currency: Annotated[str, typer.Argument(help="The account's currency.")],
    name: Annotated[str, typer.Option("--to", help="The payee's name.")],
    payee: Annotated[str, typer.Option("--payee", help="The payee's account, such as an IBAN.")],
    rail: Annotated[str, typer.Option(help="The rail by which it goes.")],
    agent: Annotated[str, typer.Option(help="BIC of the payee's bank.")] = "",
    country: Annotated[str, typer.Option(help="The payee's country, such as DE.")] = "",
    id: Annotated[str | None, typer.Option("--id", help="The payment's id; a new one if left out.")] = None,
    reference: Annotated[str, typer.Option(help="What the payee is told.")] = "",
    purpose: Annotated[str, typer.Option(help="ISO 20022 purpose code.")] = "",
    end_to_end: Annotated[str, typer.Option(help="Your own id for it.")] = "",
    channel: Annotated[str, typer.Option(help="How it was asked for.")] = "",
    on: Annotated[str | None, typer.Option("--on", help="Not before this day, YYYY-MM-DD.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Pay somebody outside the bank."""
    from console import payments as work

    done = in_home(
        work.pay,
        json,
        home,
        book,
        named=as_user,
        account=account,
        amount=amount,
        currency=currency,
        rail=rail,
        payee={"name": name, "account": payee, "agent": agent, "country": country},
        payment=id,
        on=on,
        details={
            "reference": reference,
            "purpose": purpose,
            "end_to_end": end_to_end,
            "channel": channel,
        },
    )
    raise typer.Exit(DONE if done else SOME_REJECTED)


def payment(
    id: Annotated[str, typer.Argument(help="The payment.")],
    restricted: Annotated[
        bool, typer.Option("--restricted", help="With what customers must not be told; for risk staff.")
    ] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """A payment's life: each decision about it, who made it, and why, as the customer may be told."""
    from console import payments as work

    found = in_home(work.payment, json, home, book, id, restricted=restricted)
    raise typer.Exit(DONE if found else CHECK_FAILED)


def repairs(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """The repair queue: payments whose outcome is unknown or contradicts itself."""
    from console import payments as work

    in_home(work.repairs, json, home, book)


def stops(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """The stop switches that are on, and how many payments wait for each."""
    from console import payments as work

    in_home(work.stops, json, home, book)
