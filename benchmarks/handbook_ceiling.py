"""About how well the Handbook's frauds can be foreseen: ``python -m benchmarks.handbook_ceiling --data FOLDER``.

The Handbook's payments are simulated by published rules (its chapter 3), so the chance that a payment is fraud can be
worked out from what is known before it. Here that is told more than any model: the rules and how often each strikes,
every customer's true mean, and of a fraud that became known the rule that made it. It is no
proven bound: one break-in has to explain a terminal's frauds, and in few weeks chance goes either way.

The folder is that of ``make bench-quality``; test weeks and metrics are those of the example.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.metrics.evaluate import evaluate
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY_SECONDS = 86_400
DELAY_DAYS = WEEK_DAYS = 7
FIRST_DAY = datetime(2018, 4, 1, tzinfo=UTC)
TEST_WEEKS = ("2018-08-08", "2018-08-15", "2018-08-22", "2018-08-29")
METRICS = ("roc_auc", "average_precision", "entity_precision_at_100_per_day")

# The rules. Every amount above 220 is fraud; every day 2 of 10,000 terminals are broken into, and all they take in for
# 28 days is fraud; every day 3 of 5,000 cards are stolen, and a third of their payments for 14 days is fraud of five
# times the amount.
ALWAYS_ABOVE, OF_TERMINAL, OF_CARD = 220.0, 2, 3
BROKEN_A_DAY, BROKEN_DAYS = 2 / 10_000, 28
STOLEN_A_DAY, STOLEN_DAYS, STOLEN_SHARE, TIMES = 3 / 5_000, 14, 1 / 3, 5.0
# A customer's amounts are normal with half the mean as deviation; one below zero is drawn anew between 0 and twice
# the mean.
DEVIATION, BELOW_ZERO = 0.5, 0.02275
_LEAST, _MOST, _MOST_EXPONENT = 1e-12, 1e9, 600.0
_LOOKED_BACK = 2 * BROKEN_DAYS + DELAY_DAYS
# Terminals of which no fraud is known have lower chances than this, all others higher ones.
_UNKNOWN_BELOW, _ALIKE = 0.01, 0.0014
_DRAWS = 3


@dataclass(frozen=True)
class Payments:
    """All payments in the order of their time."""

    seconds: Ints
    customer: Ints
    terminal: Ints
    amount: Floats
    rule: Ints

    @cached_property
    def day(self) -> Ints:
        return self.seconds // DAY_SECONDS

    @cached_property
    def is_fraud(self) -> Bools:
        return self.rule > 0

    def test_rows(self, first: int) -> Ints:
        """The payments of a week, but those of customers whose fraud was known by their day, as the Handbook has it."""
        day, end = self.day, first + WEEK_DAYS
        recent = self.is_fraud & (day >= first - 2 * DELAY_DAYS) & (day < end)
        known_on = np.maximum(first, day[recent] + DELAY_DAYS + 1)
        known = pd.Series(known_on).groupby(self.customer[recent]).min()
        rows = np.flatnonzero((day >= first) & (day < end))
        since = known.reindex(self.customer[rows]).fillna(end).to_numpy()
        return rows[day[rows] < since]


def main(argv: Sequence[str] | None = None) -> None:
    """Work out and print a table in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="handbook_ceiling", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    arguments = parser.parse_args(argv)
    payments = read(arguments.data / "handbook" / "transactions")
    weeks = [payments.test_rows(_day(week)) for week in TEST_WEEKS]
    rows = np.concatenate(weeks)
    of_terminal, of_card = terminal_chances(payments, rows), card_chances(payments, rows)
    is_unknown = of_terminal < _UNKNOWN_BELOW
    dice = np.random.default_rng(7)
    kinds = {
        "rules and all that is known": of_terminal,
        "terminals without a known fraud alike": np.where(is_unknown, _ALIKE, of_terminal),
    }
    for number in range(_DRAWS):
        by_chance = np.where(is_unknown, dice.uniform(0, 2 * _ALIKE, len(rows)), of_terminal)
        kinds[f"these ranked by chance, {number + 1}"] = by_chance
    print("| | " + " | ".join(METRICS) + " |\n" + "|---" * (len(METRICS) + 1) + "|")
    for name, chances in kinds.items():
        either = 1 - (1 - chances) * (1 - of_card) * (payments.amount[rows] <= ALWAYS_ABOVE)
        parts = zip(weeks, np.split(either, np.cumsum([len(week) for week in weeks])[:-1]), strict=True)
        found = [_metrics(payments, week, score) for week, score in parts]
        print(f"| {name} | " + " | ".join(f"{mean:.4f}" for mean in np.mean(found, axis=0)) + " |")


def read(folder: Path) -> Payments:
    """Every payment there is, a file a day."""
    frame = pd.concat([pd.read_csv(file) for file in sorted(folder.glob("*.csv.gz"))])
    after = pd.to_datetime(frame["TX_DATETIME"], utc=True) - pd.Timestamp(FIRST_DAY)
    frame = frame.assign(seconds=after.dt.total_seconds()).sort_values("seconds", kind="stable")

    def whole(name: str) -> Ints:
        return frame[name].to_numpy(dtype=np.int64)

    return Payments(
        seconds=whole("seconds"),
        customer=whole("CUSTOMER_ID"),
        terminal=whole("TERMINAL_ID"),
        amount=frame["TX_AMOUNT"].to_numpy(dtype=np.float64),
        rule=whole("TX_FRAUD_SCENARIO"),
    )


