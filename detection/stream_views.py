"""What a stream worker shows of its tables over HTTP: for the team, on the machine's own address.

Nobody is asked who they are, and what is shown is for staff only, so it must never be reachable from outside.
A worker has the rows of the partitions that it works on; each answer names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from detection import statistics, triage
from detection.faust_app import App, Kept
from detection.stream_rows import day_of, group_of, seeing_of, totals_of

MOST: Final = 200
"""Rows of an answer."""
CAPACITY: Final = 50
"""Cases that the team looks into in a day, where the request says nothing."""


def queue(cases: Kept, capacity: int) -> Mapping[str, Any]:
    """The cases that the worker knows of, in the order of work."""
    groups = [(key.decode(), group_of(row)) for key, row in list(cases.items())]
    return {
        "capacity": capacity,
        "cases": [
            {
                "case": one.case,
                "book": one.group.book,
                "about": one.group.about,
                "day": one.group.day,
                "alerts": len(one.group.ranked),
                "priority": one.group.priority,
                "place": one.place,
                "today": one.today,
            }
            for one in triage.ranked(groups, capacity)[:MOST]
        ],
    }


def kinds(days: Kept) -> Mapping[str, Any]:
    """The figures of each rule and typology over the window that ends with the newest day."""
    alerts: list[tuple[str, int, statistics.Day]] = []
    totals: list[tuple[int, statistics.Totals]] = []
    for key, row in list(days.items()):
        kind, _, number = key.decode().rpartition("\n")
        if kind:
            alerts.append((kind, int(number), day_of(row)))
        else:
            totals.append((int(number), totals_of(row)))
    through = max([number for _, number, _ in alerts] + [number for number, _ in totals], default=0)
    return {
        "days": statistics.WINDOW.hops,
        "kinds": [msgspec.structs.asdict(one) for one in statistics.figures(alerts, totals, through)],
    }


def subjects(seeing: Kept) -> Mapping[str, Any]:
    """The payees, devices and parties that something was told of, those with the most books first."""
    found = []
    for key, row in list(seeing.items()):
        state = seeing_of(row)
        if state.told:
            clock, subject, of = key.decode().split("\n", 2)
            found.append(
                {
                    "subject": subject,
                    "of": of.partition("\n")[0],
                    "clock": clock,
                    "flags": sorted({one.flag for one in state.told}),
                    "books": sorted({book for hop in state.hops for book in hop.books}),
                    "late": state.late,
                }
            )
    found.sort(key=lambda one: (-len(one["books"]), one["subject"], one["of"]))
    return {"subjects": found[:MOST], "told_of": len(found)}


def tables(**kept: Kept) -> Mapping[str, Any]:
    """How many rows each table has here."""
    return {"rows": {name: len(one) for name, one in kept.items()}}


def show(app: App, views: Mapping[str, Callable[[Mapping[str, str]], Mapping[str, Any]]]) -> None:
    """Have the app serve each view, by the path `/NAME/`. A view is given the words of the query."""
    for name, view in views.items():

        async def page(
            self: Any, request: Any, view: Callable[[Mapping[str, str]], Mapping[str, Any]] = view
        ) -> Any:
            assigned = app.consumer.assignment() if app.started else set()
            here = sorted({one.partition for one in assigned})
            return self.json({**view(request.query), "partitions": here})

        app.page(f"/{name}/", name=f"daybook-{name}")(page)


def whole(words: Mapping[str, str], name: str, otherwise: int) -> int:
    """A whole number of the query; `otherwise` where there is none."""
    said = words.get(name, "")
    return int(said) if said.isdigit() else otherwise
