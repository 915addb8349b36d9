"""The table ``hot_keys``: a row per key that was too much for one task, in each build that met it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from features.windows.hot_keys import HotKey
from lake.described import described
from lake.layout import Layout
from lake.tables import TableSpec

HOT_KEYS = TableSpec(
    "hot_keys",
    "One row per build and key with so many rows that several tasks shared them; a finding as much as a cost",
    described(
        "run_key string: Build that met it",
        "view string: Feature view",
        "entity string: Whose key it is",
        "key string: The key, as text",
        "rows long: Spine rows and events of the key",
        "share double: Part of all rows of the entity that are its [0 to 1]",
        "sections int: Spans of time it was cut into",
    ),
    # No ranges of ids: the log of the table would keep those of an erased person.
    layout=Layout(ranges=("run_key", "view")),
)


def report(
    run_key: str, view: str, hot: Mapping[str, Sequence[HotKey]], met: Mapping[str, int]
) -> Iterator[tuple[str, str, str, str, int, float, int]]:
    """The rows of ``hot_keys`` for one build.

    Args:
        hot: hot keys by entity.
        met: all rows by entity, spine rows and events.
    """
    for entity, keys in hot.items():
        for key in keys:
            yield run_key, view, entity, str(key.key), key.rows, key.rows / met[entity], len(key.cuts) + 1
