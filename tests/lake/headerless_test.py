"""CSV files that begin with a row, and whose names hold no day."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from tests.lake.raw_log import Log, lake_in


def test_a_csv_file_without_header_is_read_by_the_contracts_and_a_day_that_it_gives(
    spark: SparkSession, tmp_path: Path
) -> None:
    files = {
        "pattern": "all/*.csv", "format": "csv", "delivered_on": "2026-03-05", "header": ["id", "ts", "amount", "note"],
    }  # fmt: skip
    log = Log(lake_in(spark, tmp_path / "lake"), tmp_path, "headerless", files=files, refuse_above=1)
    (log.folder / "all").mkdir(parents=True)
    (log.folder / "all/1.csv").write_text(
        'a,2026-03-01,"1,000",first\nb,2026-03-01,2,-\nc,2026-03-01\n', encoding="utf-8"
    )
    assert [(r.rows_in, r.rows_out, r.refused) for r in log.ingest()] == [
        (3, 1, {"amount_not_decimal(18,2)": 1, "unparsable_row": 1})
    ]
    result = log.replay(amount={"type": "decimal(18,2)", "thousands": ","})
    assert result is not None
    assert {name: (int(row["amount"]), row["note"]) for name, row in log.events().items()} == {
        "a": (1000, "first"),
        "b": (2, None),
    }
