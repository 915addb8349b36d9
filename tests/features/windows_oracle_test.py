"""Every aggregate over random histories, against brute force in plain Python that reads the rule and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    Window,
    count,
    days,
    distinct,
    hours,
    hours_since_first,
    hours_since_last,
    largest,
    mean,
    minutes,
    share,
    smallest,
    total,
)
from features.view import build_view
from features.windows.kernel import whole_keys

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOWS = [minutes(5), hours(1), days(1), LIFETIME]
VIEW = FeatureView(
    name="random",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"),
            source="payments",
            windows=WINDOWS,
            measures=[
                count("n"),
                count("n_declined", where="is_declined"),
                total("amount"),
                mean("amount"),
                share("declined_share", of="is_declined"),
                smallest("amount"),
                largest("amount", where="is_declined", name="declined_max"),
                distinct("device"),
                hours_since_last("hours_since_last"),
                hours_since_first("hours_since_first"),
            ],
        )
    ],
)


@dataclass(frozen=True)
class Event:
    """One source row."""

    card_id: str | None
    event_at: datetime
    known_at: datetime
    retracted_at: datetime | None
    amount: Decimal | None
    is_declined: bool | None
    device: str | None


def random_events(dice: random.Random, size: int) -> list[Event]:
    """Whole minutes, so that ties are common."""
    events = []
    for _ in range(size):
        event_at = NOON + timedelta(minutes=dice.randrange(3000))
        known_at = event_at + timedelta(minutes=dice.choice([0, 0, 0, -3, 7, 700]))
        events.append(
            Event(
                card_id=dice.choice(["a", "b", "c", "d", None]),
                event_at=event_at,
                known_at=known_at,
                retracted_at=known_at + timedelta(minutes=dice.randrange(-5, 900))
                if dice.random() < 0.2
                else None,
                amount=Decimal(dice.randrange(-500, 9999)) / 100 if dice.random() < 0.9 else None,
                is_declined=dice.choice([True, False, None]),
                device=dice.choice(["x", "y", "z", None]),
            )
        )
    return events


def seen(events: list[Event], card: str | None, as_of: datetime, window: Window) -> list[Event]:
    """The rule, word for word."""
    return [
        e
        for e in events
        if e.card_id == card
        and e.event_at < as_of
        and (window.micros is None or e.event_at >= as_of - timedelta(microseconds=window.micros))
        and e.known_at < as_of
        and not (e.retracted_at is not None and e.retracted_at < as_of)
    ]


def answers(rows: list[Event], as_of: datetime) -> list[object]:
    amounts = [e.amount for e in rows if e.amount is not None]
    declined = [e.is_declined for e in rows if e.is_declined is not None]
    bad = [e.amount for e in rows if e.amount is not None and e.is_declined]
    times = [e.event_at for e in rows]

    def age(pick: Callable[[list[datetime]], datetime]) -> float | None:
        return (as_of - pick(times)) / timedelta(microseconds=1) / 3_600_000_000 if times else None

    return [
        len(rows),
        sum(1 for e in rows if e.is_declined),
        sum(amounts, Decimal(0)),
        int(sum(amounts) * 100) / (len(amounts) * 100) if amounts else None,
        sum(declined) / len(declined) if declined else None,
        min(amounts, default=None),
        max(bad, default=None),
        len({e.device for e in rows if e.device is not None}),
        age(max),
        age(min),
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_engine_equals_brute_force(spark: SparkSession, seed: int) -> None:
    dice = random.Random(seed)
    events = random_events(dice, 400)
    probes = [
        (str(n), dice.choice(["a", "b", "c", "e", None]), NOON + timedelta(minutes=dice.randrange(3600)))
        for n in range(300)
    ]
    source = spark.createDataFrame(
        [tuple(vars(e).values()) for e in events],
        "card_id string, event_at timestamp, known_at timestamp, retracted_at timestamp, amount decimal(18,2), "
        "is_declined boolean, device string",
    )
    spine = spark.createDataFrame(probes, "probe_id string, card_id string, as_of timestamp")
    built = {row["probe_id"]: row for row in build_view(VIEW, spine, {"payments": source}).collect()}
    assert len(built) == len(probes)
    for probe, card, as_of in probes:
        per_window = [answers(seen(events, card, as_of, window), as_of) for window in WINDOWS]
        expected = [
            None if card is None else cell for measure in zip(*per_window, strict=True) for cell in measure
        ]
        assert [built[probe][name] for name in VIEW.features] == expected, (probe, card, as_of)


@pytest.mark.parametrize("size", [1, 3, 39])
def test_keys_that_span_batches_stay_whole(size: int) -> None:
    keys = sorted(random.Random(7).choices("abcde", weights=[1, 50, 2, 20, 1], k=200))
    batches = pa.table({"key": keys}).to_batches(max_chunksize=size)
    chunks = [chunk["key"].to_pylist() for chunk in whole_keys(iter(batches), rows=10)]
    assert [key for chunk in chunks for key in chunk] == keys
    assert all(len({key for key in keys if key in chunk}) == len(set(chunk)) for chunk in chunks)
    assert not any(set(a) & set(b) for n, a in enumerate(chunks) for b in chunks[n + 1 :])
