"""The tables of a lake: Delta tables by path or by Unity Catalog name, each with comments and commit metadata."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.readwriter import DataFrameWriter
from pyspark.sql.types import StructField, StructType

from lake.conflicts import CONFLICTS
from lake.conform import conform
from lake.data_versions import data_version, newest_alike
from lake.errors import LakeVersionError, SchemaError
from lake.hash_key import HashKey
from lake.layout import STATISTICS, Layout, stored
from lake.quoted import quoted
from lake.session_settings import USER_METADATA, session_settings
from lake.settings import LakeSettings

LAKE_FORMAT = 1
FORMAT_PROPERTY = "trustlake.lakeFormat"

# The folder is there, its first commit is not: another process is at it, or something else lies there.
_HALF_CREATED = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
# Where two threads of one JVM meet at a table's birth, the loser may look at a cached listing without any commit.
_NEWBORN = "DELTA_TABLE_NOT_FOUND"
_LOOKS, _PAUSE_SECONDS = 20, 0.5
_FOUND = "trustlake_found"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What a table is: its name, what one row means, its columns with their comments, and how it is stored."""

    name: str
    comment: str
    schema: StructType
    properties: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True, kw_only=True)
class CommitStamp:
    """What every commit of a run carries."""

    run_id: str
    code_version: str
    config_hash: str

    @property
    def metadata(self) -> str:
        return json.dumps({"run_id": self.run_id, "code": self.code_version, "config": self.config_hash})


