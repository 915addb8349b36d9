"""The ``runs`` table: what makes a run needless, and what it remembers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lake.runs import DONE, FAILED, RUNS, Outcome, RunRow, completed, record, run_key
from lake.tables import Lake

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAME = {"job": "j", "arguments": {"as_of": NOON}, "inputs": {"t": 3}, "config": "h", "code": "c"}


@pytest.mark.parametrize(
    "other",
    [
        {"job": "k"},
        {"arguments": {"as_of": NOON.replace(hour=13)}},
        {"inputs": {"t": 4}},
        {"inputs": {"u": 3}},
        {"config": "i"},
        {"code": "d"},
    ],
)
def test_the_key_changes_with_everything_the_result_depends_on(other: dict[str, object]) -> None:
    assert run_key(**SAME) == run_key(**SAME)  # type: ignore[arg-type]  # one dict for all arguments
    assert run_key(**SAME) != run_key(**(SAME | other))  # type: ignore[arg-type]  # as above


def test_the_key_does_not_depend_on_the_order_of_arguments() -> None:
    first, second = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert run_key("j", first, {}, "h", "c") == run_key("j", second, {}, "h", "c")


def row(key: str, state: str, error: str | None = None) -> RunRow:
    return RunRow(
        job="j",
        slice="s",
        run_key=key,
        state=state,
        started_at=NOON,
        finished_at=NOON,
        inputs={"t": 3},
        error=error,
    )


def test_only_a_done_run_completes_its_key(lake: Lake) -> None:
    assert completed(lake, "k1") is None
    record(lake, row("k1", FAILED, "no disk"), Outcome())
    assert completed(lake, "k1") is None
    done = Outcome(rows_in=5, rows_out=4, refused=1, result="well", place="here", outputs={"u": 2, "v": None})
    record(lake, row("k1", DONE), done)
    assert completed(lake, "k1") == Outcome(
        rows_in=5, rows_out=4, refused=1, result="well", place="here", outputs={"u": 2}
    )
    assert completed(lake, "k2") is None
    stored = {one["state"]: one for one in lake.read(RUNS.name).collect()}
    assert stored["failed"]["error"] == "no disk"
    assert stored["done"]["run_id"] == "run-1"
    assert stored["done"]["started_at"].replace(tzinfo=UTC) == NOON
    assert (stored["done"]["code_version"], stored["done"]["config_hash"]) == ("c1", "h1")
    assert stored["done"]["inputs"] == {"t": 3}
