"""A gallery of planted leaks, each found by the proof that is there for it, and honest features that pass them all."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.labels import Label
from features.prove.builder import prove_builder
from features.prove.relation import relations_by_name
from features.prove.report import Finding, Report
from features.prove.settings import ProofSettings
from features.prove.subject import Build
from features.prove.target import Target
from features.source import Source

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CARDS, PAYMENTS = 16, 64
LABEL = Label(source="labels", on="payment_id", fraud="is_fraud", matures_after=7 * DAY)
# Suspicion has tests of its own; here it never has labels enough.
SETTINGS = ProofSettings(rows=12, frauds=1000)
SEVEN_DAYS = "event_at >= as_of - INTERVAL 7 DAYS"

pytestmark = pytest.mark.minutes


@dataclass(frozen=True)
class World:
    """Payments, their labels a week later, revisions of some, and the state of the cards."""

    spine: DataFrame
    sources: Mapping[str, Source]
    reports: dict[Build, Report] = field(default_factory=dict)

    def report(self, build: Build) -> Report:
        """What is found of a function; it is put to the proof once."""
        if build not in self.reports:
            self.reports[build] = self._proved(build)
        return self.reports[build]

    def _proved(self, build: Build) -> Report:
        target = Target((LABEL,), self.sources, START + 60 * DAY)
        relations = relations_by_name(self.sources, keys=["card_id"], row="payment_id", own="payments")
        return prove_builder(
            build, self.spine, self.sources,
            row="payment_id", features=["feature"], relations=relations, target=target, settings=SETTINGS,
        )  # fmt: skip


@pytest.fixture(scope="module")
def world(_session: SparkSession) -> World:
    dice = random.Random(3)
    payments: list[tuple[str, str, str, datetime, datetime, str | None, Decimal]] = []
    labels, states = [], []
    for number in range(PAYMENTS):
        at = START + timedelta(minutes=dice.randrange(20 * 24 * 60), seconds=dice.randrange(1, 59))
        card, kind = f"c{number % CARDS}", dice.choice(["fee", "work", "bonus"])
        amount = Decimal(dice.randrange(100, 9999)) / 100
        known = at + dice.choice([timedelta(0), timedelta(0), 2 * DAY])
        payments.append((f"p{number:02d}", card, kind, at, known, None, amount))
        if number % 3 == 0:
            payments.append((f"p{number:02d}", card, kind, at, known + 12 * DAY, "correction", amount + 500))
        labels.append((f"l{number:02d}", f"p{number:02d}", card, at, at + 7 * DAY, number % 4 == 0))
        states.append((f"s{number:02d}", card, at + HOUR, at + HOUR, number))
    rows = _session.createDataFrame(
        payments,
        "payment_id string, card_id string, kind string, event_at timestamp, known_at timestamp, revision string, "
        "amount decimal(18,2)",
    ).coalesce(1)
    told = _session.createDataFrame(
        labels,
        "label_id string, payment_id string, card_id string, event_at timestamp, known_at timestamp, is_fraud boolean",
    ).coalesce(1)
    cards = _session.createDataFrame(
        states, "state_id string, card_id string, event_at timestamp, known_at timestamp, limit_usd int"
    ).coalesce(1)
    spine = rows.where("revision IS NULL").select(
        "payment_id", "card_id", "kind", "amount", F.col("event_at").alias("as_of")
    )
    sources = {
        "payments": Source(rows, ("payment_id",)),
        "labels": Source(told, ("label_id",)),
        "cards": Source(cards, ("state_id",)),
    }
    return World(spine, sources)


def originals(sources: Mapping[str, Source]) -> DataFrame:
    """Payments as they first came."""
    return sources["payments"].rows.where("revision IS NULL").drop("revision")


def summed(condition: str) -> Build:
    """The sum of the card's payments for which a condition over row and payment holds."""

    def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        rows = originals(sources).select("card_id", "event_at", "known_at", F.col("amount").alias("paid"))
        value = F.sum(F.when(F.expr(condition), F.col("paid"))).alias("feature")
        return spine.join(rows, on="card_id", how="left").groupBy("payment_id").agg(value)

    return build


def frauds_of_the_card(condition: str) -> Build:
    """The share of the card's labels that say fraud."""

    def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        labels = sources["labels"].rows.drop("payment_id", "label_id")
        told = F.when(F.expr(condition), F.col("is_fraud").cast("int"))
        return (
            spine.join(labels, on="card_id", how="left")
            .groupBy("payment_id")
            .agg(F.avg(told).alias("feature"))
        )

    return build


