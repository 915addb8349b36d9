"""What each feature of a view means, in words."""

from __future__ import annotations

from features.declare import FeatureGroup, FeatureView, Measure, Window

_MEANING = {
    "count": "Number of {source}{where}",
    "sum": "Sum of {of} over {source}{where}",
    "mean": "Mean of {of} over {source}{where}",
    "share": "Share of {source}{where} with {of}",
    "min": "Least {of} of {source}{where}",
    "max": "Greatest {of} of {source}{where}",
    "distinct": "Number of different {of} of {source}{where}",
    "hours_since_last": "Hours since the latest of {source}{where}",
    "hours_since_first": "Hours since the earliest of {source}{where}",
}
_EMPTY_IS_ZERO = {"count", "sum", "distinct"}


def meanings(view: FeatureView) -> dict[str, str]:
    """One sentence a feature: what, of whom, over which window, and its value where there is nothing to look at."""
    own = {column.name: f"{column.sql} of the {view.spine.source} row itself" for column in view.spine.own}
    windowed = {
        group.feature(measure, window): _windowed(group, measure, window)
        for group in view.groups
        for measure in group.measures
        for window in group.windows
    }
    return own | windowed | {column.name: f"{column.sql}" for column in view.derived}


def _windowed(group: FeatureGroup, measure: Measure, window: Window) -> str:
    conditions = [condition for condition in (group.where, measure.where) if condition]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    what = _MEANING[measure.kind].format(source=group.source, of=measure.of, where=where)
    span = "ever" if window.micros is None else f"in the {window.label}"
    empty = "0" if measure.kind in _EMPTY_IS_ZERO else "null"
    return f"{what}, of the {group.entity.name} {span} before as_of; {empty} where there are none"
