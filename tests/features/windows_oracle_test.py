"""Every aggregate over random histories, against brute force in plain Python that reads the rule and nothing else."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
    approx_distinct,
    burst,
    count,
    days,
    decayed,
    distinct,
    earliest,
    entropy,
    hours,
    hours_since_first,
    hours_since_last,
    is_new,
    largest,
    latest,
    mean,
    minutes,
    share,
    smallest,
    std,
    total,
)
from features.source import Source
from features.view import build_view, hot_keys, view_states, with_rereads
from features.windows.block import whole_keys
from features.windows.state import State
from tests.features.stored_states import stored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOWS = [minutes(5), hours(1), days(1), LIFETIME]
SHORT = WINDOWS[:2]
CARD = Entity("card", key="card_id")
HALF_LIFE, SPAN, LONG_SPAN = minutes(30), minutes(40), hours(10)
VIEW = FeatureView(
    name="random",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=CARD,
            source="payments",
            windows=WINDOWS,
            measures=[
                count("n"),
                count("n_declined", where="is_declined"),
                total("amount"),
                mean("amount"),
                std("amount"),
                share("declined_share", of="is_declined"),
                smallest("amount"),
                largest("amount", where="is_declined", name="declined_max"),
                earliest("amount"),
                latest("amount", where="is_declined", name="declined_last"),
                distinct("device"),
                approx_distinct("device"),
                entropy("device"),
                hours_since_last("hours_since_last"),
                hours_since_first("hours_since_first"),
                is_new("is_new"),
                decayed("weight", half_life=HALF_LIFE),
                decayed("amount_weight", of="amount", half_life=HALF_LIFE),
            ],
        ),
        # In groups of their own, so that no other measure reads the rows that these need.
        FeatureGroup(
            entity=CARD, source="payments", windows=WINDOWS, measures=[burst("burst", span=LONG_SPAN)]
        ),
        FeatureGroup(
            entity=CARD, source="payments", windows=SHORT, measures=[burst("short_burst", span=SPAN)]
        ),
    ],
)
RARE = [f"rare {number}" for number in range(8)]  # no two of one slot, for the sketch is compared as well
CARDS = ["a", "b", "c", "d"]
MICROSECOND = timedelta(microseconds=1)
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
BATCH_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"


@dataclass(frozen=True)
class Event:
    """One source row: a payment, or a later word about one."""

    id: str
    card_id: str | None
    event_at: datetime
    known_at: datetime
    revision: str | None
    amount: Decimal | None
    is_declined: bool | None
    device: str | None


SCHEMA = (
    "id string, card_id string, event_at timestamp, known_at timestamp, revision string, amount decimal(18,2), "
    "is_declined boolean, device string"
)


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


def random_events(dice: random.Random, size: int, cards: Sequence[str] = CARDS) -> list[Event]:
    """Whole minutes, so that ties are common; a fifth is taken back or corrected, some of it too early."""
    events = []
    for number in range(size):
        event_at = NOON + timedelta(minutes=dice.randrange(3000))
        if dice.random() < 0.02:
            event_at = dice.choice([datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)])
        first = Event(
            id=f"e{number:04d}",
            card_id=dice.choice([*cards, None]),
            event_at=event_at,
            known_at=event_at + timedelta(minutes=dice.choice([0, 0, 0, -3, 7, 700, 2500])),
            revision=None,
            amount=Decimal(dice.randrange(-500, 9999)) / 100 if dice.random() < 0.9 else None,
            is_declined=dice.choice([True, False, None]),
            device=dice.choice(["x", "y", "z", None, *RARE]),
        )
        rows = [first]
        while dice.random() < 0.2:
            told = first.known_at + timedelta(minutes=dice.randrange(-5, 900))
            if dice.random() < 0.5:
                rows.append(Event(first.id, first.card_id, event_at, told, "retraction", None, None, None))
            else:
                moved = event_at + timedelta(minutes=dice.choice([0, 0, 5]))
                rows.append(
                    replace(
                        first,
                        known_at=told,
                        event_at=moved,
                        revision="correction",
                        amount=Decimal(dice.randrange(9999)) / 100,
                        is_declined=dice.choice([True, False]),
                    )
                )
        if dice.random() < 0.05:
            rows = rows[1:]  # the row itself never comes
        events += rows
    dice.shuffle(events)
    return events


def versions(events: Sequence[Event]) -> list[tuple[Event, datetime, datetime]]:
    """Each version of each row with the instants from and until which it counts: the rule, word for word."""
    found = []
    for row_id in {event.id for event in events}:
        of_row = [event for event in events if event.id == row_id]
        own = [event for event in of_row if event.revision is None]
        if not own:
            continue
        revisions = sorted(
            (event for event in of_row if event.revision is not None),
            key=lambda event: (event.known_at, event.revision == "retraction"),
        )
        ordered = own + revisions
        effective = [max(event.known_at, own[0].known_at) for event in ordered]
        ends = [*effective[1:], datetime.max.replace(tzinfo=UTC)]
        for event, start, end in zip(ordered, effective, ends, strict=True):
            begin = max(start, event.event_at)
            if event.revision != "retraction" and begin < end:
                found.append((event, begin, end))
    return found


class Card:
    """What is known of one card."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.versions = versions(events)
        self.heights = {span: self._heights(span) for span in (SPAN, LONG_SPAN)}

    def _heights(self, span: Window) -> list[tuple[datetime, int]]:
        return [
            (start, len(self.held(start + MICROSECOND, span)))
            for event, start, _ in self.versions
            if start < event.event_at + (span.micros or 0) * MICROSECOND
        ]

    def held(self, as_of: datetime, window: Window) -> list[Event]:
        """The rows in a window."""
        return [
            event
            for event, start, end in self.versions
            if start < as_of <= end
            and (window.micros is None or event.event_at >= as_of - window.micros * MICROSECOND)
        ]

    def has_history(self, as_of: datetime) -> bool:
        return any(start < as_of for _, start, _ in self.versions)

    def burst(self, as_of: datetime, window: Window, span: Window) -> int:
        begin = LONG_AGO if window.micros is None else as_of - window.micros * MICROSECOND
        heights = [height for start, height in self.heights[span] if begin <= start < as_of]
        return max(heights, default=0)

    def answers(self, as_of: datetime, window: Window) -> list[object]:
        rows = self.held(as_of, window)
        amounts = [e.amount for e in rows if e.amount is not None]
        declined = [e.is_declined for e in rows if e.is_declined is not None]
        bad = [e for e in rows if e.amount is not None and e.is_declined]
        bad_amounts = [e.amount for e in bad if e.amount is not None]
        devices = Counter(e.device for e in rows if e.device is not None)
        times = [e.event_at for e in rows]

        def age(pick: Callable[[list[datetime]], datetime]) -> float | None:
            return (as_of - pick(times)) / MICROSECOND / 3_600_000_000 if times else None

        def order(event: Event) -> tuple[datetime, str]:
            return event.event_at, event.id

        def weight(event: Event) -> float:
            halves = (as_of - event.event_at) / ((HALF_LIFE.micros or 0) * MICROSECOND)
            return float(2**-halves) if halves <= 32 else 0.0

        parts = [n / devices.total() for n in devices.values()]
        paid = [e for e in rows if e.amount is not None]
        return [
            len(rows),
            sum(1 for e in rows if e.is_declined),
            sum(amounts, Decimal(0)),
            int(sum(amounts) * 100) / (len(amounts) * 100) if amounts else None,
            pytest.approx(statistics.stdev(map(float, amounts)), rel=1e-9) if len(amounts) > 1 else None,
            sum(declined) / len(declined) if declined else None,
            min(amounts, default=None),
            max(bad_amounts, default=None),
            min(paid, key=order).amount if paid else None,
            max(bad, key=order).amount if bad else None,
            len(devices),
            len(devices),
            pytest.approx(-sum(p * math.log2(p) for p in parts), abs=1e-7) if devices else None,
            age(max),
            age(min),
            not rows,
            pytest.approx(sum(map(weight, rows)), rel=1e-6, abs=1e-9),
            pytest.approx(sum(weight(e) * float(e.amount or 0) for e in paid), rel=1e-6, abs=1e-6),
            self.burst(as_of, window, LONG_SPAN),
        ]


