"""The last change known of an entity, against brute force in plain Python; every type comes back as it is."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.declare import (
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Lookup,
    Spine,
    Window,
    count,
    days,
    expression,
    hours,
)
from features.source import Source
from features.view import build_view, view_states
from features.windows.state import State
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PAYER, PAIR = Entity("payer", key="payer_id"), Entity("pair", key=("payer_id", "payee_id"))
DAYTIME = hours(20)
COLUMNS: list[str | Expression] = [
    "kyc_level",
    "is_verified",
    "cap",
    expression("is_closed", "status = 'closed'"),
]
SCHEMA = (
    "id string, user_id string, payee_id string, lsn long, op string, event_at timestamp, known_at timestamp, "
    "kyc_level long, is_verified boolean, cap decimal(18,4), status string, opened_at timestamp"
)
PROBE = "probe_id string, payer_id string, payee_id string, as_of timestamp"


@dataclass(frozen=True)
class Change:
    """One row of the change log."""

    id: str
    user_id: str | None
    payee_id: str | None
    lsn: int | None
    op: str
    event_at: datetime
    known_at: datetime
    kyc_level: int | None
    is_verified: bool | None
    cap: Decimal | None
    status: str | None
    opened_at: datetime | None


def view_of(
    *,
    order_by: str | None = "lsn",
    stale_after: Window | None = DAYTIME,
    spread: int = 1,
    entity: Entity = PAYER,
    source_key: tuple[str, ...] = ("user_id",),
    columns: Sequence[str | Expression] = COLUMNS,
    groups: Sequence[FeatureGroup] = (),
) -> FeatureView:
    lookup = Lookup(
        entity=entity, source="users", source_key=source_key, columns=columns, context=["status", "opened_at"],
        order_by=order_by, deleted="op = 'D'", stale_after=stale_after, spread=spread,
    )  # fmt: skip
    return FeatureView(
        name="v", spine=Spine(source="payments", row="probe_id"), groups=groups, lookups=[lookup]
    )


def random_changes(dice: random.Random, size: int) -> list[Change]:
    """Whole minutes, so that ties are common; numbers that repeat, run backwards and are missing."""
    changes = []
    for number in range(size):
        at = NOON + timedelta(minutes=dice.randrange(3000))
        changes.append(
            Change(
                id=f"u{number:03d}",
                user_id=dice.choice(["a", "b", "c", None]),
                payee_id=dice.choice(["x", "y", None]),
                lsn=dice.choice([None, *range(60)]),
                op=dice.choice("IUUUD"),
                event_at=at,
                known_at=at + timedelta(minutes=dice.choice([0, 0, -3, 7, 700])),
                kyc_level=dice.choice([None, 0, 1, 2]),
                is_verified=dice.choice([None, True, False]),
                cap=dice.choice([None, Decimal(dice.randrange(10**9)) / 10**4]),
                status=dice.choice([None, "active", "closed"]),
                opened_at=dice.choice([None, at - timedelta(microseconds=dice.randrange(10**9))]),
            )
        )
    return changes


def last_known(
    changes: Sequence[Change], as_of: datetime, order_by: str | None, stale_after: timedelta | None
) -> tuple[object, ...]:
    """The rule, word for word: values, context, age in hours."""

    def place(change: Change) -> tuple[object, ...]:
        lsn = -1 if change.lsn is None else change.lsn
        return ((lsn,) if order_by else ()) + (change.event_at, change.id)

    seen = [change for change in changes if change.event_at < as_of and change.known_at < as_of]
    if not seen:
        return (None,) * 7
    last = max(seen, key=place)
    age = as_of - last.event_at
    hours_ago = age / timedelta(microseconds=1) / 3_600_000_000
    if last.op == "D" or (stale_after is not None and age > stale_after):
        return (*(None,) * 6, hours_ago)
    is_closed = None if last.status is None else last.status == "closed"
    return last.kyc_level, last.is_verified, last.cap, is_closed, last.status, last.opened_at, hours_ago


def found(
    spark: SparkSession,
    view: FeatureView,
    changes: Sequence[Change],
    probes: Sequence[tuple[object, ...]],
    states_at: Sequence[datetime] = (),
) -> dict[str, tuple[object, ...]]:
    """What the look-up says for each probe, in the order of ``last_known``.

    Args:
        states_at: instants before all probes; what was known by then is found in a state that was carried over them.
    """
    sources = {"users": Source(spark.createDataFrame([astuple(one) for one in changes], SCHEMA), ("id",))}
    states: dict[str, State] = {}
    for at in states_at:
        states = view_states(view, sources, int(at.timestamp() * 1_000_000), states)
    if states_at:
        # What the state stands for is not there to be read.
        later = sources["users"].rows.where(
            (F.col("event_at") > states_at[-1]) | (F.col("known_at") > states_at[-1])
        )
        assert 0 < later.count() < len(changes)
        sources = {"users": Source(later, ("id",))}
    rows = build_view(view, spark.createDataFrame(probes, PROBE), sources, states=states).collect()
    assert len(rows) == len(probes)
    (lookup,) = view.lookups
    names = [*(one.name for one in lookup.picked), lookup.age]
    return {row["probe_id"]: tuple(_aware(row[name]) for name in names) for row in rows}


def _aware(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def random_probes(dice: random.Random, size: int) -> list[tuple[str, str | None, str | None, datetime]]:
    return [
        (
            str(number),
            dice.choice(["a", "b", "c", "nobody", None]),
            dice.choice(["x", "y", None]),
            NOON + timedelta(minutes=dice.randrange(4500)),
        )
        for number in range(size)
    ]


STATES_AT = [NOON + timedelta(minutes=700), NOON + timedelta(minutes=1500)]


@pytest.mark.parametrize("states_at", [(), STATES_AT], ids=["rows", "state"])
@pytest.mark.parametrize(
    ("seed", "order_by", "stale_after", "spread"),
    [(1, "lsn", hours(20), 1), (2, None, hours(20), 5), (3, "lsn", None, 5)],
)
def test_look_ups_equal_brute_force(
    spark: SparkSession,
    seed: int,
    order_by: str | None,
    stale_after: Window | None,
    spread: int,
    states_at: Sequence[datetime],
) -> None:
    dice = random.Random(seed)
    changes, probes = random_changes(dice, 150), random_probes(dice, 250)
    probes = [probe for probe in probes if not states_at or probe[-1] > states_at[-1]]
    view = view_of(order_by=order_by, stale_after=stale_after, spread=spread)
    limit = None if stale_after is None else timedelta(hours=20)
    cells = found(spark, view, changes, probes, states_at)
    for probe, payer, _, as_of in probes:
        theirs = [change for change in changes if payer is not None and change.user_id == payer]
        assert cells[probe] == last_known(theirs, as_of, order_by, limit), (probe, payer, as_of)


@pytest.mark.parametrize("states_at", [(), STATES_AT], ids=["rows", "state"])
def test_a_pair_is_looked_up_by_both_of_its_keys(spark: SparkSession, states_at: Sequence[datetime]) -> None:
    dice = random.Random(4)
    changes, probes = random_changes(dice, 150), random_probes(dice, 150)
    probes = [probe for probe in probes if not states_at or probe[-1] > states_at[-1]]
    view = view_of(entity=PAIR, source_key=("user_id", "payee_id"), stale_after=None)
    cells = found(spark, view, changes, probes, states_at)
    for probe, payer, payee, as_of in probes:
        theirs = [one for one in changes if (one.user_id, one.payee_id) == (payer, payee)]
        expected = last_known([] if None in {payer, payee} else theirs, as_of, "lsn", None)
        assert cells[probe] == expected, (probe, payer, payee, as_of)


def test_neither_the_order_of_rows_nor_the_future_changes_a_look_up(spark: SparkSession) -> None:
    dice = random.Random(5)
    changes, probes = random_changes(dice, 80), random_probes(dice, 100)
    latest = max(as_of for *_, as_of in probes)
    before = found(spark, view_of(), changes, probes)
    late = [replace(one, id=f"late{n}", lsn=10**9, known_at=latest) for n, one in enumerate(changes)]
    early = [
        replace(one, id=f"early{n}", lsn=10**9, event_at=latest, known_at=NOON)
        for n, one in enumerate(changes)
    ]
    more = [*changes, *late, *early]
    dice.shuffle(more)
    assert found(spark, view_of(), more, probes[::-1]) == before


def change(name: str, lsn: int, at: datetime, known: datetime | None = None, *, op: str = "U") -> Change:
    return Change(name, "a", None, lsn, op, at, known or at, lsn, True, Decimal(lsn), "active", at)


# What happened to a payer, and the level and the age that are known of it at noon.
CASES: dict[str, tuple[list[Change], int | None, float | None]] = {
    "never": ([], None, None),
    "same instant": ([change("u1", 1, NOON)], None, None),
    "known at the instant": ([change("u1", 1, NOON - HOUR, NOON)], None, None),
    "known just before": ([change("u1", 1, NOON - HOUR, NOON - timedelta(microseconds=1))], 1, 1.0),
    "as old as allowed": ([change("u1", 1, NOON - 20 * HOUR)], 1, 20.0),
    "stale": ([change("u1", 1, NOON - 20 * HOUR - 36 * MINUTE)], None, 20.6),
    "deleted": ([change("u1", 1, NOON - 2 * HOUR), change("u2", 2, NOON - HOUR, op="D")], None, 1.0),
    "back again": ([change("u1", 2, NOON - HOUR, op="D"), change("u2", 3, NOON - 2 * HOUR)], 3, 2.0),
    "by number, not by time": ([change("u1", 9, NOON - 3 * HOUR), change("u2", 8, NOON - HOUR)], 9, 3.0),
    "one number twice": ([change("u1", 9, NOON - 3 * HOUR), change("u2", 9, NOON - HOUR)], 9, 1.0),
}


def test_the_last_change_is_the_one_that_can_be_told_by_hand(spark: SparkSession) -> None:
    changes = [replace(one, user_id=name) for name, (told, _, _) in CASES.items() for one in told]
    cells = found(spark, view_of(), changes, [(name, name, None, NOON) for name in CASES])
    levels_and_ages = {name: (cell[0], cell[-1]) for name, cell in cells.items()}
    assert levels_and_ages == {name: (level, age) for name, (_, level, age) in CASES.items()}


@pytest.fixture
def payments(spark: SparkSession) -> DataFrame:
    """Three payments, of a size that Spark knows."""
    noon = f"timestamp '{NOON.isoformat()}'"
    return spark.range(3).selectExpr(
        "cast(id AS string) AS probe_id", "concat('c', id % 2) AS payer_id", "concat('d', id) AS payee_id",
        f"{noon} AS as_of", f"{noon} AS event_at", f"{noon} AS known_at", "id AS lsn", "id AS kyc_level",
        "'active' AS status", "cast(id AS string) AS user_id",
    )  # fmt: skip


def test_every_type_stays_and_the_table_has_features_after_context(payments: DataFrame) -> None:
    lookup = Lookup(entity=PAYER, source="users", columns=["kyc_level"], context=["status", "event_at"])
    view = FeatureView(
        name="v", spine=Spine(source="payments", row="probe_id"), groups=[], lookups=[lookup],
        derived=[expression("is_active", "payer_status = 'active'")],
    )  # fmt: skip
    built = build_view(
        view, payments.select("probe_id", "payer_id", "as_of"), {"users": Source(payments, ("lsn",))}
    )
    assert built.dtypes == [
        ("as_of", "timestamp"), ("probe_id", "string"), ("payer_id", "string"), ("payer_status", "string"),
        ("payer_event_at", "timestamp"), ("has_payer", "boolean"), ("payer_kyc_level", "bigint"),
        ("payer_users_age_hours", "double"), ("is_active", "boolean"), ("definition_hash", "string"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lookups", "groups", "exchanges"),
    [
        ([PAYER], [], 1),
        ([PAYER, PAYER], [], 1),
        ([PAYER, PAIR], [], 2),
        ([PAYER], [PAYER], 2),
    ],
    ids=["one", "two of one entity", "of two entities", "beside windows"],
)
def test_an_entity_that_is_looked_up_costs_one_exchange(
    payments: DataFrame,
    capsys: pytest.CaptureFixture[str],
    lookups: list[Entity],
    groups: list[Entity],
    exchanges: int,
) -> None:
    view = FeatureView(
        name="v",
        spine=Spine(source="payments", row="probe_id"),
        groups=[
            FeatureGroup(entity=entity, source="payments", windows=[days(1)], measures=[count("n")])
            for entity in groups
        ],
        lookups=[
            Lookup(
                entity=entity,
                source=f"users_{number}",
                columns=[expression(f"level_{number}", "kyc_level")],
                order_by="lsn",
            )
            for number, entity in enumerate(lookups)
        ],
    )
    source = Source(payments, ("probe_id",))
    spine = payments.select("probe_id", "payer_id", "payee_id", "as_of")
    frame = build_view(view, spine, {"payments": source, "users_0": source, "users_1": source})
    assert frame.count() == 3
    frame.explain()
    plan = capsys.readouterr().out
    assert len(re.findall(r"\bExchange (?:hash|range|Round|Single)", plan)) == exchanges, plan


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        (
            ["status"],
            "*",
            "view v: payer_status is string; models read numbers and truths: keep it as context, or make a feature",
        ),
        (["event_at"], "*", "view v: payer_event_at is timestamp; models read numbers and truths"),
        (
            ["kyc_level"],
            "* except (known_at)",
            "look-up of payer in users: there is no known_at; there are probe_id, payer_id",
        ),
        (
            ["kyc_level"],
            "* except (payer_id), 1 AS payer_id",
            "look-up of payer in users: payer_id is int, the spine's payer_id is string; give the key of payer one",
        ),
        (
            ["kyc_level"],
            "*, cast(null AS string) AS revision",
            "look-up of payer in users: its rows can be taken back, and a look-up reads changes that are only added",
        ),
    ],
    ids=["text", "instant", "no time", "key", "revised"],
)
def test_what_cannot_be_looked_up_is_refused_with_its_line(
    payments: DataFrame, columns: list[str], rows: str, told: str
) -> None:
    view = FeatureView(
        name="v",
        spine=Spine(source="payments", row="probe_id"),
        groups=[],
        lookups=[Lookup(entity=PAYER, source="users", columns=columns)],
    )
    users = Source(payments.selectExpr(*rows.split(", ")), ("lsn",))
    with pytest.raises(SchemaError, match=rf"{re.escape(__file__)}:\d+: {re.escape(told)}"):
        build_view(view, payments.select("probe_id", "payer_id", "as_of"), {"users": users})
