"""How a build's rows are shared out among tasks, so that the memory of each is bounded; hot keys are reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from features.declare import FeatureGroup, FeatureView, Lookup
from features.hot_key_report import HOT_KEYS, report
from features.source import Source
from features.view import hot_keys, rows_met
from features.windows.hot_keys import HotKey
from features.windows.state import State
from jobs.job import Context

# A task of the window engine holds its rows: about so many bytes each, and eight for every feature on its way.
TASK_BYTES, ROW_BYTES, FEATURE_BYTES = 300_000_000, 150, 8
# What is this many times smaller than a full task is done soon enough, whatever share of the rows it has.
_SMALLEST = 8


@dataclass(frozen=True, slots=True)
class Shares:
    """How many tasks share the rows of an entity, the keys that several of them share, and all rows, by entity."""

    tasks: int
    hot: Mapping[str, Sequence[HotKey]]
    met: Mapping[str, int]


def shared(
    context: Context,
    view: FeatureView,
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    rows: Mapping[str, int],
    states: Mapping[str, State],
) -> Shares:
    """Share the rows of a view out. The answer is for this spine alone: how a key is cut depends on its rows.

    Args:
        rows: how many each log has.
        states: what stands for events of long ago, by entity.
    """
    met = _met(view, rows)
    if states:
        met |= rows_met(view, spine, sources, states)
    rows_per_task = TASK_BYTES // (ROW_BYTES + FEATURE_BYTES * len(view.features))
    most = max(met.values(), default=0)
    # Databricks knows the setting "auto" too.
    usual = context.spark.conf.get("spark.sql.shuffle.partitions") or ""
    tasks = max(int(usual) if usual.isdigit() else 1, -(-most // rows_per_task))
    if most <= rows_per_task:
        return Shares(tasks, {}, met)
    above = _hot_above(most, tasks, rows_per_task)
    hot = hot_keys(view, spine, sources, rows_per_task=above, states=states)
    return Shares(tasks, hot, met)


def write_hot_keys(context: Context, view: FeatureView, shares: Shares, key: str) -> None:
    """Write the hot keys of the build whose run has ``key`` to ``hot_keys``; nothing where there are none."""
    found = list(report(key, view.name, shares.hot, shares.met))
    if not found:
        return
    context.lake.ensure(HOT_KEYS)
    rows = context.spark.createDataFrame(found, HOT_KEYS.schema)
    context.lake.replace(HOT_KEYS.name, rows, where=f"run_key = '{key}' AND view = '{view.name}'")
    for _, _, entity, name, count, share, sections in found:
        context.log.info(
            "hot key: %s %s has %s rows (%.1f %%), cut into %s",
            *(entity, name, f"{count:,}", 100 * share, sections),
        )


def _hot_above(rows: int, tasks: int, rows_per_task: int) -> int:
    """A key with twice the rows of a usual task keeps the others waiting, however well it would fit in memory."""
    return max(min(rows_per_task, 2 * rows // tasks), rows_per_task // _SMALLEST)


def _met(view: FeatureView, rows: Mapping[str, int]) -> dict[str, int]:
    """How many rows meet in the exchange of each entity."""
    readers: list[FeatureGroup | Lookup] = [*view.groups, *view.lookups]
    return {
        entity.name: rows[view.spine.source]
        + sum(rows[log] for reader in readers if reader.entity == entity for log in reader.logs)
        for entity in view.entities
    }
