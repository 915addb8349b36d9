"""Which columns of an event table hold hashes, and of which key: noted on the table, for the rows do not show it."""

from __future__ import annotations

from lake.contracts import Contract
from lake.errors import ConfigError
from lake.hash_key import VARIABLE, needed
from lake.tables import Lake

PROPERTY = "trustlake.personal"


def note_personal(lake: Lake, contract: Contract) -> None:
    """Note on the event table what is kept as hashes of which key.

    Raises:
        ConfigError: there is no key, or the rows that are there were kept in another way: equal values would be
            equal no more.
    """
    table = contract.table
    noted = lake.properties(table).get(PROPERTY, "")
    wanted = ""
    if contract.personal:
        key = needed(lake.hash_key, f"{contract.log}: {', '.join(contract.personal)}")
        wanted = f"{', '.join(sorted(contract.personal))} by key {key.fingerprint}"
    if noted == wanted:
        return
    if lake.read(table).head() is not None:
        mistake = (
            f"{lake.place(table)} has rows that hold as hashes: {noted or 'nothing'}; contract and {VARIABLE} now say: "
            f"{wanted or 'nothing'}; give back the contract and key it was written with, or ingest into another lake"
        )
        raise ConfigError([mistake])
    lake.set_property(table, PROPERTY, wanted)
