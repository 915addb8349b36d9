"""One raw log in a folder of its own, as tests deliver and ingest it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from lake.contracts import Column, Contract
from lake.hash_key import HashKey
from lake.ingest.batch import ingest_batch
from lake.ingest.files import Batch, delivered, of_days
from lake.ingest.finished import BatchResult, note_finished
from lake.ingest.plan import Delivered, plan_logs
from lake.ingest.replay import replay
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE, events
from lake.settings import LakeSettings, RawSettings
from lake.tables import CommitStamp, Lake

MARCH = (date(2026, 3, 1), date(2026, 4, 1))


class Log:
    """One raw log in a folder of its own, and the lake it is ingested into."""

    def __init__(self, lake: Lake, folder: Path, name: str, **changes: object) -> None:
        self.lake = lake
        self.folder = folder / "raw data+x"
        file_format = changes.pop("format", "json")
        daily = changes.pop("daily", False)
        self.days_per_batch = int(str(changes.pop("days_per_batch", 31)))
        declared = {
            "log": name,
            "description": "Payments",
            "files": {"pattern": "day={day}/*", "format": file_format, "daily": daily},
            "key": ["id"],
            "event_at": "ts",
            "known_at": {"lag": "0s"},
            "refuse_above": 0.5,
            "columns": {
                "id": {"type": "string"},
                "amount": {"type": "decimal(18,2)", "required": True, "min": 0},
                "note": {"type": "string", "unknown": ["-"]},
            },
        }
        self.contract = Contract.model_validate(declared | changes)
        lake.ensure(events(self.contract))

    def deliver(self, day: int, content: bytes | str, name: str = "part-0.jsonl") -> Path:
        path = self.folder / f"day=2026-03-{day:02}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def plan(self) -> list[Batch]:
        raw = RawSettings(root=str(self.folder), days_per_batch=self.days_per_batch)
        found = delivered(self.lake.spark, raw.root, self.contract)
        log = Delivered(self.contract, found, of_days(found, raw.root, self.contract, MARCH))
        return plan_logs(self.lake, raw, [log])[self.contract.log]

    def ingest(self) -> list[BatchResult]:
        return self.ingest_planned(self.plan())

    def ingest_planned(self, planned: list[Batch]) -> list[BatchResult]:
        return [
            result
            for batch in planned
            for result in note_finished(
                self.lake, [ingest_batch(self.lake, str(self.folder), self.contract, batch)]
            )
        ]

    def replay(self, **mended: object) -> BatchResult | None:
        """By the contract with other columns, where no other replay is left to finish."""
        results = self.replays(**mended)
        assert len(results) <= 1
        return results[0] if results else None

    def replays(self, **mended: object) -> list[BatchResult]:
        """By the contract with other columns."""
        columns = self.contract.columns | {n: Column.model_validate(c) for n, c in mended.items()}
        self.contract = self.contract.model_copy(update={"columns": columns, "version": 2})
        return replay(self.lake, str(self.folder), self.contract)

    def events(self) -> dict[str, Row]:
        rows = self.lake.read(self.contract.table).collect()
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row for row in rows}

    def quarantine(self) -> list[Row]:
        rows = self.lake.read(QUARANTINE.name).where(F.col("log") == self.contract.log)
        return rows.orderBy("text", "source_file").collect()

    def version(self) -> int | None:
        return self.lake.version(self.contract.table)


def lake_in(spark: SparkSession, folder: Path, *, hash_key: HashKey | None = None) -> Lake:
    stamp = CommitStamp(run_id="run-1", code_version="c", config_hash="h")
    made = Lake(spark, LakeSettings(root=str(folder)), stamp, hash_key=hash_key)
    for spec in (FILES, BATCHES, QUARANTINE):
        made.ensure(spec)
    return made


def line(event: str, amount: object = 1, day: int = 1, **more: object) -> str:
    return json.dumps({"id": event, "ts": f"2026-03-{day:02}T10:00:00Z", "amount": amount, **more}) + "\n"
