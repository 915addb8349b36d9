"""The table ``erasures``: whose rows were removed, from where, and so whose rows are kept out from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import functions as F

from lake.described import described
from lake.erase.person import Person
from lake.errors import RefusedError
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

BEGUN, DONE = "begun", "done"
NOWHERE = "nowhere"

ERASURES = TableSpec(
    "erasures",
    "One row per erased person, run and place that held the person's rows, written before the first is removed",
    described(
        "user_hash string: Keyed hash of the person's id; later deliveries that name the person are dropped by it",
        "place string: Table, raw files of a log, or pages in MLflow; nowhere, where nothing was found",
        "state string: begun, or done when all is removed",
        "reason string: Why, as the operator said",
        "rows long: Rows found there by the run, which it removed",
        "files long: Raw files or pages rewritten",
        "requested_at timestamp: When the run began (UTC)",
        "run_id string: Run that looked and began to remove",
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a place holds of a person."""

    place: str
    rows: int
    files: int = 0


def begin(lake: Lake, person: Person, found: Sequence[Found], reason: str, requested_at: datetime) -> None:
    """Note in one commit what is going to be removed; from here on nothing new of the person comes in."""
    lake.ensure(ERASURES)
    rows = [
        (person.hashed, one.place, BEGUN, reason, one.rows, one.files, requested_at, lake.stamp.run_id)
        for one in (found or [Found(NOWHERE, 0)])
    ]
    lake.append(ERASURES.name, lake.spark.createDataFrame(rows, ERASURES.schema))


def finish(lake: Lake, person: Person) -> None:
    """Note that all that was begun of the person, by whichever run, is removed."""
    mine = lake.read(ERASURES.name).where(F.col("user_hash") == person.hashed).collect()
    done = [tuple((row.asDict() | {"state": DONE}).values()) for row in mine]
    rows = lake.spark.createDataFrame(done, ERASURES.schema)
    lake.replace(ERASURES.name, rows, where=f"user_hash = {quoted(person.hashed)}")


def erased(lake: Lake) -> frozenset[str]:
    """The hashes of everybody whose rows are kept out."""
    if not lake.exists(ERASURES.name):
        return frozenset()
    return frozenset(
        row["user_hash"] for row in lake.read(ERASURES.name).select("user_hash").distinct().collect()
    )


def check_no_erasure_begun(lake: Lake) -> None:
    """Refuse to read raw files of which some are being rewritten.

    Raises:
        RefusedError: a person was erased in part, by a run that did not end.
    """
    if not lake.exists(ERASURES.name):
        return
    begun = lake.read(ERASURES.name).where(F.col("state") == BEGUN).head()
    if begun is not None:
        raise RefusedError(
            f"{begun['user_hash']} was erased in part by run {begun['run_id']} ({begun['reason']}), which did not end; "
            "run erase_user for the same user to finish that, then run this again"
        )
