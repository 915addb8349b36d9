"""The events that a query makes of logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from features.declare import Log, SqlSource
from features.source import Source
from lake.errors import RefusedError, SchemaError

_TIMES = ("event_at", "known_at")
_ROW, _SIDE = "_row", "_side"
# By itself JSON drops microseconds.
EXACT_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}


def events_of(source: Log, sources: Mapping[str, Source]) -> Source:
    """The events of a log as they are, or what a query makes of logs.

    Args:
        sources: events by log name.

    Raises:
        SchemaError: the query cannot be understood, or does not give its key and two instants.
    """
    return sources[source] if isinstance(source, str) else _derived(source, sources)


def check_known_at(source: SqlSource, sources: Mapping[str, Source], at: datetime) -> None:
    """Compare what the query says of the time before ``at`` with what it says once everything is known.

    Args:
        at: an instant, UTC; the more was known by then, and the more became known later, the more this finds.

    Raises:
        RefusedError: the two differ, so a feature would depend on what became known after it.
    """
    then = F.col("known_at") < F.lit(at)
    known_then = {log: Source(sources[log].rows.where(then), sources[log].key) for log in source.logs}
    sides = [
        _derived(source, inputs)
        .rows.where(then)
        .select(F.to_json(F.struct("*"), EXACT_JSON).alias(_ROW), F.lit(side).alias(_SIDE))
        for inputs, side in ((known_then, 1), (sources, -1))
    ]
    balance = sides[0].unionByName(sides[1]).groupBy(_ROW).agg(F.sum(_SIDE).alias(_SIDE))
    found = balance.where(F.col(_SIDE) != 0).orderBy(F.desc(_SIDE), _ROW).head()
    if found is not None:
        what = "no longer gives" if found[_SIDE] > 0 else "gives only with what became known later"
        raise RefusedError(
            f"{source.declared}: {source.name} {what} a row it says was known before {at:%Y-%m-%d %H:%M} UTC: "
            f"{found[_ROW]}; let known_at be the latest of all rows that a row is made of, and count, number or "
            "leave out no row by others that come later"
        )


def _derived(source: SqlSource, sources: Mapping[str, Source]) -> Source:
    where = f"{source.declared}: {source.name}"
    frames: dict[str, Any] = {log: sources[log].rows for log in source.logs}
    session = sources[source.logs[0]].rows.sparkSession
    try:
        rows = session.sql(source.sql, **frames)
        schema = rows.schema
    except AnalysisException as error:
        first = str(error).strip().splitlines()[0].split(" SQLSTATE")[0]
        raise SchemaError(f"{where} cannot be understood: {first} Correct its sql") from error
    needed = dict.fromkeys([*_TIMES, *source.key])
    absent = [name for name in needed if name not in schema.fieldNames()]
    if absent:
        raise SchemaError(
            f"{where} gives no {', '.join(absent)}; it gives {', '.join(schema.fieldNames())}; select them in its sql"
        )
    for name in _TIMES:
        found = schema[name].dataType
        if not isinstance(found, TimestampType):
            raise SchemaError(
                f"{where} gives {name} as {found.simpleString()}; it is an instant: make it a timestamp"
            )
    return Source(rows.where(" AND ".join(f"{name} IS NOT NULL" for name in _TIMES)), tuple(source.key))
