"""What a fit saw of each feature: whether it has values, more than one, and others than the features before it."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.trainers.rows import Rows


@dataclass(frozen=True, slots=True)
class Seen:
    """By feature, in their order: least and greatest value, None where there is none, and a checksum of all of them."""

    least: tuple[float | None, ...]
    greatest: tuple[float | None, ...]
    checksums: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, rows: Rows) -> Seen:
        columns = [np.ascontiguousarray(column) for column in rows.features.T]
        known = [column[~np.isnan(column)] for column in columns]
        return cls(
            tuple(float(values.min()) if len(values) else None for values in known),
            tuple(float(values.max()) if len(values) else None for values in known),
            tuple((zlib.crc32(column.tobytes()),) for column in columns),
        )

    @classmethod
    def together(cls, parts: Sequence[Mapping[str, Any]]) -> Seen:
        """What several tasks saw of different rows; ``as_dict`` of each, in the order of their ranks."""
        by_feature = zip(*(part["least"] for part in parts), strict=True)
        least = tuple(min((v for v in values if v is not None), default=None) for values in by_feature)
        by_feature = zip(*(part["greatest"] for part in parts), strict=True)
        greatest = tuple(max((v for v in values if v is not None), default=None) for values in by_feature)
        sums = zip(*(part["checksums"] for part in parts), strict=True)
        return cls(least, greatest, tuple(tuple(one for part in told for one in part) for told in sums))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def remarks(self, features: Sequence[str]) -> list[str]:
        """What a user should know of features that tell a model nothing, a line each; none where all is well."""
        pairs = list(zip(features, self.least, self.greatest, strict=True))
        absent = [name for name, least, _ in pairs if least is None]
        constant = [name for name, least, greatest in pairs if least is not None and least == greatest]
        alike: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
        for name, sums in zip(features, self.checksums, strict=True):
            if name not in {*absent, *constant}:
                alike[sums].append(name)
        found = []
        if absent:
            found.append(
                f"no value in any training row: {', '.join(absent)}. A model cannot learn from what comes only later"
            )
        if constant:
            found.append(f"one value in all training rows: {', '.join(constant)}")
        return found + [
            f"the same in every training row: {', '.join(names)}"
            for names in alike.values()
            if len(names) > 1
        ]
