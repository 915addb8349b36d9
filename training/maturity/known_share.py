"""A maturity curve looked up for rows of a frame."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F

from training.maturity.curve import Curve

# A label of a day on which hardly any are known would count hundreds of times.
FLOOR = 0.05
_DAY = 86_400_000_000


def share_known(curve: Curve, as_of: Column, before: datetime) -> Column:
    """P(a fraud's label is known by ``before``), for rows that describe ``as_of``; at least ``FLOOR``."""
    last = int(curve.days[-1]) if len(curve.days) else 0
    shares = F.array(*(F.lit(max(curve.known_by(day), FLOOR)) for day in range(last + 1)))
    age = F.floor((F.unix_micros(F.lit(before)) - F.unix_micros(as_of)) / _DAY)
    return F.element_at(shares, F.least(F.greatest(age, F.lit(0)), F.lit(last)).cast("int") + 1)
