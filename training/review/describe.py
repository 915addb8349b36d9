"""What a candidate is and how good, in five lines of Markdown for the run and the model version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from training.metrics.estimate import Estimate
from training.metrics.predictions import Predictions
from training.metrics.ranking import recall_name
from training.trainers.fit_plan import Learns

SHOWN = {
    "average_precision": "average precision",
    "roc_auc": "ROC-AUC",
    recall_name(0.01): "recall at 1 % false alarms",
}
_GIVES: Mapping[Learns, str] = {
    "chance": "the chance of",
    "loss": "the money lost with",
    "order": "an order by the money lost with",
}
RANDOM_SPLIT = (
    "random split: better than production where rows of a test have to do with later rows of the training"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """What the five lines are made of.

    Attributes:
        model: registered name.
        target: what the score is the chance of.
        features: how many.
        rows: training rows.
        frauds: training rows that are fraud.
        trained_from: first instant of the training rows, UTC.
        trained_to: end of the training rows, exclusive, UTC.
        predictions: the evaluated period.
        evaluation: what ``evaluate`` said about it.
        is_random: chance parted the rows, and not time.
        learns: what its scores say.
        champion: name of what it is compared with, such as ``champion v3``; empty where there is nothing.
        difference: candidate minus champion in average precision, paired.
        tables: table name to the version that was read.
        links: label to address.
    """

    model: str
    target: str
    features: int
    rows: int
    frauds: int
    trained_from: datetime
    trained_to: datetime
    predictions: Predictions
    evaluation: Mapping[str, Estimate]
    is_random: bool = False
    learns: Learns = "chance"
    champion: str = ""
    difference: Estimate | None = None
    tables: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


def describe(summary: ModelSummary) -> str:
    """Return five Markdown lines: what it is, how good, against what, which tables, where to look."""
    figures = ", ".join(
        f"{words} {summary.evaluation[name]}" for name, words in SHOWN.items() if name in summary.evaluation
    )
    tables = ", ".join(f"`{name}` version {version}" for name, version in summary.tables.items())
    links = " · ".join(f"[{label}]({address})" for label, address in summary.links.items())
    warned = f" ({RANDOM_SPLIT})" if summary.is_random else ""
    lines = [
        f"**What**: {_what(summary)}",
        f"**How good**: {figures}, on {_period(summary.predictions)}{warned}",
        f"**Against**: {_against(summary)}",
        f"**Trained on**: {tables or 'no versioned table'}",
        f"**Look next**: {links or 'the figures of this run'}",
    ]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _what(summary: ModelSummary) -> str:
    return (
        f"`{summary.model}` gives {_GIVES[summary.learns]} `{summary.target}`; XGBoost on {summary.features} features, "
        f"trained on {summary.rows:,} rows ({summary.frauds:,} fraud) from {summary.trained_from:%Y-%m-%d} "
        f"to before {summary.trained_to:%Y-%m-%d}"
    )


def _period(predictions: Predictions) -> str:
    if len(predictions) == 0:
        return "no rows"
    first, last = predictions.day.min(), predictions.day.max()
    return f"{len(predictions):,} rows ({predictions.fraud_count:,} fraud) of {first} to {last}"


def _against(summary: ModelSummary) -> str:
    base = summary.evaluation.get("base_rate")
    guess = (
        f"guessing reaches an average precision of {base.value:.2g}"
        if base and base.is_known
        else "no base rate"
    )
    if not summary.champion:
        return f"no champion yet; {guess}"
    if summary.difference is None:
        return f"{summary.champion} reads other features, so it cannot score the same rows; {guess}"
    gain = summary.difference.as_difference()
    return f"{summary.champion}: average precision changes by {gain} on the same rows; {guess}"
