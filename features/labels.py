"""Where labels come from: label events with their own arrival, never a column of the labelled row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What is said of a row.

    ``CENSORED``: whatever it was, no label of it can come any more. ``CONTRADICTED``: one source says two things at one
    instant, equally sure of both. Rows of either are neither fraud nor not fraud.
    """

    FRAUD = "fraud"
    NOT_FRAUD = "not fraud"
    CENSORED = "censored"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Fraud as a source of label events tells it.

    An event says the first of ``fraud``, ``not_fraud`` and ``censored`` that holds of it, or nothing. What a source
    told last of a row is what it says of it; of what it told at one instant, what it is surest of.

    Attributes:
        source: log of label events.
        on: column of the source that holds the labelled spine row's id.
        fraud: SQL condition of a label event that says fraud.
        matures_after: a row younger than this is unknown where no event says anything of it.
        not_fraud: SQL condition of an event that says that the row is no fraud, and so overturns what was said before.
        censored: SQL condition of an event after which no label of the row can come, as where the money was given back.
        typology: SQL expression of the kind of fraud.
        confidence: SQL expression of how sure the event is, above 0 and at most 1; null is sure.
        supersedes: by source, the column with the id of that source's label event which this one takes the place of.
            What was replaced does not come back where its replacement is taken back.
        silence_acquits: a row of which nothing was said until it had matured is not fraud. False where every verdict is
            written out, so that a row without one stays unknown.
    """

    source: str
    on: str
    fraud: str
    matures_after: timedelta
    not_fraud: str | None = None
    censored: str | None = None
    typology: str | None = None
    confidence: str | None = None
    supersedes: Mapping[str, str] = field(default_factory=dict)
    silence_acquits: bool = True

    @property
    def conditions(self) -> Mapping[Verdict, str]:
        """The SQL conditions by what they say, the first that holds being meant."""
        all_three = {
            Verdict.FRAUD: self.fraud,
            Verdict.NOT_FRAUD: self.not_fraud,
            Verdict.CENSORED: self.censored,
        }
        return {verdict: sql for verdict, sql in all_three.items() if sql is not None}


def matures_after(labels: Sequence[Label]) -> timedelta:
    """How old a row is when every source has had its time."""
    return max(label.matures_after for label in labels)


def silence_acquits(labels: Sequence[Label]) -> bool:
    """Whether a matured row of which no source said anything is not fraud."""
    return any(label.silence_acquits for label in labels)
