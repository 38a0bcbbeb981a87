"""The AMLSim sets give their labels away in ways that no bank has. Nothing that is measured on them looks
there.

Whoever has sent more than one distinct amount is a fraud account. So a set is made here in which that is all
that tells the guilty from the honest: everything else is drawn alike. A score that looks at it finds all of
them; what detection says must be no better than chance. On the real sets the leak is taken out, and nothing
may change.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import defaultdict
from pathlib import Path

import pytest

from bench import quality_amlsim
from bench.quality_amlsim import FIGURES, LEFT_OUT, PAYMENTS, TOTAL, Rows, cases, labels, plain, scored
from bench.ranking import average_precision, interval
from schemas.documents.typologies import Typologies

ACCOUNTS, STEPS, ROWS = 1_500, 100, 12_000
needs_sets = pytest.mark.skipif(not PAYMENTS.is_dir(), reason=f"the AMLSim sets are not in {PAYMENTS}")


def test_each_typology_is_measured_on_the_sets_or_left_out_with_a_reason() -> None:
    assert {*FIGURES} | {*LEFT_OUT} == {*Typologies.__struct_fields__}
    assert not {*FIGURES} & {*LEFT_OUT}
    assert all(LEFT_OUT.values())


def made(folder: Path, seed: int) -> None:
    """A set in which one in ten sends different amounts, drawn from the same ones as everybody's only one."""
    chance = random.Random(seed)
    folder.mkdir()
    guilty = {account: chance.random() < 0.1 for account in range(ACCOUNTS)}
    fixed = [f"{chance.randrange(100_00, 600_00) / 100:.2f}" for _ in range(ACCOUNTS)]
    weights = [chance.paretovariate(1.5) for _ in range(ACCOUNTS)]
    rows: list[list[object]] = []
    for _ in range(ROWS):
        payer, payee = chance.choices(range(ACCOUNTS), weights, k=2)
        amount = fixed[chance.randrange(ACCOUNTS)] if guilty[payer] else fixed[payer]
        if payer != payee:
            rows.append([payer, payee, amount, chance.randrange(1, STEPS)])
    rows.sort(key=lambda row: int(str(row[3])))
    for file, header, content in (
        ("transactions", ["sourceNodeId", "targetNodeId", "value", "time"], rows),
        ("accounts", ["nodeid", "init_balance"], [[one, "300.00"] for one in range(ACCOUNTS)]),
        (
            "alert_labels",
            ["nodeid", "isFraud", "fraudStep"],
            [[one, int(is_), -1] for one, is_ in guilty.items()],
        ),
    ):
        with gzip.open(folder / f"{file}.csv.gz", "wt", newline="") as out:
            csv.writer(out).writerows([header, *content])


def distinct_amounts(folder: Path) -> dict[str, float]:
    """The score that nobody may use: how many distinct amounts an account has sent."""
    amounts: dict[str, set[str]] = defaultdict(set)
    with gzip.open(folder / "transactions.csv.gz", "rt", newline="") as stream:
        for row in csv.DictReader(stream):
            amounts[row["sourceNodeId"]].add(row["value"])
    return {account: len(some) for account, some in amounts.items()}


@pytest.mark.parametrize("how", ["all accepted", pytest.param("as imported", marks=pytest.mark.long)])
def test_what_only_the_leak_tells_is_not_found(how: quality_amlsim.How, tmp_path: Path) -> None:
    made(tmp_path / "amlsim_cycle200", 3)
    guilty = labels(tmp_path, "cycle200")
    leak = cases(distinct_amounts(tmp_path / "amlsim_cycle200"), guilty)
    base = sum(guilty.values()) / len(guilty)
    assert average_precision(leak) > 0.9, "whoever looks at distinct amounts finds them"
    scores = plain(scored(tmp_path, "cycle200", how, 1))
    assert len(scores[TOTAL]) > 50, "something is noticed"
    for kind, of_kind in scores.items():
        low, high = interval(cases(of_kind, guilty), 1, 100)
        assert low <= base * 1.1, f"{kind} is better than chance: {low:.3f} to {high:.3f}, chance {base:.3f}"


def test_what_is_left_out_would_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure can see a leak: who compares the amounts of a sender is far better than chance."""
    made(tmp_path / "amlsim_cycle200", 3)
    spike = {"spike": {"least": {"EUR": 1}, "deviations": 1, "earlier": 3}}
    monkeypatch.setattr(quality_amlsim, "FIGURES", spike)
    guilty = labels(tmp_path, "cycle200")
    scores = plain(scored(tmp_path, "cycle200", "all accepted", 1))
    low, _ = interval(cases(scores["spike"], guilty), 1, 100)
    assert low > 3 * sum(guilty.values()) / len(guilty)


# --- the real sets ----------------------------------------------------------------------------------------


def one_amount_each(rows: Rows, chance: random.Random) -> Rows:
    """Every sender sends its first amount only: nobody differs in that any more."""
    first: dict[str, str] = {}
    return [[row[0], row[1], first.setdefault(row[0], row[2]), row[3]] for row in rows]


def amounts_of_anybody(rows: Rows, chance: random.Random) -> Rows:
    """The amounts from 100 on change places among all rows: every sender has many."""
    amounts = [row[2] for row in rows if float(row[2]) >= 100]
    chance.shuffle(amounts)
    left = iter(amounts)
    return [[row[0], row[1], next(left) if float(row[2]) >= 100 else row[2], row[3]] for row in rows]


@needs_sets
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", quality_amlsim.SETS)
def test_the_figures_stand_without_the_leak_and_in_any_order(name: str) -> None:
    guilty = labels(PAYMENTS, name)

    def area(*given: object) -> tuple[float, tuple[float, float]]:
        every = cases(plain(scored(PAYMENTS, name, "all accepted", *given))[TOTAL], guilty)  # type: ignore[arg-type]
        return average_precision(every), interval(every, 1, 100)

    as_it_is, (low, high) = area(1)
    assert low <= as_it_is <= high
    for what, other in (
        ("another order within steps", area(2)),
        ("one amount a sender", area(1, one_amount_each)),
        ("amounts that change places", area(1, amounts_of_anybody)),
    ):
        assert low <= other[1][1], f"{what}: {other[0]:.3f} instead of {as_it_is:.3f}"
        assert other[1][0] <= high, f"{what}: {other[0]:.3f} instead of {as_it_is:.3f}"
