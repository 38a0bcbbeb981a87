"""What a case is about is shown to who may know of it: `reporting` and the queries leave out the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import dict_row

from projections import case_figures, case_queries
from projections.case_views import VIEWS
from projections.database import Session, connect
from projections.projector import Projector
from projections.reporting import ROLE, STAFF_ROLE
from tests.case_words import alert, assign, confirm, open_case, policy, propose, report, take, workers
from tests.story import account, given, later, story, when

SECRET = ("p-bob", "bob", "secret title", "he laughed")


@pytest.fixture
def session(postgres_dsn: str) -> Iterator[Session]:
    """An open case about alice, and one about bob that is kept to ann and ben."""
    given(account("alice"), account("bob"), workers("ann", "ben", "cid", "dora"))
    kinds = [
        {"kind": "aml", "clocks": [{"first_touch_m": 60, "resolution_m": 600}]},
        {"kind": "other", "clocks": [{"first_touch_m": 60, "resolution_m": 600}]},
    ]
    when(policy(kinds=kinds))
    when(report("c1", alert(1), alert(2, kind="fan-in", amount=5)))
    when(open_case("kept", title="secret title", party="p-bob", accounts=("bob",), people=("ann", "ben")))
    when(report("kept", alert(3, "p-bob", words="he laughed"), party="p-bob"))
    when(take().by("cid"), assign("kept", "dora").by("ann"))
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        projector.catch_up()
    with contextlib.closing(connect(postgres_dsn)) as made:
        yield made


def shown(session: Session, view: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM reporting.{view}".encode()).fetchall()


def test_reporting_shows_a_case_that_is_kept_without_whom_it_is_about(session: Session) -> None:
    session.execute(f"SET ROLE {STAFF_ROLE}".encode())
    found = {one["case_id"]: one for one in shown(session, "cases")}
    assert (found["c1"]["subject"], found["c1"]["is_kept"]) == ("p-alice", False)
    assert (found["kept"]["subject"], found["kept"]["is_kept"]) == ("", True)
    assert found["kept"]["amounts"] == {"EUR": 900}, "what it counts for stays"
    alerts = {one["alert"]: one for one in shown(session, "case_alerts")}
    assert {one["party"] for one in alerts.values()} == {"p-alice", ""}
    views = (view.name for view in VIEWS)
    for view in (*views, "audit"):
        for row in shown(session, view):
            about_case = row.get("type", "").startswith(("Case", "Alerts"))
            if view != "audit" or about_case:
                assert not any(secret in str(row) for secret in SECRET), (view, row)


def test_who_reports_on_other_things_reads_nothing_of_cases(session: Session) -> None:
    session.execute(f"SET ROLE {ROLE}".encode())
    for view in VIEWS:
        with pytest.raises(InsufficientPrivilege):
            shown(session, view.name)
    assert not [row for row in shown(session, "audit") if row["type"].startswith(("Case", "Alert"))]


@pytest.mark.parametrize(
    ("viewer", "sees"), [("ann", True), ("ben", True), ("dora", True), ("cid", False), ("root", False)]
)
def test_staff_see_what_they_may(session: Session, viewer: str, sees: bool) -> None:
    """dora has it; root is an administrator and nobody whom the case is kept to."""
    listed = [one.case_id for one in case_queries.queue(session, "main", viewer)]
    assert listed == (["c1", "kept"] if sees else ["c1"])
    assert (case_queries.case(session, "main", viewer, "kept") is not None) == sees
    assert (case_queries.case_file(session, "main", viewer, "kept") is not None) == sees
    assert case_queries.named_like(session, "main", viewer, "k") == (["kept"] if sees else [])
    assert len(case_queries.cases_of(session, "main", viewer, party="p-bob")) == sees


def test_a_case_file_holds_all_of_it(session: Session) -> None:
    file = case_queries.case_file(session, "main", "ann", "kept")
    assert file is not None
    assert file.case.title == "secret title"
    assert [(one.party, one.words) for one in file.alerts] == [("p-bob", "he laughed")]
    assert [one.type for one in file.history] == ["CaseOpened", "AlertsJoined", "CaseAssigned"]
    assert file.history[1].said["alerts"] == [file.alerts[0].alert], "bodies stand in their own rows"
    assert case_queries.case_of(session, "main", file.history[1].seq) == "kept"


def test_figures_count_cases_that_are_kept_too(session: Session, postgres_dsn: str) -> None:
    load = {one.user: (one.working, one.late) for one in case_figures.workload(session, "main")}
    assert load == {"cid": (1, 0), "dora": (1, 0)}
    (ages,) = (one for one in case_figures.ageing(session, "main") if one.kind == "other")
    assert (ages.status, ages.counts) == ("in_progress", [1, 0, 0, 0, 0])
    when(propose("c1", "confirmed_fraud").by("cid"), confirm("c1").by("ann"))
    when(later(days=2))
    when(open_case("new"))
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        projector.catch_up()
    assert [(one.counts) for one in case_figures.ageing(session, "main") if one.status == "in_progress"] == [
        [0, 1, 0, 0, 0]
    ]
    clocks = {one.kind: one for one in case_figures.sla(session, "main")}
    assert (clocks["other"].late, clocks["other"].late_first_touch, clocks["other"].closed) == (1, 1, 0)
    assert (clocks["aml"].closed, clocks["aml"].closed_late) == (1, 0)
    found = {one.kind: one for one in case_figures.detection_outcomes(session, "main")}
    structuring, fan_in = found["structuring"], found["fan-in"]
    assert (structuring.hits, structuring.parties, structuring.bad, structuring.open) == (2, 2, 1, 1)
    assert (structuring.share_per_mille, structuring.precision_per_mille) == (667, 1_000)
    assert (structuring.false_positive_per_mille, structuring.amounts) == (0, {"EUR": 900})
    assert (fan_in.hits, fan_in.bad, fan_in.good, fan_in.amounts) == (1, 1, 0, {"EUR": 5})
    for one in shown(session, "detection_outcomes"):  # the same to who reads SQL
        queried = found[one["kind"]]
        for name in ("hits", "parties", "bad", "good", "precision_per_mille"):
            assert one[name] == getattr(queried, name), name
    closed = {one.user: one.closed_7_days for one in case_figures.workload(session, "main")}
    assert closed["cid"] == 1
