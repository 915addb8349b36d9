"""Declared views under the proofs: the engine's own features are clean, and a table that was built otherwise is not."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Spine,
    approx_distinct,
    burst,
    count,
    days,
    decayed,
    distinct,
    entropy,
    hours,
    hours_since_last,
    latest,
    mean,
    minutes,
    ratio,
    share,
    total,
)
from features.labels import Label
from features.prove.declared import ViewProofs
from features.prove.relation import Relation, relations_of
from features.prove.settings import ProofSettings
from features.source import Source
from features.view import build_view, spine_rows
from lake.errors import SchemaError

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

payer, device = Entity("payer", key="payer_id"), Entity("device", key="device_id")
LINK = Link(source="disputes", on="payer_id", through="logins", through_on="account_id")
VIEW = FeatureView(
    name="payments",
    spine=Spine(source="payments", row="payment_id", where="NOT is_declined", columns=["amount"]),
    groups=[
        FeatureGroup(
            entity=payer,
            source="payments",
            windows=[hours(6), LIFETIME],
            measures=[
                count("payments"), count("declined", where="is_declined"), total("amount"), mean("amount"),
                latest("amount"), distinct("device_id", name="devices"), entropy("device_id", name="device_mix"),
                approx_distinct("device_id", name="devices_about"), burst("burst", span=minutes(90)),
                decayed("weight", half_life=hours(2)), hours_since_last("hours_since"),
            ],
        ),
        FeatureGroup(
            entity=payer, source="disputes", windows=[days(30)],
            measures=[count("disputes"), share("fraud_share", of="is_fraud")],
        ),
        FeatureGroup(
            entity=device, source="logins", windows=[days(1)], measures=[count("logins")], where="kind = 'failed'"
        ),
        FeatureGroup(entity=device, source=LINK, windows=[LIFETIME], measures=[count("bad_friends")]),
    ],
    derived=[ratio("amount_to_mean", "amount", "payer_amount_mean_lifetime")],
)  # fmt: skip
LABEL = Label(source="disputes", on="payment_id", fraud="is_fraud", matures_after=5 * DAY)
SETTINGS = ProofSettings(rows=20, frauds=5)
PAYMENT = (
    "payment_id string, payer_id string, device_id string, event_at timestamp, known_at timestamp, revision string, "
    "told_at timestamp, amount decimal(18,2), is_declined boolean"
)


@dataclass(frozen=True)
class World:
    """Sources of the view, and the table that was built from them."""

    sources: Mapping[str, Source]
    table: DataFrame

    def proofs(self, table: DataFrame | None = None, label: Label | None = LABEL) -> ViewProofs:
        return ViewProofs(
            view=VIEW, rows=self.table if table is None else table, sources=self.sources,
            labels=(label,) if label else (),
            known_before=START + 30 * DAY, settings=SETTINGS,
        )  # fmt: skip


def payments_of(dice: random.Random) -> list[tuple[object, ...]]:
    """Payments of 30 payers, two a device; some late, some put right, some taken back, some without a device."""
    rows: list[tuple[object, ...]] = []
    for number in range(150):
        at = START + timedelta(minutes=dice.randrange(10 * 24 * 60))
        known = at + dice.choice([timedelta(0), timedelta(0), timedelta(hours=5)])
        payer_id = f"a{number % 30}"
        device_id = dice.choice([None, f"d{number % 30 // 2}"])
        amount = Decimal(dice.randrange(100, 90_000)) / 100
        row = (f"p{number:03d}", payer_id, device_id, at)
        rows.append((*row, known, None, known, amount, number % 5 == 0))
        revision = dice.choice([None, None, "correction", "retraction"])
        if revision:
            told = known + timedelta(hours=dice.randrange(1, 60))
            rows.append((*row, told, revision, told, amount + 1000, False))
    return rows


@pytest.fixture(scope="module")
def world(_session: SparkSession) -> World:
    dice = random.Random(11)
    paid = payments_of(dice)
    frame = _session.createDataFrame(paid, PAYMENT).coalesce(1)
    logins = [
        (f"l{n}", f"a{n % 30}", f"d{n % 30 // 2}", START + n * HOUR, dice.choice(["ok", "failed"]))
        for n in range(120)
    ]
    disputes = [
        (f"x{n}", row[0], row[1], START + 10 * DAY + n * HOUR, n % 2 == 0) for n, row in enumerate(paid[::4])
    ]
    happened = F.col("event_at").alias("known_at")
    sources = {
        "payments": Source(frame, ("payment_id",)),
        "logins": Source(
            _session.createDataFrame(
                logins, "login_id string, account_id string, device_id string, event_at timestamp, kind string"
            ).select("*", happened).coalesce(1),
            ("login_id",),
        ),
        "disputes": Source(
            _session.createDataFrame(
                disputes, "dispute_id string, payment_id string, payer_id string, event_at timestamp, is_fraud boolean"
            ).select("*", happened).coalesce(1),
            ("dispute_id",),
        ),
    }  # fmt: skip
    built = build_view(VIEW, spine_rows(VIEW, frame.where("revision IS NULL")), sources, tasks=2)
    rows = _session.createDataFrame(built.collect(), built.schema).coalesce(1)
    return World(sources, rows)


def test_the_keys_of_groups_links_and_labels_relate_rows() -> None:
    assert relations_of(VIEW, [LABEL]) == [
        Relation("disputes", ("payment_id",), ("payment_id",)),
        Relation("payments", ("payer_id",), ("payer_id",)),
        Relation("disputes", ("payer_id",), ("payer_id",)),
        Relation("logins", ("device_id",), ("device_id",)),
        Relation("disputes", ("payer_id",), (), travels=True),
        Relation("logins", ("account_id",), ()),
    ]


def test_the_engines_features_of_every_kind_pass_every_proof(world: World) -> None:
    report = world.proofs().full()
    assert report.leaks == ()
    made = {one.proof: (one.rows, one.why_not) for one in report.made}
    assert made.keys() == {"truncation", "canary", "tie", "embargo", "suspicion"}
    rows = made["truncation"][0]
    assert rows >= 12
    assert made["canary"] == made["tie"] == (rows, "")
    assert made["embargo"] == (world.table.count(), "")


def test_a_value_that_no_source_row_accounts_for_is_a_leak_too(spark: SparkSession, world: World) -> None:
    plain = replace(VIEW, groups=[replace(VIEW.groups[0], measures=[count("payments")])], derived=[])
    originals = world.sources["payments"].rows.where("revision IS NULL")
    built = build_view(plain, spine_rows(plain, originals), world.sources, tasks=2)
    altered = built.withColumn("payer_payments_6h", F.lit(999).cast("long"))
    table = spark.createDataFrame(altered.collect(), altered.schema).coalesce(1)
    report = replace(world.proofs(table, label=None), view=plain).rebuilt()
    (finding,) = report.leaks
    assert (finding.proof, finding.feature, finding.event) == ("truncation", "payer_payments_6h", None)
    assert (finding.found, finding.what) == (
        "999",
        "No source row is to blame: it was built otherwise or from other events; build the features again",
    )


def test_without_a_label_or_rows_the_report_says_what_was_not_proved(world: World) -> None:
    report = world.proofs(label=None).of_label()
    assert [(one.proof, one.why_not) for one in report.made] == [
        (proof, "no model says what payments is to foretell") for proof in ("embargo", "suspicion")
    ]
    nothing = world.proofs(world.table.limit(0)).full()
    assert [(one.rows, one.why_not) for one in nothing.made] == [
        *[(0, "there are no rows")] * 4,
        (0, "0 frauds and 0 others have mature labels; 5 of each are needed"),
    ]
    none = replace(world.proofs(), settings=ProofSettings(rows=0)).rebuilt()
    assert {one.why_not for one in none.made} == {"training.proof.rows is 0"}


def test_a_source_that_is_missing_is_told(world: World) -> None:
    logins = {"logins": world.sources["logins"]}
    with pytest.raises(
        SchemaError, match="there is no source disputes, but rows are related by it; there are log"
    ):
        replace(world.proofs(), sources=logins).rebuilt()