def mismatches(
    spark: SparkSession,
    seed: int,
    *,
    probe_count: int,
    batch_rows: int,
    rows_per_task: int | None = None,
    is_revised: bool = True,
    states_at: Sequence[timedelta] = (),
    cards: Sequence[str] = CARDS,
) -> tuple[int, list[object]]:
    """How many cells were compared, and those that differ.

    Args:
        rows_per_task: what makes a key hot; None leaves every key whole.
        is_revised: whether some rows are taken back or corrected.
        states_at: instants after noon; probes are later, and begin from a state that was carried over them.
    """
    dice = random.Random(seed)
    events = random_events(dice, 350, cards)
    if not is_revised:
        events = [event for event in events if event.revision is None]
    probes = [
        (str(n), dice.choice([*cards[:-1], "e", None]), NOON + timedelta(minutes=dice.randrange(3600)))
        for n in range(probe_count)
    ]
    if states_at:
        probes = [probe for probe in probes if probe[2] > NOON + states_at[-1]]
    rows = spark.createDataFrame([tuple(vars(event).values()) for event in events], SCHEMA)
    spine = spark.createDataFrame(probes, "probe_id string, card_id string, as_of timestamp")
    sources = {"payments": Source(rows if is_revised else rows.drop("revision"), ("id",))}
    states: dict[str, State] = {}
    for after_noon in states_at:
        states = stored(view_states(VIEW, sources, micros(NOON + after_noon), states))
    states = with_rereads(VIEW, sources, states)
    hot = {}
    if rows_per_task is not None:
        hot = hot_keys(VIEW, spine, sources, rows_per_task=rows_per_task, states=states)
    assert bool(hot) == (rows_per_task is not None)
    spark.conf.set(BATCH_ROWS, str(batch_rows))
    view = build_view(VIEW, spine, sources, tasks=3, hot=hot, states=states)
    built = {row["probe_id"]: row for row in view.collect()}
    spark.conf.unset(BATCH_ROWS)
    assert len(built) == len(probes)
    found = {name: Card([event for event in events if event.card_id == name]) for name in [*cards, "e"]}
    wrong: list[object] = []
    for probe, card, as_of in probes:
        if card is None:
            expected: list[object] = [False] + [None] * (len(VIEW.features) - 1)
        else:
            windows = [found[card].answers(as_of, window) for window in WINDOWS]
            cells = [cell for measure in zip(*windows, strict=True) for cell in measure]
            short = [found[card].burst(as_of, window, SPAN) for window in SHORT]
            expected = [True, found[card].has_history(as_of), *cells, *short]
        for name, cell in zip(VIEW.features, expected, strict=True):
            if built[probe][name] != cell:
                wrong.append((probe, card, as_of, name, built[probe][name], cell))
    return len(probes) * len(VIEW.features), wrong


