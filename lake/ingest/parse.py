"""From raw text to typed columns: one row per raw row, with the first reason to refuse it, if any."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from lake.contracts import Column as ContractColumn
from lake.contracts import Contract, Lag, RawPlace, Reading, TimeFormat, places, values_of
from lake.hash_key import HASHED, HIDDEN, UNFIT, HashKey, needed

TEXT, FILE, REASON, BROKEN = "_text", "_file", "_reason", "_broken"

# Columns of a row on its way: the text of a column, of its times, its schema version, and why it is not wanted.
_ID_DIGITS = 32
# How many microseconds a number counts; the numbers of hours and days begin with 0 at 1970.
_SCALES = {
    "epoch_s": 1_000_000,
    "epoch_ms": 1_000,
    "hour_number": 3_600_000_000,
    "day_number": 86_400_000_000,
}
_RAW, _HAPPENED, _ARRIVED, _VERSION, _UNWANTED = "_raw_", "_happened", "_arrived", "_version", "_unwanted"

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


def whole(pattern: str) -> str:
    """A regular expression that fits texts which the pattern fits from end to end."""
    return rf"\A(?:{pattern})\z"


def parse(raw: DataFrame, contract: Contract, key: HashKey | None, *, again: bool = False) -> DataFrame:
    """Cut raw rows to the contract.

    Args:
        raw: one row per raw row: the contract's source columns as text, ``_text`` (the original),
            ``_file`` and ``_broken`` (true where the row could not be split into columns).
        key: what personal columns are hashed with; a contract without any needs none.
        again: the rows come from the quarantine, where personal values are hashes already.

    Returns:
        One row per raw row: ``event_at``, ``known_at``, the contract's columns typed, ``_file``, ``_reason``
        (null for a row that keeps the contract) and ``_text``, which delivered rows that nothing can refuse any more
        lack. Sentinels become null. ``_text`` still has its personal values.
    """
    # Step by step, for Spark computes what one step uses twice only once if an earlier one has named it.
    rows = _typed(_worded(raw, contract), contract).withColumn(
        REASON, F.coalesce(*_reasons(contract, again=again))
    )
    is_kept = contract.is_judged_together or again
    text = F.col(TEXT) if is_kept else F.when(F.col(REASON).isNotNull(), F.col(TEXT))
    kept = [
        _hashed(name, key, again=again) if name in contract.personal else name for name in contract.columns
    ]
    return rows.select("event_at", "known_at", *kept, FILE, REASON, text.alias(TEXT))


def earliest_first(contract: Contract) -> list[Column]:
    """Parsed rows that tell one thing, in the order in which they count; no order of files or partitions changes it."""
    content = F.xxhash64("event_at", *contract.columns)
    return [F.col("known_at"), F.col(FILE), content]


def _hashed(name: str, key: HashKey | None, *, again: bool) -> Column:
    value = F.col(name)
    hashed = needed(key, name).column(value)
    if again:
        is_hidden = value.rlike(whole(HIDDEN))
        hashed = F.when(is_hidden, F.regexp_replace(value, f"^{UNFIT}", "")).otherwise(hashed)
    return hashed.alias(name)


def _worded(raw: DataFrame, contract: Contract) -> DataFrame:
    """Per row, the text of everything that the contract reads, with the meaning that it gives it."""
    version = F.trim(_first(contract.versioned)).try_cast("int") if contract.versioned else F.lit(None)
    placed = raw.select("*", version.alias(_VERSION))
    arrived = _first(contract.arrived) if contract.arrived else F.lit(None)
    texts = [_text(name, column).alias(_RAW + name) for name, column in contract.columns.items()]
    happened = _first(contract.happened) if contract.happened else F.lit(None)
    times = [happened.alias(_HAPPENED), arrived.alias(_ARRIVED)]
    return placed.select(*texts, *times, _unwanted(contract).alias(_UNWANTED), _VERSION, TEXT, FILE, BROKEN)


def _unwanted(contract: Contract) -> Column:
    """The first reason for which the contract does not want a row, null where it does."""
    reasons = [
        F.when(_holds(RawPlace.of(field), value), F.lit(reason))
        for reason, fields in contract.refuse.items()
        for field, values in fields.items()
        for value in values_of(values)
    ]
    return F.coalesce(*reasons) if reasons else F.lit(None).cast("string")


def _holds(place: RawPlace, value: str) -> Column:
    """Whether the raw value at a place is ``value``, in which ``*`` stands for any text."""
    literal = re.sub(r"([\\\\%_])", r"\\\1", value)
    return _at(place).like(literal.replace("*", "%"))


def _typed(rows: DataFrame, contract: Contract) -> DataFrame:
    """Per row, its times and the contract's columns typed, beside their texts; null where a text does not fit."""
    happened = F.lit(contract.all_at) if contract.all_at else _instant(F.col(_HAPPENED), contract)
    timed = rows.withColumn("event_at", happened)
    values = [_value(name, column, contract).alias(name) for name, column in contract.columns.items()]
    return timed.select("*", _known_at(contract).alias("known_at"), *values)


