"""Reading raw files as text columns, with the original text of every row."""

from __future__ import annotations

from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lake.contracts import Contract
from lake.errors import SchemaError
from lake.ingest.parse import BROKEN, FILE, TEXT

_CORRUPT = "_corrupt"


def read_raw(spark: SparkSession, root: str, paths: Sequence[str], contract: Contract) -> DataFrame:
    """One row per raw row of ``paths``: the contract's source columns as text, ``_text``, ``_file``, ``_broken``.

    Raises:
        SchemaError: a CSV header lacks a column of the contract.
    """
    base = root.rstrip("/")
    located = [f"{base}/{path}" for path in paths]
    read = _read_json if contract.files.format == "json" else _read_csv
    path = F.col("_metadata.file_path")
    raw = read(spark, located, contract, F.substring_index(path, base + "/", -1).alias(FILE))
    return raw


def unreadable(spark: SparkSession, root: str, paths: Sequence[str], contract: Contract) -> list[str]:
    """Those of ``paths`` that cannot be read to their end, each tried alone."""
    return [path for path in paths if not _readable(spark, root, path, contract)]


def _readable(spark: SparkSession, root: str, path: str, contract: Contract) -> bool:
    try:
        read_raw(spark, root, [path], contract).write.format("noop").mode("overwrite").save()
    except (PySparkException, Py4JJavaError):
        return False
    return True


def _strings(names: Sequence[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


def _read_json(spark: SparkSession, located: Sequence[str], contract: Contract, file: Column) -> DataFrame:
    schema = _strings([*contract.source_columns, _CORRUPT])
    lines = spark.read.text(list(located)).select("value", file)
    parsed = lines.withColumn("row", F.from_json("value", schema, {"columnNameOfCorruptRecord": _CORRUPT}))
    return parsed.where(F.trim("value") != "").select(
        *(F.col(f"row.`{name}`").alias(name) for name in contract.source_columns),
        F.col("value").alias(TEXT),
        F.col(FILE),
        (F.col("row").isNull() | F.col(f"row.{_CORRUPT}").isNotNull()).alias(BROKEN),
    )


def _read_csv(spark: SparkSession, located: Sequence[str], contract: Contract, file: Column) -> DataFrame:
    header = spark.read.option("header", True).csv(located[0]).columns
    if not set(contract.source_columns) <= set(header):
        raise SchemaError.missing(located[0], contract.source_columns, header)
    rows = (
        spark.read.schema(_strings([*header, _CORRUPT]))
        .option("header", True)
        .option("enforceSchema", False)
        .option("columnNameOfCorruptRecord", _CORRUPT)
        .csv(list(located))
    )
    return rows.select(
        *(F.col(name) for name in contract.source_columns),
        F.coalesce(F.col(_CORRUPT), F.to_json(F.struct(*header))).alias(TEXT),
        file,
        F.col(_CORRUPT).isNotNull().alias(BROKEN),
    )
