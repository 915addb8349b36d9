"""The tables ingest keeps beside the events."""

from __future__ import annotations

from lake.contracts import Contract
from lake.described import described
from lake.layout import Layout
from lake.tables import TableSpec

FILES = TableSpec(
    "ingest_files",
    "One row per raw file ever seen, written before any of its rows is read",
    described(
        "log string: Contract that read the file",
        "path string: File, relative to the raw root",
        "day string: Day of delivery (YYYY-MM-DD)",
        "size long: Bytes",
        "modified long: Storage time of the file (microseconds since 1970, UTC)",
        "sha256 string: Checksum of the file as delivered",
        "ingest_batch string: Batch the file belongs to",
    ),
)
BATCHES = TableSpec(
    "ingest_batches",
    "One row per finished batch: rows_in = rows_out + duplicates + refused, which is the sum of reasons",
    described(
        "log string: Contract that read the batch",
        "ingest_batch string: Batch id, a hash of what it read",
        "kind string: delivery of raw files, or replay of rows that were in quarantine",
        "contract_version int: Version of the contract that read it",
        "first_day string: First day of delivery",
        "last_day string: Last day of delivery",
        "files long: Files read",
        "rows_in long: Raw rows read",
        "rows_out long: Events written",
        "duplicates long: Rows that delivered an event again",
        "refused long: Rows refused",
        "reasons counts: Refused rows by reason",
        "known_from timestamp: When the first of its events was known (UTC); null where it brought none",
        "run_id string: Run that finished it; null where that was not noted yet",
    ),
)
QUARANTINE = TableSpec(
    "quarantine",
    "One row per refused raw row or file that no replay has brought back, with the reason and the original text",
    described(
        "log string: Contract that refused it",
        "reason string: First rule of the contract that it breaks",
        "text string: The row as delivered, personal values hashed; null for a file that cannot be read",
        "source_file string: Raw file, relative to the raw root",
        "ingest_batch string: Batch it came with",
        "contract_version int: Version of the contract that judged it last",
        "run_id string: Run that refused it last",
        "replay string: Batch of a replay that takes the row out at its end; null for a row that stays",
    ),
    # Not of the text: whole raw rows.
    layout=Layout(ranges=("log", "reason", "ingest_batch")),
)


def events(contract: Contract) -> TableSpec:
    """The event table of a log."""
    # The table's log keeps ranges for longer than an erased person's rows are there.
    keys = [name for name in contract.key if name not in contract.subject]
    ranges = tuple(dict.fromkeys(("event_at", "known_at", *keys, "ingest_batch")))
    layout = Layout(ranges=ranges, clustered_by=("event_at",))
    return TableSpec(contract.table, contract.description, contract.event_schema, layout=layout)
