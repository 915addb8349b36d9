"""What each feature of a view means: as data, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.declare import (
    Converted,
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Kind,
    Lookup,
    Measure,
    Window,
)

# Units of columns, by log and column.
Units = Mapping[str, Mapping[str, str]]

_MEANING: Mapping[Kind, str] = {
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
_ROWS_DECAYED = "Number of {source}{where}, each halved with every {span} of age"
_CODE = "code"
_TRUTH = "true or false"
_UNIT: Mapping[Kind, str] = {
    "count": "rows", "share": "0 to 1", "distinct": "values", "approx_distinct": "values", "entropy": "bits",
    "hours_since_last": "hours", "hours_since_first": "hours", "is_new": _TRUTH, "burst": "rows",
}  # fmt: skip
_EMPTY: Mapping[Kind, str] = {
    "count": "0", "sum": "0", "distinct": "0", "approx_distinct": "0", "decayed": "0", "burst": "0", "is_new": "true",
}  # fmt: skip
_APPROXIMATE = ("approx_distinct",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a view.

    Attributes:
        meaning: what, of whom, over which time.
        unit: what its value is counted in; empty where nothing declares it.
        window: how far it looks back, such as ``7d``; empty where it looks at the row alone.
        source: what its rows come from; empty where it is computed from other features.
        empty: its value where there is nothing to look at; empty where there always is.
        entity: whose it is; None for the row's own and what is derived.
        group: the group or look-up that declares it; None where none does.
    """

    name: str
    meaning: str
    unit: str
    window: str = ""
    source: str = ""
    empty: str = ""
    entity: Entity | None = None
    group: FeatureGroup | Lookup | None = None
    is_approximate: bool = False

    @property
    def sentence(self) -> str:
        """The meaning with the value where there is nothing."""
        return f"{self.meaning}; {self.empty} where there are none" if self.group else self.meaning


def catalogue(view: FeatureView, units: Units | None = None) -> list[Feature]:
    """Every feature of the view, in the order of the table.

    Args:
        units: units of the logs' columns, as their contracts declare them.
    """
    known = units or {}
    windowed = [
        _windowed(group, measure, window, known)
        for group in view.groups
        for measure in group.measures
        for window in group.windows
    ]
    own = [_own(column, view.spine.source, known) for column in view.spine.own]
    converted = [one for column in view.spine.converted for one in _converted(column, view.spine.source)]
    flags = [flag for entity in view.entities for flag in _flags(entity) if flag.name in view.flags]
    looked_up = [one for lookup in view.lookups for one in _looked_up(lookup, known)]
    derived = [Feature(name=column.name, meaning=column.sql, unit="") for column in view.derived]
    return [*own, *converted, *flags, *windowed, *looked_up, *derived]


def meanings(view: FeatureView) -> dict[str, str]:
    """One sentence a feature: what, of whom, over which window, and its value where there is nothing to look at."""
    return {feature.name: feature.sentence for feature in catalogue(view)}


def kept_meanings(view: FeatureView) -> dict[str, str]:
    """One sentence for each column that is kept beside the features."""
    spine = {
        name: f"{name} of the {view.spine.source} row itself, kept as context" for name in view.spine.context
    }
    looked_up = {
        one.name: f"{_last(one, lookup)}, kept as context; null where there are none"
        for lookup in view.lookups
        for one in lookup.picked
        if one.name in lookup.kept
    }
    return spine | looked_up


def _own(column: Expression, source: str, units: Units) -> Feature:
    is_claim = column.name.startswith(("is_", "has_"))
    unit = _TRUTH if is_claim else units.get(source, {}).get(column.sql, "")
    if column.codes is not None:
        unit = _CODE
    return Feature(
        name=column.name,
        meaning=f"{column.sql} of the {source} row itself",
        unit=unit,
        source=source,
        empty="null",
    )


def _converted(column: Converted, source: str) -> tuple[Feature, Feature]:
    rates = column.rates
    stale = f", no older than {rates.stale_after.label}" if rates.stale_after else ""
    rate = f"the rate of {column.currency} in {rates.source} known before as_of{stale}"
    return (
        Feature(
            name=column.name,
            meaning=f"{column.amount} of the {source} row itself, in {rates.into} at {rate}",
            unit=rates.into,
            source=source,
            empty="null",
        ),
        Feature(
            name=column.has_rate,
            meaning=f"Whether there was {rate}, or {column.currency} is {rates.into}",
            unit=_TRUTH,
            source=source,
            empty="false",
        ),
    )


def _looked_up(lookup: Lookup, units: Units) -> list[Feature]:
    age = f"Hours since the last change in {lookup.source}, of the {lookup.entity.name} before as_of"
    declared = {sql: unit for log in lookup.logs for sql, unit in units.get(log, {}).items()}
    said = [(one.name, _last(one, lookup), declared.get(one.sql, "")) for one in lookup.picked]
    return [
        Feature(
            name=name,
            meaning=meaning,
            unit=unit,
            source=str(lookup.source),
            empty="null",
            entity=lookup.entity,
            group=lookup,
        )
        for name, meaning, unit in [*said[: len(lookup.columns)], (lookup.age, age, "hours")]
    ]


def _last(one: Expression, lookup: Lookup) -> str:
    """What a look-up reads, in words."""
    unless = [f"it is older than {lookup.stale_after.label}"] if lookup.stale_after else []
    unless += [lookup.deleted] if lookup.deleted else []
    but = f", unless {' or '.join(unless)}" if unless else ""
    return f"{one.sql} in the last change in {lookup.source}, of the {lookup.entity.name} before as_of{but}"


def _flags(entity: Entity) -> tuple[Feature, Feature]:
    article = "an" if entity.name.startswith(tuple("aeiou")) else "a"
    heard = f"Whether anything was known of the {entity.name} before as_of; null where there is none"
    return (
        Feature(
            name=entity.present,
            meaning=f"Whether the row has {article} {entity.name}",
            unit=_TRUTH,
            entity=entity,
        ),
        Feature(name=entity.history, meaning=heard, unit=_TRUTH, empty="false", entity=entity),
    )


def _windowed(group: FeatureGroup, measure: Measure, window: Window, units: Units) -> Feature:
    conditions = [condition for condition in (group.where, measure.where) if condition]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    pattern = _ROWS_DECAYED if measure.kind == "decayed" and measure.of is None else _MEANING[measure.kind]
    length = measure.span.label if measure.span else ""
    what = pattern.format(source=group.source, of=measure.of, where=where, span=length)
    time = "ever" if window.micros is None else f"in the {window.label}"
    return Feature(
        name=group.feature(measure, window),
        meaning=f"{what}, of the {group.entity.name} {time} before as_of",
        unit=_unit(group, measure, units),
        window=window.label,
        source=str(group.source),
        empty=_EMPTY.get(measure.kind, "null"),
        entity=group.entity,
        group=group,
        is_approximate=measure.kind in _APPROXIMATE,
    )


def _unit(group: FeatureGroup, measure: Measure, units: Units) -> str:
    """The unit of the kind; else of the column that is measured, where it is one and its contract says."""
    if measure.kind in _UNIT:
        return _UNIT[measure.kind]
    if measure.of is None:
        return "rows"
    declared = (units.get(log, {}).get(measure.of) for log in group.logs)
    return next((unit for unit in declared if unit), "")
