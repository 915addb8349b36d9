"""One thing told twice under two keys: the first known counts, within a batch, across batches, and after a replay."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from lake.ingest.near_duplicates import NEAR_DUPLICATE
from lake.tables import Lake
from tests.lake.raw_log import Log, lake_in

COLUMNS = {
    "id": {"type": "string", "required": True},
    "deal": {"type": "string", "required": True},
    "amount": {"type": "long", "min": 0},
}
DECLARED = {
    "columns": COLUMNS,
    "known_at": "seen",
    "business_key": ["deal"],
    "refuse_above": 1.0,
    "days_per_batch": 1,
}


@pytest.fixture(scope="module")
def shared(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_in(_session, tmp_path_factory.mktemp("near"))


def row(event: str, deal: str | None, minute: int = 0, amount: int = 1) -> str:
    at = f"2026-03-01T10:{minute:02}:00Z"
    return json.dumps({"id": event, "deal": deal, "ts": at, "seen": at, "amount": amount}) + "\n"


def test_the_first_known_of_a_batch_counts_and_what_an_earlier_batch_brought_stays(
    shared: Lake, tmp_path: Path
) -> None:
    log = Log(shared, tmp_path, "told_twice", **DECLARED)
    log.deliver(1, row("late", "x", 9) + row("early", "x", 3) + row("late", "x", 9) + row("early", "x", 5))
    log.deliver(
        2, row("earlier still", "x", 1) + row("early", "x", 3) + row("other", "y") + row("none", None)
    )
    first, second = log.ingest()
    assert (first.rows_in, first.rows_out, first.duplicates, first.refused) == (4, 1, 1, {NEAR_DUPLICATE: 2})
    assert (second.rows_out, second.duplicates) == (1, 1)
    assert second.refused == {NEAR_DUPLICATE: 1, "deal_missing": 1}
    assert set(log.events()) == {"early", "other"}
    held = [(found["reason"], json.loads(found["text"])["id"]) for found in log.quarantine()]
    assert sorted(held) == sorted(
        [(NEAR_DUPLICATE, "late")] * 2 + [(NEAR_DUPLICATE, "earlier still"), ("deal_missing", "none")]
    )
    again = log.replay()
    assert again is not None
    assert (again.rows_out, again.refused) == (0, {NEAR_DUPLICATE: 3, "deal_missing": 1})
    log.contract = log.contract.model_copy(update={"business_key": ()})
    freed = log.replay()
    assert freed is not None
    assert (freed.rows_out, freed.duplicates, freed.refused) == (2, 1, {"deal_missing": 1})


def test_random_deliveries_end_as_a_reader_row_by_row_would_have_them(shared: Lake, tmp_path: Path) -> None:
    draw = random.Random(5)
    log = Log(shared, tmp_path, "random_deals", **DECLARED)
    events: dict[str, str] = {}
    expected = Counter[str]()
    for day in range(1, 5):
        rows = [
            (f"e{draw.randrange(40)}", f"d{draw.randrange(15)}", minute, draw.choice((1, 1, 1, -1)))
            for minute in draw.sample(range(60), 30)
        ]
        log.deliver(day, "".join(row(*one) for one in rows))
        expected += _one_by_one(events, rows)
    found = Counter[str]()
    for result in log.ingest():
        found += Counter({"out": result.rows_out, "duplicates": result.duplicates}) + Counter(result.refused)
    assert found == expected
    assert {event: kept["deal"] for event, kept in log.events().items()} == events


def _one_by_one(events: dict[str, str], rows: list[tuple[str, str, int, int]]) -> Counter[str]:
    """What becomes of the rows of one batch, which are added to the events by id."""
    seen = Counter[str]()
    good = sorted((minute, event, deal) for event, deal, minute, amount in rows if amount > 0)
    seen["amount_below_0"] = len(rows) - len(good)
    holders = {deal: event for event, deal in events.items()}
    for _, event, deal in good:
        holders.setdefault(deal, event)
    for _, event, deal in good:
        if holders[deal] != event:
            seen[NEAR_DUPLICATE] += 1
        elif event in events:
            seen["duplicates"] += 1
        else:
            seen["out"] += 1
            events[event] = deal
    return +seen


def test_a_business_key_names_columns_that_every_row_has(shared: Lake, tmp_path: Path) -> None:
    with pytest.raises(
        ValidationError, match=r"business_key names amount, nothing_such; name columns that are `required`"
    ):
        Log(shared, tmp_path, "loose", **DECLARED | {"business_key": ["deal", "amount", "nothing_such"]})
