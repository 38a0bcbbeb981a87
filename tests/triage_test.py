"""Triage: which alerts are one case, in which order cases are worked, and what is known of each rule."""

import random

import msgspec

from detection.inline import Inline
from detection.statistics import (
    MOST_ALERTS,
    MOST_PARTIES,
    WINDOW,
    Day,
    Figures,
    Judgement,
    Totals,
    figures,
    hit,
    judge,
    moved,
    no_day,
)
from detection.triage import HIGHEST, MOST_REMEMBERED, Group, case_of, expected_loss, ranked, report
from schemas.alerts import Alert, AlertSource, alert_id
from schemas.catalogue import encode
from schemas.reported import ReportAlerts

AT = 1_700_000_000_000


def alert(
    number: int, *, party: str = "p", amount: int = 1_000, confidence: int = 500, **fields: str
) -> Alert:
    told: dict[str, str] = {"book": "a", "kind": "fan_in", "day": "2023-11-14", **fields}
    source: AlertSource = "typology"
    return Alert(
        id=alert_id(told["book"], told["kind"], party, number),
        source=source,
        version=1,
        at=AT + number,
        first_at=AT,
        party=party,
        amount=amount,
        confidence=confidence,
        **told,  # type: ignore[arg-type]
    )


def reports(*alerts: Alert) -> list[ReportAlerts]:
    groups: dict[str, Group] = {}
    found = []
    for one in alerts:
        case = case_of(one)
        groups[case], command = report(groups.get(case), one)
        found.append(command)
    return found


def test_alerts_about_a_party_on_a_day_are_one_case() -> None:
    assert len({case_of(alert(n, kind=kind)) for n, kind in enumerate(("fan_in", "structuring"))}) == 1


def test_another_party_day_or_book_is_another_case() -> None:
    ones = [alert(1), alert(1, party="q"), alert(1, day="2023-11-15"), alert(1, book="b")]
    assert len({case_of(one) for one in ones}) == 4


def test_without_a_party_it_is_the_account_the_payee_or_the_device() -> None:
    ones = [alert(1, party="", account="p"), alert(1, party="", payee="p"), alert(1, party="", device="p")]
    assert len({case_of(one) for one in (alert(1), *ones)}) == 4
    assert case_of(alert(1, account="x", payee="y")) == case_of(alert(1))


def test_the_priority_of_a_case_is_what_is_lost_times_how_sure_it_is() -> None:
    first, second = reports(alert(1, amount=1_000, confidence=500), alert(2, amount=9_000, confidence=900))
    assert (first.priority, second.priority) == (500, 500 + 8_100)
    assert first.case == second.case


def test_what_has_no_amount_counts_a_little() -> None:
    assert expected_loss(alert(1, amount=0, confidence=800)) == 80


def test_a_priority_has_a_bound() -> None:
    most = reports(*(alert(n, amount=2**62, confidence=1_000) for n in range(5)))
    assert most[-1].priority == HIGHEST


def test_an_alert_reported_again_is_the_same_command_to_the_byte() -> None:
    first, second, again = reports(alert(1), alert(2), alert(1))
    assert encode(again) == encode(first) != encode(second)


def test_in_which_order_alerts_come_changes_neither_cases_nor_ids_nor_what_is_at_stake_in_the_end() -> None:
    alerts = [alert(n, party=f"p{n % 7}", amount=n * 100) for n in range(1, 60)]
    seen = []
    for seed in range(5):
        random.Random(seed).shuffle(alerts)
        found = reports(*alerts)
        last = {one.case: one.priority for one in found}
        seen.append((sorted((one.case, one.id) for one in found), sorted(last.items())))
    assert all(one == seen[0] for one in seen)


def test_what_a_group_cannot_remember_is_reported_all_the_same() -> None:
    found = reports(*(alert(n) for n in range(MOST_REMEMBERED + 5)))
    assert len({one.id for one in found}) == MOST_REMEMBERED + 5
    assert found[-1].priority == found[MOST_REMEMBERED - 1].priority


