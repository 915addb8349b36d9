"""``trustlake explain``: one value of a feature table, and every event that made it what it is or was left out."""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from features.catalogue import meanings
from features.declare import FeatureView, Lookup
from features.definition_hash import definition_hash
from features.explain import COUNTS, VERDICTS, Windowed, evidence, windowed
from features.explain_lookup import DELETES, SUPERSEDED, lookup_evidence
from features.recompute import Counted, Value, value_of
from features.view import AS_OF, DEFINITION
from jobs.event_sources import event_sources
from jobs.job import check, open_lake
from lake.contracts import Contract
from lake.errors import SchemaError, TrustlakeError
from lake.tables import Lake
from operations.configurations import add_config_arguments, chosen_files

_HEAD = ("source row", "event_at", "known_at", "value", "contribution")
_NAME = re.compile(r"[A-Za-z_]\w*")
_NEAR = 3
_ORDER = (*VERDICTS, DELETES, SUPERSEDED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake explain``."""
    add_config_arguments(parser)
    parser.add_argument("--row", required=True, metavar="ID", help="id of the row, such as a payment's")
    parser.add_argument("--feature", required=True, metavar="NAME", help="the feature to explain")
    parser.add_argument("--view", metavar="NAME", help="whose feature, where several views have it")
    parser.add_argument(
        "--limit", type=int, default=50, metavar="ROWS", help="rows of evidence shown (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the stored value, the value computed from the evidence, and the evidence.

    Raises:
        ConfigError: the configuration is wrong.
        SchemaError: there is no such view or feature, or the table lacks it.
        TrustlakeError: there is no such row.
    """
    loaded, contracts, definitions = check(chosen_files(arguments), arguments.set)
    view = _view_of(definitions.views, arguments.view, arguments.feature)
    asked = _Question(open_lake(loaded, "trustlake explain"), contracts, view, arguments.feature)
    for line in asked.answer(arguments.row, arguments.limit):
        print(line)


@dataclass(frozen=True, slots=True)
class _Question:
    """Which feature of which view is asked for, and where its rows are."""

    lake: Lake
    contracts: Mapping[str, Contract]
    view: FeatureView
    feature: str

    def answer(self, row_id: str, limit: int) -> Iterator[str]:
        """The lines to print."""
        spine = self._spine(row_id)
        row = spine.head()
        if row is None:
            raise TrustlakeError(self._no_such_row(row_id))
        yield f"{self.feature} of {self.view.name} {row_id}, as of {_cell(row[AS_OF])} UTC"
        yield meanings(self.view)[self.feature]
        if row[DEFINITION] != definition_hash(self.view):
            yield (
                f"the row was built by definition {row[DEFINITION]}, the definitions are now "
                f"{definition_hash(self.view)}; run build_features to see them agree"
            )
        asked = windowed(self.view).get(self.feature)
        names = self._reads() if asked is None else asked.group.entity.keys
        yield from ("", *(f"{name}: {_cell(row[name])}" for name in names))
        yield f"stored value: {_cell(row[self.feature])}"
        lookup = self._lookup()
        if asked is not None:
            yield from self._evidence(asked, spine, row, limit)
        elif lookup is not None:
            yield from self._last_change(lookup, spine, row, limit)

    def _lookup(self) -> Lookup | None:
        """The look-up that gives the feature, if one does."""
        return next((one for one in self.view.lookups if self.feature in one.features), None)

    def _spine(self, row_id: str) -> DataFrame:
        table = self.lake.read(self.view.table)
        if self.feature not in table.columns:
            raise SchemaError(
                f"{self.view.table} has no {self.feature}: it was built before that was declared; run build_features"
            )
        return table.where(F.col(self.view.spine.row) == row_id)

    def _no_such_row(self, row_id: str) -> str:
        name = self.view.spine.row
        ids = self.lake.read(self.view.table).select(name)
        found = ids.orderBy(F.levenshtein(name, F.lit(row_id)), name).limit(_NEAR).collect()
        near = f"nearest are {', '.join(row[name] for row in found)}" if found else "the table is empty"
        return f"{self.view.table} has no row with {name} {row_id}; {near}"

    def _reads(self) -> list[str]:
        """The columns of the table that a feature of the row itself, a flag or a derived feature reads."""
        for entity in self.view.entities:
            if self.feature in {entity.present, entity.history}:
                return list(entity.keys)
        lookup = self._lookup()
        if lookup is not None:
            return list(lookup.entity.keys)
        for one in self.view.spine.converted:
            if self.feature in {one.name, one.has_rate}:
                return [name for name in (one.amount, one.currency, one.has_rate) if name in self._there()]
        sql = {one.name: one.sql for one in [*self.view.spine.own, *self.view.derived]}[self.feature]
        there = self._there() - {self.feature}
        return [name for name in dict.fromkeys(_NAME.findall(sql)) if name in there]

    def _there(self) -> set[str]:
        return {*self.view.features, *self.view.keys, *self.view.context}

    def _evidence(self, asked: Windowed, spine: DataFrame, row: Row, limit: int) -> Iterator[str]:
        entity = asked.group.entity
        if any(row[key] is None for key in entity.keys):
            yield f"value from the evidence: null, for the row has no {entity.name}"
            return
        sources = event_sources(self.lake, self.contracts, asked.group.logs)
        found = _Found.of(evidence(self.view, self.feature, spine, sources), limit)
        value = value_of(asked.measure, found.counting, row[AS_OF])
        yield _compared(_cell(value), is_same=_agree(row[self.feature], value))
        yield from found.lines(str(asked.group.source))

    def _last_change(self, lookup: Lookup, spine: DataFrame, row: Row, limit: int) -> Iterator[str]:
        if any(row[key] is None for key in lookup.entity.keys):
            yield f"value from the evidence: null, for the row has no {lookup.entity.name}"
            return
        sources = event_sources(self.lake, self.contracts, lookup.logs)
        found = _Found.of(lookup_evidence(self.view, lookup, self.feature, spine, sources), limit)
        said = found.counting[0] if found.counting else None
        value = said.value if said else None
        if said and self.feature == lookup.age:
            value = str((row[AS_OF] - said.event_at) / timedelta(hours=1))
        yield _compared(_cell(value), is_same=_is_text_of(row[self.feature], value))
        yield from found.lines(str(lookup.source))


@dataclass(frozen=True, slots=True)
class _Found:
    """Evidence as it is shown: how many rows got each verdict, all that count, and the first of all."""

    counts: Counter[str] = field(default_factory=Counter)
    counting: list[Counted] = field(default_factory=list)
    shown: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, rows: DataFrame, limit: int) -> _Found:
        """Rows that count first, then by reason, each with the latest first; a hot key's pass by one at a time."""
        found = cls()
        verdicts = F.array(*(F.lit(verdict) for verdict in _ORDER))
        place = F.array_position(verdicts, F.col("verdict"))
        for row in rows.orderBy(
            place, F.desc("event_at"), F.desc("known_at"), "source_row"
        ).toLocalIterator():
            found.counts[row["verdict"]] += 1
            if row["verdict"] == COUNTS:
                found.counting.append(
                    Counted(row["source_row"], row["event_at"], row["value"], row["contribution"])
                )
            if len(found.shown) < limit:
                found.shown.append(row)
        return found

    def lines(self, source: str) -> Iterator[str]:
        """A heading with the number of rows for each verdict, and the rows below it."""
        cells = [[_cell(row[name.replace(" ", "_")]) for name in _HEAD] for row in self.shown]
        widths = [max(len(line[n]) for line in [_HEAD, *cells]) for n in range(len(_HEAD))]
        if not self.counts:
            yield f"no row of {source} has this key"
        for verdict in (verdict for verdict in _ORDER if self.counts[verdict]):
            heading = verdict if verdict == COUNTS else f"left out, {verdict}"
            yield from ("", f"{heading}: {self.counts[verdict]:,} of {source}")
            below = [line for line, row in zip(cells, self.shown, strict=True) if row["verdict"] == verdict]
            yield from (_line(line, widths) for line in ([_HEAD, *below] if below else []))
        more = self.counts.total() - len(self.shown)
        if more:
            yield from ("", f"{more:,} more rows; --limit {self.counts.total()} shows them all")


