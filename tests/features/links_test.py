"""Bad accounts on a shared device, as they were known at the time, against brute force in plain Python."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.check import mistakes
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Spine,
    count,
    days,
    distinct,
    is_new,
)
from features.source import Source
from features.view import build_view, view_states, with_rereads
from features.windows.state import State
from lake.contracts import CORRECTION, RETRACTION

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAD = Link(source="disputes", on="payer_id", through="logins", through_on="account_id")
LOGINS = (
    "login_id int, account_id string, device_id string, counter int, event_at timestamp, known_at timestamp"
)
DEVICE = Entity("device", key="device_id")
VIEW = FeatureView(
    name="linked",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=DEVICE, source=BAD, windows=[days(1), LIFETIME], where="reason = 'fraud'",
            measures=[distinct("payer_id", name="bad_payers"), count("disputes")],
        ),
        FeatureGroup(
            entity=DEVICE, source="logins", windows=[LIFETIME], measures=[distinct("account_id", name="accounts")]
        ),
        FeatureGroup(
            entity=Entity("counter", key=("device_id", "counter")), source=BAD, windows=[LIFETIME],
            where="reason = 'fraud'", measures=[count("disputes")],
        ),
        FeatureGroup(
            entity=Entity("payer_device", key=("payer_id", "device_id")), source="logins",
            source_key=("account_id", "device_id"), windows=[LIFETIME], measures=[is_new("is_new")],
        ),
    ],
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    """An account on a device, at one of its counters."""

    login_id: int
    account_id: str | None
    device_id: str | None
    event_at: datetime
    known_at: datetime

    @property
    def counter(self) -> int:
        return self.login_id % 11 - 3

    @property
    def start(self) -> datetime:
        return max(self.event_at, self.known_at)


@dataclass(frozen=True)
class Dispute:
    """A verdict on an account; ``retracted_at`` where it was overturned."""

    dispute_id: int
    payer_id: str
    reason: str
    event_at: datetime
    known_at: datetime
    retracted_at: datetime | None


def history(dice: random.Random) -> tuple[list[Login], list[Dispute]]:
    def moment() -> datetime:
        return NOON + timedelta(minutes=dice.randrange(3000))

    logins, disputes = [], []
    for number in range(150):
        at = moment()
        account, device = dice.choice([*"abcdefgh", None]), dice.choice(["x", "y", "z", None])
        logins.append(Login(number, account, device, at, at + timedelta(minutes=dice.choice([0, 0, 400]))))
    for number in range(40):
        at = moment()
        told = at + timedelta(minutes=dice.choice([0, 60, 900]))
        gone = told + timedelta(minutes=dice.randrange(1, 900)) if dice.random() < 0.3 else None
        disputes.append(
            Dispute(number, dice.choice("abcdefgh"), dice.choice(["fraud", "quality"]), at, told, gone)
        )
    return logins, disputes


def linked_then(
    logins: list[Login], disputes: list[Dispute], device: str, at: datetime, counter: int | None = None
) -> dict[int, datetime]:
    """The fraud disputes known of a device, or of one of its counters, with when each came to count as its event."""
    found = {}
    for dispute in disputes:
        links = [
            one.start
            for one in logins
            if (one.account_id, one.device_id) == (dispute.payer_id, device)
            and counter in {None, one.counter}
        ]
        if dispute.reason != "fraud" or not links:
            continue
        begin = max(dispute.known_at, dispute.event_at, min(links))
        overturned = dispute.retracted_at is not None and max(dispute.retracted_at, begin) < at
        if begin < at and not overturned:
            found[dispute.dispute_id] = max(dispute.event_at, min(links))
    return found


def expected(
    logins: list[Login], disputes: list[Dispute], payer: str, place: tuple[str, int], at: datetime
) -> dict[str, object]:
    device, counter = place
    held = linked_then(logins, disputes, device, at)
    payers = {dispute.dispute_id: dispute.payer_id for dispute in disputes}
    day = [number for number, when in held.items() if when >= at - timedelta(days=1)]
    seen = [one for one in logins if one.device_id == device and one.start < at]
    return {
        "device_bad_payers_1d": len({payers[number] for number in day}),
        "device_bad_payers_lifetime": len({payers[number] for number in held}),
        "device_disputes_1d": len(day),
        "device_disputes_lifetime": len(held),
        "counter_disputes_lifetime": len(linked_then(logins, disputes, device, at, counter)),
        "device_accounts_lifetime": len({one.account_id for one in seen if one.account_id is not None}),
        "payer_device_is_new_lifetime": payer not in {one.account_id for one in seen},
    }


@pytest.mark.parametrize(("seed", "states_at"), [(1, []), (2, []), (3, [500, 1700])])
def test_bad_accounts_of_a_device_equal_brute_force(
    spark: SparkSession, seed: int, states_at: list[int]
) -> None:
    dice = random.Random(seed)
    logins, disputes = history(dice)
    probes = [
        (
            str(n),
            dice.choice("abcd"),
            dice.choice("xyzw"),
            dice.randrange(-3, 8),
            NOON + timedelta(minutes=dice.randrange(3600)),
        )
        for n in range(120)
    ]
    told = [(d.dispute_id, d.payer_id, d.reason, d.event_at, d.known_at, None) for d in disputes]
    overturned = [
        (d.dispute_id, d.payer_id, None, d.event_at, d.retracted_at, RETRACTION)
        for d in disputes
        if d.retracted_at
    ]
    sources = {
        "logins": Source(
            spark.createDataFrame(
                [(d.login_id, d.account_id, d.device_id, d.counter, d.event_at, d.known_at) for d in logins],
                LOGINS,
            ),
            ("login_id",),
        ),
        "disputes": Source(
            spark.createDataFrame(
                told + overturned,
                "dispute_id int, payer_id string, reason string, event_at timestamp, known_at timestamp, "
                "revision string",
            ),
            ("dispute_id",),
        ),
    }
    spine = spark.createDataFrame(
        probes, "probe_id string, payer_id string, device_id string, counter int, as_of timestamp"
    )
    states: dict[str, State] = {}
    for after_noon in states_at:
        until = NOON + timedelta(minutes=after_noon)
        states = view_states(VIEW, sources, int(until.timestamp() * 1_000_000), states)
    if states:
        probes = [probe for probe in probes if probe[4] > until]
        spine = spine.where(F.col("as_of") > F.lit(until))
        assert states["device"].links(1).rows.count() > 5
        assert states["counter"].links(1).rows.count() > 20
    found = build_view(VIEW, spine, sources, states=with_rereads(VIEW, sources, states))
    built = {row["probe_id"]: row for row in found.collect()}
    assert len(built) == len(probes) > 40
    for probe, payer, device, counter, at in probes:
        for name, cell in expected(logins, disputes, payer, (device, counter), at).items():
            assert built[probe][name] == cell, (probe, payer, device, counter, at, name)


def test_a_link_that_comes_late_keeps_the_order_in_which_revisions_were_told(spark: SparkSession) -> None:
    def minutes_ago(count: int) -> datetime:
        return NOON - timedelta(minutes=count)

    disputes = [
        (1, "a", "fraud", minutes_ago(60), minutes_ago(50), None),
        (1, "a", None, minutes_ago(60), minutes_ago(40), RETRACTION),
        (1, "a", "fraud", minutes_ago(60), minutes_ago(30), CORRECTION),
    ]
    sources = {
        "logins": Source(
            spark.createDataFrame(
                [(1, "a", "x", 1, minutes_ago(10), minutes_ago(10))],
                LOGINS,
            ),
            ("login_id",),
        ),
        "disputes": Source(
            spark.createDataFrame(
                disputes,
                "dispute_id int, payer_id string, reason string, event_at timestamp, known_at timestamp, "
                "revision string",
            ),
            ("dispute_id",),
        ),
    }
    spine = spark.createDataFrame(
        [("p", "a", "x", 1, NOON)],
        "probe_id string, payer_id string, device_id string, counter int, as_of timestamp",
    )
    (row,) = build_view(VIEW, spine, sources).collect()
    assert row["device_disputes_lifetime"] == 1


def test_mistakes_in_a_link_are_told() -> None:
    logs = {
        "payments": {"probe_id", "payer_id", "device_id", "counter"},
        "logins": {"login_id", "device_id", "counter"},
        "disputes": {"dispute_id", "payer_id"},
    }
    told = [mistake.split(": ", 1)[1] for mistake in mistakes(VIEW, logs)]
    assert "group of device: logins has no column account_id; it has counter, device_id, login_id" in told
    assert VIEW.sources == ("payments", "disputes", "logins")
