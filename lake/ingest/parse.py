"""From raw text to typed columns: one row per raw row, with the first reason to refuse it, if any."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from lake.contracts import Column as ContractColumn
from lake.contracts import Contract, Lag

TEXT, FILE, REASON, BROKEN = "_text", "_file", "_reason", "_broken"

# The first and the last instant that a calendar of four-digit years has; an epoch outside is no time.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

# Spark reads "12:30" as today at half past twelve: only a full date may be a time.
_FULL_DATE = r"^\s*\d{4}-\d{2}-\d{2}"


def raw_column(name: str) -> Column:
    """A column of the raw file, whose name may hold dots and spaces."""
    return F.col("`" + name.replace("`", "``") + "`")


def parse(raw: DataFrame, contract: Contract) -> DataFrame:
    """Cut raw rows to the contract.

    Args:
        raw: one row per raw row: the contract's source columns as text, ``_text`` (the original),
            ``_file`` and ``_broken`` (true where the row could not be split into columns).

    Returns:
        One row per raw row: ``event_at``, ``known_at``, the contract's columns typed, ``_file``, ``_reason``
        (null for a row that keeps the contract) and, for refused rows only, ``_text``. Sentinels become null.
    """
    event_at = _instant(raw_column(contract.event_at), contract.time_format)
    known_at = _known_at(event_at, contract)
    values = {name: _value(name, column, contract) for name, column in contract.columns.items()}
    reasons = [
        F.when(F.col(BROKEN), F.lit("unparsable_row")),
        F.when(event_at.isNull(), F.lit("event_at_not_a_time")),
        F.when(known_at.isNull(), F.lit("known_at_not_a_time")),
        F.when(
            F.unix_micros(event_at) - F.unix_micros(known_at)
            > int(contract.clock_skew.total_seconds()) * 1_000_000,
            F.lit("event_after_arrival"),
        ),
    ]
    for name, column in contract.columns.items():
        reasons += _reasons(name, column, values[name], contract)
    reason = F.coalesce(*reasons)
    return raw.select(
        event_at.alias("event_at"),
        known_at.alias("known_at"),
        *(value.alias(name) for name, value in values.items()),
        F.col(FILE),
        reason.alias(REASON),
        F.when(reason.isNotNull(), F.col(TEXT)).alias(TEXT),
    )


def _known_at(event_at: Column, contract: Contract) -> Column:
    if isinstance(contract.known_at, Lag):
        return F.timestamp_micros(
            F.unix_micros(event_at) + int(contract.known_at.lag.total_seconds()) * 1_000_000
        )
    return _instant(raw_column(contract.known_at), contract.time_format)


def _instant(text: Column, time_format: str) -> Column:
    if time_format == "iso":
        return F.when(text.rlike(_FULL_DATE), text.try_cast(TimestampType()))
    scale = 1_000_000 if time_format == "epoch_s" else 1_000
    micros = (text.try_cast("decimal(20,6)") * scale).try_cast("long")
    return F.when(micros.between(_FIRST, _LAST), F.timestamp_micros(micros))


def _text(name: str, column: ContractColumn) -> Column:
    text = raw_column(column.source or name)
    return F.when(~text.isin(*column.unknown), text) if column.unknown else text


def _value(name: str, column: ContractColumn, contract: Contract) -> Column:
    text = _text(name, column)
    if column.type == "timestamp":
        return _instant(text, contract.time_format)
    return text if column.type == "string" else F.trim(text).try_cast(column.spark_type)


def _reasons(name: str, column: ContractColumn, value: Column, contract: Contract) -> list[Column]:
    text = _text(name, column)
    reasons = []
    if column.required or name in contract.key:
        reasons.append(F.when(text.isNull() | (F.trim(text) == ""), F.lit(f"{name}_missing")))
    if column.type != "string":
        reasons.append(F.when(text.isNotNull() & value.isNull(), F.lit(f"{name}_not_{column.type}")))
    if column.allowed:
        reasons.append(F.when(~value.isin(*column.allowed), F.lit(f"{name}_not_allowed")))
    if column.min is not None:
        reasons.append(F.when(value < column.min, F.lit(f"{name}_below_{column.min:g}")))
    if column.max is not None:
        reasons.append(F.when(value > column.max, F.lit(f"{name}_above_{column.max:g}")))
    return reasons
