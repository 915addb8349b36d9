"""The event table of a log as it has to be: with its columns, and noting which of them hold hashes of which key.

The rows do not show that.
"""

from __future__ import annotations

from dataclasses import replace

from lake.contracts import Contract
from lake.errors import ConfigError
from lake.hash_key import VARIABLE, needed
from lake.ingest.schemas import events
from lake.tables import Lake

PROPERTY = "trustlake.personal"


def prepare_events(lake: Lake, contract: Contract) -> None:
    """Create the event table of a log, or add the columns that it lacks.

    Raises:
        ConfigError: there is no key, or the rows that are there hold other columns as hashes, or by another key:
            equal values would be equal no more.
        SchemaError: it has a column that the contract has not, or with another type.
        LakeVersionError: it was created by a newer version of trustlake.
    """
    table, hashed = contract.table, _hashed(lake, contract)
    if not lake.exists(table):
        lake.ensure(replace(events(contract), properties={PROPERTY: hashed} if hashed else {}))
        return
    lake.widen(events(contract))
    noted = lake.properties(table).get(PROPERTY, "")
    if noted == hashed:
        return
    if lake.read(table).head() is not None:
        mistake = (
            f"{lake.place(table)} has rows that hold as hashes: {noted or 'nothing'}; contract and {VARIABLE} now say: "
            f"{hashed or 'nothing'}; give back the contract and key it was written with, or ingest into another lake"
        )
        raise ConfigError([mistake])
    lake.set_property(table, PROPERTY, hashed)


def has_columns(lake: Lake, contract: Contract) -> bool:
    """Whether the event table of a log is there with exactly the columns that its contract gives it."""
    return lake.exists(contract.table) and set(lake.read(contract.table).columns) == {
        field.name for field in events(contract).schema
    }


def _hashed(lake: Lake, contract: Contract) -> str:
    """What is kept as hashes of which key, in words; empty where nothing is."""
    if not contract.personal:
        return ""
    key = needed(lake.hash_key, f"{contract.log}: {', '.join(contract.personal)}")
    return f"{', '.join(sorted(contract.personal))} by key {key.fingerprint}"