def _reasons(contract: Contract, *, again: bool) -> list[Column]:
    """Everything that a typed row may be refused for, null where it is not; the first counts."""
    event_at, known_at = F.col("event_at"), F.col("known_at")
    ahead = F.unix_micros(event_at) - F.unix_micros(known_at)
    reasons = [
        F.when(F.col(BROKEN), F.lit("unparsable_row")),
        F.col(_UNWANTED),
        F.when(event_at.isNull(), F.lit("event_at_not_a_time")),
        F.when(known_at.isNull(), F.lit("known_at_not_a_time")),
        F.when(ahead > _micros(contract.clock_skew), F.lit("event_after_arrival")),
    ]
    if contract.late_by is not None:
        reasons.append(F.when(-ahead > _micros(contract.late_by), F.lit("event_too_long_before_arrival")))
    if contract.versioned:
        reasons.append(F.when(F.col(_VERSION).isNull(), F.lit("schema_version_not_a_number")))
    for name, column in contract.columns.items():
        needed_here = column.required or name in contract.key
        reasons += _reasons_of(name, column, is_needed=needed_here, again=again)
    return reasons


def _known_at(contract: Contract) -> Column:
    if isinstance(contract.known_at, Lag):
        return F.timestamp_micros(F.unix_micros("event_at") + _micros(contract.known_at.lag))
    return _instant(F.col(_ARRIVED), contract)


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
    micros = (text.try_cast("decimal(20,6)") * _SCALES[time_format]).try_cast("long")
    return F.when(micros.between(_FIRST, _LAST), F.timestamp_micros(micros))


def _by_version(column: ContractColumn, read: Callable[[Reading], Column]) -> Column:
    """What ``read`` finds by the reading that the row's schema version asks for."""
    found = read(column)
    for older in sorted(column.older, key=lambda older: -older.until):
        found = F.when(F.col(_VERSION) <= older.until, read(older)).otherwise(found)
    return found


def _text(name: str, column: ContractColumn) -> Column:
    """The raw value with the meaning that its reading gives it; null where it stands for nothing."""
    if column.made_of:
        return _made_of(column)
    text = _by_version(column, lambda reading: _meant(_first(places(reading.source or name)), reading))
    return F.when(~text.isin(*column.unknown), text) if column.unknown else text


def _made_of(column: ContractColumn) -> Column:
    """A hash of fields as they stand in the row; null where none has a value."""
    fields = [_at(place) for place in places(column.made_of or ())]
    # The length parts what is next to each other, and a field without a value is none of length 0.
    parts = [F.coalesce(F.concat(F.length(one), F.lit(":"), one), F.lit("-")) for one in fields]
    return F.when(F.coalesce(*fields).isNotNull(), F.left(F.sha2(F.concat(*parts), 256), F.lit(_ID_DIGITS)))


def _meant(text: Column, reading: Reading) -> Column:
    if not reading.means:
        return text
    pairs = [F.lit(part) for pair in reading.means.items() for part in pair]
    return F.coalesce(F.element_at(F.create_map(*pairs), F.trim(text)), text)


def _value(name: str, column: ContractColumn, contract: Contract) -> Column:
    text = F.col(_RAW + name)
    if column.type == "string":
        return text
    if column.type == "timestamp":
        return _instant(text, contract)
    return F.trim(_by_version(column, lambda reading: _number(text, reading))).try_cast(column.spark_type)


def _number(text: Column, reading: Reading) -> Column:
    """The text of a number as everyone writes it."""
    if reading.thousands:
        is_grouped = F.trim(text).rlike(_GROUPED.replace("SEPARATOR", reading.thousands))
        text = F.when(is_grouped, F.replace(text, F.lit(reading.thousands), F.lit(""))).otherwise(text)
    return _with_point(text, reading.minor_digits) if reading.minor_digits else text


def _with_point(text: Column, minor_digits: int) -> Column:
    """A whole number with its last digits behind a point; null for what is no whole number."""
    number = F.trim(text)
    digits = F.lpad(
        F.regexp_replace(number, r"^[+-]", ""), F.greatest(F.length(number), F.lit(minor_digits)), "0"
    )
    pointed = F.regexp_replace(digits, rf"^(\d*)(\d{{{minor_digits}}})$", "$1.$2")
    sign = F.when(number.startswith("-"), "-").otherwise("")
    return F.when(number.rlike(r"^[+-]?\d+$"), F.concat(sign, pointed))


def _reasons_of(name: str, column: ContractColumn, *, is_needed: bool, again: bool) -> list[Column]:
    text, value = F.col(_RAW + name), F.col(name)
    reasons = []
    if is_needed:
        reasons.append(F.when(text.isNull() | (F.trim(text) == ""), F.lit(f"{name}_missing")))
    if column.type != "string":
        reasons.append(F.when(text.isNotNull() & value.isNull(), F.lit(f"{name}_not_{column.type}")))
    if column.allowed:
        reasons.append(F.when(~value.isin(*column.allowed), F.lit(f"{name}_not_allowed")))
    if column.pattern is not None:
        fits = value.rlike(whole(column.pattern))
        if again and column.personal:
            fits |= value.rlike(whole(HASHED))  # it was judged before it was hashed
        reasons.append(F.when(~fits, F.lit(f"{name}_unlike_pattern")))
    if column.min is not None:
        reasons.append(F.when(value < column.min, F.lit(f"{name}_below_{column.min:g}")))
    if column.max is not None:
        reasons.append(F.when(value > column.max, F.lit(f"{name}_above_{column.max:g}")))
    return reasons
