"""Reading raw files as text columns, with the original text of every row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from lake.contracts import Contract
from lake.errors import RefusedError, SchemaError
from lake.hash_key import UNFIT, HashKey
from lake.ingest.hidden_text import personal_places
from lake.ingest.parse import BROKEN, FILE, TEXT, quoted_name, raw_column, whole

_CORRUPT = "_corrupt"
# The condition by which Spark says that it failed while reading a file.
_FILE_FAILED = "FAILED_READ_FILE"
# Doubled quotes are what everyone but Spark writes.
_AS_WRITTEN = {"escape": '"', "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}


def read_raw(
    spark: SparkSession, root: str, paths: Sequence[str], contract: Contract, key: HashKey | None = None
) -> DataFrame:
    """One row per raw row of ``paths``: the contract's source columns as text, ``_text``, ``_file``, ``_broken``.

    The text of a row of CSV, which is nothing without its header, has hashes of the key in place of personal values.

    Raises:
        SchemaError: a CSV header lacks a column of the contract.
    """
    folder = root.rstrip("/") + "/"
    located = [folder + path for path in paths]
    # Spark gives the path as a URI, in which a plus is a plus.
    path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    relative = F.substr(path, F.locate(folder, path) + len(folder))
    if contract.files.format == "json":
        return _read_json(spark, located, contract, relative.alias(FILE))
    return _read_csv(spark, located, contract, relative.alias(FILE), key)


def read_again(spark: SparkSession, root: str, kept: DataFrame, contract: Contract) -> DataFrame:
    """Rows of the quarantine as ``read_raw`` gives them.

    Args:
        kept: ``text`` and ``source_file`` of each. Rows of CSV files need the files' headers.

    Raises:
        RefusedError: a CSV file of which there are rows is gone.
        SchemaError: a CSV header lacks a column of the contract.
    """
    lines = kept.select(F.col("text").alias("value"), F.col("source_file").alias(FILE))
    if contract.files.format == "json":
        return _json_rows(lines, contract)
    by_header: dict[tuple[str, ...], list[str]] = {}
    for row in lines.select(FILE).distinct().orderBy(FILE).collect():
        path = row[FILE]
        try:
            header = _header(spark, f"{root.rstrip('/')}/{path}", contract)
        except AnalysisException as error:
            if error.getCondition() != "PATH_NOT_FOUND":
                raise
            raise RefusedError(
                f"{contract.log}: {path} is gone, and its rows in quarantine are nothing without its header; restore "
                "it to bring them back"
            ) from error
        by_header.setdefault(tuple(header), []).append(path)
    parts = [
        _csv_rows(lines.where(F.col(FILE).isin(paths)), header, contract)
        for header, paths in by_header.items()
    ]
    return reduce(DataFrame.unionByName, parts)


def unreadable(spark: SparkSession, root: str, paths: Sequence[str], contract: Contract) -> list[str]:
    """Those of ``paths`` that cannot be read to their end, each tried alone.

    Raises:
        SchemaError: a CSV header lacks a column of the contract.
    """
    return [path for path in paths if not _readable(spark, root, path, contract)]


def _readable(spark: SparkSession, root: str, path: str, contract: Contract) -> bool:
    try:
        read_raw(spark, root, [path], contract).write.format("noop").mode("overwrite").save()
    except (PySparkException, Py4JJavaError) as error:
        if _FILE_FAILED not in str(error):
            raise  # a job that was cancelled, or a machine that was lost, says nothing about a file
        return False
    return True


def _strings(names: Sequence[str]) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


def _read_json(spark: SparkSession, located: Sequence[str], contract: Contract, file: Column) -> DataFrame:
    lines = spark.read.text(list(located)).select("value", file)
    return _json_rows(lines.where(F.trim("value") != ""), contract)


def _json_rows(lines: DataFrame, contract: Contract) -> DataFrame:
    # As a list of one: Spark reads a line up to the end of its first object and would forget what follows.
    line = F.concat(F.lit("["), "value", F.lit("]"))
    rows = F.from_json(line, ArrayType(_strings(contract.source_columns)))
    row = F.when(F.size(rows) == 1, F.get(rows, 0))
    return lines.withColumn("row", row).select(
        *(F.col("row").getField(name).alias(name) for name in contract.source_columns),
        F.col("value").alias(TEXT),
        F.col(FILE),
        F.col("row").isNull().alias(BROKEN),
    )


def _read_csv(
    spark: SparkSession, located: Sequence[str], contract: Contract, file: Column, key: HashKey | None
) -> DataFrame:
    header = _header(spark, located[0], contract)
    rows = (
        spark.read.schema(_strings([*header, _CORRUPT]))
        .option("header", not contract.files.header)
        .option("enforceSchema", bool(contract.files.header))
        .options(**_AS_WRITTEN)
        .option("columnNameOfCorruptRecord", _CORRUPT)
        .csv(list(located))
    )
    corrupt, hidden = F.col(_CORRUPT), _hidden(header, contract, key)
    written = F.to_csv(F.struct(*(hidden.get(name, raw_column(name)) for name in header)), _AS_WRITTEN)
    if key is not None and hidden:
        corrupt = key.column(corrupt)  # nothing says what stands where in it
    return rows.select(
        *_of_header(header, contract),
        F.coalesce(corrupt, written).alias(TEXT),
        file,
        F.col(_CORRUPT).isNotNull().alias(BROKEN),
    )


def _hidden(header: Sequence[str], contract: Contract, key: HashKey | None) -> dict[str, Column]:
    """Personal columns of a file as its text keeps them."""
    if key is None:
        return {}
    hidden = {}
    for place in personal_places(contract):
        name = place.names[0]
        if name in header:
            value = raw_column(name)
            hashed = key.column(value)
            if place.fits is not None:
                hashed = F.when(value.rlike(whole(place.fits)), hashed).otherwise(
                    F.concat(F.lit(UNFIT), hashed)
                )
            hidden[name] = F.when(value.isin(*place.plain), value).otherwise(hashed).alias(name)
    return hidden


def _csv_rows(lines: DataFrame, header: Sequence[str], contract: Contract) -> DataFrame:
    options = {**_AS_WRITTEN, "columnNameOfCorruptRecord": _CORRUPT}
    columns = ", ".join(f"{quoted_name(name)} string" for name in (*header, _CORRUPT))
    row = F.from_csv("value", columns, options)
    rows = lines.select("value", FILE, row.alias("row")).select("value", FILE, "row.*")
    return rows.select(
        *_of_header(header, contract),
        F.col("value").alias(TEXT),
        F.col(FILE),
        F.col(_CORRUPT).isNotNull().alias(BROKEN),
    )


def _of_header(header: Sequence[str], contract: Contract) -> list[Column]:
    return [
        raw_column(name) if name in header else F.lit(None).cast("string").alias(name)
        for name in contract.source_columns
    ]


def _header(spark: SparkSession, path: str, contract: Contract) -> list[str]:
    header = list(contract.files.header) or spark.read.option("header", True).csv(path).columns
    absent = [columns for columns in contract.alternatives if not set(columns) & set(header)]
    if absent:
        raise SchemaError.missing(path, [" or ".join(columns) for columns in absent], header or ["nothing"])
    return header
