"""What an analyst writes: entities, groups of measures, look-ups, spines and views. Declaring computes nothing."""

from features.declare.calendar import Calendar
from features.declare.conversion import Converted, Rates, converted
from features.declare.entity import Entity
from features.declare.expression import (
    Expression,
    category,
    day_of_week,
    expression,
    hour_of_day,
    ratio,
    trend,
)
from features.declare.group import FeatureGroup
from features.declare.link import Link
from features.declare.lookup import Lookup
from features.declare.measure import (
    Kind,
    Measure,
    approx_distinct,
    burst,
    count,
    count_each,
    decayed,
    distinct,
    earliest,
    entropy,
    hours_since_first,
    hours_since_last,
    is_new,
    largest,
    latest,
    mean,
    share,
    smallest,
    std,
    total,
)
from features.declare.place import Declared, here
from features.declare.sql_source import Log, SqlSource
from features.declare.view import FeatureView, Spine
from features.declare.window import LIFETIME, Window, days, hours, minutes, seconds

__all__ = [
    "LIFETIME",
    "Calendar",
    "Converted",
    "Declared",
    "Entity",
    "Expression",
    "FeatureGroup",
    "FeatureView",
    "Kind",
    "Link",
    "Log",
    "Lookup",
    "Measure",
    "Rates",
    "Spine",
    "SqlSource",
    "Window",
    "approx_distinct",
    "burst",
    "category",
    "converted",
    "count",
    "count_each",
    "day_of_week",
    "days",
    "decayed",
    "distinct",
    "earliest",
    "entropy",
    "expression",
    "here",
    "hour_of_day",
    "hours",
    "hours_since_first",
    "hours_since_last",
    "is_new",
    "largest",
    "latest",
    "mean",
    "minutes",
    "ratio",
    "seconds",
    "share",
    "smallest",
    "std",
    "total",
    "trend",
]