class Lake:
    """Reads and writes the tables of one lake in one run."""

    def __init__(
        self,
        spark: SparkSession,
        settings: LakeSettings,
        stamp: CommitStamp,
        *,
        hash_key: HashKey | None = None,
    ) -> None:
        self.spark = spark
        self.settings = settings
        self.stamp = stamp
        self.hash_key = hash_key
        self._alike: dict[tuple[str, int], int] = {}

    def place(self, name: str) -> str:
        """The table as SQL names it: ``catalog.schema.name``, or ``delta.`path```."""
        settings = self.settings
        if settings.root is None:
            return f"{settings.catalog}.{settings.schema_name}.{name}"
        return f"delta.`{settings.root}/{name}`"

    def exists(self, name: str) -> bool:
        if self.settings.root is None:
            return self.spark.catalog.tableExists(self.place(name))
        return DeltaTable.isDeltaTable(self.spark, f"{self.settings.root}/{name}")

    def names(self) -> list[str]:
        """Every table there is, by name."""
        settings = self.settings
        if settings.root is None:
            found = self.spark.sql(f"SHOW TABLES IN {settings.catalog}.{settings.schema_name}").collect()
            return sorted(row["tableName"] for row in found if not row["isTemporary"])
        try:
            commits = self.spark.read.format("binaryFile").load(f"{settings.root}/*/_delta_log/*.json")
        except AnalysisException as error:
            if error.getCondition() != "PATH_NOT_FOUND":
                raise
            return []
        return sorted({row["path"].split("/")[-3] for row in commits.select("path").distinct().collect()})

    def read(self, name: str, *, version: int | None = None) -> DataFrame:
        """The table, as it is or with the rows it had at ``version``.

        Raises:
            SchemaError: there is no such table.
        """
        if not self.exists(name):
            raise SchemaError(f"{self.place(name)} does not exist; run the job that writes it first")
        if version is None:
            return self.spark.read.table(self.place(name))
        if (name, version) not in self._alike:
            self._alike[name, version] = newest_alike(self.spark, self.place(name), version)
        at = self._alike[name, version]
        return self.spark.sql(f"SELECT * FROM {self.place(name)} VERSION AS OF {at}")

    def version(self, name: str) -> int | None:
        """The latest version that may have changed a row; None where the table does not exist.

        Maintenance makes versions that change none, and whoever remembers what was read must not see them.
        """
        return data_version(self.spark, self.place(name)) if self.exists(name) else None

    def ensure(self, spec: TableSpec) -> None:
        """Create the table where it is absent.

        Raises:
            SchemaError: it exists with other columns or types.
            LakeVersionError: it was created by a newer version of trustlake.
        """
        is_ours = not self.exists(spec.name) and self._create_or_find(spec)
        schema = self._schema(spec.name)
        if schema is None:
            self._finish_creating(spec)
            schema = self.spark.read.table(self.place(spec.name)).schema
        if not is_ours:
            self.check_format(spec.name)
        found = {field.name: field.dataType.simpleString() for field in schema}
        expected = {field.name: field.dataType.simpleString() for field in spec.schema}
        if found != expected:
            raise SchemaError.differs(self.place(spec.name), found, expected)

    def widen(self, spec: TableSpec) -> None:
        """Create the table, or add the columns it lacks, which are null in every row there is.

        Raises:
            SchemaError: it has a column that the specification has not, or with another type.
            LakeVersionError: it was created by a newer version of trustlake.
        """
        if self.exists(spec.name):
            there = self._schema(spec.name)
            new = [
                _declared(field) for field in spec.schema if there and field.name not in there.fieldNames()
            ]
            if new:
                self.spark.sql(f"ALTER TABLE {self.place(spec.name)} ADD COLUMNS ({', '.join(new)})")
        self.ensure(spec)

    def append(self, name: str, rows: DataFrame, *, once: str | None = None) -> None:
        """Append rows; with ``once``, a second append under the same id writes nothing."""
        writer = self._writer(self._cut(name, rows)).mode("append")
        if once is not None:
            writer = writer.option("txnAppId", once).option("txnVersion", 1)
        self._save(writer, name)

    def replace(self, name: str, rows: DataFrame, *, where: str) -> None:
        """Replace exactly the rows that fulfil ``where`` by ``rows``, in one commit."""
        self._save(self._writer(self._cut(name, rows)).mode("overwrite").option("replaceWhere", where), name)

    def recreate(self, spec: TableSpec, rows: DataFrame) -> None:
        """Replace all rows and columns of the table, in one commit; its history stays."""
        place, wanted = self.place(spec.name), spec.layout.properties
        if stored(self.spark, place).properties.get(STATISTICS) != wanted.get(STATISTICS):
            # It may name a column that goes.
            self.spark.sql(f"ALTER TABLE {place} UNSET TBLPROPERTIES IF EXISTS ({quoted(STATISTICS)})")
        writer = self._writer(conform(rows, spec.schema, table=spec.name)).mode("overwrite")
        self._save(writer.option("overwriteSchema", "true"), spec.name)
        # Delta forgets what a table is clustered by where its schema is overwritten.
        kept = {name: value for name, value in wanted.items() if name == STATISTICS}
        for statement in stored(self.spark, place).changes(place, spec.layout, kept):
            self.spark.sql(statement)

    def check_format(self, name: str) -> None:
        """Refuse a lake that a newer version of trustlake wrote; an absent table is fine.

        Raises:
            LakeVersionError: the table names a format above ours.
        """
        if not self.exists(name):
            return
        found = int(self.properties(name).get(FORMAT_PROPERTY, LAKE_FORMAT))
        if found > LAKE_FORMAT:
            raise LakeVersionError(
                f"{self.place(name)} has lake format {found}, this trustlake knows {LAKE_FORMAT}; "
                "upgrade trustlake, or point `lake` at another place"
            )

    def properties(self, name: str) -> dict[str, str]:
        """The properties of a table that exists."""
        rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.place(name)}").collect()
        return {row["key"]: row["value"] for row in rows}

    def set_property(self, name: str, key: str, value: str) -> None:
        """Set a property of a table that exists, in a commit of its own."""
        self.spark.sql(f"ALTER TABLE {self.place(name)} SET TBLPROPERTIES ({quoted(key)} = {quoted(value)})")

    def merge(self, name: str, found: DataFrame, *, on: str, then: str) -> None:
        """Merge rows, called ``found``, into a table, called ``held``, in one commit: ``MERGE … ON on then``."""
        found.createOrReplaceTempView(_FOUND)
        try:
            with session_settings(self.spark, {USER_METADATA: self.stamp.metadata}):
                self.spark.sql(
                    f"MERGE INTO {self.place(name)} AS held USING {_FOUND} AS found ON {on} {then}"
                )
        finally:
            self.spark.catalog.dropTempView(_FOUND)

    def _create_or_find(self, spec: TableSpec) -> bool:
        """Create the table, or wait for the process that creates it at the same moment; tells whether it is ours."""
        try:
            self._create(spec)
        except CONFLICTS:
            return False
        except AnalysisException as error:
            if error.getCondition() != _HALF_CREATED:
                raise
            for _ in range(_LOOKS):
                time.sleep(_PAUSE_SECONDS)
                if self.exists(spec.name):
                    return False
            raise
        return True

    def _schema(self, name: str) -> StructType | None:
        """The columns of a table that exists, if only just now; None where its first commit never came."""
        for _ in range(_LOOKS):
            try:
                return self.spark.read.table(self.place(name)).schema
            except AnalysisException as error:
                if error.getCondition() != _NEWBORN:
                    raise
            time.sleep(_PAUSE_SECONDS)
        return None

    def _finish_creating(self, spec: TableSpec) -> None:
        """Give a table its first commit, whose creator was killed just before it.

        SQL takes what that one left, a log without a commit, for a table, and creates none. An append of no row is
        what harms nobody, should the creator live after all; where several meet here, one does each of the steps.
        """
        place = self.place(spec.name)
        nothing = self.spark.createDataFrame([], spec.schema)
        with suppress(*CONFLICTS):
            self._save(self._writer(nothing).mode("append"), spec.name)
        changes = stored(self.spark, place).changes(place, spec.layout, declared_properties(spec))
        for statement in (f"COMMENT ON TABLE {place} IS {quoted(spec.comment)}", *changes):
            with suppress(*CONFLICTS):
                self.spark.sql(statement)

    def _create(self, spec: TableSpec) -> None:
        columns = map(_declared, spec.schema)
        properties = [
            f"{quoted(name)} = {quoted(value)}" for name, value in declared_properties(spec).items()
        ]
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.place(spec.name)} ({', '.join(columns)}) USING delta "
            f"{spec.layout.clause} COMMENT {quoted(spec.comment)} TBLPROPERTIES ({', '.join(properties)})"
        )

    def _cut(self, name: str, rows: DataFrame) -> DataFrame:
        return conform(rows, self.spark.read.table(self.place(name)).schema, table=name)

    def _writer(self, rows: DataFrame) -> DataFrameWriter:
        return rows.write.format("delta").option("userMetadata", self.stamp.metadata)

    def _save(self, writer: DataFrameWriter, name: str) -> None:
        if self.settings.root is None:
            writer.saveAsTable(self.place(name))
        else:
            writer.save(f"{self.settings.root}/{name}")


def declared_properties(spec: TableSpec) -> dict[str, str]:
    """The table properties that a new table gets."""
    return {FORMAT_PROPERTY: str(LAKE_FORMAT), **spec.layout.properties, **spec.properties}


def _declared(field: StructField) -> str:
    return (
        f"`{field.name}` {field.dataType.simpleString()} COMMENT {quoted(field.metadata.get('comment', ''))}"
    )
