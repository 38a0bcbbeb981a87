"""The one way from alerts into cases: what triage has grouped is reported, and the book opens, feeds or
reopens the case. Reporting an alert again changes nothing.
"""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.alerts import Alert
from schemas.fields import Id, Label
from schemas.message import Command

MOST_ALERTS = 200


class ReportAlerts(Command, tag="ReportAlerts"):
    """Alerts about one party on one day (or one payee or device, where no party of the book is known).

    case: its id, the same for the same group, see `detection/triage.py`.   party: empty where they are not
    about a party; the case is about what they name then.   priority: expected loss times confidence over all
    alerts of the group, the higher the sooner.   skill: what whoever works it must know.
    Alerts that a case has already, and those in shadow, are left out; if none is left, nothing_to_change.
    """

    case: Id
    party: Label
    alerts: Annotated[tuple[Alert, ...], Meta(min_length=1, max_length=MOST_ALERTS), at.Len(1, MOST_ALERTS)]
    priority: Annotated[int, Meta(ge=0, le=2**53), at.Ge(0), at.Le(2**53)] = 0
    skill: Label = ""


COMMANDS = (ReportAlerts,)
