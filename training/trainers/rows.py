"""Arrow batches of a training frame as the matrices XGBoost wants. Runs on executors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Rows:
    """Features (float32, one row a line; NaN is missing), verdicts, money lost, and what each row counts for.

    Attributes:
        day: a number that is the same for the rows of 24 hours, and falls from each to the next.
    """

    features: npt.NDArray[np.float32]
    is_fraud: npt.NDArray[np.bool_]
    loss: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    day: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.is_fraud)

    def where(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Rows:
        """The rows that are chosen, or at these places."""
        return Rows(
            self.features[chosen],
            self.is_fraud[chosen],
            self.loss[chosen],
            self.weight[chosen],
            self.day[chosen],
        )

    @classmethod
    def together(cls, parts: Sequence[Rows], width: int) -> Rows:
        """All rows of the parts, which may be none."""
        none = np.empty(0, dtype=np.float32)
        nothing = Rows(
            np.empty((0, width), dtype=np.float32),
            np.empty(0, dtype=np.bool_),
            none,
            none,
            np.empty(0, dtype=np.int32),
        )
        whole = [nothing, *parts]
        return cls(
            np.concatenate([part.features for part in whole]),
            np.concatenate([part.is_fraud for part in whole]),
            np.concatenate([part.loss for part in whole]),
            np.concatenate([part.weight for part in whole]),
            np.concatenate([part.day for part in whole]),
        )


def read_rows(
    batches: Iterable[pa.RecordBatch], width: int, train_days: float | None = None
) -> tuple[Rows, Rows]:
    """Training rows and validation rows of the batches; either may be empty.

    Batches are parted one by one, so that no more than two copies of the rows are ever held.

    Args:
        train_days: training rows older than this, by ``age_days``, are left out.
    """
    train, validation = list[Rows](), list[Rows]()
    for batch in batches:
        age_days = batch.column("age_days").to_numpy(zero_copy_only=False)
        rows = Rows(
            batch.column("features").flatten().to_numpy().reshape(-1, width),
            batch.column("is_fraud").to_numpy(zero_copy_only=False).astype(np.bool_),
            batch.column("loss").to_numpy(zero_copy_only=False).astype(np.float32),
            batch.column("weight").to_numpy(zero_copy_only=False).astype(np.float32),
            np.floor(age_days).astype(np.int32),
        )
        is_validation = batch.column("is_validation").to_numpy(zero_copy_only=False).astype(np.bool_)
        is_kept = ~is_validation
        if train_days is not None:
            is_kept &= age_days <= train_days
        train.append(rows.where(is_kept))
        validation.append(rows.where(is_validation))
    return Rows.together(train, width), Rows.together(validation, width)