@pytest.mark.parametrize(("seed", "batch_rows"), [(1, 10_000), (2, 7)])
def test_engine_equals_brute_force(spark: SparkSession, seed: int, batch_rows: int) -> None:
    _, wrong = mismatches(spark, seed, probe_count=300, batch_rows=batch_rows)
    assert wrong == []


@pytest.mark.parametrize("is_revised", [True, False])
@pytest.mark.parametrize(("seed", "rows_per_task"), [(3, 10), (4, 60)])
def test_keys_cut_into_sections_give_the_same(
    spark: SparkSession, seed: int, rows_per_task: int, *, is_revised: bool
) -> None:
    _, wrong = mismatches(
        spark, seed, probe_count=300, batch_rows=1000, rows_per_task=rows_per_task, is_revised=is_revised
    )
    assert wrong == []


@pytest.mark.parametrize(
    ("seed", "rows_per_task", "cards"),
    [(5, None, None), (6, 40, None), (7, None, 60), (8, 6, 60)],
    ids=["rows", "rows of hot keys", "revised rows", "revised rows of hot keys"],
)
def test_a_state_stands_for_what_is_long_past(
    spark: SparkSession, seed: int, rows_per_task: int | None, cards: int | None
) -> None:
    _, wrong = mismatches(
        spark,
        seed,
        probe_count=400,
        batch_rows=1000,
        rows_per_task=rows_per_task,
        is_revised=cards is not None,
        states_at=[timedelta(minutes=500), timedelta(minutes=1800)],
        cards=CARDS if cards is None else [f"card {number}" for number in range(cards)],
    )
    assert wrong == []


@pytest.mark.slow
def test_a_million_cells_equal_brute_force(spark: SparkSession) -> None:
    compared = 0
    for seed in range(100, 113):
        cells, wrong = mismatches(spark, seed, probe_count=1000, batch_rows=3 * (seed - 100) + 1)
        assert wrong == []
        compared += cells
    assert compared >= 10**6


@pytest.mark.parametrize("size", [1, 3, 39])
def test_keys_that_span_batches_stay_whole(size: int) -> None:
    dice = random.Random(7)
    keys = dice.choices("abcde", weights=[1, 50, 2, 20, 1], k=200)
    rows = pa.table({"key": keys, "time": [dice.randrange(50) for _ in keys]})
    table = pa.Table.from_batches(rows.to_batches(max_chunksize=size))
    blocks = list(whole_keys(table, size=10))
    chunks = [[keys[place] for place in places.tolist()] for places, _ in blocks]
    assert Counter(key for chunk in chunks for key in chunk) == Counter(keys)
    assert not any(set(a) & set(b) for n, a in enumerate(chunks) for b in chunks[n + 1 :])
    assert len(chunks) > 1
    for (places, numbers), chunk in zip(blocks, chunks, strict=True):
        pairs = list(zip(numbers.tolist(), table["time"].take(places).to_pylist(), strict=True))
        assert pairs == sorted(pairs)
        assert pairs[0][0] == 0
        assert len({*zip(numbers.tolist(), chunk, strict=True)}) == len(set(chunk)) == pairs[-1][0] + 1
