"""A training set is built again to the bit, from the versions it was made of, and from labels that changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.build_features import BuildFeatures
from jobs.rebuild_training_set import RebuildTrainingSet
from jobs.train_model import TrainModel
from jobs.training_sets import slice_of, store, tables_of
from lake.errors import RefusedError, TrustlakeError
from lake.runs import DONE, Outcome, RunRow, record
from training.training_set import table_spec

pytestmark = pytest.mark.minutes

AS_OF = datetime(2026, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def event(name: str, at: datetime, **values: object) -> dict[str, object]:
    return {"event_at": at, "known_at": at, "payment_id": name, **values}


def dispute(name: str, payment: str, at: datetime, revision: str | None = None) -> dict[str, object]:
    return event(
        payment, at, dispute_id=name, message_id=f"{name}{at:%d}", revision=revision, source_file="f"
    )


@pytest.fixture
def trained(project: Any) -> Any:
    """A project whose training at AS_OF has stored its rows; no booster is needed."""
    project.revise_disputes()
    payments = [
        event(
            f"p{n}", AS_OF - 12 * DAY + n * DAY / 2, card_id=f"c{n % 3}", amount=Decimal(n), source_file="f"
        )
        for n in range(24)
    ]
    project.add_events("payments", payments)
    project.add_events("disputes", [dispute(f"d{n}", f"p{n}", AS_OF - DAY / 4) for n in range(1, 24, 4)])
    project.work(BuildFeatures, "--from", "2026-03-01", "--to", "2026-03-20")
    context = project.context(TrainModel, "--as-of", f"{AS_OF:%Y-%m-%d}")
    model = context.definitions.only_model()
    tables = {table: context.lake.version(table) or 0 for table in tables_of(context, model)}
    store(context, model, tables, "trained")
    row = RunRow(
        job=TrainModel.NAME, slice=slice_of(model, AS_OF), run_key="trained", state=DONE,
        started_at=AS_OF, finished_at=AS_OF, inputs=tables,
    )  # fmt: skip
    record(context.lake, row, Outcome())
    return project


def rebuild(project: Any, *argv: str) -> Outcome:
    found: Outcome = project.work(RebuildTrainingSet, "--as-of", f"{AS_OF:%Y-%m-%d}", *argv)
    return found


def test_rows_are_the_same_also_after_labels_came_changed_and_were_taken_back(trained: Any) -> None:
    stored = trained.lake.read(table_spec("fraud").name)
    kept = stored.where(F.size("labels") > 0).count()
    assert 0 < kept < stored.count() == rebuild(trained).rows_in
    later = [
        dispute("d30", "p14", AS_OF),
        dispute("d13", "p13", AS_OF, "retraction"),
        dispute("d17", "p17", AS_OF + DAY, "correction"),
    ]
    trained.add_events("disputes", later)
    assert "are the same to the bit" in rebuild(trained).result
    assert "are the same to the bit" in rebuild(trained, "--newest-labels").result
    # One that was known before, and came to the lake afterwards, is another matter.
    trained.add_events("disputes", [dispute("d31", "p14", AS_OF - timedelta(microseconds=1))])
    assert "are the same to the bit" in rebuild(trained).result
    with pytest.raises(RefusedError, match="2 rows are not as the training stored them"):
        rebuild(trained, "--newest-labels")


def test_a_row_that_differs_in_the_last_bit_is_found(trained: Any) -> None:
    name = table_spec("fraud").name
    moved = F.transform("features", lambda value: value + F.lit(1e-6).cast("float") * value)
    rows = trained.lake.read(name)
    one = rows.orderBy(F.col("as_of").desc()).limit(1).withColumn("features", moved)
    others = rows.join(one.select("row"), on="row", how="left_anti").select(*rows.columns)
    changed = trained.spark.createDataFrame(others.unionByName(one).collect(), rows.schema)
    trained.lake.replace(name, changed, where="run_key = 'trained'")
    with pytest.raises(RefusedError, match="2 rows are not as the training stored them"):
        rebuild(trained)


def test_a_training_that_never_was_is_told(project: Any) -> None:
    with pytest.raises(TrustlakeError, match="no training fraud as of 2026-03-20T00:00 has ended"):
        project.work(RebuildTrainingSet, "--as-of", "2026-03-20")