def test_the_highest_comes_first_and_then_the_older_one_as_far_as_the_team_gets_in_a_day() -> None:
    groups = [
        ("low", Group("a", "party/x", "d", 1, 10, {})),
        ("new", Group("a", "party/y", "d", 9, 99, {})),
        ("old", Group("a", "party/z", "d", 3, 99, {})),
    ]
    assert [(one.case, one.place, one.today) for one in ranked(groups, 2)] == [
        ("old", 1, True),
        ("new", 2, True),
        ("low", 3, False),
    ]


def test_what_is_in_shadow_is_counted_and_reported_to_no_case() -> None:
    worker = Inline()
    quiet = msgspec.structs.replace(alert(1), shadow=True)
    assert list(worker.alert(quiet)) == []
    assert worker.kept.groups == {}
    assert list(worker.alert(alert(2))) == reports(alert(2)), "and it raises no priority"
    (day,) = worker.kept.days.values()
    wanted = no_day()
    hit(wanted, quiet)
    hit(wanted, alert(2))
    assert day == wanted


def judgement(number: int, right: bool, *, party: str = "p") -> Judgement:
    return Judgement("fan_in", alert(number, party=party).id, AT, right)


def day_of(*alerts: Alert) -> Day:
    day = no_day()
    for one in alerts:
        hit(day, one)
    return day


def test_the_figures_of_a_rule_over_a_window() -> None:
    today = day_of(*(alert(n, party=f"p{n % 4}") for n in range(8)))
    for number, right in enumerate((True, False, False, False)):
        judge(today, judgement(number, right, party=f"p{number % 4}"))
    totals = Totals({})
    for source, count in ((0, 100), (0, 300), (0, 300), (1, 100)):
        moved(totals, source, count)
    found = figures([("fan_in", 50, today)], [(50, totals)], through=50)
    assert found == [
        Figures(
            kind="fan_in",
            hits=8,
            share=20,
            judged=4,
            false_positive=750,
            parties=4,
            parties_least=False,
            repeat=500,
        )
    ]


def test_an_alert_counts_once_and_its_last_label_is_what_counts() -> None:
    today = day_of(alert(1), alert(1), alert(1))
    judge(today, judgement(1, right=False))
    judge(today, judgement(1, right=True))
    [found] = figures([("fan_in", 50, today)], [], through=50)
    assert (found.hits, found.judged, found.false_positive, found.share) == (1, 1, 0, -1)


def test_a_judgement_of_a_later_day_replaces_one_of_an_earlier_day() -> None:
    before, today = day_of(alert(1)), no_day()
    judge(before, judgement(1, right=False))
    judge(today, judgement(1, right=True))
    [found] = figures([("fan_in", 51, today), ("fan_in", 50, before)], [], through=51)
    assert (found.hits, found.judged, found.false_positive) == (1, 1, 0)


def test_days_outside_the_window_are_left_out() -> None:
    day = day_of(alert(1))
    days = [("fan_in", number, day) for number in (50, 51 - WINDOW.hops, 50 - WINDOW.hops, 51)]
    [found] = figures(days, [], through=50)
    assert found.hits == 2
    assert found.parties == 1
    assert found.repeat == 500


def test_a_day_that_is_full_goes_on_counting_and_says_so() -> None:
    today = day_of(*(alert(n, party=f"p{n}") for n in range(MOST_ALERTS + 10)))
    [found] = figures([("fan_in", 50, today)], [], through=50)
    assert found.hits == MOST_ALERTS + 10
    assert (found.parties, found.parties_least) == (MOST_PARTIES, True)
    assert len(today.alerts) == MOST_ALERTS


def test_a_day_round_trips_through_a_table() -> None:
    today = day_of(alert(1), alert(2))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(today), type=Day) == today
