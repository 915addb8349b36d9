"""Rows that a contract does not want: known by what raw fields hold, counted apart, and back when they are wanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lake.errors import RefusedError
from lake.tables import Lake
from tests.lake.raw_log import Log, lake_in, line

UNWANTED = {
    "refuse": {
        "test_traffic": {"producer": ["monitor", "load*"], "id": "acc_test_*"},
        "drill": {"$.site.kind": "a%b\\c_d.*"},
    }
}


@pytest.fixture(scope="module")
def shared(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_in(_session, tmp_path_factory.mktemp("refusals"))


CASES: list[tuple[dict[str, object], str | None]] = [
    ({"producer": "monitor"}, "test_traffic"),
    ({"producer": "monitors"}, None),
    ({"producer": "Monitor"}, None),
    ({"producer": "load"}, "test_traffic"),
    ({"producer": "load\nof 9"}, "test_traffic"),
    ({"producer": "a load"}, None),
    ({"id": "acc_test_7"}, "test_traffic"),
    ({"id": "accXtest_7"}, None),
    ({"producer": "monitor", "amount": None, "ts": "never"}, "test_traffic"),
    ({"site": {"kind": "a%b\\c_d.e"}}, "drill"),
    ({"site": {"kind": "a__b\\c_d.e"}}, None),
    ({"site": {"kind": "a%b\\cXd.e"}}, None),
    ({"producer": None, "site": "a%b\\c_d."}, None),
]


def test_a_row_is_unwanted_where_one_field_holds_the_value(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "unwanted", **UNWANTED)
    rows = [json.loads(line(f"row {n}")) | more for n, (more, _) in enumerate(CASES)]
    log.deliver(1, "".join(json.dumps(row) + "\n" for row in rows))
    (result,) = log.ingest()
    refused = {json.loads(row["text"])["id"]: row["reason"] for row in log.quarantine()}
    expected = {row["id"]: reason for row, (_, reason) in zip(rows, CASES, strict=True)}
    assert refused == {name: reason for name, reason in expected.items() if reason}
    assert set(log.events()) == {name for name, reason in expected.items() if reason is None}
    assert result.refused == {"test_traffic": 5, "drill": 1}


def test_unwanted_rows_are_not_what_a_contract_tolerates_few_of(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "tolerated", days_per_batch=1, **UNWANTED)
    many = [line(f"m{n}", producer="monitor") for n in range(9)]
    log.deliver(1, "".join([*many, line("good"), line("bad", -1)]))
    (result,) = log.ingest()
    assert result.refused == {"test_traffic": 9, "amount_below_0": 1}
    assert (result.rows_in, result.rows_out, result.duplicates) == (11, 1, 0)
    log.deliver(2, "".join([*many, line("well"), line("worse", -1), line("worst", -2)]))
    with pytest.raises(RefusedError, match=r"2 of 3 rows of .* break the contract \(2 amount_below_0\)"):
        log.ingest()


def test_they_come_back_when_they_are_wanted(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "wanted_after_all", **UNWANTED)
    log.deliver(1, line("m", producer="monitor") + line("a"))
    log.ingest()
    assert [row["reason"] for row in log.quarantine()] == ["test_traffic"]
    log.contract = log.contract.model_copy(update={"refuse": {}})
    again = log.replay()
    assert again is not None
    assert (again.rows_out, again.refused) == (1, {})
    assert set(log.events()) == {"a", "m"}
    assert log.quarantine() == []