def _view_of(views: Mapping[str, FeatureView], wanted: str | None, feature: str) -> FeatureView:
    """The view that is named, or the only one that has the feature."""
    if wanted is not None and wanted not in views:
        raise SchemaError(f"there is no view {wanted}; {_nearest(wanted, list(views))}")
    asked = [view for view in views.values() if wanted in {None, view.name}]
    found = [view for view in asked if feature in view.features]
    if not found:
        names = list(dict.fromkeys(name for view in asked for name in view.features))
        raise SchemaError(
            f"{' and '.join(view.name for view in asked)} has no feature {feature}; {_nearest(feature, names)}"
        )
    if len(found) > 1:
        raise SchemaError(
            f"{' and '.join(view.name for view in found)} both have {feature}; name one with --view"
        )
    return found[0]


def _nearest(wanted: str, names: Sequence[str]) -> str:
    near = get_close_matches(wanted, names, n=_NEAR, cutoff=0.5)
    return f"nearest are {', '.join(near)}" if near else f"there are {', '.join(names)}"


def _compared(value: str, *, is_same: bool) -> str:
    differs = (
        ", which is not the stored value: events or definitions have changed since; run build_features again"
    )
    return f"value from the evidence: {value}{'' if is_same else differs}"


def _agree(stored: object, computed: Value) -> bool:
    """Equal; for floating point, to the digits that decayed sums are right to."""
    if isinstance(stored, float) and isinstance(computed, float):
        return math.isclose(stored, computed, rel_tol=1e-6, abs_tol=1e-6)
    return stored == computed


def _is_text_of(stored: object, text: str | None) -> bool:
    """Whether a text, as Spark writes values, means the stored value."""
    if stored is None or text is None:
        return stored is None and text is None
    return float(text) == stored if isinstance(stored, float) else text == _cell(stored)


def _cell(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
