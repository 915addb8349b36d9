"""Reading raw files as text columns, with the original text of every row."""

from __future__ import annotations

from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from lake.contracts import Contract
from lake.errors import SchemaError
from lake.ingest.parse import BROKEN, FILE, TEXT, raw_column

_CORRUPT = "_corrupt"


def read_raw(spark: SparkSession, root: str, paths: Sequence[str], contract: Contract) -> DataFrame:
    """One row per raw row of ``paths``: the contract's source columns as text, ``_text``, ``_file``, ``_broken``.

    Raises:
        SchemaError: a CSV header lacks a column of the contract.
    """
    folder = root.rstrip("/") + "/"
    located = [folder + path for path in paths]
    read = _read_json if contract.files.format == "json" else _read_csv
    # Spark gives the path as a URI, in which a plus is a plus.
    path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    relative = F.substr(path, F.locate(folder, path) + len(folder))
    return read(spark, located, contract, relative.alias(FILE))


def unreadable(spark: SparkSession, root: str, paths: Sequence[str], contract: Contract) -> list[str]:
    """Those of ``paths`` that cannot be read to their end, each tried alone.

    Raises:
        SchemaError: a CSV header lacks a column of the contract.
    """
    return [path for path in paths if not _readable(spark, root, path, contract)]


def _readable(spark: SparkSession, root: str, path: str, contract: Contract) -> bool:
    try:
        read_raw(spark, root, [path], contract).write.format("noop").mode("overwrite").save()
    except AnalysisException:
        raise  # a query that Spark does not take says nothing about a file
    except (PySparkException, Py4JJavaError):
        return False
    return True


def _strings(names: Sequence[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


def _read_json(spark: SparkSession, located: Sequence[str], contract: Contract, file: Column) -> DataFrame:
    # As a list of one: Spark reads a line up to the end of its first object and would forget what follows.
    line = F.concat(F.lit("["), "value", F.lit("]"))
    rows = F.from_json(line, ArrayType(_strings(contract.source_columns)))
    row = F.when(F.size(rows) == 1, F.get(rows, 0))
    parsed = spark.read.text(list(located)).select("value", file, row.alias("row"))
    return parsed.where(F.trim("value") != "").select(
        *(F.col("row").getField(name).alias(name) for name in contract.source_columns),
        F.col("value").alias(TEXT),
        F.col(FILE),
        F.col("row").isNull().alias(BROKEN),
    )


def _read_csv(spark: SparkSession, located: Sequence[str], contract: Contract, file: Column) -> DataFrame:
    header = spark.read.option("header", True).csv(located[0]).columns
    if not set(contract.source_columns) <= set(header):
        raise SchemaError.missing(located[0], contract.source_columns, header or ["nothing"])
    # Doubled quotes are what everyone but Spark writes.
    as_written = {"escape": '"', "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}
    rows = (
        spark.read.schema(_strings([*header, _CORRUPT]))
        .option("header", True)
        .option("enforceSchema", False)
        .options(**as_written)
        .option("columnNameOfCorruptRecord", _CORRUPT)
        .csv(list(located))
    )
    return rows.select(
        *(raw_column(name) for name in contract.source_columns),
        F.coalesce(F.col(_CORRUPT), F.to_csv(F.struct(*map(raw_column, header)), as_written)).alias(TEXT),
        file,
        F.col(_CORRUPT).isNotNull().alias(BROKEN),
    )
