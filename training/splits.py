"""Folds in order of time, with a gap in which labels mature; or, only where it is asked for, parts drawn by chance.

A fold in order of time tests on [test_from, test_to). It trains on rows that are old enough at ``test_from`` for their
labels to have matured, and sees of those labels only what was known then, as in production. A fold by chance tests one
part of all rows and trains on the others, whenever they were: its figures are better than production's wherever rows
of a test have anything in common with later rows that were trained on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, model_validator

from lake.documents import Strict

Count = Annotated[int, Field(ge=1)]
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class SplitSettings(Strict):
    """Lengths in days, or a number of random parts. Parameters are chosen on validation folds, which no test sees.

    Attributes:
        train_days: length of the period that is trained on.
        test_days: length of a test.
        folds: number of tests, one after the other.
        validation_folds: the same before the first test begins; parameters are chosen on them.
        entities_apart: leave the entities of a test out of the rows that are trained on.
        random_parts: draw so many parts, each with the same share of frauds, instead. Each is tested once, with
            parameters chosen on ``validation_folds`` of the others.
        seed: of the draw.
    """

    train_days: Count | None = None
    test_days: Count | None = None
    folds: Count = 1
    validation_folds: Count = 1
    entities_apart: bool = False
    random_parts: Annotated[int, Field(ge=3)] | None = None
    seed: int = 7

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        lengths = self.train_days is not None and self.test_days is not None
        if lengths == (self.random_parts is not None):
            raise ValueError(
                "give train_days and test_days, or random_parts; an overlay adds to its base, so it sets the base's "
                "to null"
            )
        if self.random_parts is not None and self.validation_folds >= self.random_parts:
            raise ValueError(
                f"{self.validation_folds} validation folds of {self.random_parts} random parts; one is tested, so "
                f"at most {self.random_parts - 1} are left"
            )
        return self


@dataclass(frozen=True, slots=True)
class Draw:
    """A part drawn by chance.

    Attributes:
        parts: how many there are.
        tested: the number of the one that is tested, from 0.
        left_out: the number of one that is not trained on either.
    """

    parts: int
    seed: int
    tested: int
    left_out: int | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One training period and the period after it that judges. All instants are UTC; ranges are half-open.

    Attributes:
        draw: which part of the rows judges, where not time parts them; the periods are then both of all rows.
    """

    train_from: datetime
    train_to: datetime
    test_from: datetime
    test_to: datetime
    judged_at: datetime
    entities_apart: bool = False
    draw: Draw | None = None

    @property
    def labels_known_before(self) -> datetime:
        """Training sees labels known before this instant."""
        return self.test_from if self.draw is None else self.judged_at

    def to_json(self) -> str:
        """What the fold is, for a model version's tag."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Fold:
        return TypeAdapter(cls).validate_json(text)

    def __str__(self) -> str:
        if self.draw is not None:
            return f"random part {self.draw.tested + 1} of {self.draw.parts}"
        return f"{self.test_from:%Y-%m-%d} to {self.test_to:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Validation folds on which parameters are chosen, and the test folds that are fitted with them."""

    validation: tuple[Fold, ...]
    test: tuple[Fold, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Stages, the latest last. The model that is registered is that of the last test fold."""

    stages: tuple[Stage, ...]

    @property
    def folds(self) -> tuple[Fold, ...]:
        """Every fold."""
        return tuple(fold for stage in self.stages for fold in stage.validation + stage.test)

    @property
    def last(self) -> Fold:
        """The test fold whose booster is registered."""
        return self.stages[-1].test[-1]

    @property
    def begin(self) -> datetime:
        return min(fold.train_from for fold in self.folds)

    @property
    def end(self) -> datetime:
        return self.last.test_to


def split(as_of: datetime, settings: SplitSettings, matures_after: timedelta) -> Split:
    """The folds of a training at ``as_of``: the last test period ends where labels have just matured."""
    if settings.random_parts is not None:
        return Split(tuple(_drawn(as_of, settings, settings.random_parts)))
    test = _folds(as_of, settings.folds, settings, matures_after)
    validation = _folds(test[0].test_from, settings.validation_folds, settings, matures_after)
    return Split((Stage(validation, test),))


def _folds(
    judged_at: datetime, number: int, settings: SplitSettings, matures_after: timedelta
) -> tuple[Fold, ...]:
    length, trained = timedelta(days=settings.test_days or 0), timedelta(days=settings.train_days or 0)
    folds = []
    for step in reversed(range(number)):
        test_to = judged_at - matures_after - step * length
        test_from = test_to - length
        train_to = test_from - matures_after
        folds.append(
            Fold(train_to - trained, train_to, test_from, test_to, judged_at, settings.entities_apart)
        )
    return tuple(folds)


def _drawn(as_of: datetime, settings: SplitSettings, parts: int) -> list[Stage]:
    def fold(tested: int, left_out: int | None = None) -> Fold:
        draw = Draw(parts, settings.seed, tested, left_out)
        return Fold(_BEGIN, as_of, _BEGIN, as_of, as_of, settings.entities_apart, draw)

    chosen_on = [range(part + 1, part + 1 + settings.validation_folds) for part in range(parts)]
    return [
        Stage(tuple(fold(other % parts, left_out=part) for other in others), (fold(part),))
        for part, others in enumerate(chosen_on)
    ]
