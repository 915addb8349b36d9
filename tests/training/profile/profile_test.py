"""Profiles of logs against plain Python over the same rows, and pages that hold any value as text."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days
from features.labels import Label
from features.source import Source
from training.metrics.wilson import wilson
from training.model import Model
from training.profile.columns import QUANTILES, ColumnFigures
from training.profile.counts import Counted, Counts
from training.profile.page import page
from training.profile.profile import KNOWN_AFTER, Labelling, Profile, figures_and_counts

START, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)
KNOWN_BEFORE = START + 20 * DAY
SCHEMA = (
    "event_at timestamp, known_at timestamp, id string, kind string, amount decimal(18,4), tries long, score double,"
    " is_new boolean, told timestamp, nothing string, one string, wide string"
)
MODEL = Model(
    name="fraud",
    view=FeatureView(
        name="v",
        spine=Spine(source="log", row="id", where="kind <> 'left out'"),
        groups=[
            FeatureGroup(
                entity=Entity("kind", key="kind"), source="log", windows=[days(1)], measures=[count("n")]
            )
        ],
    ),
    label=Label(source="labels", on="id", fraud="is_bad", matures_after=timedelta(days=5)),
)
Rows = Sequence[dict[str, Any]]


def drawn(number: int) -> list[dict[str, Any]]:
    draw = random.Random(11)
    rows = []
    for n in range(number):
        at = START + timedelta(seconds=draw.randrange(20 * 86_400))
        rows.append(
            {
                "event_at": at,
                "known_at": at + timedelta(seconds=draw.randrange(600)),
                "id": f"id-{n}",
                "kind": draw.choice(["a", "a", "b", "left out", "", "<script>alert(1)</script>", None]),
                "amount": None if draw.random() < 0.1 else Decimal(draw.randrange(1, 10_000_000)) / 10_000,
                "tries": draw.randrange(3),
                "score": draw.choice([None, math.nan, draw.random()]),
                "is_new": draw.choice([True, False, None]),
                "told": at - DAY,
                "nothing": None,
                "one": "same",
                "wide": f"{'x' * 5_000}{draw.randrange(3)}",
            }
        )
    return rows


def measured(
    spark: SparkSession, rows: Rows, labels: Sequence[tuple[str, bool, datetime]] | None
) -> tuple[int, dict[str, ColumnFigures], Counts]:
    names = [part.split()[0] for part in SCHEMA.split(", ")]
    events = spark.createDataFrame([tuple(row[name] for name in names) for row in rows], SCHEMA)
    labelling = None
    if labels is not None:
        told = spark.createDataFrame(labels, "id string, is_bad boolean, known_at timestamp")
        numbered = told.withColumns({"event_at": F.col("known_at"), "label": F.monotonically_increasing_id()})
        labelling = Labelling(MODEL, {"labels": Source(numbered, ("label",))}, KNOWN_BEFORE)
    total, columns, counted = figures_and_counts(events, labelling)
    return total, {column.name: column for column in columns}, counted


@pytest.fixture(scope="module")
def rows() -> Rows:
    return drawn(300)


@pytest.fixture(scope="module")
def labels(rows: Rows) -> list[tuple[str, bool, datetime]]:
    draw = random.Random(12)
    told = [
        (row["id"], draw.random() < 0.7, row["event_at"] + timedelta(days=draw.uniform(0, 9)))
        for row in rows
        for _ in range(draw.randrange(3))
    ]
    return [*told, ("of no row", True, START)]


@pytest.fixture(scope="module")
def found(
    _session: SparkSession, rows: Rows, labels: list[tuple[str, bool, datetime]]
) -> tuple[int, dict[str, ColumnFigures], Counts]:
    return measured(_session, rows, labels)


def values_of(rows: Rows, name: str) -> list[Any]:
    if name == KNOWN_AFTER:
        return [
            math.floor(row["known_at"].timestamp()) - math.floor(row["event_at"].timestamp()) for row in rows
        ]
    return [row[name] for row in rows]


def test_columns_have_the_figures_of_plain_python(rows: Rows, found: Any) -> None:
    total, columns, _ = found
    assert total == 300
    for name in ("amount", "tries", "score", KNOWN_AFTER, "told"):
        filled = [value for value in values_of(rows, name) if value is not None]
        numbers = sorted(value for value in filled if value == value)  # noqa: PLR0124 - not for NaN
        column = columns[name]
        assert column.filled == len(filled)
        assert [_utc(value) for value in column.quantiles] == [
            numbers[math.ceil(share * len(numbers)) - 1] for share in QUANTILES
        ]
        if name != "told":
            mean = sum(map(float, numbers)) / len(numbers)
            spread = sum((float(value) - mean) ** 2 for value in numbers) / (len(numbers) - 1)
            assert column.mean == pytest.approx(mean)
            assert column.deviation == pytest.approx(math.sqrt(spread))
            assert abs(column.distinct - len(set(map(str, filled)))) <= 0.15 * len(filled)
    assert columns["amount"].least == f"{min(v for v in values_of(rows, 'amount') if v is not None):.4f}"
    texts = [text for text in values_of(rows, "kind") if text is not None]
    kind = columns["kind"]
    assert (kind.filled, kind.empty, kind.lengths) == (len(texts), texts.count(""), (0, 25))
    assert (columns["nothing"].filled, columns["nothing"].distinct, columns["nothing"].least) == (0, 0, None)
    assert (columns["one"].distinct, columns["one"].least, columns["one"].most) == (1, "same", "same")
    assert columns["wide"].least == f"{'x' * 99}…"
    assert columns["wide"].lengths == (5_001, 5_001)


def _utc(value: Any) -> Any:
    """What Spark hands out without a zone is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def expected(
    rows: Rows, labels: Sequence[tuple[str, bool, datetime]], of: Callable[[dict[str, Any]], str | None]
) -> dict[str | None, tuple[int, int, int]]:
    """Rows, settled rows and frauds by value, the slow and obvious way."""
    bad = {name for name, is_bad, known in labels if is_bad and known < KNOWN_BEFORE}
    counted: dict[str | None, Counter[str]] = {}
    for row in rows:
        is_described = row["kind"] is not None and row["kind"] != "left out"
        is_settled = is_described and row["event_at"] < KNOWN_BEFORE - 5 * DAY
        here = counted.setdefault(of(row), Counter())
        here.update(rows=1, settled=is_settled, frauds=is_settled and row["id"] in bad)
    return {value: (one["rows"], one["settled"], one["frauds"]) for value, one in counted.items()}


