"""What each feature of a view means, in words."""

from __future__ import annotations

from features.declare import FeatureGroup, FeatureView, Measure, Window

_MEANING = {
    "count": "Number of {source}{where}",
    "sum": "Sum of {of} over {source}{where}",
    "mean": "Mean of {of} over {source}{where}",
    "std": "Sample standard deviation of {of} over {source}{where}",
    "share": "Share of {source}{where} with {of}",
    "min": "Least {of} of {source}{where}",
    "max": "Greatest {of} of {source}{where}",
    "first": "Value of {of} in the earliest of {source}{where}",
    "last": "Value of {of} in the latest of {source}{where}",
    "distinct": "Number of different {of} of {source}{where}",
    "approx_distinct": "About the number (approximate, within 3 %) of different {of} of {source}{where}",
    "entropy": "Shannon entropy in bits of {of} over {source}{where}",
    "hours_since_last": "Hours since the latest of {source}{where}",
    "hours_since_first": "Hours since the earliest of {source}{where}",
    "is_new": "Whether there are no {source}{where}",
    "decayed": "Sum of {of} over {source}{where}, halved with every {span} of age",
    "burst": "The most {source}{where} that {span} ever held at once, as then known",
}
EMPTY = {
    "count": "0", "sum": "0", "distinct": "0", "approx_distinct": "0", "decayed": "0", "burst": "0", "is_new": "true",
}  # fmt: skip


def meanings(view: FeatureView) -> dict[str, str]:
    """One sentence a feature: what, of whom, over which window, and its value where there is nothing to look at."""
    own = {column.name: f"{column.sql} of the {view.spine.source} row itself" for column in view.spine.own}
    windowed = {
        group.feature(measure, window): _windowed(group, measure, window)
        for group in view.groups
        for measure in group.measures
        for window in group.windows
    }
    flags = {}
    for entity in view.entities:
        flags[entity.present] = f"Whether the row has a {entity.name}"
        flags[entity.history] = (
            f"Whether anything was known of the {entity.name} before as_of; null where there is none"
        )
    return own | flags | windowed | {column.name: f"{column.sql}" for column in view.derived}


def _windowed(group: FeatureGroup, measure: Measure, window: Window) -> str:
    conditions = [condition for condition in (group.where, measure.where) if condition]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    of, length = measure.of or "ones", measure.span.label if measure.span else ""
    what = _MEANING[measure.kind].format(source=group.source, of=of, where=where, span=length)
    span = "ever" if window.micros is None else f"in the {window.label}"
    empty = EMPTY.get(measure.kind, "null")
    return f"{what}, of the {group.entity.name} {span} before as_of; {empty} where there are none"
