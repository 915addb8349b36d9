"""What a raw log promises: where its files lie, its columns, its times, how much of it may be bad."""

from lake.contracts.column import Column, RawPlace, Reading, places
from lake.contracts.contract import Contract, Files, Lag, TimeFormat, read_contracts

__all__ = [
    "Column",
    "Contract",
    "Files",
    "Lag",
    "RawPlace",
    "Reading",
    "TimeFormat",
    "places",
    "read_contracts",
]
