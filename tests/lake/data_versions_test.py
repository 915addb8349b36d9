"""Data versions: storing rows anew makes versions that nobody who remembers one ever sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.data_versions import DATA_VERSION, Commit, last_change
from lake.described import described
from lake.layout import STATISTICS, Layout, stored
from lake.session_settings import session_settings
from lake.tables import Lake, TableSpec

COLUMNS = ("at long: When", "name string: What it is called")
LAYOUT = Layout(ranges=("at",), clustered_by=("at",))
# For tests that cannot wait a week: Delta's guard against removing what somebody reads.
GUARD = "spark.databricks.delta.retentionDurationCheck.enabled"


def rows_of(lake: Lake, *ats: int) -> DataFrame:
    return lake.spark.createDataFrame([(at, "x") for at in ats], "at long, name string")


def read(lake: Lake, name: str, version: int | None = None) -> list[int]:
    return sorted(row["at"] for row in lake.read(name, version=version).collect())


def in_two_commits(lake: Lake, name: str) -> None:
    lake.ensure(TableSpec(name, "One row per thing", described(*COLUMNS)))
    lake.append(name, rows_of(lake, 1, 2))
    lake.append(name, rows_of(lake, 3))


def store_anew(lake: Lake, name: str) -> None:
    place = lake.place(name)
    lake.spark.sql(f"ALTER TABLE {place} CLUSTER BY (at)")
    lake.spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ('{STATISTICS}' = 'at')")
    lake.spark.sql(f"OPTIMIZE {place}")


def test_a_table_stored_anew_has_the_same_version_and_every_version_its_rows(lake: Lake) -> None:
    in_two_commits(lake, "stored_anew")
    store_anew(lake, "stored_anew")
    assert lake.version("stored_anew") == 2
    assert read(lake, "stored_anew", 2) == [1, 2, 3]
    assert read(lake, "stored_anew", 1) == [1, 2]
    lake.append("stored_anew", rows_of(lake, 4))
    assert lake.version("stored_anew") == 6
    assert read(lake, "stored_anew", 2) == [1, 2, 3]
    assert read(lake, "stored_anew", 6) == [1, 2, 3, 4]


def test_a_version_whose_files_are_removed_is_read_from_those_stored_anew(lake: Lake) -> None:
    in_two_commits(lake, "vacuumed")
    old = lake.read("vacuumed", version=2)
    store_anew(lake, "vacuumed")
    with session_settings(lake.spark, {GUARD: "false"}):
        lake.spark.sql(f"VACUUM {lake.place('vacuumed')} RETAIN 0 HOURS")
    assert lake.version("vacuumed") == 2
    later = Lake(lake.spark, lake.settings, lake.stamp)
    assert read(later, "vacuumed", 2) == [1, 2, 3]
    with pytest.raises(Exception, match="FAILED_READ_FILE"):
        # What a plan that was made before the files went would meet; a week is kept for it.
        old.agg(F.max("name")).collect()
    with pytest.raises(Exception, match="FAILED_READ_FILE"):
        later.read("vacuumed", version=1).agg(F.max("name")).collect()


def test_a_table_made_anew_for_other_columns_keeps_its_layout(lake: Lake) -> None:
    spec = TableSpec("made_anew", "One row per thing", described(*COLUMNS), layout=LAYOUT)
    lake.ensure(spec)
    lake.recreate(spec, rows_of(lake, 1))
    assert lake.version("made_anew") == 1
    assert stored(lake.spark, lake.place("made_anew")).clustered_by == ("at",)
    other = TableSpec(
        "made_anew",
        "One row per thing",
        described("since long: When", "name string: What it is called"),
        layout=Layout(ranges=("since",), clustered_by=("since",)),
    )
    lake.recreate(other, rows_of(lake, 1).withColumnRenamed("at", "since"))
    found = stored(lake.spark, lake.place("made_anew"))
    assert (found.clustered_by, found.properties[STATISTICS]) == (("since",), "since")
    assert [row["since"] for row in lake.read("made_anew", version=lake.version("made_anew")).collect()] == [
        1
    ]


def test_a_layout_is_clustered_by_columns_with_ranges_only() -> None:
    with pytest.raises(ValueError, match="name is clustered by, and has no range"):
        Layout(ranges=("at",), clustered_by=("name",))


@pytest.mark.parametrize(
    ("operations", "noted", "expected"),
    [
        (["OPTIMIZE", "WRITE"], None, 8),
        (["VACUUM END", "VACUUM START", "SET TBLPROPERTIES", "CLUSTER BY", "MERGE", "WRITE"], None, 5),
        (["RESTORE", "WRITE"], None, 9),
        (["an operation of a later Delta", "WRITE"], None, 9),
        (["OPTIMIZE", "OPTIMIZE"], None, 8),
        (["OPTIMIZE", "OPTIMIZE"], 4, 4),
    ],
)
def test_the_data_version_is_that_of_the_last_commit_that_may_have_changed_a_row(
    operations: list[str], noted: int | None, expected: int
) -> None:
    told = None if noted is None else json.dumps({DATA_VERSION: noted})
    at = datetime(2026, 3, 1, tzinfo=UTC)
    commits = [Commit(9 - n, at, operation, told) for n, operation in enumerate(operations)]
    assert last_change(commits) == expected
