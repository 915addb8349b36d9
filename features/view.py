"""From spine rows and sources to one wide table: a row in, a row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType, StringType

from features.calendar_rows import Span, calendar_rows, known_from
from features.conversion import inputs, rate_lookups, with_conversions
from features.declare import Calendar, Entity, FeatureView, Lookup
from features.definition_hash import definition_hash
from features.feature_types import check_feature_types
from features.last_changes import kept_changes
from features.lookups import looked_up
from features.source import Source
from features.windows.block import SPINE
from features.windows.exchange import FeatureSchema, exchanged, gather, summed_up
from features.windows.hot_keys import HotKey, find_hot_keys
from features.windows.kernel import Last
from features.windows.plan import plan_entity
from features.windows.rereads import told_rereads
from features.windows.state import State, folded_changes, of_parts
from lake.contracts import REVISION

AS_OF, DEFINITION = "as_of", "definition_hash"


def spine_rows(view: FeatureView, source: DataFrame, span: Span | None = None) -> DataFrame:
    """The rows to describe, from the spine's source.

    Args:
        span: the half-open range that ``as_of`` lies in. None is all there is.

    Returns:
        One row per source row, as it was told first, that fulfils the condition: row id, ``as_of``, the entities' keys,
        context columns, the spine's own features, and what its conversions need. Of a calendar, one row per key and
        step: row id, ``as_of``, the key.
    """
    spine = view.spine
    rows = source.where(F.col(REVISION).isNull()) if REVISION in source.columns else source
    rows = rows if spine.where is None else rows.where(F.expr(spine.where))
    if isinstance(spine.as_of, Calendar):
        return calendar_rows(spine.as_of, rows, row=spine.row, as_of=AS_OF, span=span)
    if span is not None:
        begin, end = (F.lit(moment) for moment in span)
        rows = rows.where((F.col(spine.as_of) >= begin) & (F.col(spine.as_of) < end))
    own = {column.name: F.expr(column.sql) for column in spine.own}
    kept = dict.fromkeys([spine.row, *view.keys, *spine.context])
    return rows.select(
        F.col(spine.as_of).alias(AS_OF),
        *(F.col(name) for name in kept if name not in own),
        *(value.alias(name) for name, value in own.items()),
        *(F.col(column).alias(name) for name, column in inputs(spine).items()),
    )


def placed_at(view: FeatureView) -> Column:
    """The instant of a row of the spine's source from which on, or at which, it is described."""
    at = view.spine.as_of
    return known_from() if isinstance(at, Calendar) else F.col(at)


def rows_met(
    view: FeatureView, spine: DataFrame, sources: Mapping[str, Source], states: Mapping[str, State]
) -> dict[str, int]:
    """How many rows meet in the exchange of each entity with windows, by its name. Reads spine and sources.

    Args:
        states: as for ``build_view``.
    """
    return {
        entity.name: gather(view, entity, _carried(spine), sources, states.get(entity.name)).rows.count()
        for entity in view.grouped_entities
    }


def hot_keys(
    view: FeatureView,
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    rows_per_task: int,
    states: Mapping[str, State] | None = None,
) -> dict[str, list[HotKey]]:
    """The keys of each entity that are too many rows for one task, by the entity's name. Reads spine and sources.

    Args:
        rows_per_task: how many rows a task is to have; a key with more is cut into sections.
        states: as for ``build_view``.
    """
    found = {}
    for entity in view.grouped_entities:
        state = (states or {}).get(entity.name)
        gathered = gather(view, entity, _carried(spine), sources, state)
        until = None if state is None else state.until
        found[entity.name] = find_hot_keys(gathered.rows, gathered.streams, rows_per_task, until)
    return {name: keys for name, keys in found.items() if keys}


def view_states(
    view: FeatureView, sources: Mapping[str, Source], until: int, before: Mapping[str, State] | None = None
) -> dict[str, State]:
    """What is known of each key by an instant, by the entity's name.

    Args:
        until: microseconds; what begins to count later is left out.
        before: earlier states of the same view, which spare reading what they stand for.

    Returns:
        A state for each entity but those whose groups look at all of their events one by one, and that nobody looks up.
    """
    found, lookups = {}, _lookups(view)
    for entity in dict.fromkeys([*view.grouped_entities, *lookups]):
        old = (before or {}).get(entity.name)
        parts = summed_up(view, entity, sources, until, old)
        for number, lookup in enumerate(lookups.get(entity, ())):
            last = kept_changes(lookup, sources, until, None if old is None else old.changes(number))
            if last is not None:
                parts.append(folded_changes(last, number))
        if parts:
            found[entity.name] = State(until, of_parts(parts))
    return found


