"""The job prove_features and the gate before a training: clean features pass, a leak is refused by name."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.build_features import BuildFeatures
from jobs.job import run_job
from jobs.proofs import prove_before_training
from jobs.prove_features import JOB, ProveFeatures
from jobs.train_model import TrainModel
from lake.errors import RefusedError, TrustlakeError

TABLE, PROOFS = "features_payments", "feature_proofs"
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CARDS = 6


def events(number: int) -> tuple[dict[str, object], dict[str, object]]:
    """A payment, and a dispute of it that is known a day later."""
    at, card = START + number * 4 * HOUR, f"c{number % CARDS}"
    payment = {
        "event_at": at, "known_at": at, "payment_id": f"p{number:02d}", "card_id": card,
        "amount": Decimal(number + 1),
    }  # fmt: skip
    told = at + 24 * HOUR
    dispute = {
        "event_at": at, "known_at": told, "dispute_id": f"x{number:02d}", "payment_id": f"p{number:02d}"
    }  # fmt: skip
    return payment, dispute


def build(project: Any) -> Any:
    """Eight days of payments, each known as it happens, with their features."""
    pairs = [events(number) for number in range(48)]
    project.add_events("payments", [payment for payment, _ in pairs])
    project.add_events("disputes", [dispute for number, (_, dispute) in enumerate(pairs) if number % 3 == 0])
    project.work(BuildFeatures)
    return project


@pytest.fixture(scope="module")
def built(shared_project: Any) -> Any:
    """Features that see nothing but the past."""
    return build(shared_project)


@pytest.fixture
def leaking(project: Any) -> Any:
    """Payments of card c1 were known only ten days after they happened, and the features do not know that."""
    rows = build(project).lake.read("events_payments")
    late = F.when(F.col("card_id") == "c1", F.col("event_at") + F.expr("INTERVAL 10 DAYS"))
    changed = rows.withColumn("known_at", F.coalesce(late, F.col("known_at")))
    kept = project.spark.createDataFrame(changed.collect(), rows.schema)
    project.lake.replace("events_payments", kept, where="event_at IS NOT NULL")
    return project


def test_clean_features_are_proved_and_what_was_proved_is_a_table(built: Any) -> None:
    outcome = built.work(ProveFeatures)
    assert (outcome.rows_in, outcome.refused, outcome.place) == (48, 0, PROOFS)
    assert outcome.result == "4 of 5 proofs made, no leak, 0 suspicions"
    table = built.lake.read(PROOFS)
    assert all(field.metadata["comment"] for field in table.schema)
    rows = {row["proof"]: row for row in table.collect()}
    assert {name: (row["state"], row["rows"]) for name, row in rows.items()} == {
        "truncation": ("passed", CARDS),
        "canary": ("passed", CARDS),
        "tie": ("passed", CARDS),
        "embargo": ("passed", 48),
        "suspicion": ("not made", 0),
    }
    assert rows["suspicion"]["note"].endswith("30 of each are needed")
    assert {(row["table"], row["run_key"], row["feature"]) for row in rows.values()} == {
        (TABLE, "key-1", None)
    }
    again = built.work(ProveFeatures)
    assert (again.result, built.lake.read(PROOFS).count()) == (outcome.result, 5)


def test_a_leak_stops_a_training_before_it_writes_and_the_job_after_it_wrote_it_down(leaking: Any) -> None:
    before = leaking.versions()
    told = r"features_payments: truncation: card_.* of row p.*Source event: payments p"
    with pytest.raises(RefusedError, match=told):
        leaking.work(TrainModel, "--as-of", "2026-03-08")
    assert leaking.versions() == before

    config = ["--config", leaking.config]
    with pytest.raises(RefusedError) as caught:
        run_job(JOB, config)
    text = str(caught.value)
    assert "in features; prove_features writes every finding to the table feature_proofs:\n" in text
    assert f"{TABLE}: truncation: card_" in text
    assert "Source event: payments p" in text
    (run,) = leaking.lake.read("runs").where("job = 'prove_features'").collect()
    assert (run["state"], run["error"]) == ("refused", text)
    leaks = leaking.lake.read(PROOFS).where("state = 'leak'").collect()
    assert {row["feature"] for row in leaks} >= {
        "card_payments_1d",
        "card_amount_sum_1d",
        "card_amount_max_1d",
    }
    for row in leaks:
        assert row["source"] == "payments"
        assert int(row["source_row"][1:]) % CARDS == int(row["row_id"][1:]) % CARDS == 1
        assert row["event_at"] < row["as_of"] <= row["known_at"]
        assert row["expected"] != row["found"]


def test_clean_features_pass_the_gate_which_says_so_in_a_line(
    built: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("trustlake"), "propagate", True)
    caplog.set_level(logging.INFO, "trustlake.tests")
    context = built.context(TrainModel, "--as-of", "2026-03-08")
    model = context.definitions.only_model()
    rows = built.lake.read(TABLE).where("as_of < timestamp '2026-03-07'")
    prove_before_training(context, model, rows, {})
    # A line may be caught more than once; what counts is what was said.
    proved, suspicion = dict.fromkeys(record.getMessage() for record in caplog.records)
    counts = ", ".join(f"{proof} on {CARDS} rows" for proof in ("truncation", "canary", "tie"))
    assert proved == f"{TABLE}: proved {counts}, embargo on 36 rows: no leaks"
    assert suspicion.startswith(
        f"{TABLE}: suspicion not made: 12 frauds and 24 others have mature labels; 30 of"
    )


def test_a_finished_table_is_proved_as_far_as_it_goes(built: Any) -> None:
    rows = built.lake.read(TABLE).withColumn("foretold", F.col("payment_id") != "")
    rows.write.format("delta").save(f"{built.folder}/lake/mine")
    outcome = built.work(ProveFeatures, "--table", "mine")
    assert outcome.result == "1 of 5 proofs made, no leak, 0 suspicions"
    notes = {row["proof"]: row["note"] for row in built.lake.read(PROOFS).collect()}
    assert notes["truncation"] == notes["canary"] == "needs the function that builds the features"
    with pytest.raises(TrustlakeError, match="absent does not exist"):
        built.work(ProveFeatures, "--table", "absent")


def test_without_features_there_is_nothing_to_prove(project: Any) -> None:
    with pytest.raises(TrustlakeError, match="no features were built yet; run build_features first"):
        project.work(ProveFeatures)
    with pytest.raises(
        TrustlakeError, match="features_payments, events_disputes, events_payments does not exist"
    ):
        project.work(ProveFeatures, "--as-of", "2026-03-08")
