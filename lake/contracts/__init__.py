"""What a raw log promises: where its files lie, its columns, its times, how much of it may be bad."""

from lake.contracts.balance import Balance
from lake.contracts.changes import VALID_FROM, VALID_TO, Changes
from lake.contracts.column import Column, RawPlace, Reading, places
from lake.contracts.contract import Contract, Files, Lag, TimeFormat, read_contracts
from lake.contracts.refusals import values_of
from lake.contracts.revisions import CORRECTION, RETRACTION, REVISION, Revisions

__all__ = [
    "CORRECTION",
    "RETRACTION",
    "REVISION",
    "VALID_FROM",
    "VALID_TO",
    "Balance",
    "Changes",
    "Column",
    "Contract",
    "Files",
    "Lag",
    "RawPlace",
    "Reading",
    "Revisions",
    "TimeFormat",
    "places",
    "read_contracts",
    "values_of",
]
