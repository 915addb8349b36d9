"""From raw text to typed columns: one row per raw row, with the first reason to refuse it, if any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from lake.contracts import Column as ContractColumn
from lake.contracts import Contract, Lag, RawPlace, Reading, TimeFormat, places

TEXT, FILE, REASON, BROKEN = "_text", "_file", "_reason", "_broken"

# The first and the last instant that a calendar of four-digit years has; an epoch outside is no time.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999

# Spark reads "12:30" as today at half past twelve: only a full date may be a time.
_FULL_DATE = r"^\s*\d{4}-\d{2}-\d{2}"
# Between groups of three digits a comma parts thousands; "34,50" may be anything.
_GROUPED = r"^[+-]?\d{1,3}(SEPARATOR\d{3})+(\.\d*)?$"


def raw_column(name: str) -> Column:
    """A column of the raw file, whose name may hold dots and spaces."""
    return F.col(quoted_name(name))


def quoted_name(name: str) -> str:
    """A name of a raw column inside SQL."""
    return "`" + name.replace("`", "``") + "`"


def parse(raw: DataFrame, contract: Contract) -> DataFrame:
    """Cut raw rows to the contract.

    Args:
        raw: one row per raw row: the contract's source columns as text, ``_text`` (the original),
            ``_file`` and ``_broken`` (true where the row could not be split into columns).

    Returns:
        One row per raw row: ``event_at``, ``known_at``, the contract's columns typed, ``_file``, ``_reason``
        (null for a row that keeps the contract) and, for refused rows only, ``_text``. Sentinels become null.
    """
    event_at = _instant(_first(contract.happened), contract)
    known_at = _known_at(event_at, contract)
    ahead = F.unix_micros(event_at) - F.unix_micros(known_at)
    values = {name: _value(name, contract) for name in contract.columns}
    reasons = [
        F.when(F.col(BROKEN), F.lit("unparsable_row")),
        F.when(event_at.isNull(), F.lit("event_at_not_a_time")),
        F.when(known_at.isNull(), F.lit("known_at_not_a_time")),
        F.when(ahead > _micros(contract.clock_skew), F.lit("event_after_arrival")),
    ]
    if contract.late_by is not None:
        reasons.append(F.when(-ahead > _micros(contract.late_by), F.lit("event_too_long_before_arrival")))
    if contract.versioned:
        reasons.append(F.when(_version(contract).isNull(), F.lit("schema_version_not_a_number")))
    for name, column in contract.columns.items():
        reasons += _reasons(name, column, values[name], contract)
    reason = F.coalesce(*reasons)
    return raw.select(
        event_at.alias("event_at"),
        known_at.alias("known_at"),
        *(value.alias(name) for name, value in values.items()),
        F.col(FILE),
        reason.alias(REASON),
        (F.col(TEXT) if contract.business_key else F.when(reason.isNotNull(), F.col(TEXT))).alias(TEXT),
    )


def earliest_first(contract: Contract) -> list[Column]:
    """Parsed rows that tell one thing, in the order in which they count; no order of files or partitions changes it."""
    content = F.xxhash64("event_at", *contract.columns)
    return [F.col("known_at"), F.col(FILE), content]


def _known_at(event_at: Column, contract: Contract) -> Column:
    if isinstance(contract.known_at, Lag):
        return F.timestamp_micros(F.unix_micros(event_at) + _micros(contract.known_at.lag))
    return _instant(_first(contract.arrived), contract)


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _first(places: Sequence[RawPlace]) -> Column:
    """The raw value at the first of the places that has one."""
    return F.coalesce(*map(_at, places)) if len(places) > 1 else _at(places[0])


def _at(place: RawPlace) -> Column:
    column = raw_column(place.column)
    return column if place.path is None else F.get_json_object(column, place.path)


def _instant(text: Column, contract: Contract) -> Column:
    """The instant that a text gives in the first of the contract's formats that it fits."""
    return F.coalesce(*(_read(text, time_format) for time_format in contract.time_formats))


def _read(text: Column, time_format: TimeFormat) -> Column:
    if time_format == "iso":
        return F.when(text.rlike(_FULL_DATE), text.try_cast(TimestampType()))
    scale = 1_000_000 if time_format == "epoch_s" else 1_000
    micros = (text.try_cast("decimal(20,6)") * scale).try_cast("long")
    return F.when(micros.between(_FIRST, _LAST), F.timestamp_micros(micros))


def _version(contract: Contract) -> Column:
    """The schema version that a row names; null where it names none."""
    return F.trim(_first(contract.versioned)).try_cast("int")


def _by_version(column: ContractColumn, contract: Contract, read: Callable[[Reading], Column]) -> Column:
    """What ``read`` finds by the reading that the row's schema version asks for."""
    found = read(column)
    for older in sorted(column.older, key=lambda older: -older.until):
        found = F.when(_version(contract) <= older.until, read(older)).otherwise(found)
    return found


def _text(name: str, reading: Reading, unknown: Sequence[str]) -> Column:
    """The raw value with the meaning that a reading gives it; null where it stands for nothing."""
    text = _first(places(reading.source or name))
    if reading.means:
        pairs = [F.lit(part) for pair in reading.means.items() for part in pair]
        text = F.coalesce(F.element_at(F.create_map(*pairs), F.trim(text)), text)
    return F.when(~text.isin(*unknown), text) if unknown else text


def _value(name: str, contract: Contract) -> Column:
    column = contract.columns[name]
    return _by_version(column, contract, lambda reading: _typed(name, column, reading, contract))


def _typed(name: str, column: ContractColumn, reading: Reading, contract: Contract) -> Column:
    text = _text(name, reading, column.unknown)
    if column.type == "timestamp":
        return _instant(text, contract)
    if reading.thousands:
        is_grouped = F.trim(text).rlike(_GROUPED.replace("SEPARATOR", reading.thousands))
        text = F.when(is_grouped, F.replace(text, F.lit(reading.thousands), F.lit(""))).otherwise(text)
    if reading.minor_digits:
        text = _with_point(text, reading.minor_digits)
    return text if column.type == "string" else F.trim(text).try_cast(column.spark_type)


def _with_point(text: Column, minor_digits: int) -> Column:
    """A whole number with its last digits behind a point; null for what is no whole number."""
    number = F.trim(text)
    digits = F.lpad(
        F.regexp_replace(number, r"^[+-]", ""), F.greatest(F.length(number), F.lit(minor_digits)), "0"
    )
    pointed = F.regexp_replace(digits, rf"^(\d*)(\d{{{minor_digits}}})$", "$1.$2")
    sign = F.when(number.startswith("-"), "-").otherwise("")
    return F.when(number.rlike(r"^[+-]?\d+$"), F.concat(sign, pointed))


def _reasons(name: str, column: ContractColumn, value: Column, contract: Contract) -> list[Column]:
    text = _by_version(column, contract, lambda reading: _text(name, reading, column.unknown))
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
