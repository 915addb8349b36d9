"""What is wrong with a declared view, all of it at once, before Spark starts. To Spark, case is no difference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import get_args

from features.declare import Calendar, FeatureGroup, FeatureView, Kind, Link, Log, Lookup, SqlSource, Window

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")

# XGBoost's Spark estimator takes columns of these names for its own purposes, silently; and ours are taken.
RESERVED = frozenset(
    [
        "label",
        "weight",
        "baseMargin",
        "validationIndicator",
        "qid",
        "values",
        "as_of",
        "definition_hash",
        "key",
        "stream",
        "row",
        "time",
        "known",
        "role",
        "told",
        "history",
    ]
)


def mistakes(view: FeatureView, logs: Mapping[str, Collection[str]]) -> list[str]:
    """Every mistake of ``view``, each with its file and line; ``logs`` gives the columns of each contract."""
    found = [*_of_spine(view, logs), *_of_groups(view, logs), *_of_lookups(view, logs), *_of_queries(view)]
    return list(dict.fromkeys([*found, *_of_names(view)]))


def _of_spine(view: FeatureView, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    spine = view.spine
    if isinstance(spine.as_of, Calendar):
        yield from _of_calendar(view, spine.as_of, logs)
        return
    amounts = [name for one in spine.converted for name in (one.amount, one.currency)]
    needed = [spine.row, *view.keys, *spine.context, *(c.sql for c in spine.own), *amounts]
    yield from _absent(f"{spine.declared}: spine of {view.name}", spine.source, needed, logs)
    for one in spine.converted:
        rates, where = one.rates, f"{one.declared}: rates of {one.name}"
        ordered = [rates.order_by] if rates.order_by else []
        yield from _absent(where, rates.source, [rates.currency, rates.rate, *ordered], logs)
        yield from (f"{where} {mistake}" for mistake in _of_staleness(rates.stale_after))


def _of_calendar(view: FeatureView, calendar: Calendar, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    spine, every = view.spine, calendar.every
    where = f"{spine.declared}: spine of {view.name}"
    yield from _absent(where, spine.source, calendar.keys, logs)
    if len(calendar.keys) != len(calendar.entity.keys):
        own = len(calendar.entity.keys)
        yield f"{where} has {len(calendar.keys)} keys in {spine.source}, the entity has {own}; name as many"
    if every.micros is None or every.micros < 1:
        yield f"{where} has a step every {every.label}; give a length of at least a microsecond"
    if spine.columns or spine.context:
        yield f"{where}: rows of a calendar have no columns and no context of their own; look them up"
    others = [key for key in view.keys if key not in calendar.entity.keys]
    if others:
        told = f"its rows have {', '.join(calendar.entity.keys)} only"
        yield f"{where} is a calendar of {calendar.entity.name}, and groups ask for {', '.join(others)}; {told}"


def _of_groups(view: FeatureView, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    for group in view.groups:
        where = f"{group.declared}: group of {group.entity.name}"
        wanted = [m.of for m in group.measures if m.of is not None]
        if isinstance(group.source, Link):
            yield from _absent(where, group.source.source, [group.source.on, *wanted], logs)
            yield from _absent(where, group.source.through, [group.source.subject, *group.keys], logs)
        else:
            yield from _absent(where, group.source, [*group.keys, *wanted], logs)
        yield from (f"{where} {mistake}" for mistake in _of_group(group))


def _of_lookups(view: FeatureView, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    for lookup in view.lookups:
        where = f"{lookup.declared}: look-up of {lookup.entity.name}"
        wanted = [one.sql for one in lookup.picked] + ([lookup.order_by] if lookup.order_by else [])
        yield from _absent(where, lookup.source, [*lookup.keys, *wanted], logs)
        yield from (f"{where} {mistake}" for mistake in _of_lookup(lookup))


def _of_lookup(lookup: Lookup) -> Iterator[str]:
    if len(lookup.keys) != len(lookup.entity.keys):
        theirs, own = len(lookup.keys), len(lookup.entity.keys)
        yield f"has {theirs} keys in {lookup.source}, the entity has {own}; name as many"
    if lookup.spread < 1:
        yield f"spreads a key over {lookup.spread} tasks; give at least 1"
    yield from _of_staleness(lookup.stale_after)


def _of_staleness(stale_after: Window | None) -> Iterator[str]:
    if stale_after is not None and (stale_after.micros is None or stale_after.micros < 1):
        yield f"is stale after {stale_after.label}; give a length of at least a microsecond, or leave it out"


def _of_queries(view: FeatureView) -> Iterator[str]:
    """Two queries of one name: features would not say which they read."""
    first: dict[str, SqlSource] = {}
    for query in view.queries:
        if first.setdefault(query.name, query) != query:
            also = first[query.name].declared
            yield f"{query.declared}: derived source {query.name} is declared at {also} too, otherwise; rename one"


def _of_query(query: SqlSource, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    where = f"{query.declared}: derived source {query.name}"
    if not _PLAIN_NAME.fullmatch(query.name):
        yield f"{where}: a name has letters, digits and underscores"
    if query.name in logs:
        yield f"{where} has the name of a log; rename it"
    if query.lookback is not None and (query.reach is None or query.reach < 1):
        yield f"{where} looks back {query.lookback.label}; give a length of at least a microsecond, or leave it out"
    if not query.key:
        yield f"{where} has no key; name the columns that are a row's id"
    try:
        absent = [log for log in query.logs if log not in logs]
    except ValueError as error:
        yield f"{where}: {error} in its sql; name logs as {{payments}} and write any other brace twice"
        return
    if absent:
        there = ", ".join(sorted(logs))
        yield f"{where}: no contract declares the log {', '.join(absent)}; there are {there}"
    if not query.logs:
        yield f"{where} reads no log; name each in braces, such as FROM {{payments}}"


def _of_group(group: FeatureGroup) -> Iterator[str]:
    if not group.windows or not group.measures:
        yield "has no windows or no measures; give one of each"
    if len(group.keys) != len(group.entity.keys):
        yield f"has {len(group.keys)} keys in {group.key_log}, the entity has {len(group.entity.keys)}; name as many"
    for measure in group.measures:
        if measure.kind not in get_args(Kind):
            yield f"measures {measure.name} by {measure.kind}; there are {', '.join(get_args(Kind))}"
    spans = [(f"measure {m.name}", m.span) for m in group.measures if m.span is not None]
    for what, window in [*(("the group", window) for window in group.windows), *spans]:
        if window.micros is not None and window.micros < 1:
            yield f"looks at {window.label} in {what}; a window is at least a microsecond long"
        if what != "the group" and window.micros is None:
            yield f"has lifetime as the span of {what}; give it a length"


def _absent(
    where: str, source: Log, names: Collection[str], logs: Mapping[str, Collection[str]]
) -> Iterator[str]:
    if isinstance(source, SqlSource):
        # What a query gives is known once Spark has read it.
        yield from _of_query(source, logs)
        return
    if source not in logs:
        yield f"{where}: no contract declares the log {source}; there are {', '.join(sorted(logs))}"
        return
    lacking = [
        name for name in dict.fromkeys(names) if _PLAIN_NAME.fullmatch(name) and name not in logs[source]
    ]
    if lacking:
        yield f"{where}: {source} has no column {', '.join(lacking)}; it has {', '.join(sorted(logs[source]))}"


def _of_names(view: FeatureView) -> Iterator[str]:
    for name, times in Counter(name.lower() for name in view.features).items():
        if times > 1:
            yield f"{view.declared}: view {view.name} names {name} {times} times; rename a measure"
    reserved = {name.lower() for name in RESERVED}
    kept = [*dict.fromkeys([view.spine.row, *view.keys, *view.spine.context])]
    kept += [name for lookup in view.lookups for name in lookup.kept]
    for name, times in Counter(name.lower() for name in kept).items():
        if times > 1:
            yield f"{view.declared}: view {view.name} keeps {name} {times} times as key or context; rename one"
    context = {name.lower() for name in kept}
    for name in dict.fromkeys(view.features):
        if not _PLAIN_NAME.fullmatch(name):
            yield f"{view.declared}: view {view.name} names a feature {name!r}; use letters, digits and underscores"
        if name.lower() in reserved:
            yield f"{view.declared}: view {view.name} names a feature {name}, which is reserved; rename it"
        if name.lower() in context:
            what = f"{name} of view {view.name} is a key or context, and a feature too"
            yield f"{view.declared}: {what}; rename the feature"
