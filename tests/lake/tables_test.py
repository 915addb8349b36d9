"""Delta tables of a lake: comments, commit metadata, declared schemas, appends once, replaced ranges."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame

from lake import tables
from lake.described import described
from lake.errors import LakeVersionError, SchemaError
from lake.layout import Layout
from lake.tables import Lake, TableSpec

COLUMNS = ("id long: Row id", "name string: What it is called")


def spec_of(name: str) -> TableSpec:
    return TableSpec(name, "One row per thing", described(*COLUMNS))


def rows_of(lake: Lake, *rows: tuple[int, str]) -> DataFrame:
    return lake.spark.createDataFrame(list(rows), "id long, name string")


def read(lake: Lake, name: str, version: int | None = None) -> set[tuple[int, str]]:
    return {(row["id"], row["name"]) for row in lake.read(name, version=version).collect()}


def test_a_table_carries_comments_and_its_commits_carry_the_run(lake: Lake) -> None:
    lake.ensure(spec_of("commented"))
    lake.append("commented", rows_of(lake, (1, "a")))
    table = DeltaTable.forPath(lake.spark, f"{lake.settings.root}/commented")
    detail = table.detail().select("description").first()
    assert detail is not None
    assert detail["description"] == "One row per thing"
    fields = lake.read("commented").schema
    assert [field.metadata.get("comment") for field in fields] == ["Row id", "What it is called"]
    last = table.history(1).select("userMetadata").first()
    assert last is not None
    assert json.loads(last["userMetadata"]) == {"run_id": "run-1", "code": "c1", "config": "h1"}


def test_writers_that_create_a_table_at_the_same_moment_all_find_it(lake: Lake) -> None:
    for round_number in range(3):
        spec = spec_of(f"at_once_{round_number}")
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lake.ensure, [spec] * 4)) == [None] * 4
        assert lake.version(spec.name) == 0
        lake.append(spec.name, rows_of(lake, (1, "a")))
        assert read(lake, spec.name) == {(1, "a")}


@pytest.mark.parametrize("left", ["a log", "a commit that was begun"])
def test_a_table_whose_creator_was_killed_before_its_first_commit_is_made_as_any_other(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    schema = described("id string: Key", "n int: Number")
    layout = Layout(ranges=("id", "n"), clustered_by=("id",))
    whole, broken = (
        TableSpec(f"{name} {left}".replace(" ", "_"), "One row per key", schema, {"of": "tests"}, layout)
        for name in ("whole", "broken")
    )
    log = Path(f"{lake.settings.root}/{broken.name}/_delta_log")
    (log / "_staged_commits").mkdir(parents=True)
    if left == "a commit that was begun":
        (log / ".00000000000000000000.json.61ff31ac.tmp").touch()
    monkeypatch.setattr(tables, "_LOOKS", 1)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lake.ensure, [broken] * 3)) == [None] * 3
    for spec in (whole, broken):
        lake.ensure(spec)
        lake.append(spec.name, lake.spark.createDataFrame([("a", 1)], schema))
    details = [detail(lake, spec.name) for spec in (whole, broken)]
    assert details[0] == details[1]
    assert details[1]["clusteringColumns"] == ["id"]
    assert lake.properties(broken.name) == lake.properties(whole.name)
    assert lake.read(broken.name).schema.jsonValue() == lake.read(whole.name).schema.jsonValue()
    assert lake.read(broken.name).collect() == [("a", 1)]


def detail(lake: Lake, name: str) -> dict[str, object]:
    """What Delta says of a table, less where and when."""
    (row,) = lake.spark.sql(f"DESCRIBE DETAIL {lake.place(name)}").drop("id", "location", "name").collect()
    return {key: value for key, value in row.asDict().items() if key not in {"createdAt", "lastModified"}}


def test_recreating_keeps_comments_history_and_format(lake: Lake) -> None:
    lake.ensure(spec_of("recreated"))
    wider = TableSpec("recreated", "One row per thing", described(*COLUMNS, "size long: How big"))
    lake.recreate(wider, lake.spark.createDataFrame([(1, "a", 5)], "id long, name string, size long"))
    fields = lake.read("recreated").schema
    assert [field.metadata.get("comment") for field in fields] == ["Row id", "What it is called", "How big"]
    lake.ensure(wider)
    assert lake.version("recreated") == 1
    detail = DeltaTable.forPath(lake.spark, f"{lake.settings.root}/recreated").detail()
    row = detail.select("description", "properties").first()
    assert row is not None
    assert row["description"] == "One row per thing"
    assert row["properties"]["trustlake.lakeFormat"] == "1"


def test_another_schema_than_the_declared_one_names_the_columns(lake: Lake) -> None:
    lake.ensure(spec_of("declared"))
    lake.ensure(spec_of("declared"))
    assert lake.version("declared") == 0
    other = TableSpec("declared", "One row per thing", described("id string: Row id", "size long: How big"))
    with pytest.raises(SchemaError) as caught:
        lake.ensure(other)
    text = str(caught.value)
    assert (
        "id is bigint, expected string; name is string, expected absent; size is absent, expected bigint"
        in text
    )
    assert "declared" in text


def test_a_frame_that_lacks_a_column_is_refused_and_not_filled_with_nulls(lake: Lake) -> None:
    lake.ensure(spec_of("lacking"))
    with pytest.raises(SchemaError, match="lacking lacks name; it has id"):
        lake.append("lacking", rows_of(lake, (1, "a")).drop("name"))
    assert lake.version("lacking") == 0


def test_a_newer_lake_is_refused(lake: Lake) -> None:
    lake.ensure(spec_of("newer"))
    lake.spark.sql(f"ALTER TABLE {lake.place('newer')} SET TBLPROPERTIES ('trustlake.lakeFormat' = '2')")
    text = "has lake format 2, this trustlake knows 1; upgrade trustlake"
    with pytest.raises(LakeVersionError, match=text):
        lake.check_format("newer")
    with pytest.raises(LakeVersionError, match=text):
        lake.ensure(spec_of("newer"))
    lake.check_format("absent")


def test_an_append_under_the_same_id_happens_once(lake: Lake) -> None:
    lake.ensure(spec_of("once"))
    lake.append("once", rows_of(lake, (1, "a")), once="job/1")
    lake.append("once", rows_of(lake, (1, "a")), once="job/1")
    assert [row["id"] for row in lake.read("once").collect()] == [1]
    lake.append("once", rows_of(lake, (2, "b")), once="job/2")
    assert read(lake, "once") == {(1, "a"), (2, "b")}


def test_replacing_touches_only_its_range(lake: Lake) -> None:
    lake.ensure(spec_of("ranged"))
    lake.append("ranged", rows_of(lake, (1, "a"), (2, "b"), (3, "c")))
    before = lake.version("ranged")
    lake.replace("ranged", rows_of(lake, (2, "new")), where="id >= 2 AND id < 3")
    assert read(lake, "ranged") == {(1, "a"), (2, "new"), (3, "c")}
    assert read(lake, "ranged", before) == {(1, "a"), (2, "b"), (3, "c")}
    lake.replace("ranged", rows_of(lake).limit(0), where="id = 3")
    assert read(lake, "ranged") == {(1, "a"), (2, "new")}


def test_rows_outside_the_replaced_range_are_refused(lake: Lake) -> None:
    lake.ensure(spec_of("outside"))
    with pytest.raises(Exception, match="DELTA_REPLACE_WHERE_MISMATCH"):
        lake.replace("outside", rows_of(lake, (9, "x")), where="id < 3")
    assert lake.version("outside") == 0


def test_reading_an_absent_table_says_what_to_do(lake: Lake) -> None:
    assert lake.version("absent") is None
    with pytest.raises(SchemaError, match="absent` does not exist; run the job that writes it first"):
        lake.read("absent")


def test_a_table_is_widened_by_new_columns_and_by_nothing_else(lake: Lake) -> None:
    lake.widen(spec_of("widened"))
    lake.append("widened", rows_of(lake, (1, "a")))
    lake.widen(spec_of("widened"))
    assert lake.version("widened") == 1
    wider = TableSpec("widened", "One row per thing", described(*COLUMNS, "size long: How big"))
    lake.widen(wider)
    assert [field.metadata.get("comment") for field in lake.read("widened").schema][2] == "How big"
    lake.append("widened", lake.spark.createDataFrame([(2, 5, "b")], "id long, size long, name string"))
    assert {tuple(row) for row in lake.read("widened").collect()} == {(1, "a", None), (2, "b", 5)}
    retyped = TableSpec("widened", "One row per thing", described("id string: Row id", *wider_columns()))
    with pytest.raises(SchemaError, match="id"):
        lake.widen(retyped)
    with pytest.raises(SchemaError, match="size"):
        lake.widen(spec_of("widened"))


def wider_columns() -> list[str]:
    return ["name string: What it is called", "size long: How big"]


def test_table_properties_are_set_when_a_table_is_made(lake: Lake) -> None:
    lake.ensure(
        TableSpec("propertied", "One row", described(*COLUMNS), {"parquet.enable.dictionary": "false"})
    )
    found = DeltaTable.forPath(lake.spark, f"{lake.settings.root}/propertied").detail().first()
    assert found is not None
    assert found["properties"]["parquet.enable.dictionary"] == "false"
