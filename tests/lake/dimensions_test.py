"""Change logs become versions: by plain Python, in any order and any batches, as known at any instant, after a kill."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.dimensions import refresh as refresh_module
from lake.dimensions.refresh import DIMENSION_BATCHES, refresh
from lake.dimensions.versions import versions
from lake.ingest.conflicting_changes import CONFLICT
from lake.tables import Lake
from tests.lake.raw_log import Log, lake_in

COLUMNS = {
    "account": {"type": "string", "required": True},
    "lsn": {"type": "long", "required": True},
    "op": {"type": "string", "required": True, "allowed": ["I", "U", "D"]},
    "level": {"type": "long"},
}
DECLARED = {
    "columns": COLUMNS,
    "key": ["account", "lsn"],
    "event_at": "updated_ts",
    "known_at": "seen",
    "clock_skew": "1d",
    "changes": {"key": ["account"], "order": "lsn", "op": "op"},
    "refuse_above": 1.0,
    "days_per_batch": 1,
}
START = datetime(2026, 3, 1, tzinfo=UTC)
Version = tuple[str, int, int | None, int | None, int | None, int | None]


@dataclass(frozen=True)
class Change:
    """Minutes from the first of March on."""

    account: str
    lsn: int
    op: str
    at: int
    seen: int
    level: int | None = None

    @property
    def line(self) -> str:
        at, seen = ((START + timedelta(minutes=minutes)).isoformat() for minutes in (self.at, self.seen))
        said = {"account": self.account, "lsn": self.lsn, "op": self.op, "level": self.level}
        return json.dumps(said | {"updated_ts": at, "seen": seen}) + "\n"


def change_log(rng: random.Random, accounts: int = 6, length: int = 9) -> list[Change]:
    """Deletes of nothing, updates before inserts, clocks that go back, changes that come late."""
    return [
        _change(rng, f"a{account}", lsn)
        for account in range(accounts)
        for lsn in sorted(rng.sample(range(2, 40), length))
    ]


def _change(rng: random.Random, account: str, lsn: int) -> Change:
    at = lsn * 20 + rng.randint(-30, 30)
    return Change(
        account, lsn * 10, rng.choice("IUUD"), at, at + rng.randint(0, 300), rng.choice([None, 1, 2])
    )


def expected(changes: Iterable[Change]) -> Counter[Version]:
    """The versions, one change after the other."""
    found: Counter[Version] = Counter()
    by_account: dict[str, list[Change]] = {}
    for change in sorted(set(changes), key=lambda one: one.lsn):
        by_account.setdefault(change.account, []).append(change)
    for account, ordered in by_account.items():
        for number, change in enumerate(ordered):
            begins = max(one.at for one in ordered[: number + 1])
            ends = max(one.at for one in ordered[: number + 2]) if number + 1 < len(ordered) else None
            if change.op != "D":
                found[account, change.lsn, change.level, begins, ends, change.seen] += 1
    return found


def minutes(at: datetime | None) -> int | None:
    return None if at is None else (at.replace(tzinfo=UTC) - START) // timedelta(minutes=1)


def in_dimension(log: Log) -> Counter[Version]:
    rows = log.lake.read(log.contract.dimension).collect()
    return Counter(
        (r["account"], r["lsn"], r["level"], minutes(r["valid_from"]), minutes(r["valid_to"]), minutes(r["known_at"]))
        for r in rows
    )  # fmt: skip


def deliver(log: Log, day: int, changes: Sequence[Change]) -> None:
    log.deliver(day, "".join(change.line for change in changes))
    log.ingest()


def refreshed(lake: Lake, contract: Contract) -> int:
    """How many batches were new to the dimension."""
    return refresh(lake, [contract])[contract.dimension]


@pytest.fixture(scope="module")
def shared(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_in(_session, tmp_path_factory.mktemp("dimensions"))


@pytest.mark.parametrize("seed", range(3))
def test_any_change_log_in_any_batches_gives_the_versions_of_plain_python(
    shared: Lake, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    changes = change_log(rng)
    log = Log(shared, tmp_path, f"random_{seed}", **DECLARED)
    sent = [*changes, *rng.sample(changes, 10)]
    rng.shuffle(sent)
    cuts = sorted(rng.sample(range(1, len(sent)), 2))
    for day, part in enumerate((sent[: cuts[0]], sent[cuts[0] : cuts[1]], sent[cuts[1] :]), start=1):
        deliver(log, day, part)
        assert refreshed(shared, log.contract) == (
            1 if set(part) - set(sent[: sum(cuts[: day - 1][-1:])]) else 0
        )
    assert in_dimension(log) == expected(changes)
    assert refreshed(shared, log.contract) == 0

    # What was known at an instant is the same transform over what was known before it.
    declared = log.contract.changes
    assert declared is not None
    for known in (200, 500):
        events = shared.read(log.contract.table).where(
            F.col("known_at") < F.lit(START + timedelta(minutes=known))
        )
        rows = versions(events, log.contract, declared).collect()
        then = expected(change for change in changes if change.seen < known)
        assert Counter((r["account"], r["lsn"], minutes(r["valid_to"])) for r in rows) == Counter(
            {(account, lsn, ends): count for (account, lsn, _, _, ends, _), count in then.items()}
        )


def test_a_late_change_is_put_in_its_place_and_moves_the_ends_beside_it(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "late", **DECLARED)
    deliver(
        log, 1, [Change("a", 1, "I", 10, 10, 1), Change("a", 3, "U", 30, 30, 3), Change("b", 1, "I", 5, 5, 7)]
    )
    refreshed(shared, log.contract)
    b = ("b", 1, 7, 5, None, 5)
    assert in_dimension(log) == Counter([("a", 1, 1, 10, 30, 10), ("a", 3, 3, 30, None, 30), b])
    deliver(
        log, 2, [Change("a", 2, "D", 20, 50), Change("a", 4, "I", 25, 60, 4), Change("c", 9, "U", 8, 60, 9)]
    )
    refreshed(shared, log.contract)
    assert in_dimension(log) == Counter(
        [
            ("a", 1, 1, 10, 20, 10),
            ("a", 3, 3, 30, 30, 30),
            ("a", 4, 4, 30, None, 60),
            ("c", 9, 9, 8, None, 60),
            b,
        ]
    )
    deliver(log, 3, [Change("a", 5, "D", 90, 90), Change("a", 6, "D", 95, 95)])
    refreshed(shared, log.contract)
    assert [v for v in in_dimension(log) if v[0] == "a" and v[4] is None] == []


def test_dimensions_refreshed_together_are_noted_in_one_commit(shared: Lake, tmp_path: Path) -> None:
    both = [Log(shared, tmp_path / name, name, **DECLARED) for name in ("left", "right")]
    plain = Log(shared, tmp_path / "plain", "plain")
    for days, log in enumerate(both, start=1):
        for day in range(1, days + 1):
            deliver(log, day, [Change("a", day, "U", 10 * day, 10 * day, day)])
    contracts = [log.contract for log in (*both, plain)]
    before = shared.version(DIMENSION_BATCHES.name) or 0
    assert refresh(shared, contracts) == {"dim_left": 1, "dim_right": 2}
    assert shared.version(DIMENSION_BATCHES.name) == before + 1
    assert refresh(shared, contracts) == {"dim_left": 0, "dim_right": 0}
    assert shared.version(DIMENSION_BATCHES.name) == before + 1
    assert in_dimension(both[0]) == Counter([("a", 1, 1, 10, None, 10)])
    assert in_dimension(both[1]) == Counter([("a", 1, 1, 10, 20, 10), ("a", 2, 2, 20, None, 20)])
    assert refresh(shared, [plain.contract]) == {}


def test_every_commit_of_rows_names_its_run(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "stamped", **DECLARED)
    for day in (1, 2):
        deliver(log, day, [Change("a", day, "I", 10 * day, 10 * day, day)])
        refreshed(shared, log.contract)
    told = shared.spark.sql(f"DESCRIBE HISTORY {shared.place(log.contract.dimension)}")
    merged = told.where("operation = 'MERGE'").select("userMetadata").collect()
    assert [json.loads(row["userMetadata"])["run_id"] for row in merged] == [shared.stamp.run_id]
    assert shared.spark.conf.get("spark.databricks.delta.commitInfo.userMetadata", None) is None


def test_a_change_told_again_in_other_words_is_refused_by_name(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "conflict", **DECLARED)
    first, same, other = (Change("a", 1, "I", 10, seen, level) for seen, level in ((10, 1), (11, 1), (12, 2)))
    log.deliver(1, other.line + same.line + first.line)
    (result,) = log.ingest()
    assert (result.rows_in, result.rows_out, result.duplicates, result.refused) == (3, 1, 1, {CONFLICT: 1})
    log.deliver(2, other.line + same.line + Change("a", 1, "D", 10, 9, 1).line)
    (later,) = log.ingest()
    assert (later.rows_in, later.rows_out, later.duplicates, later.refused) == (3, 0, 1, {CONFLICT: 2})
    assert {row["reason"] for row in log.quarantine()} == {CONFLICT}
    assert other.line.strip() in {row["text"] for row in log.quarantine()}
    refreshed(shared, log.contract)
    assert in_dimension(log) == Counter([("a", 1, 1, 10, None, 10)])


@pytest.mark.parametrize("place", ["_merge", "_build"])
def test_a_refresh_that_is_killed_after_its_rows_is_finished_by_the_next(
    shared: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    changes = change_log(random.Random(7), accounts=3)
    log = Log(shared, tmp_path, f"killed{place}", **DECLARED)
    deliver(log, 1, changes[::2])
    if place == "_merge":
        refreshed(shared, log.contract)
    deliver(log, 2, changes[1::2])
    written = getattr(refresh_module, place)

    def die_after(*arguments: object) -> None:
        written(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(refresh_module, place, die_after)
        with pytest.raises(KeyboardInterrupt):
            refreshed(shared, log.contract)
    assert in_dimension(log) == expected(changes)
    assert refreshed(shared, log.contract) > 0
    assert in_dimension(log) == expected(changes)
    noted = shared.read(DIMENSION_BATCHES.name).where(F.col("log") == log.contract.log)
    assert noted.count() == noted.select("ingest_batch").distinct().count() == 2


def test_a_new_column_is_added_and_another_declaration_builds_the_dimension_anew(
    shared: Lake, tmp_path: Path
) -> None:
    log = Log(shared, tmp_path, "declared", **DECLARED)
    changes = [Change("a", 1, "I", 10, 10, 1), Change("a", 2, "U", 20, 20, 2)]
    assert refreshed(shared, log.contract) == 0
    assert in_dimension(log) == Counter()
    deliver(log, 1, changes)
    refreshed(shared, log.contract)
    assert log.contract.changes is not None
    ends_with_update = log.contract.changes.model_copy(update={"deleted": "U"})
    declared_anew = log.contract.model_copy(update={"changes": ends_with_update})
    assert refreshed(shared, declared_anew) == 1
    assert in_dimension(log) == Counter([("a", 1, 1, 10, 20, 10)])
    assert refreshed(shared, log.contract) == 1
    assert in_dimension(log) == expected(changes)
