"""Proofs of a table that nobody can build again: as far as its rows and their labels tell."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.prove.embargo import embargo
from features.prove.labelled import labelled
from features.prove.report import (
    CANARY,
    EMBARGO,
    SUSPICION,
    TIE,
    TRUNCATION,
    Finding,
    Made,
    Report,
    SourceEvent,
    shown,
)
from features.prove.sample import at_micros
from features.prove.settings import ProofSettings
from features.prove.subject import moved
from features.prove.suspicion import too_good
from features.prove.target import Target
from features.view import AS_OF

_NO_BUILDER = "needs the function that builds the features"
_AS_FAR = "by rows of one key and instant alone; a window that takes in all of them needs the function"
# Pairs of twins that are held against each other.
TWINS = 200


def prove_table(
    rows: DataFrame,
    row: str,
    features: Sequence[str],
    *,
    keys: Sequence[str],
    own: Sequence[str] = (),
    target: Target | None = None,
    settings: ProofSettings | None = None,
) -> Report:
    """Prove a finished table.

    Args:
        rows: ``as_of``, the row id in column ``row``, keys and features.
        features: what is computed from other rows, and not what a row brings itself.
        keys: the columns that say whose history the features are of.
        own: features that a row brings itself: they may be too good to be true, but not of another row's making.
        target: what the features are to foretell; without it there is no embargo and no suspicion.

    Returns:
        Which proofs were made and what they found, and which could not be made.
    """
    report = Report((Made(proof=TRUNCATION, why_not=_NO_BUILDER), Made(proof=CANARY, why_not=_NO_BUILDER)))
    report += twins(rows, row, features, keys)
    if target is None:
        return report + Report(
            (Made(proof=EMBARGO, why_not="no label"), Made(proof=SUSPICION, why_not="no label"))
        )
    report += embargo(rows, row, target)
    drawn = labelled(rows, row, [*features, *own], target)
    return report + too_good(drawn, settings or ProofSettings())


def twins(rows: DataFrame, row: str, features: Sequence[str], keys: Sequence[str]) -> Report:
    """Rows of the same keys at the same instant must have the same past; where they differ, one has seen the other."""
    if not keys:
        return Report((Made(proof=TIE, why_not="no keys are named"),))
    named = F.struct(F.col(row).cast("string").alias("id"), *features)
    row_id = F.col(row).cast("string")
    pairs = (
        rows.where(" AND ".join(f"`{key}` IS NOT NULL" for key in keys))
        .groupBy(F.unix_micros(AS_OF).alias("micros"), *keys)
        .agg(F.min_by(named, row_id).alias("one"), F.max_by(named, row_id).alias("other"))
        .where("one.id <> other.id")
        .orderBy("micros", "one.id")
        .limit(TWINS)
        .collect()
    )
    found: dict[int, Finding] = {}
    for pair in pairs:
        one, other, at = pair["one"], pair["other"], at_micros(pair["micros"])
        for place in moved(tuple(one[1:]), tuple(other[1:])):
            twin = SourceEvent(source="the row", row_id=one["id"], event_at=at, known_at=at)
            finding = Finding(
                proof=TIE,
                feature=features[place],
                row_id=other["id"],
                as_of=at,
                event=twin,
                expected=shown(one[1 + place]),
                found=shown(other[1 + place]),
                what="Rows of one instant have one past: end windows before as_of by time, not by the order of rows",
            )
            found.setdefault(place, finding)
    made = Made(
        proof=TIE, rows=2 * len(pairs), why_not=_AS_FAR if pairs else "no two rows share keys and instant"
    )
    return Report((made,), tuple(found.values()))
