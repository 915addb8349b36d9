"""What a sweep searches and how long, as its user writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from hyperopt import hp
from pydantic import Field, model_validator

from lake.documents import Strict

Number = int | float


class Range(Strict):
    """One parameter: exactly one of the ways to draw it. Bounds are inclusive."""

    uniform: tuple[float, float] | None = None
    loguniform: tuple[float, float] | None = None
    integer: tuple[int, int] | None = None
    choice: tuple[Number | str, ...] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Range:
        given = {name: value for name, value in self if value is not None}
        if len(given) != 1:
            raise ValueError(
                "give exactly one of uniform, loguniform, integer or choice; an overlay adds to its base, "
                "so it sets the base's to null"
            )
        if self.choice == ():
            raise ValueError("choice is empty; give the values to choose from")
        bounds = self.uniform or self.loguniform or self.integer
        if bounds and bounds[0] >= bounds[1]:
            raise ValueError(f"the lower bound {bounds[0]} is not below the upper bound {bounds[1]}")
        if self.loguniform and self.loguniform[0] <= 0:
            raise ValueError("loguniform needs bounds above 0")
        return self

    def holds(self, value: Number | str) -> bool:
        """True where the parameter could be drawn with this value."""
        if self.choice is not None:
            return value in self.choice
        low, high = self.uniform or self.loguniform or self.integer or (0, 0)
        is_whole = self.integer is None or isinstance(value, int)
        return is_whole and not isinstance(value, str) and low <= value <= high

    def __str__(self) -> str:
        return ", ".join(f"{name} {list(value)}" for name, value in self if value is not None)

    def expression(self, name: str) -> Any:
        """The parameter as Hyperopt draws it."""
        if self.uniform:
            return hp.uniform(name, *self.uniform)
        if self.loguniform:
            return hp.loguniform(name, math.log(self.loguniform[0]), math.log(self.loguniform[1]))
        if self.integer:
            return hp.uniformint(name, *self.integer)
        return hp.choice(name, list(self.choice or ()))


class SweepSettings(Strict):
    """A search over XGBoost parameters.

    Attributes:
        metric: what the validation folds are judged by; higher is better.
        sampler: whose TPE draws: Hyperopt's, or Optuna's, which is an extra. ``spark_trials`` is Hyperopt's own
            ``SparkTrials``, which waits for no wave and gives other trials each time.
        trials: number of trials, known points included.
        parallelism: trials that run at once, each in one task; they share ``trainer.threads``.
        prune_after: number of trials run to their end after which one that falls behind is given up; null never.
        enough: number of trials in a row without a better one after which the sweep ends; null runs all.
        rounds: boosting rounds at most.
        stop_after: rounds without gain on validation after which a trial stops, and the winner has the rounds it had;
            null grows all rounds, which is steadier where the best round of one fold is chance.
        fixed: parameters that every trial has.
        space: parameters to search.
        start: points of the space that are known to be good; they are tried first.
    """

    metric: Literal["average_precision", "roc_auc"] = "average_precision"
    sampler: Literal["hyperopt", "optuna", "spark_trials"] = "hyperopt"
    trials: Annotated[int, Field(ge=1)]
    parallelism: Annotated[int, Field(ge=1)] = 2
    prune_after: Annotated[int, Field(ge=1)] | None = None
    enough: Annotated[int, Field(ge=1)] | None = None
    rounds: Annotated[int, Field(ge=1)] = 300
    stop_after: Annotated[int, Field(ge=1)] | None = 30
    seed: int = 7
    fixed: Mapping[str, Number | str] = Field(default_factory=dict)
    space: Mapping[str, Range]
    start: tuple[Mapping[str, Number | str], ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> SweepSettings:
        for number, point in enumerate(self.start):
            if set(point) != set(self.space):
                raise ValueError(f"start[{number}] names {sorted(point)}; the space has {sorted(self.space)}")
            outside = [
                f"{name} is {value}, the space has {self.space[name]}"
                for name, value in point.items()
                if not self.space[name].holds(value)
            ]
            if outside:
                raise ValueError(f"start[{number}]: {'; '.join(outside)}")
        if self.sampler == "spark_trials" and self.prune_after is not None:
            raise ValueError(
                "prune_after compares a trial with those of waves before it, and spark_trials has no waves; "
                "set prune_after to null, or sampler to hyperopt"
            )
        both = sorted(set(self.space) & set(self.fixed))
        if both:
            raise ValueError(f"{', '.join(both)} is both fixed and searched; keep one")
        return self

    def expressions(self) -> dict[str, Any]:
        """The whole space as Hyperopt takes it."""
        return {name: drawn.expression(name) for name, drawn in self.space.items()}

    def raw(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point of the space in Hyperopt's terms, where a choice is its index."""
        return {
            name: point[name] if drawn.choice is None else drawn.choice.index(point[name])
            for name, drawn in self.space.items()
        }
