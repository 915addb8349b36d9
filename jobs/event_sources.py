"""The event tables of a lake as sources of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.source import Source
from lake.contracts import Contract
from lake.tables import Lake


def event_sources(lake: Lake, contracts: Mapping[str, Contract], logs: Sequence[str]) -> dict[str, Source]:
    """Everything that is known of some logs, by log name.

    Raises:
        SchemaError: a log was never ingested.
    """
    return {log: Source(lake.read(contracts[log].table), tuple(contracts[log].key)) for log in logs}
