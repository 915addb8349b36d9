"""Features and scoring use nothing that Spark Connect, and so serverless compute, does not have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "scoring")
# RDDs, the JVM behind a session, and what keeps rows on executors; serverless refuses settings of a session, too.
ATTRIBUTES = frozenset(
    {
        "_jdf",
        "_jsc",
        "_jsparkSession",
        "_jvm",
        "_sc",
        "cache",
        "checkpoint",
        "conf",
        "foreach",
        "foreachPartition",
        "localCheckpoint",
        "persist",
        "rdd",
        "sparkContext",
        "toJSON",
    }
)
NAMES = frozenset({"SparkContext", "RDD", "Broadcast", "Accumulator", "SparkConf", "SQLContext"})
# The frames that they look at are Arrow's and Python's; none of these words is used of them.
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def forbidden(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield f"line {node.lineno}: .{node.attr}"
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield f"line {node.lineno}: {node.id}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"line {node.lineno}: {one.name}" for one in node.names if one.name in NAMES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_needs_the_jvm_of_a_session(path: Path) -> None:
    assert list(forbidden(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "rows.rdd.map(str)",
        "spark.sparkContext.broadcast(1)",
        "rows.cache()",
        "rows.persist()",
        "spark.conf.set('spark.sql.shuffle.partitions', 1)",
        "spark._jvm.java",
        "from pyspark import SparkContext",
    ],
)
def test_such_a_line_is_found(line: str) -> None:
    assert list(forbidden(line))
