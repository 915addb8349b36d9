"""Rows that a contract does not want: known by what raw fields hold, counted apart, and back when they are wanted."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("number", "more", "reason"),
    [
        (1, {"producer": "monitor"}, "test_traffic"),
        (2, {"producer": "monitors"}, None),
        (3, {"producer": "Monitor"}, None),
        (4, {"producer": "load"}, "test_traffic"),
        (5, {"producer": "load\nof 9"}, "test_traffic"),
        (6, {"producer": "a load"}, None),
        (7, {"id": "acc_test_7"}, "test_traffic"),
        (8, {"id": "accXtest_7"}, None),
        (9, {"producer": "monitor", "amount": None, "ts": "never"}, "test_traffic"),
        (10, {"site": {"kind": "a%b\\c_d.e"}}, "drill"),
        (11, {"site": {"kind": "a__b\\c_d.e"}}, None),
        (12, {"site": {"kind": "a%b\\cXd.e"}}, None),
        (13, {"producer": None, "site": "a%b\\c_d."}, None),
    ],
)
def test_a_row_is_unwanted_where_one_field_holds_the_value(
    shared: Lake, tmp_path: Path, number: int, more: dict[str, object], reason: str | None
) -> None:
    log = Log(shared, tmp_path, f"unwanted_{number}", **UNWANTED)
    log.deliver(1, line(**{"event": str(more.pop("id", "a")), **more}))  # type: ignore[arg-type] # a test's row
    (result,) = log.ingest()
    assert result.refused == ({reason: 1} if reason else {})


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
