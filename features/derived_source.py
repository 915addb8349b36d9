"""The events that a query makes of logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from features.began import began_between, begins_after, known_between, micros_of
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


def has_bounds(source: Log) -> bool:
    """Whether what began after an instant can be told without all that was before it."""
    return isinstance(source, str) or source.reach is not None


def events_after(source: Log, sources: Mapping[str, Source], since: int | None) -> Source:
    """The events that begin to count after an instant, in microseconds; of what has bounds, without reading more.

    Without an instant all events.
    """
    if since is None:
        return events_of(source, sources)
    found = events_of(source, sources if isinstance(source, str) else _cut(source, sources, since))
    return Source(found.rows.where(begins_after(since)), found.key)


def check_known_at(source: SqlSource, sources: Mapping[str, Source], at: datetime) -> None:
    """Compare what the query says of the time before ``at`` with what it says once everything is known.

    Args:
        at: an instant, UTC; the more was known by then, and the more became known later, the more this finds. Of a
            query with a lookback, only rows are compared that begin to count within it before then.

    Raises:
        RefusedError: the two differ, so a feature would depend on what became known after it.
    """
    then, of_interest = F.col("known_at") < F.lit(at), F.lit(True)
    if source.reach is not None:
        since = micros_of(at) - source.reach
        sources, of_interest = _cut(source, sources, since), begins_after(since)
    known_then = _where(then, source, sources)
    sides = [_derived(source, inputs).rows.where(then & of_interest) for inputs in (known_then, sources)]
    found = _difference(*sides)
    if found is not None:
        what = "no longer gives" if found[_SIDE] > 0 else "gives only with what became known later"
        raise RefusedError(
            f"{source.declared}: {source.name} {what} a row it says was known before {at:%Y-%m-%d %H:%M} UTC: "
            f"{found[_ROW]}; let known_at be the latest of all rows that a row is made of, and count, number or "
            "leave out no row by others that come later"
        )


def check_lookback(source: SqlSource, sources: Mapping[str, Source], since: int) -> None:
    """Compare what begins after ``since`` in a query with what it would be if the query looked back four times as far.

    Reads no more than seven lookbacks: from four before that instant to three after it. A row that begins later cannot
    differ, unless the query looks back further than four.

    Args:
        since: microseconds.

    Raises:
        RefusedError: the two differ, so a build that reads no more than the lookback would miss something.
    """
    if source.lookback is None or source.reach is None:
        return
    further = 3 * source.reach
    until = since + further
    known = _where(known_between(None, until), source, sources)
    sides = [
        _derived(source, _cut(source, known, at)).rows.where(began_between(since, until))
        for at in (since, since - further)
    ]
    found = _difference(*sides)
    if found is not None:
        what = "no longer gives" if found[_SIDE] > 0 else "gives only then"
        raise RefusedError(
            f"{source.declared}: {source.name} says it looks back {source.lookback.label}; were it to look back four "
            f"times as far it {what} {found[_ROW]}; give the time that passes between the first and the last row that "
            "a row is made of, or leave lookback out"
        )


def _cut(source: SqlSource, sources: Mapping[str, Source], since: int) -> Mapping[str, Source]:
    """Of each log what the query makes rows of that begin to count after an instant."""
    if source.reach is None:
        return sources
    return _where(begins_after(since - source.reach), source, sources)


def _where(condition: Column, source: SqlSource, sources: Mapping[str, Source]) -> Mapping[str, Source]:
    """Some of the rows of each log that the query reads."""
    return {log: Source(sources[log].rows.where(condition), sources[log].key) for log in source.logs}


def _difference(one: DataFrame, other: DataFrame) -> Row | None:
    """A row that one frame has more often than the other, as JSON, and how much more often; None for equal frames."""
    sides = [
        rows.select(F.to_json(F.struct("*"), EXACT_JSON).alias(_ROW), F.lit(side).alias(_SIDE))
        for rows, side in ((one, 1), (other, -1))
    ]
    balance = sides[0].unionByName(sides[1]).groupBy(_ROW).agg(F.sum(_SIDE).alias(_SIDE))
    return balance.where(F.col(_SIDE) != 0).orderBy(F.desc(_SIDE), _ROW).head()


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
