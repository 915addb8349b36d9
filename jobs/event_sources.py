"""The event tables of a lake as sources of features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from features.source import Source
from lake.contracts import Contract
from lake.tables import Lake


def event_sources(
    lake: Lake,
    contracts: Mapping[str, Contract],
    logs: Iterable[str],
    versions: Mapping[str, int] | None = None,
) -> dict[str, Source]:
    """Everything that is known of some logs, by log name.

    Args:
        versions: of the tables to read; one that is not named is read as it is.

    Raises:
        SchemaError: a log was never ingested.
    """
    at = versions or {}
    tables = {log: contracts[log].table for log in logs}
    return {
        log: Source(lake.read(table, version=at.get(table)), contracts[log].row_id)
        for log, table in tables.items()
    }
