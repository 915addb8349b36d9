"""The job maintain_tables: what it does once, what it removes and keeps, kills, and mistakes that it names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs import maintain_tables as job_module
from jobs.job import now, run_job
from jobs.maintain_tables import MaintainTables
from lake import maintenance
from lake.data_versions import history
from lake.errors import LockedError, TrustlakeError
from lake.layout import LISTED_COMMITS, REMOVED_FILES, STATISTICS, stored
from lake.locks import Claim, held
from lake.maintenance_table import MAINTENANCE
from lake.runs import DONE, Outcome, RunRow, record
from lake.tables import CommitStamp, Lake
from tests.jobs.aged_lake import leave_behind, let_pass

TABLE = "events_payments"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = ("--table", TABLE)


@pytest.fixture(autouse=True)
def _few_files_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SPARE_FILES", 1)


def pay(project: Any, *days: int) -> None:
    """One commit for each."""
    for day in days:
        at = NOON + timedelta(days=day)
        row = {
            "payment_id": f"p{day}",
            "card_id": "c",
            "amount": Decimal(day),
            "event_at": at,
            "known_at": at,
        }
        project.add_events("payments", [row])


def maintain(project: Any, *argv: str) -> Outcome:
    return run_job(MaintainTables, ["--config", project.config, *argv]).outcome


def ids(project: Any, version: int | None = None) -> list[str]:
    return sorted(row["payment_id"] for row in project.lake.read(TABLE, version=version).collect())


def notes(project: Any) -> list[dict[str, Any]]:
    return [row.asDict() for row in project.lake.read(MAINTENANCE.name).orderBy("begun_at").collect()]


def files(project: Any) -> set[str]:
    return {path.name for path in (project.folder / "lake" / TABLE).glob("*.parquet")}


def test_small_files_are_put_together_once_and_replaced_ones_stay_for_a_month(project: Any) -> None:
    pay(project, 1, 2, 3, 4)
    before, place = project.lake.version(TABLE), project.lake.place(TABLE)
    several = stored(project.spark, place).files
    planned = maintain(project, *ONE, "--dry-run")
    assert planned.result == "1 of 1 tables would be stored anew"
    assert stored(project.spark, place).files == several
    assert maintain(project, *ONE).result.startswith(
        f"1 of 1 tables stored anew, {several} files are 1, 0 old"
    )
    assert (project.lake.version(TABLE), stored(project.spark, place).files) == (before, 1)
    assert ids(project) == ids(project, before) == ["p1", "p2", "p3", "p4"]
    assert ids(project, before - 1) == ["p1", "p2", "p3"]
    commits = len(history(project.spark, place))
    assert maintain(project, *ONE).result == "nothing to do, 1 tables looked at"
    assert run_job(MaintainTables, ["--config", project.config, *ONE]).was_done
    assert len(history(project.spark, place)) == commits
    (note,) = notes(project)
    assert (note["table"], note["state"], note["data_version"]) == (TABLE, "done", before)
    assert (note["files_before"], note["files_after"], note["removed_files"]) == (several, 1, 0)
    assert (note["retain_hours"], note["readable_from"]) == (720, None)
    pay(project, 5)
    assert ids(project, before) == ["p1", "p2", "p3", "p4"]


def test_after_a_month_what_nobody_needs_is_removed_and_what_is_lost_is_said(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pay(project, 1, 2)
    lake = project.lake
    lake.replace(TABLE, lake.read(TABLE).limit(0), where="payment_id = 'p1'")
    read = RunRow(
        job="score_events",
        slice="all",
        run_key="k",
        state=DONE,
        started_at=NOON,
        finished_at=NOON,
        inputs={TABLE: 2},
    )
    record(lake, read, Outcome())
    left = leave_behind(project, TABLE, "part-left-behind.snappy.parquet")
    let_pass(project, 40)
    young = leave_behind(project, TABLE, "part-young.snappy.parquet")
    current, there = project.lake.version(TABLE), files(project)
    # Versions of long ago can be read as long as their files are there.
    assert ids(project, current - 1) == ["p1", "p2"]
    capsys.readouterr()
    maintain(project, *ONE, "--dry-run")
    told = capsys.readouterr().err
    assert "files of" in told
    assert "removed that were replaced 30d ago" in told
    assert f"versions before {current} can no longer be read; they were read by 1 of score_events" in told
    assert files(project) == there
    result = maintain(project, *ONE).result
    assert re.search(r"1 of 1 tables stored anew, .* [1-9] old files of 0.0 MB removed", result)
    assert young in files(project)
    assert left not in files(project)
    assert ids(project) == ids(project, current) == ["p2"]
    with pytest.raises(Exception, match="FAILED_READ_FILE"):
        project.lake.read(TABLE, version=current - 1).toPandas()
    (note,) = notes(project)
    assert (note["readable_from"], note["removed_files"] > 0) == (current, True)
    assert maintain(project, *ONE).result == "nothing to do, 1 tables looked at"


def test_a_table_of_before_is_stored_as_declared_and_keeps_its_rows_and_version(project: Any) -> None:
    pay(project, 1)
    place, spark = project.lake.place(TABLE), project.spark
    format_only = "TBLPROPERTIES ('trustlake.lakeFormat' = '1')"
    spark.sql(f"CREATE OR REPLACE TABLE {place} USING delta {format_only} AS SELECT * FROM {place}")
    pay(project, 2)
    before = project.lake.version(TABLE)
    assert STATISTICS not in stored(spark, place).properties
    maintain(project, *ONE)
    found = stored(spark, place)
    assert found.clustered_by == ("event_at",)
    assert found.properties[STATISTICS] == "event_at,known_at,payment_id,ingest_batch"
    assert found.properties[REMOVED_FILES] == "interval 720 hours"
    assert (project.lake.version(TABLE), ids(project)) == (before, ["p1", "p2"])
    maintain(project, *ONE, "--retain", "60d")
    found = stored(spark, place)
    assert {found.properties[name] for name in (REMOVED_FILES, LISTED_COMMITS)} == {"interval 1440 hours"}
    assert maintain(project, *ONE).result == "nothing to do, 1 tables looked at"
    pay(project, 3)
    assert project.lake.version(TABLE) == history(spark, place)[0].version


@pytest.mark.parametrize("killed_in", ["do", "finish"])
def test_a_killed_maintenance_is_finished_by_the_next(
    project: Any, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    pay(project, 1, 2, 3)
    version = project.lake.version(TABLE)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(job_module, killed_in, die)
        with pytest.raises(KeyboardInterrupt):
            maintain(project, *ONE)
    (begun,) = notes(project)
    assert begun["state"] == "begun"
    maintain(project, *ONE)
    (done,) = notes(project)
    assert (done["state"], done["run_id"], done["files_after"]) == ("done", begun["run_id"], 1)
    assert done["files_before"] == begun["files_before"]
    assert (project.lake.version(TABLE), ids(project)) == (version, ["p1", "p2", "p3"])
    assert maintain(project, *ONE).result == "nothing to do, 1 tables looked at"


def test_mistakes_are_named(project: Any) -> None:
    with pytest.raises(TrustlakeError, match="there is no table yet; run ingest_logs first"):
        maintain(project)
    pay(project, 1, 2, 3)
    with pytest.raises(TrustlakeError, match="made no table nothing; there are events_payments, runs"):
        maintain(project, "--table", "nothing")
    with pytest.raises(TrustlakeError, match="--retain keeps replaced files for 2d, at least 7d are needed"):
        maintain(project, "--retain", "2d")
    other = Lake(
        project.spark, project.lake.settings, CommitStamp(run_id="other", code_version="c", config_hash="h")
    )
    for claim in (Claim("ingest_logs", "all logs"), Claim("ingest_logs", "a slice of its own")):
        with (
            held(other, claim, now),
            pytest.raises(LockedError, match=r"being worked on by .* \(run other\)"),
        ):
            maintain(project, *ONE)
    place = project.lake.place(TABLE)
    project.spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ('{REMOVED_FILES}' = 'interval 1 day')")
    with pytest.raises(
        TrustlakeError, match=f"{REMOVED_FILES} of .* keeps replaced files for 1d, at least 7d"
    ):
        maintain(project, *ONE)
    project.spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ('{REMOVED_FILES}' = 'interval 20160 minutes')")
    with pytest.raises(
        TrustlakeError, match="= 'interval 20160 minutes', and hours, days or weeks are understood"
    ):
        maintain(project, *ONE)
    maintain(project, *ONE, "--retain", "7d")
    assert stored(project.spark, place).properties[REMOVED_FILES] == "interval 168 hours"
