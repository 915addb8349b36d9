"""Labels of three logs, one of them revised, against brute force that goes through them in the order they were told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.label_events import COLUMNS, label_events
from features.labels import Label, Verdict
from features.source import Source
from features.verdicts import LABELS, confidence, fraud_since, labels_of_rows, state, verdict
from lake.contracts import CORRECTION, RETRACTION

START, HOUR, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)
CHARGEBACKS = Label(
    source="chargebacks", on="row", fraud="verdict = 'fraud'", not_fraud="verdict = 'won'",
    censored="verdict = 'refund'", matures_after=10 * DAY,
)  # fmt: skip
REVIEWS = Label(
    source="reviews", on="payment", fraud="says = 'fraud'", not_fraud="says = 'fine'", confidence="sure",
    typology="kind", matures_after=2 * DAY, silence_acquits=False,
)  # fmt: skip
APPEALS = Label(
    source="appeals", on="payment", fraud="says = 'upheld'", not_fraud="says = 'overturned'",
    supersedes={"reviews": "label_id"}, matures_after=DAY, silence_acquits=False,
)  # fmt: skip
ALL = (CHARGEBACKS, REVIEWS, APPEALS)
PAYMENTS = [f"p{number}" for number in range(40)]
SAYS = {
    "chargebacks": ("fraud", "fraud", "won", "refund", "quarrel"),
    "reviews": ("fraud", "fine", "no idea"),
    "appeals": ("upheld", "overturned", "open"),
}
SCHEMA = (
    "id string, payment string, event_at timestamp, known_at timestamp, says string, sure double, kind string, "
    "label_id string, revision string"
)


@dataclass(frozen=True)
class Told:
    """An event of one of the logs; a revision has the id of the event it means."""

    log: str
    id: str
    payment: str | None
    known_at: datetime
    says: str
    sure: float | None = None
    review: str | None = None
    revision: str | None = None

    @property
    def verdict(self) -> Verdict | None:
        return {
            "fraud": Verdict.FRAUD, "upheld": Verdict.FRAUD, "won": Verdict.NOT_FRAUD, "fine": Verdict.NOT_FRAUD,
            "overturned": Verdict.NOT_FRAUD, "refund": Verdict.CENSORED,
        }.get(self.says)  # fmt: skip


def sources(spark: SparkSession, told: Sequence[Told]) -> dict[str, Source]:
    found = {}
    for log in SAYS:
        rows = [
            (one.id, one.payment, START, one.known_at, one.says, one.sure, "ring", one.review, one.revision)
            for one in told
            if one.log == log
        ]
        frame = spark.createDataFrame(rows, SCHEMA)
        # Only the chargebacks can be taken back and corrected; their columns are called as those of label events are.
        named = frame.withColumnsRenamed({"says": "verdict", "payment": "row", "label_id": "withdrawn_at"})
        found[log] = Source(named if log == "chargebacks" else frame.drop("revision"), ("id",))
    return found


def drawn(seed: int, number: int = 160) -> list[Told]:
    """Few payments and few instants, so that labels meet, contradict each other and replace each other."""
    draw = random.Random(seed)

    def instant() -> datetime:
        return START + draw.randrange(40) * 12 * HOUR

    told: list[Told] = []
    for n in range(number):
        log = draw.choice(list(SAYS))
        payment = draw.choice([*PAYMENTS, None]) if draw.random() < 0.5 else draw.choice(PAYMENTS[:6])
        sure = draw.choice([None, 0.5, 0.8]) if log == "reviews" else None
        reviewed = [one for one in told if one.log == "reviews" and one.payment == payment]
        review = draw.choice(reviewed).id if log == "appeals" and reviewed else None
        told.append(Told(log, f"{log}-{n}", payment, instant(), draw.choice(SAYS[log]), sure, review))
    for one in [one for one in told if one.log == "chargebacks"]:
        for _ in range(draw.choice([0, 0, 1, 2])):
            kind = draw.choice([CORRECTION, RETRACTION])
            said = draw.choice(SAYS["chargebacks"])
            told.append(replace(one, known_at=instant(), says=said, revision=kind))
    if draw.random() < 0.5:
        told.append(Told("chargebacks", "never came", "p0", instant(), "fraud", revision=CORRECTION))
    draw.shuffle(told)
    return told


def in_effect(told: Sequence[Told], log: str, before: datetime) -> list[tuple[datetime, Told]]:
    """What stands of a log before an instant, revisions heeded, with since when."""
    found: list[tuple[datetime, Told]] = []
    for name in {one.id for one in told if one.log == log}:
        rows = [one for one in told if (one.log, one.id) == (log, name)]
        first = next((one for one in rows if one.revision is None), None)
        if first is None or first.known_at >= before:
            continue
        standing, since = first, first.known_at
        revisions = [one for one in rows if one.revision is not None and one.known_at < before]
        for one in sorted(revisions, key=lambda one: (one.known_at, one.revision == RETRACTION, one.says)):
            standing, since = one, max(one.known_at, first.known_at)
        if standing.revision != RETRACTION:
            found.append((since, standing))
    return found


def once_in_effect(told: Sequence[Told], log: str, before: datetime) -> list[tuple[datetime, Told]]:
    """Everything of a log that stood at some moment before an instant."""
    moments = sorted({one.known_at for one in told if one.known_at < before})
    ever = [pair for moment in moments for pair in in_effect(told, log, moment + timedelta(microseconds=1))]
    return list(dict.fromkeys(ever))


def standing(told: Sequence[Told], payment: str, before: datetime) -> list[tuple[datetime, Told]]:
    appeals = [one for _, one in once_in_effect(told, "appeals", before) if one.verdict and one.review]
    replaced = {(one.review, one.payment) for one in appeals}
    return [
        (since, one)
        for log in SAYS
        for since, one in in_effect(told, log, before)
        if one.payment == payment
        and one.verdict is not None
        and not (log == "reviews" and (one.id, one.payment) in replaced)
    ]


@dataclass(frozen=True)
class Known:
    """What is known of a payment."""

    verdict: str | None
    state: str
    confidence: float
    since: datetime | None


def brute(told: Sequence[Told], payment: str, as_of: datetime, before: datetime) -> Known:
    told = [one for one in told if one.payment == payment]
    stands = standing(told, payment, before)
    answers = []
    for log in SAYS:
        of_log = [(since, one.sure or 1.0, one.verdict) for since, one in stands if one.log == log]
        if of_log:
            newest = max((since, sure) for since, sure, _ in of_log)
            said = {v for since, sure, v in of_log if (since, sure) == newest}
            answers.append(said.pop() if len(said) == 1 else Verdict.CONTRADICTED)
    order = Verdict.FRAUD, Verdict.CONTRADICTED, Verdict.NOT_FRAUD, Verdict.CENSORED
    found = next((one for one in order if one in answers), None)
    moments = [one.known_at + timedelta(microseconds=1) for one in told if one.known_at < before]
    accused = any(
        one.verdict is Verdict.FRAUD for moment in moments for _, one in standing(told, payment, moment)
    )
    final: Verdict | None = found
    if found in {Verdict.CONTRADICTED, Verdict.CENSORED}:
        final = None
    elif found is None and as_of < before - 10 * DAY:
        final = Verdict.NOT_FRAUD
    name = "matured" if final else str(found or "open")
    if final is Verdict.NOT_FRAUD and accused:
        name = "overturned"
    agreeing = [one.sure or 1.0 for _, one in stands if one.verdict is final]
    since = min((since for since, one in stands if one.verdict is Verdict.FRAUD), default=None)
    return Known(
        final and str(final), name, max(agreeing, default=1.0), since if final is Verdict.FRAUD else None
    )


def known_of(
    spark: SparkSession, told: Sequence[Told], made_for: datetime, before: datetime
) -> dict[str, Known]:
    """What the engine says before an instant, by an array that was made for that one or a later one."""
    labels = labels_of_rows(label_events(ALL, sources(spark, told)), made_for)
    instants = [(payment, START + n * DAY / 2) for n, payment in enumerate(PAYMENTS)]
    rows = spark.createDataFrame(instants, "row string, as_of timestamp").join(labels, on="row", how="left")
    arguments = F.col(LABELS), F.col("as_of"), ALL, F.lit(before)
    found = rows.select(
        "row",
        verdict(*arguments).alias("verdict"),
        state(*arguments).alias("state"),
        confidence(F.col(LABELS), verdict(*arguments), F.lit(before)).alias("confidence"),
        fraud_since(F.col(LABELS), ALL, F.lit(before)).alias("since"),
    ).collect()
    return {
        one["row"]: Known(
            one["verdict"], one["state"], one["confidence"], one["since"] and one["since"].replace(tzinfo=UTC)
        )
        for one in found
    }


@pytest.mark.parametrize("seed", range(2))
def test_verdicts_and_states_are_those_of_brute_force(spark: SparkSession, seed: int) -> None:
    told = drawn(seed)
    draw = random.Random(seed)
    before = START + draw.randrange(8, 21) * DAY
    expected = {
        payment: brute(told, payment, START + n * DAY / 2, before) for n, payment in enumerate(PAYMENTS)
    }
    assert known_of(spark, told, before, before) == expected
    # A frame made for a later instant answers for this one, and what came later changes nothing.
    assert known_of(spark, told, START + 25 * DAY, before) == expected
    past = [one for one in told if one.known_at < before]
    assert known_of(spark, past, before, before) == expected


def test_the_random_labels_reach_every_state() -> None:
    found = [
        brute(drawn(seed), payment, START + n * DAY / 2, START + day * DAY)
        for seed in range(2)
        for day in (8, 14, 20)
        for n, payment in enumerate(PAYMENTS)
    ]
    assert {known.state for known in found} == {"matured", "overturned", "open", "censored", "contradicted"}
    assert {known.confidence for known in found} == {0.5, 0.8, 1.0}


def rebuilt(spark: SparkSession, told: Sequence[Told], as_of: datetime) -> list[object]:
    """A training set's labels, as text."""
    rows: DataFrame = labels_of_rows(label_events(ALL, sources(spark, told)), as_of)
    return sorted(row["text"] for row in rows.select(F.to_json(F.struct("*")).alias("text")).collect())


