"""A windowed feature computed again from the rows that count, in plain Python: a second opinion on the engine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from features.declare import Kind, Measure
from features.windows.plan import SLOTS

Value = int | float | Decimal | bool | None

_HOUR, _MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
_TRUTHS = {"true": Decimal(1), "false": Decimal(0)}


@dataclass(frozen=True, slots=True)
class Counted:
    """A row that counts, as the evidence has it."""

    source_row: str | None
    event_at: datetime
    value: str | None
    contribution: Decimal | None


def value_of(measure: Measure, rows: Sequence[Counted], as_of: datetime) -> Value:
    """The feature's value.

    Args:
        rows: the rows of the evidence whose verdict is ``counts``, in any order; none gives 0, true or null, as the
            measure says.
        as_of: in the same zone as the rows' ``event_at``.
    """
    return _COMPUTED[measure.kind](measure, rows, as_of)


def _added(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    """What the rows contribute, added up: a count, an exact sum, the height of a burst."""
    return sum((row.contribution or Decimal(0) for row in rows), Decimal(0))


def _mean(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return float(sum(_exact(rows), Fraction(0)) / len(rows)) if rows else None


def _std(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    values, count = _exact(rows), len(rows)
    if count <= 1:
        return None
    centre = sum(values, Fraction(0)) / count
    return math.sqrt(sum((value - centre) ** 2 for value in values) / (count - 1))


def _least(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return min(_numbers(rows), default=None)


def _greatest(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return max(_numbers(rows), default=None)


def _first(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return _number(min(rows, key=_place)) if rows else None


def _last(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return _number(max(rows, key=_place)) if rows else None


def _distinct(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return len({row.value for row in rows})


def _approx_distinct(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    """The estimate, from the slots the values fell into."""
    empty = SLOTS - len({row.contribution for row in rows})
    return round(SLOTS * math.log(SLOTS / max(empty, 1)))


def _entropy(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    shares = [count / len(rows) for count in Counter(row.value for row in rows).values()]
    return math.fsum(-share * math.log2(share) for share in shares) if rows else None


def _hours_since_last(_measure: Measure, rows: Sequence[Counted], as_of: datetime) -> Value:
    return (as_of - max(row.event_at for row in rows)) / _HOUR if rows else None


def _hours_since_first(_measure: Measure, rows: Sequence[Counted], as_of: datetime) -> Value:
    return (as_of - min(row.event_at for row in rows)) / _HOUR if rows else None


def _is_new(_measure: Measure, rows: Sequence[Counted], _as_of: datetime) -> Value:
    return not rows


def _decayed(measure: Measure, rows: Sequence[Counted], as_of: datetime) -> Value:
    half_life = (measure.span.micros or 0) * _MICROSECOND if measure.span else timedelta(0)
    sizes = [Decimal(1)] * len(rows) if measure.of is None else _numbers(rows)
    parts = zip(sizes, rows, strict=True)
    return math.fsum(float(size) * 2.0 ** -((as_of - row.event_at) / half_life) for size, row in parts)


_COMPUTED: Mapping[Kind, Callable[[Measure, Sequence[Counted], datetime], Value]] = {
    "count": _added,
    "sum": _added,
    "mean": _mean,
    "std": _std,
    "share": _mean,
    "min": _least,
    "max": _greatest,
    "first": _first,
    "last": _last,
    "distinct": _distinct,
    "approx_distinct": _approx_distinct,
    "entropy": _entropy,
    "hours_since_last": _hours_since_last,
    "hours_since_first": _hours_since_first,
    "is_new": _is_new,
    "decayed": _decayed,
    "burst": _added,
}


def _number(row: Counted) -> Decimal:
    """A row's value; a truth is 1 or 0."""
    text = str(row.value)
    return _TRUTHS[text] if text in _TRUTHS else Decimal(text)


def _numbers(rows: Sequence[Counted]) -> list[Decimal]:
    return [_number(row) for row in rows]


def _exact(rows: Sequence[Counted]) -> list[Fraction]:
    return [Fraction(number) for number in _numbers(rows)]


def _place(row: Counted) -> tuple[datetime, str]:
    """The order of first and last: (event_at, row id)."""
    return row.event_at, str(row.source_row)