def by_value(values: Sequence[Counted]) -> dict[str | None, tuple[int, int, int]]:
    return {one.value: (one.rows, one.settled, one.frauds) for one in values}


def test_slices_days_and_the_whole_are_counted_as_plain_python_counts_them(
    rows: Rows, labels: list[tuple[str, bool, datetime]], found: Any
) -> None:
    _, columns, counted = found
    kinds = by_value(counted.slices["kind"])
    assert kinds == expected(rows, labels, lambda row: row["kind"])
    assert kinds["left out"][1:] == (0, 0)
    assert 0 < kinds["a"][2] < kinds["a"][1] < kinds["a"][0]
    assert by_value(counted.slices["is_new"]) == expected(
        rows, labels, lambda row: None if row["is_new"] is None else str(row["is_new"]).lower()
    )
    assert by_value(counted.slices["tries"]) == expected(rows, labels, lambda row: str(row["tries"]))
    low, middle, high = (columns["amount"].quantiles[at] for at in (2, 3, 4))

    def quarter(row: dict[str, Any]) -> str | None:
        if row["amount"] is None:
            return None
        if row["amount"] <= low:
            return f"up to {low}"
        if row["amount"] <= middle:
            return f"above {low}, up to {middle}"
        return f"above {middle}, up to {high}" if row["amount"] <= high else f"above {high}"

    assert by_value(counted.slices["amount"]) == expected(rows, labels, quarter)
    assert counted.slices["amount"][0].value == f"up to {low}"
    assert by_value(counted.days) == expected(rows, labels, lambda row: f"{row['event_at']:%Y-%m-%d}")
    assert [one.value for one in counted.days] == sorted(str(one.value) for one in counted.days)
    assert by_value([counted.whole]) == expected(rows, labels, lambda _: None)
    assert [(one.value, one.rows) for one in counted.top["kind"]] == sorted(
        Counter(row["kind"] for row in rows if row["kind"] is not None).items(),
        key=lambda item: (-item[1], item[0]),
    )
    assert len(counted.top["id"]) == 20
    assert not {"event_at", "told"} & counted.top.keys()
    assert not {"id", "event_at", "told"} & counted.slices.keys()


def test_a_log_without_rows_and_without_labels_has_a_page(spark: SparkSession) -> None:
    total, columns, counted = measured(spark, [], None)
    assert total == 0
    assert counted.whole == Counted(None, 0, 0, 0)
    assert {column.filled for column in columns.values()} == {0}
    said = page(profile(total, columns, counted, labels=""))
    assert "<p>0 rows, events of all days. " in said
    assert "No model of the definitions has labels of this log" in said


def profile(rows: int, columns: dict[str, ColumnFigures], counted: Counts, labels: str) -> Profile:
    return Profile(
        log="payments",
        about='"One" row & <more>',
        read={"events_payments": 3},
        span="events of all days",
        rows=rows,
        columns=list(columns.values()),
        counts=counted,
        labels=labels,
    )


def test_a_page_shows_counts_with_their_intervals_and_values_as_text(found: Any) -> None:
    total, columns, counted = found
    named = {"kind": replace(columns["kind"], about="<img src=x onerror=alert(2)>"), **columns}
    said = page(profile(total, named | {"kind": named["kind"]}, counted, labels="Fraud is <what>."))
    assert "<script" not in said.lower()
    assert '<td class="v">&lt;script&gt;alert(1)&lt;/script&gt;</td>' in said
    assert "&quot;One&quot; row &amp; &lt;more&gt;" in said
    assert "Fraud is &lt;what&gt;." in said
    assert len(said) < 300_000
    assert "x" * 100 not in said
    one = next(one for one in counted.slices["kind"] if one.value == "a")
    rate = wilson(one.frauds, one.settled)
    shown = f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"
    cells = "".join(f'<td class="n">{number}</td>' for number in (one.rows, one.settled, one.frauds))
    assert f'<td class="v">a</td>{cells}<td>{shown}</td>' in said
    assert re.search(r'<td class="v">left out</td>(<td class="n">\d+</td>){3}<td>no settled rows</td>', said)
    assert said.count("<table>") == said.count("</table>")
    assert date.fromisoformat(str(counted.days[0].value)).year == 2026