def test_what_is_told_later_leaves_no_trace_in_the_labels_of_an_instant(spark: SparkSession) -> None:
    told = [
        Told("chargebacks", "c1", "p1", START + DAY, "fraud"),
        Told("reviews", "r1", "p2", START + DAY, "fraud", sure=0.8),
    ]
    later = [
        Told("chargebacks", "c1", "p1", START + 5 * DAY, "fraud", revision=RETRACTION),
        Told("appeals", "a1", "p2", START + 5 * DAY, "overturned", review="r1"),
        Told("chargebacks", "c2", "p3", START + 5 * DAY, "fraud"),
    ]
    as_of = START + 5 * DAY
    assert rebuilt(spark, told, as_of) == rebuilt(spark, told + later, as_of)
    after = as_of + timedelta(microseconds=1)
    assert rebuilt(spark, told, after) != rebuilt(spark, told + later, after)


def test_label_events_have_one_shape(spark: SparkSession) -> None:
    told = [
        Told("reviews", "r1", "p1", START + DAY, "fraud", sure=0.8),
        Told("reviews", "r2", "p1", START + 2 * DAY, "no idea"),
        Told("reviews", "r3", None, START + 2 * DAY, "fraud"),
        Told("appeals", "a1", "p1", START + 3 * DAY, "open", review="r1"),
        Told("appeals", "a2", "p1", START + 4 * DAY, "overturned", review="r1"),
        Told("appeals", "a3", "p9", START + 2 * DAY, "overturned", review="r1"),
    ]
    events = label_events((REVIEWS, APPEALS), sources(spark, told))
    assert tuple(events.columns) == COLUMNS
    found = {row["label_id"]: row for row in events.collect()}
    assert found.keys() == {"r1", "a2", "a3"}
    first = found["r1"]
    assert (first["source"], first["verdict"], first["typology"], first["confidence"]) == (
        "reviews", "fraud", "ring", 0.8,
    )  # fmt: skip
    # An open appeal replaces nothing, nor does one that names another row.
    assert first["withdrawn_at"].replace(tzinfo=UTC) == START + 4 * DAY
    assert found["a2"]["withdrawn_at"] is None
    assert label_events((REVIEWS,), sources(spark, [])).count() == 0