def looked_up_on_both_sides_of_a_random_split(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    train = originals(sources).where("pmod(hash(payment_id), 10) < 7")
    means = train.groupBy("card_id").agg(F.avg("amount").alias("feature"))
    return spine.join(means, on="card_id", how="left").select("payment_id", "feature")


def scaled_by_all_rows(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    whole = originals(sources).agg(F.avg("amount").alias("centre"), F.max("amount").alias("top"))
    scaled = ((F.col("amount") - F.col("centre")) / F.col("top")).alias("feature")
    return spine.crossJoin(whole).select("payment_id", scaled)


def target_of_the_kind(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    kinds = originals(sources).select("payment_id", "kind")
    labelled = sources["labels"].rows.select("payment_id", F.col("is_fraud").cast("int").alias("fraud"))
    encoded = labelled.join(kinds, on="payment_id").groupBy("kind").agg(F.avg("fraud").alias("feature"))
    return spine.join(encoded, on="kind", how="left").select("payment_id", "feature")


def with_the_amounts_as_they_were_put_right(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    rows = sources["payments"].rows
    last = rows.groupBy(F.col("payment_id").alias("id"), F.col("card_id").alias("card")).agg(
        F.max_by("amount", "known_at").alias("paid"),
        F.min("event_at").alias("event_at"),
        F.min("known_at").alias("known_at"),
    )
    seen = F.expr("event_at < as_of AND known_at < as_of")
    return (
        spine.join(last, on=F.col("card") == F.col("card_id"), how="left")
        .groupBy("payment_id")
        .agg(F.sum(F.when(seen, F.col("paid"))).alias("feature"))
    )


def the_cards_latest_limit(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    latest = sources["cards"].rows.groupBy("card_id").agg(F.max_by("limit_usd", "event_at").alias("feature"))
    return spine.join(latest, on="card_id", how="left").select("payment_id", "feature")


KNOWN = "event_at < as_of AND known_at < as_of"
TO_THE_HOUR = "date_trunc('HOUR', as_of) + INTERVAL 1 HOUR"
NOT_KNOWN_YET = summed("event_at < as_of")
LEAKS = {
    "a key rounded up to the hour": (
        summed(f"event_at < {TO_THE_HOUR} AND known_at < {TO_THE_HOUR}"), "canary", "payments"
    ),
    "a key rounded up to the day": (
        summed("event_at < date_trunc('DAY', as_of) + INTERVAL 1 DAY AND known_at < as_of + INTERVAL 1 DAY"),
        "canary", "payments",
    ),
    "rows that are not known yet": (NOT_KNOWN_YET, "truncation", "payments"),
    "an inclusive tie": (summed("event_at <= as_of AND known_at <= as_of"), "tie", "payments"),
    "a label that is known later": (frauds_of_the_card("event_at < as_of"), "embargo", "labels"),
    "a look-up across a random split": (looked_up_on_both_sides_of_a_random_split, "truncation", "payments"),
    "normalisation over all rows": (scaled_by_all_rows, "truncation", "payments"),
    "target encoding over all rows": (target_of_the_kind, "embargo", "labels"),
    "a correction that came later": (with_the_amounts_as_they_were_put_right, "truncation", "payments"),
    "the latest state of a change log": (the_cards_latest_limit, "truncation", "cards"),
}  # fmt: skip


def named(report: Report, proof: str) -> Finding:
    findings = [finding for finding in report.leaks if finding.proof == proof]
    assert findings, list(report.lines())
    return findings[0]


# Rounding up to the day is found like rounding up to the hour, at the same cost.
AGAIN = ["a key rounded up to the day"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in AGAIN else name for name in LEAKS]
)
def test_a_planted_leak_is_found_with_feature_row_and_source_event(world: World, name: str) -> None:
    build, proof, source = LEAKS[name]
    finding = named(world.report(build), proof)
    assert finding.feature == "feature"
    assert finding.row_id.startswith("p")
    assert finding.event is not None, finding
    assert finding.event.source == source
    real = {"payments": "p", "labels": "l", "cards": "s"}[source]
    planted = f"canary {finding.row_id} "
    assert finding.event.row_id.startswith(planted if proof in {"canary", "tie"} else real)
    assert finding.expected != finding.found
    moments = (finding.event.event_at, finding.event.known_at)
    assert finding.as_of is not None
    assert max(moment for moment in moments if moment is not None) >= finding.as_of


HONEST = {
    "sums of what was known": summed(KNOWN),
    "sums of the last days": summed(f"{KNOWN} AND {SEVEN_DAYS}"),
    "labels as they became known": frauds_of_the_card(KNOWN),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_features_pass_every_proof(world: World, name: str) -> None:
    report = world.report(HONEST[name])
    proved, suspicion = report.lines()
    counts = "truncation on 12 rows, canary on 12 rows, tie on 12 rows, embargo on 64 rows"
    assert proved == f"proved {counts}: no leaks"
    assert suspicion.startswith(
        "suspicion not made: 16 frauds and 48 others have mature labels; 1000 of each"
    )


def test_the_value_that_is_expected_is_that_of_the_past_alone(world: World) -> None:
    finding = named(world.report(NOT_KNOWN_YET), "truncation")
    rows = originals(world.sources).where(f"known_at < timestamp '{finding.as_of}'")
    card = world.spine.where(F.col("payment_id") == finding.row_id).select("card_id", "as_of")
    past = rows.join(card, on="card_id").where("event_at < as_of").agg(F.sum("amount").alias("paid")).head()
    assert past is not None
    assert finding.expected == ("null" if past["paid"] is None else str(past["paid"]))


def test_a_running_total_over_everybody_is_no_leak(world: World) -> None:
    def so_far(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        rows = originals(sources).select("event_at", "known_at", F.col("amount").alias("paid"))
        value = F.sum(F.when(F.expr(KNOWN), F.col("paid"))).alias("feature")
        return spine.join(rows, how="cross").groupBy("payment_id").agg(value)

    report = world.report(so_far)
    assert report.findings == ()
    for made in report.made[:3]:
        left = re.fullmatch(r"(\d+) more rows moved, and were not looked into", made.why_not)
        assert made.rows == 12 - int(left[1] if left else 0)
