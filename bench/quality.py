"""`python -m bench.quality planted|amlsim|leaks`: how good detection is, in tables or as one JSON object.

Nothing in it is a measurement of time, so the same seed gives the same figures on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bench import amlsim_leaks, quality_amlsim, quality_planted
from bench.quality_amlsim import HOWS, PAYMENTS, How, Rated
from bench.quality_planted import Figures

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command()
def planted(
    seed: int = 1,
    parties: Annotated[
        int, typer.Option(min=1_000, help="Honest ones, before some are planted into.")
    ] = 2_000,
    plants: Annotated[int, typer.Option(min=1, help="Of each typology, level and place.")] = 10,
    figures: Annotated[
        Figures, typer.Option(help="Of the typologies: see `bench/quality_planted.py`.")
    ] = "plain",
    as_json: Json = False,
) -> None:
    """Recall of each typology on what is planted, and false alerts per 1,000 honest parties in 30 days."""
    report = quality_planted.measure(seed, parties, plants, figures)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    show(found_table(report), false_table(report))


@app.command()
def amlsim(
    data: Annotated[Path, typer.Option(help="The folder with the sets.")] = PAYMENTS,
    seed: int = 1,
    resamples: Annotated[int, typer.Option(min=20, help="Of the bootstrap.")] = 200,
    as_json: Json = False,
) -> None:
    """Precision, recall and PR-AUC on the AMLSim sets: threshold and weights from the one, figures from the
    other."""
    reports = [quality_amlsim.measure(data, how, seed, resamples) for how in HOWS]
    if as_json:
        sys.stdout.write(msgspec.json.encode(reports).decode() + "\n")
        return
    for report in reports:
        show(*(rated_table(report.how, name, report) for name in quality_amlsim.SETS))


@app.command()
def leaks(data: Annotated[Path, typer.Option(help="The folder with the sets.")] = PAYMENTS) -> None:
    """Count what gives the labels of the AMLSim sets away, and how their circles lie in time."""
    for name in quality_amlsim.SETS:
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode(amlsim_leaks.leaks(data, name))).decode() + "\n"
        )


def show(*tables: Table) -> None:
    """In a file no column is cut to the width of a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    for table in tables:
        console.print(table)


def found_table(report: quality_planted.Report) -> Table:
    """Found of planted."""
    cells = {(one.typology, one.level, one.mixed): one for one in report.found}
    table = Table(
        title="Found of planted: in accounts of their own, and in those of people with habits",
        caption=f"seed {report.seed}; {report.commands:,} commands, refused: {report.refused}",
    )
    for name in (
        "typology",
        *(f"{level}{more}" for more in ("", ", mixed") for level in quality_planted.LEVELS),
    ):
        table.add_column(name, no_wrap=True)
    table.add_column("recall above", no_wrap=True)
    for typology in dict.fromkeys(one.typology for one in report.found):
        row = [
            f"{cells[key].found}/{cells[key].planted}" if (key := (typology, level, mixed)) in cells else "-"
            for mixed in (False, True)
            for level in quality_planted.LEVELS
        ]
        table.add_row(typology, *row, "{:.2f} - {:.2f}".format(*cells[typology, "above", False].interval))
    return table


def false_table(report: quality_planted.Report) -> Table:
    """What was said of the honest."""
    table = Table(
        title="Alerts per 1,000 honest parties in 30 days, by kind of party",
        caption=f"{sum(report.parties.values()):,} honest parties over {report.days} days: "
        f"{report.honest_alerts_a_day:.1f} alerts a day about them",
    )
    for name in ("typology", "all", "95 %", "most of all about"):
        table.add_column(name, no_wrap=True)
    for one in report.false:
        most = sorted(one.by_kind.items(), key=lambda item: -item[1])[:4]
        about = ", ".join(f"{kind} {rate:.1f}" for kind, rate in most if rate)
        table.add_row(one.typology, f"{one.per_1000:.2f}", "{:.2f} - {:.2f}".format(*one.interval), about)
    return table


def rated_table(how: How, name: str, report: quality_amlsim.Report) -> Table:
    """One set, by what was chosen on the other."""
    one = report.sets[name]
    table = Table(
        title=f"{name}, {how}: {one.accepted:,} of {one.rows:,} rows, base rate {one.base_rate:.4f}",
        caption=f"{one.alerts} alerts, {one.alerts / quality_amlsim.STEPS:.1f} a day; seed {report.seed}",
    )
    for column in (
        "score",
        "accounts",
        "precision",
        "lift",
        "recall",
        "of 100",
        "PR-AUC",
        "95 %",
        "cut: precision",
        "recall",
        "F1",
    ):
        table.add_column(column, justify="right")
    for rated in one.rated:
        table.add_row(*cells_of(rated, one.base_rate))
    return table


def cells_of(rated: Rated, base_rate: float) -> Sequence[Any]:
    """A row of it."""
    cut = rated.at_threshold
    return (
        rated.score,
        f"{rated.flagged:,}",
        f"{rated.precision:.3f}",
        f"{rated.precision / base_rate:.1f}",
        f"{rated.recall:.3f}",
        f"{rated.of_100:.0f}",
        f"{rated.average_precision:.3f}",
        "{:.3f} - {:.3f}".format(*rated.interval),
        f"{cut.precision:.3f}",
        f"{cut.recall:.3f}",
        f"{cut.f1:.3f}",
    )


if __name__ == "__main__":
    app()