def terminal_chances(payments: Payments, rows: Ints) -> Floats:
    """The chance that the terminal is broken into at each of ``rows``, by the labels that are known then."""
    chances = [
        _terminal_chance(payments, row, before)
        for row, before in _with_past(payments, payments.terminal, rows, _LOOKED_BACK)
    ]
    return np.array(chances)


def card_chances(payments: Payments, rows: Ints) -> Floats:
    """The chance that each of ``rows`` was paid with a stolen card, by its amount and the card's payments before."""
    is_usual = payments.rule != OF_CARD
    means = pd.Series(payments.amount[is_usual]).groupby(payments.customer[is_usual]).mean()
    usual = means.reindex(payments.customer).to_numpy()
    honest = _density(payments.amount, usual)
    stolen = _density(payments.amount / TIMES, usual) / TIMES
    unlabelled = np.log((1 - STOLEN_SHARE) + STOLEN_SHARE * stolen / honest)
    labelled = np.select(
        [payments.rule == OF_CARD, payments.rule == 0], [np.log(_MOST), np.log(1 - STOLEN_SHARE)], 0.0
    )
    chances, day = [], payments.day
    for row, before in _with_past(payments, payments.customer, rows, STOLEN_DAYS - 1):
        told = np.where(_is_known(payments, row, before), labelled[before], unlabelled[before])
        by_day = np.bincount(day[row] - day[before], weights=told, minlength=STOLEN_DAYS)
        # One that was stolen so many days ago has to explain all that was paid since.
        begun = STOLEN_A_DAY * np.exp(np.minimum(np.cumsum(by_day), _MOST_EXPONENT)).sum()
        share = STOLEN_SHARE * begun / (1 + begun)
        chances.append(share * stolen[row] / (share * stolen[row] + (1 - share) * honest[row]))
    return np.array(chances)


def _terminal_chance(payments: Payments, row: int, before: Ints) -> float:
    """Honest payments leave out the days on which a break-in would have made them fraud; a fraud says there was one."""
    known = before[_is_known(payments, row, before)]
    today, first = int(payments.day[row]), int(payments.day[row]) - _LOOKED_BACK
    may_begin = np.ones(today - first + 1, dtype=np.bool_)
    for day in np.unique(payments.day[known[~payments.is_fraud[known]]]):
        may_begin[max(int(day) - BROKEN_DAYS + 1 - first, 0) : int(day) - first + 1] = False
    is_honest = (1 - BROKEN_A_DAY) ** int(may_begin[-BROKEN_DAYS:].sum())
    frauds = np.unique(payments.day[known[payments.rule[known] == OF_TERMINAL]])
    if len(frauds):
        last = int(frauds[-1])
        begins = np.arange(
            max(last - BROKEN_DAYS + 1, first), int(frauds[frauds > last - BROKEN_DAYS][0]) + 1
        )
        begins = begins[may_begin[begins - first]]
        if len(begins):
            is_honest *= float(np.mean(begins + BROKEN_DAYS <= today))
    return 1 - is_honest


def _is_known(payments: Payments, row: int, before: Ints) -> Bools:
    known: Bools = payments.seconds[before] < payments.seconds[row] - DELAY_DAYS * DAY_SECONDS
    return known


def _with_past(payments: Payments, keys: Ints, rows: Ints, days: int) -> Iterator[tuple[int, Ints]]:
    """Each row, and the payments of its key before it, of its own day and so many before."""
    of_key, day = pd.Series(np.arange(len(keys))).groupby(keys).indices, payments.day
    for row in rows:
        own = np.asarray(of_key[keys[row]], dtype=np.int64)
        end = np.searchsorted(own, row)
        yield int(row), own[np.searchsorted(day[own[:end]], day[row] - days) : end]


def _density(amount: Floats, mean: Floats) -> Floats:
    """Of a customer's amounts, never quite zero."""
    deviation = DEVIATION * mean
    normal = np.exp(-0.5 * ((amount - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    drawn_anew = np.where(amount < 2 * mean, BELOW_ZERO / (2 * mean), 0.0)
    found: Floats = normal + drawn_anew + _LEAST
    return found


def _metrics(payments: Payments, rows: Ints, score: Floats) -> list[float]:
    as_of = np.datetime64(FIRST_DAY.date(), "us") + payments.seconds[rows].astype("timedelta64[s]")
    found = evaluate(
        Predictions(
            row_id=rows.astype(object),
            as_of=as_of.astype("datetime64[us]"),
            score=score,
            is_fraud=payments.is_fraud[rows],
            entity=payments.customer[rows].astype(object),
        ),
        EvaluationSettings(entity_precision_at=(100,)),
    )
    return [found[name].value for name in METRICS]


def _day(date: str) -> int:
    return (datetime.fromisoformat(date).replace(tzinfo=UTC) - FIRST_DAY).days


if __name__ == "__main__":
    main()
