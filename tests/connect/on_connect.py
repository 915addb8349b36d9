"""What a client of a Connect server finds there; ``connect_test.py`` runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.utils import is_remote

from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days, total
from features.source import Source
from features.view import build_view, spine_rows
from scoring.scorer import score
from training.artefact.contract import ModelContract

VIEW = FeatureView(
    name="payments",
    spine=Spine(source="payments", row="payment_id"),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"),
            source="payments",
            windows=[days(1), days(7)],
            measures=[count("payment_count"), total("cents", name="cents_sum")],
        )
    ],
)


@pytest.fixture
def payments(spark: SparkSession) -> DataFrame:
    at = F.timestamp_seconds(F.lit(1_770_000_000) + F.col("id") * 40_000)
    return spark.range(60).select(
        F.concat(F.lit("p"), "id").alias("payment_id"),
        F.concat(F.lit("c"), F.col("id") % 7).alias("card_id"),
        (F.col("id") * 37 % 101).alias("cents"),
        at.alias("event_at"),
        at.alias("known_at"),
    )


def found_where(session: SparkSession) -> str:
    """Where a worker of a session has the engine from; what keeps it from having it."""

    def look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            try:
                import features

                place = str(features.__file__)
            except ModuleNotFoundError as error:
                place = str(error)
            yield pa.RecordBatch.from_pydict({"place": [place]})

    rows = session.range(1, numPartitions=1).mapInArrow(look, "place string").collect()
    return str(rows[0]["place"])


@pytest.mark.usefixtures("spark")  # Spark knows it once there is a session
def test_a_session_is_a_clients() -> None:
    assert is_remote()


def test_workers_know_the_engine_from_the_session_alone(spark: SparkSession) -> None:
    assert "trustlake.zip" in found_where(spark)
    bare = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).create()
    try:
        assert found_where(bare) == "No module named 'features'"
    finally:
        bare.stop()


def test_features_of_delta_tables_are_those_of_rows_at_hand(
    spark: SparkSession, payments: DataFrame, tmp_path: Path
) -> None:
    place = str(tmp_path / "events")
    payments.write.format("delta").save(place)
    stored = spark.read.format("delta").load(place)
    cells = []
    for rows in (payments, stored):
        built = build_view(VIEW, spine_rows(VIEW, rows), {"payments": Source(rows, ("payment_id",))})
        cells.append(sorted(map(tuple, built.collect())))
    assert len(cells[0]) == 60
    assert cells[0] == cells[1]


def test_scores_are_those_of_the_booster_here(spark: SparkSession) -> None:
    values = np.random.default_rng(7).normal(size=(200, 2)).astype(np.float32)
    matrix = xgb.DMatrix(values, label=values[:, 0] > values[:, 1])
    booster = xgb.train({"objective": "binary:logistic", "seed": 7}, matrix, 5)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    contract = ModelContract(
        model="trustlake.tests.fraud",
        feature_names=("a", "b"),
        feature_types=("float", "float"),
        definition_hash="9f31c0",
        view="payments",
        row_id="payment_id",
        target="fraud",
        trained_from=now - timedelta(days=28),
        trained_to=now,
        best_iteration=4,
        code_version="c",
    )
    rows = spark.createDataFrame(
        [(now, f"{n:03}", float(a), float(b)) for n, (a, b) in enumerate(values)],
        "as_of timestamp, payment_id string, a float, b float",
    )
    scored = score(rows, bytes(booster.save_raw("ubj")), contract).orderBy("payment_id").collect()
    expected = booster.inplace_predict(values, validate_features=False).astype(np.float64)
    assert [row["score"] for row in scored] == expected.tolist()
