"""Where builds that have a state cut the queries that say how far they look back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.conversion import rate_lookups
from features.declare import FeatureView, Link, Log, SqlSource
from features.source import Source
from features.windows.plan import plan_entity
from features.windows.state import longest_held, longest_reach


def cuts(view: FeatureView, sources: Mapping[str, Source], until: int) -> dict[str, set[int]]:
    """After which instants a build may read the events of each query with a lookback, by its name.

    Args:
        until: the instant of a state that the build reads, in microseconds; the instants are too.

    Returns:
        Nothing of a query without a lookback: its logs are read whole.

    Raises:
        SchemaError: the sources do not fit the view.
    """
    found: dict[str, set[int]] = {}
    for source, micros in _read_before(view, sources):
        if isinstance(source, SqlSource) and source.reach is not None:
            found.setdefault(source.name, set()).add(until - micros)
    return found


def _read_before(view: FeatureView, sources: Mapping[str, Source]) -> Iterator[tuple[Log, int]]:
    """What is read from how long before the instant of a state on, in microseconds."""
    for lookup in [*view.lookups, *rate_lookups(view.spine)]:
        yield lookup.source, 0
    for entity in view.grouped_entities:
        for one in plan_entity(view, entity, sources):
            if isinstance(one.group.source, Link):
                yield one.group.source.through, 0
            else:
                for micros in (0, longest_held(one.stream), longest_reach(one.stream)):
                    yield one.group.source, micros
