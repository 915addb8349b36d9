"""Folds in order of time, with a gap in which labels mature.

A fold tests on [test_from, test_to). It trains on rows that are old enough at ``test_from`` for their labels to
have matured, and sees of those labels only what was known then, as in production.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter

from lake.documents import Strict

Count = Annotated[int, Field(ge=1)]


class SplitSettings(Strict):
    """Lengths in days. Parameters are chosen on validation folds, which end before the first test begins.

    Attributes:
        entities_apart: leave the entities of a test out of the rows before it that are trained on.
    """

    train_days: Count
    test_days: Count
    folds: Count = 1
    validation_folds: Count = 1
    entities_apart: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """One training period and the period after it that judges. All instants are UTC; ranges are half-open."""

    train_from: datetime
    train_to: datetime
    test_from: datetime
    test_to: datetime
    judged_at: datetime
    entities_apart: bool = False

    @property
    def labels_known_before(self) -> datetime:
        """Training sees labels known before this instant."""
        return self.test_from

    def to_json(self) -> str:
        """What the fold is, for a model version's tag."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Fold:
        return TypeAdapter(cls).validate_json(text)

    def __str__(self) -> str:
        return f"{self.test_from:%Y-%m-%d} to {self.test_to:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Split:
    """Folds, the latest last. The model that is registered is that of the last test fold."""

    validation: tuple[Fold, ...]
    test: tuple[Fold, ...]

    @property
    def begin(self) -> datetime:
        return min(fold.train_from for fold in self.validation + self.test)

    @property
    def end(self) -> datetime:
        return self.test[-1].test_to


def split(as_of: datetime, settings: SplitSettings, matures_after: timedelta) -> Split:
    """The folds of a training at ``as_of``: the last test period ends where labels have just matured."""
    test = _folds(as_of, settings.folds, settings, matures_after)
    validation = _folds(test[0].test_from, settings.validation_folds, settings, matures_after)
    return Split(validation, test)


def _folds(
    judged_at: datetime, number: int, settings: SplitSettings, matures_after: timedelta
) -> tuple[Fold, ...]:
    length = timedelta(days=settings.test_days)
    folds = []
    for step in reversed(range(number)):
        test_to = judged_at - matures_after - step * length
        test_from = test_to - length
        train_to = test_from - matures_after
        train_from = train_to - timedelta(days=settings.train_days)
        folds.append(Fold(train_from, train_to, test_from, test_to, judged_at, settings.entities_apart))
    return tuple(folds)
