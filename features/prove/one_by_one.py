"""The proofs made apart, after a value moved: which one fails, at which row, and because of which source row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.prove.canaries import Canaries
from features.prove.culprit import Search
from features.prove.described import Described
from features.prove.past import hidden, past, related
from features.prove.report import (
    CANARY,
    EMBARGO,
    TIE,
    TRUNCATION,
    Finding,
    Made,
    Proof,
    Report,
    SourceEvent,
    shown,
)
from features.prove.sample import Sampled, at_micros, only
from features.prove.subject import Cells, Values, differing, is_same, moved
from features.source import Source

# Rows that moved and are looked into, for each proof.
LOOKED_INTO = 3

# For a row: the sources as it may see them, its values from these alone, and rows that must not matter to it, the
# likeliest to do so first.
Attempt = tuple[Mapping[str, Source], Cells, Sequence[Mapping[str, DataFrame]]]

_WHAT: Mapping[Proof, str] = {
    TRUNCATION: "That was not known before as_of: join on known_at < as_of, as well as on event_at < as_of",
    CANARY: "That was planted after as_of: join on the exact as_of, and on known_at too",
    TIE: "That was planted at the very instant: end windows before as_of, with < and not with <=",
    EMBARGO: "That label was not known before as_of: let features see labels by their known_at alone",
}
_UNNAMED = "Its source row is one of many, and was not sought further: mend what is named and prove again"
_UNLIKE = "No source row is to blame: it was built otherwise or from other events; build the features again"


class OneByOne:
    """Rows that moved, and what they are from all sources.

    Args:
        labels: the sources of label events.
    """

    def __init__(self, described: Described, labels: Collection[str]) -> None:
        self.described, self.labels = described, labels
        self.subject, self.sources, self.sample = described.subject, described.sources, described.sample
        self.whole = described.whole()

    def report(self, others: int) -> Report:
        """The three proofs.

        Args:
            others: number of rows that did not move.
        """
        later, same = self.described.planted()
        tried: list[tuple[Proof, Mapping[str, Source], Callable[[Sampled], Attempt]]] = [
            (TRUNCATION, self.described.alone(), self._without_future),
            (CANARY, later.among(self.sources), self._planted(later)),
            (TIE, same.among(self.sources), self._planted(same)),
        ]
        report = Report()
        for proof, sources, attempt in tried:
            report += self._looked_into(proof, sources, attempt, others)
        return report

    def unlike(self, stored: Values) -> Report:
        """Features of a finished table that are not what the function gives now: the first row of each."""
        found: dict[int, Finding] = {}
        for number, (one, places) in enumerate(differing(self.subject, self.sample, stored, self.whole)):
            left = [place for place in places if place not in found]
            kept = self.subject.of(stored, one.row_id)
            events = self._told_at_once(one, left, kept) if left and number < LOOKED_INTO else {}
            values = self.subject.of(self.whole, one.row_id), kept
            for place in left:
                found[place] = self._finding(TRUNCATION, one, place, values, events.get(place), _UNLIKE)
        return Report((), tuple(found.values()))

    def _told_at_once(self, one: Sampled, places: Sequence[int], stored: Cells) -> dict[int, SourceEvent]:
        """The late rows to blame, where the stored value is what they give if all is known as soon as it happens."""
        late = {
            name: rows.where(F.col("event_at") < F.lit(one.as_of))
            for name, rows in hidden(self.sources, one.as_of).items()
        }
        at_once = {name: rows.withColumn("known_at", F.col("event_at")) for name, rows in late.items()}
        seen, alone, _ = self._without_future(one)
        search = Search(self.subject, self._only(one), one.row_id, seen, alone, at_once)
        told = search.with_all()
        events = search.culprits([place for place in places if is_same(told[place], stored[place])])
        return {place: self._as_known(event, late[event.source]) for place, event in events.items()}

    def _as_known(self, event: SourceEvent, rows: DataFrame) -> SourceEvent:
        """The row with the instant at which it became known in truth."""
        row_id = self.sources[event.source].row_id
        known = (
            rows.where(row_id == event.row_id).agg(F.min(F.unix_micros("known_at")).alias("micros")).head()
        )
        micros = known["micros"] if known else None
        return replace(event, known_at=None if micros is None else at_micros(micros))

    def _without_future(self, one: Sampled) -> Attempt:
        """The past; of what is hidden there is little that belongs to the row, and it is the likeliest to leak."""
        seen, later = past(self.sources, one.as_of), hidden(self.sources, one.as_of)
        alone = self.subject.of(self.subject.values(self._only(one), seen), one.row_id)
        return seen, alone, [related(later, one, self.subject.relations), later]

    def _planted(self, canaries: Canaries) -> Callable[[Sampled], Attempt]:
        """All sources, and what was planted for the row."""

        def attempt(one: Sampled) -> Attempt:
            return self.sources, self.subject.of(self.whole, one.row_id), [canaries.planted_for(one.row_id)]

        return attempt

    def _only(self, one: Sampled) -> DataFrame:
        return only(self.described.spine, self.subject.row, [one.row_id])

    def _looked_into(
        self,
        proof: Proof,
        sources: Mapping[str, Source],
        attempt: Callable[[Sampled], Attempt],
        others: int,
    ) -> Report:
        values = self.subject.values(self.described.spine, sources)
        suspects = differing(self.subject, self.sample, self.whole, values)
        suspects.sort(key=lambda suspect: -len(suspect[1]))
        found: dict[int, Finding] = {}
        for one, places in suspects[:LOOKED_INTO]:
            unnamed = [place for place in places if not _is_named(found, place)]
            if unnamed:
                found |= self._leaks(proof, one, unnamed, attempt(one))
        left = max(0, len(suspects) - LOOKED_INTO)
        why_not = f"{left:,} more rows moved, and were not looked into" if left else ""
        made = Made(proof=proof, rows=others + len(self.sample) - left, why_not=why_not)
        return Report((made,), tuple(found.values()))

    def _leaks(
        self, proof: Proof, one: Sampled, places: Sequence[int], attempt: Attempt
    ) -> dict[int, Finding]:
        """The features of one row that hidden rows move, with everything else as it was."""
        seen, alone, hidden_rows = attempt
        found: dict[int, Finding] = {}
        for rows in hidden_rows:
            search = Search(self.subject, self._only(one), one.row_id, seen, alone, rows)
            values = self.subject.of(self.whole, one.row_id) if proof == TRUNCATION else search.with_all()
            leaking = [
                place for place in moved(alone, values) if place in places and not _is_named(found, place)
            ]
            events = search.culprits(leaking)
            for place in leaking:
                event = events.get(place)
                found[place] = self._finding(proof, one, place, (alone, values), event, _UNNAMED)
        return found

    def _finding(
        self,
        proof: Proof,
        one: Sampled,
        place: int,
        values: tuple[Cells, Cells],
        event: SourceEvent | None,
        otherwise: str,
    ) -> Finding:
        named = EMBARGO if event is not None and event.source in self.labels else proof
        return Finding(
            proof=named,
            feature=self.subject.features[place],
            row_id=one.row_id,
            as_of=one.as_of,
            event=event,
            expected=shown(values[0][place]),
            found=shown(values[1][place]),
            what=_WHAT[named] if event else otherwise,
        )


def _is_named(found: Mapping[int, Finding], place: int) -> bool:
    return place in found and found[place].event is not None
