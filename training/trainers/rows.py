"""Arrow batches of a training frame as the matrices XGBoost wants. Runs on executors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Rows:
    """Features (float32, one row a line; NaN is missing) and verdicts."""

    features: npt.NDArray[np.float32]
    is_fraud: npt.NDArray[np.bool_]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        return Rows(self.features[chosen], self.is_fraud[chosen])


def read_rows(batches: Iterable[pa.RecordBatch], width: int) -> tuple[Rows, Rows]:
    """Training rows and validation rows of the batches; either may be empty."""
    features, verdicts, roles = [], [], []
    for batch in batches:
        features.append(batch.column("features").flatten().to_numpy().reshape(-1, width))
        verdicts.append(batch.column("is_fraud").to_numpy(zero_copy_only=False))
        roles.append(batch.column("is_validation").to_numpy(zero_copy_only=False))
    if not features:
        empty = Rows(np.empty((0, width), dtype=np.float32), np.empty(0, dtype=np.bool_))
        return empty, empty
    rows = Rows(np.concatenate(features), np.concatenate(verdicts).astype(np.bool_))
    is_validation = np.concatenate(roles).astype(np.bool_)
    return rows.where(~is_validation), rows.where(is_validation)
