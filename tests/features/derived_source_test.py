"""Sources written as SQL: the same features as from the events themselves, and no word of what comes later."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.began import micros_of
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Lookup,
    Spine,
    SqlSource,
    Window,
    burst,
    count,
    days,
    distinct,
    hours,
    latest,
    total,
)
from features.definition_hash import definition_hash
from features.derived_source import check_known_at, check_lookback, events_of
from features.explain import evidence
from features.source import Source
from features.view import build_view, view_states, with_rereads
from features.windows.state import State
from lake.errors import RefusedError, SchemaError
from tests.features.stored_states import stored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SETTLED = SqlSource(
    name="settled",
    sql="""
        SELECT p.payment_id, p.payer_id, p.amount, s.event_at, greatest(p.known_at, s.known_at) AS known_at
        FROM {payments} p JOIN {settlements} s USING (payment_id)
        WHERE p.amount > 0 AND '{{}}' <> ''
    """,
    key=["payment_id"],
)
PAYER = Entity("payer", key="payer_id")
PAYMENTS = "payment_id string, payer_id string, amount decimal(18,2), event_at timestamp, known_at timestamp"
SETTLEMENTS = "payment_id string, event_at timestamp, known_at timestamp"


def view_of(*groups: FeatureGroup, lookups: Sequence[Lookup] = ()) -> FeatureView:
    spine = Spine(source="payments", row="payment_id")
    return FeatureView(name="v", spine=spine, groups=groups, lookups=lookups)


def group_of(source: str | Link | SqlSource) -> FeatureGroup:
    return FeatureGroup(
        entity=PAYER, source=source, windows=[days(1), LIFETIME],
        measures=[count("n"), total("amount"), latest("amount"), distinct("payment_id")],
    )  # fmt: skip


@pytest.fixture
def sources(spark: SparkSession) -> dict[str, Source]:
    """Five payments; settled in time, late in both senses, never, and one of nothing."""
    payments = [
        (f"p{n}", "a", Decimal(n), NOON - 30 * HOUR, NOON - 30 * HOUR + HOUR * late)
        for n, late in enumerate([0, 0, 29, 0, 0])
    ]
    settlements = [
        ("p0", NOON - 9 * HOUR, NOON - 9 * HOUR),
        ("p1", NOON - 8 * HOUR, NOON - 8 * HOUR),
        ("p2", NOON - 7 * HOUR, NOON - 7 * HOUR),
        ("p3", NOON - 6 * HOUR, NOON + HOUR),
    ]
    return {
        "payments": Source(spark.createDataFrame(payments, PAYMENTS), ("payment_id",)),
        "settlements": Source(spark.createDataFrame(settlements, SETTLEMENTS), ("payment_id",)),
    }


def spine(spark: SparkSession, *instants: datetime) -> DataFrame:
    rows = [(str(n), "a", at) for n, at in enumerate(instants)]
    return spark.createDataFrame(rows, "payment_id string, payer_id string, as_of timestamp")


def test_a_row_counts_from_when_all_it_was_made_of_was_known(
    spark: SparkSession, sources: Mapping[str, Source]
) -> None:
    asked = spine(spark, NOON - 2 * HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 15 * HOUR)
    rows = build_view(view_of(group_of(SETTLED)), asked, sources).orderBy("payment_id").collect()
    found = [
        (row["payer_n_1d"], row["payer_amount_sum_lifetime"], row["payer_amount_last_1d"]) for row in rows
    ]
    assert found == [(1, 1, 1), (2, 3, 2), (2, 3, 2), (3, 6, 3), (3, 6, 3)]


def test_features_are_those_of_the_same_events_in_a_log(
    spark: SparkSession, sources: Mapping[str, Source]
) -> None:
    asked = spine(spark, *(NOON + n * HOUR for n in range(-9, 30, 3)))
    stored = {**sources, "settled": events_of(SETTLED, sources)}
    by_query = build_view(view_of(group_of(SETTLED)), asked, sources).drop("definition_hash")
    by_log = build_view(view_of(group_of("settled")), asked, stored).drop("definition_hash")
    assert sorted(by_query.collect()) == sorted(by_log.collect())


def test_links_look_ups_and_evidence_read_a_query_too(
    spark: SparkSession, sources: Mapping[str, Source]
) -> None:
    link = Link(source=SETTLED, on="payment_id", through="payments")
    view = view_of(group_of(link), lookups=[Lookup(entity=PAYER, source=SETTLED, columns=["amount"])])
    assert view.sources == ("payments", "settlements")
    asked = spine(spark, NOON + 2 * HOUR)
    (row,) = build_view(view, asked, sources).collect()
    assert (row["payer_n_lifetime"], row["payer_amount"], row["payer_settled_age_hours"]) == (
        3,
        Decimal(3),
        8.0,
    )
    shown = evidence(view_of(group_of(SETTLED)), "payer_n_1d", asked, sources)
    assert sorted(row["source_row"] for row in shown.where("verdict = 'counts'").collect()) == [
        "p1",
        "p2",
        "p3",
    ]


@pytest.mark.parametrize(
    ("sql", "key", "told"),
    [
        ("SELECT payment_id, event_at FROM {payments}", "payment_id", "gives no known_at; it gives payment_id, "),
        ("SELECT known_at, 1 AS id FROM {payments}", "id", "gives no event_at; it gives known_at, id; select them"),
        ("SELECT * FROM {payments}", "id", "gives no id; it gives payment_id, payer_id, amount, event_at, known_at;"),
        (
            "SELECT payment_id, event_at, to_date(known_at) AS known_at FROM {payments}", "payment_id",
            "gives known_at as date; it is an instant: make it a timestamp",
        ),
        ("SELECT prize FROM {payments}", "id", "cannot be understood: [UNRESOLVED_COLUMN"),
        ("SELEC * FROM {payments}", "id", "cannot be understood: [PARSE_SYNTAX_ERROR]"),
    ],
    ids=["known_at", "event_at", "key", "date", "column", "syntax"],
)  # fmt: skip
def test_a_query_that_gives_no_events_is_told_with_its_line(
    sources: Mapping[str, Source], sql: str, key: str, told: str
) -> None:
    query = SqlSource(name="q", sql=sql, key=[key])
    with pytest.raises(SchemaError, match=rf"^{re.escape(__file__)}:\d+: q {re.escape(told)}"):
        events_of(query, sources)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "SELECT p.*, s.event_at AS settled_at FROM {payments} p LEFT JOIN {settlements} s USING (payment_id)",
            "q no longer gives a row it says was known before 2026-03-01 12:00 UTC",
        ),
        (
            "SELECT p.payment_id, p.event_at, p.known_at FROM {payments} p JOIN {settlements} s USING (payment_id)",
            'later a row it says was known before 2026-03-01 12:00 UTC: {"payment_id":"p3"',
        ),
        (
            "SELECT p.*, count(*) OVER (PARTITION BY payer_id) AS n FROM {payments} p",
            "a row it says was known before",
        ),
    ],
    ids=["absence", "join", "count of all"],
)
def test_a_query_that_knows_too_early_is_refused(
    spark: SparkSession, sources: Mapping[str, Source], sql: str, told: str
) -> None:
    late = spark.createDataFrame(
        [("p9", "a", Decimal(9), NOON - HOUR, NOON + HOUR)], sources["payments"].rows.schema
    )
    known = {**sources, "payments": Source(sources["payments"].rows.unionByName(late), ("payment_id",))}
    query = SqlSource(name="q", sql=sql, key=["payment_id"])
    with pytest.raises(RefusedError) as caught:
        check_known_at(query, known, NOON)
    assert told in str(caught.value)
    assert "let known_at be the latest of all rows that a row is made of" in str(caught.value)


def test_a_query_that_knows_in_time_is_left_in_peace(sources: Mapping[str, Source]) -> None:
    check_known_at(SETTLED, sources, NOON)
    early = SqlSource(
        name="q",
        sql=SETTLED.sql.replace("greatest(p.known_at, s.known_at)", "p.known_at"),
        key=["payment_id"],
    )
    with pytest.raises(RefusedError):
        check_known_at(early, sources, NOON)
    check_known_at(early, sources, NOON + 2 * HOUR)


def looking_back(lookback: Window, sql: str = SETTLED.sql) -> SqlSource:
    return SqlSource(name="q", sql=sql, key=["payment_id"], lookback=lookback)


def test_a_query_that_looks_back_further_than_it_says_is_refused(sources: Mapping[str, Source]) -> None:
    # p1 was settled 22 hours after it was paid; p3 was known to be 31 hours after.
    check_lookback(looking_back(hours(31)), sources, micros_of(NOON))
    check_lookback(SETTLED, sources, micros_of(NOON))
    for lookback, since, row in ((hours(30), NOON, "p3"), (hours(8), NOON - 8 * HOUR - SECOND, "p1")):
        with pytest.raises(RefusedError) as caught:
            check_lookback(looking_back(lookback), sources, micros_of(since))
        told = f"q says it looks back {lookback.label}; were it to look back four times as far it gives only then "
        assert f'{told}{{"payment_id":"{row}"' in str(caught.value)
    never_settled = """
        SELECT p.payment_id, p.event_at + interval 29 hours AS event_at, p.known_at + interval 5 hours AS known_at
        FROM {payments} p LEFT ANTI JOIN {settlements} s USING (payment_id)
    """
    one = {
        name: Source(source.rows.where("payment_id = 'p1'"), source.key) for name, source in sources.items()
    }
    late = one["payments"].rows.withColumn("known_at", F.expr("event_at + interval 1 day"))
    one["payments"] = Source(late, ("payment_id",))
    with pytest.raises(RefusedError, match=r'it no longer gives {"payment_id":"p1"'):
        check_lookback(looking_back(hours(5), never_settled), one, micros_of(NOON - 2 * HOUR))


def test_of_a_query_with_a_lookback_a_build_finds_what_it_knows_too_early(
    sources: Mapping[str, Source],
) -> None:
    early = SETTLED.sql.replace("greatest(p.known_at, s.known_at)", "p.known_at")
    check_known_at(looking_back(hours(31)), sources, NOON)
    with pytest.raises(RefusedError):
        check_known_at(looking_back(hours(31), early), sources, NOON)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_a_lookback_a_state_stands_for_what_a_query_made_long_ago(
    spark: SparkSession, seed: int
) -> None:
    dice = random.Random(seed)
    payments, settlements = [], []
    for n in range(300):
        paid = NOON + timedelta(minutes=dice.randrange(12000))
        payments.append(
            (f"p{n}", dice.choice("abc"), Decimal(n), paid, paid + dice.choice([0, 0, 10]) * HOUR)
        )
        settled = paid + timedelta(minutes=dice.randrange(1200))
        settlements.append((f"p{n}", settled, settled + dice.choice([0, 0, 10]) * HOUR))
    query = looking_back(hours(30))
    view = view_of(
        group_of(query),
        FeatureGroup(
            entity=Entity("account", key="payer_id"), source=Link(source="payments", on="payment_id", through=query),
            windows=[days(1), LIFETIME], measures=[count("linked")],
        ),
        FeatureGroup(
            entity=PAYER, source=query, windows=[days(1), LIFETIME], measures=[burst("burst", span=hours(5))]
        ),
        lookups=[Lookup(entity=PAYER, source=query, columns=["amount"])],
    )  # fmt: skip
    probes = [
        (str(n), dice.choice("abcd"), NOON + timedelta(minutes=dice.randrange(9001, 13000)))
        for n in range(150)
    ]
    asked = spark.createDataFrame(probes, "payment_id string, payer_id string, as_of timestamp")
    sources = {
        "payments": Source(spark.createDataFrame(payments, PAYMENTS), ("payment_id",)),
        "settlements": Source(spark.createDataFrame(settlements, SETTLEMENTS), ("payment_id",)),
    }
    whole = build_view(view, asked, sources)
    states: dict[str, State] = {}
    for after_noon, before in ((5000, 0), (9000, 5000)):
        # What the lookback does not ask for is not there to be read; payments that are linked are, however old.
        since = NOON + timedelta(minutes=before) - 35 * HOUR
        left = {**sources, "settlements": begun_after(sources["settlements"], since)} if before else sources
        until = micros_of(NOON + timedelta(minutes=after_noon))
        states = stored(view_states(view, left, until, states))
    since = NOON + timedelta(minutes=9000) - 35 * HOUR - timedelta(days=1)
    left = {**sources, "settlements": begun_after(sources["settlements"], since)}
    assert left["settlements"].rows.count() < len(settlements) - 50
    found = build_view(view, asked, left, states=with_rereads(view, left, states))
    assert sorted(found.collect()) == sorted(whole.collect())
    assert whole.where("payer_n_lifetime > payer_n_1d AND account_linked_lifetime > 0").count() > 50


def begun_after(source: Source, since: datetime) -> Source:
    begun = (F.col("event_at") > F.lit(since)) | (F.col("known_at") > F.lit(since))
    return Source(source.rows.where(begun), source.key)


def test_a_row_without_its_times_is_no_event(sources: Mapping[str, Source]) -> None:
    query = SqlSource(
        name="q", key=["payment_id"],
        sql="SELECT payment_id, if(amount > 1, event_at, null) AS event_at, "
            "if(amount < 4, known_at, null) AS known_at FROM {payments}",
    )  # fmt: skip
    assert sorted(row["payment_id"] for row in events_of(query, sources).rows.collect()) == ["p2", "p3"]


def test_the_fingerprint_is_of_the_query_and_not_of_its_place() -> None:
    def of(sql: str) -> str:
        return definition_hash(view_of(group_of(SqlSource(name="q", sql=sql, key=["id"]))))

    assert of("SELECT * FROM {payments}") == of("SELECT * FROM {payments}")
    assert of("SELECT * FROM {payments}") != of("SELECT * FROM {settlements}")
    assert definition_hash(view_of(group_of("a"))) == definition_hash(view_of(group_of("a"), lookups=[]))