def with_rereads(
    view: FeatureView, sources: Mapping[str, Source], states: Mapping[str, State]
) -> dict[str, State]:
    """The states as ``build_view`` needs them: told which keys had a row taken back or corrected since.

    Reads the revisions that became known after the states.
    """
    entities = {entity.name: entity for entity in view.grouped_entities}
    return {
        name: told_rereads(state, plan_entity(view, entities[name], sources)) if name in entities else state
        for name, state in states.items()
    }


def build_view(
    view: FeatureView,
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    tasks: int | None = None,
    hot: Mapping[str, Sequence[HotKey]] | None = None,
    states: Mapping[str, State] | None = None,
) -> DataFrame:
    """Every feature of every spine row.

    Entities with windows cost one exchange each, and so do entities that are looked up (rates are one).

    Args:
        spine: rows as ``spine_rows`` gives them, or any frame with the row id, ``as_of``, the keys and own features;
            row ids are unique.
        sources: events by log name: all that became known before the latest ``as_of``, however old, for a key's history
            and a correction may go back further than any window.
        tasks: how many tasks share the rows of an entity; each holds its share in memory. None leaves it to Spark.
        hot: keys that several tasks share, by the entity's name, as ``hot_keys`` found them.
        states: what stands for events of long ago, by the entity's name, as ``view_states`` made them and
            ``with_rereads`` told them; every spine row is later.

    Returns:
        One row per spine row: ``as_of``, row id, keys, context, features in the view's order, ``definition_hash``.

    Raises:
        SchemaError: the sources do not fit the view, or a feature is neither a number nor a truth.
    """
    row, rows = view.spine.row, spine
    for entity, lookups in _lookups(view).items():
        rows = looked_up(lookups, rows, sources, row=row, tasks=tasks, state=(states or {}).get(entity.name))
    for entity in view.entities:
        rows = rows.withColumn(entity.present, _has(entity))
    dropped = {row, AS_OF, *view.features, *inputs(view.spine)}
    kept = [name for name in spine.columns if name not in dropped]
    looked = [name for lookup in view.lookups for name in lookup.kept]
    stored = [AS_OF, row, *kept, *looked, *view.features, DEFINITION]
    wide = _with_windows(view, rows, sources, stored, tasks=tasks, hot=hot or {}, states=states or {})
    wide = with_conversions(wide, view.spine)
    for derived in view.derived:
        wide = wide.withColumn(derived.name, F.expr(derived.sql))
    check_feature_types(view, wide)
    is_text = isinstance(wide.schema[row].dataType, StringType)
    return (wide if is_text else wide.withColumn(row, F.col(row).cast("string"))).select(*stored)


def _with_windows(
    view: FeatureView,
    rows: DataFrame,
    sources: Mapping[str, Source],
    stored: Sequence[str],
    *,
    tasks: int | None,
    hot: Mapping[str, Sequence[HotKey]],
    states: Mapping[str, State],
) -> DataFrame:
    """The rows with the features of groups and the definition's hash.

    Args:
        stored: names of the table's columns. Those that are known now stand in this order, so that Spark has nothing to
            copy where they are all.
    """
    definition = definition_hash(view)
    if not view.grouped_entities:
        return rows.withColumn(DEFINITION, F.lit(definition))
    later = {derived.name for derived in view.derived}
    later |= {name for one in view.spine.converted for name in (one.name, one.has_rate)}
    now = [*(name for name in stored if name not in later), *(n for n in rows.columns if n not in stored)]
    row = view.spine.row
    # What is derived reads ids as they are, and Spark, which copies rows to derive it, makes texts of them.
    is_cast = not later and isinstance(rows.schema[row].dataType, IntegralType)
    texts = (row,) if is_cast else ()
    frame, before = _carried(rows), list[FeatureSchema]()
    for number, entity in enumerate(view.grouped_entities, start=1):
        gathered = gather(view, entity, frame, sources, states.get(entity.name))
        is_last = number == len(view.grouped_entities)
        last = Last(tuple(now), texts, {DEFINITION: definition}) if is_last else None
        frame = exchanged(gathered, before, last=last, hot=hot.get(entity.name, ()), tasks=tasks)
        before.append(gathered.features)
    return frame


def _lookups(view: FeatureView) -> dict[Entity, list[Lookup]]:
    """The look-ups of each entity that is looked up, currencies last."""
    found: dict[Entity, list[Lookup]] = {}
    for lookup in [*view.lookups, *rate_lookups(view.spine)]:
        found.setdefault(lookup.entity, []).append(lookup)
    return found


def _carried(spine: DataFrame) -> DataFrame:
    """Rows to describe, as they go from one entity to the next: their own columns, and no features yet."""
    return spine.select(F.struct(*spine.columns).alias(SPINE))


def _has(entity: Entity) -> Column:
    present = F.lit(True)
    for key in entity.keys:
        present &= F.col(key).isNotNull()
    return present
