"""One statement that may read and nothing else, and what Spark finds wrong with it in one line.

Spark runs a command the moment it is handed over, so a statement is only ever handed over as a part that Spark's
grammar keeps for queries: ``INSERT`` or ``DROP`` is a syntax error there, whatever stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from lake.errors import RefusedError, TrustlakeError
from operations.sql.statements import after_comments, first_word

# Spark's statements that begin so tell something of tables, functions or a plan, and change nothing.
TELLING = {"SHOW", "DESCRIBE", "DESC", "EXPLAIN"}
# Before a command, these may stand in a statement that writes.
_LEADING = {"WITH", "FROM"}
_COMMANDS = {
    *("ALTER", "ANALYZE", "CACHE", "CALL", "CLEAR", "CLONE", "COMMENT", "COPY", "CREATE", "DECLARE", "DELETE", "DROP"),
    *("EXECUTE", "FSCK", "GRANT", "INSERT", "LOAD", "MERGE", "MSCK", "OPTIMIZE", "REFRESH", "REORG", "REPAIR"),
    *("REPLACE", "RESET", "RESTORE", "REVOKE", "SET", "TRUNCATE", "UNCACHE", "UPDATE", "USE", "VACUUM", "BEGIN"),
}  # fmt: skip
_BEFORE = "SELECT * FROM (WITH `_statement` AS ("
_AFTER = ") SELECT * FROM `_statement`)"
_NEAR = re.compile(r"Syntax error at or near '(\w+)'")
_CONDITION = re.compile(r"\[[A-Z][A-Z0-9_.]*\] [^\n]*")
_PLACE = re.compile(r"\(line (\d+), pos(?:ition)? (\d+)\)|line (\d+),? pos (\d+)")
_STATE = re.compile(r"\.? *SQLSTATE.*")
_HINT = re.compile(r" If necessary set \S+ to \S+ to bypass this error\.")
_LONGEST = 500


def query(spark: SparkSession, statement: str) -> DataFrame:
    """The rows of a statement that reads.

    Raises:
        RefusedError: it would write or change something.
        TrustlakeError: Spark does not understand it.
    """
    with one_line_mistakes(statement):
        if first_word(statement) in TELLING:
            # Without comments before it, Spark reads the same first word.
            return spark.sql(after_comments(statement))
        return spark.sql(f"{_BEFORE}\n{statement}\n{_AFTER}")


@contextmanager
def one_line_mistakes(statement: str) -> Iterator[None]:
    """Say in one line what Spark finds wrong in the body, with the place in the statement where it tells one.

    Raises:
        RefusedError: the statement is a command.
        TrustlakeError: whatever else is wrong.
    """
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        told = str(error).strip()
        near = _NEAR.search(told)
        word = first_word(statement)
        command = near[1].upper() if near and near[1].upper() in _COMMANDS else word
        if near and command in _COMMANDS and word in {command, *_LEADING}:
            raise RefusedError(
                f"{command} would write or change something, and this reads only: SELECT, WITH, VALUES, TABLE, FROM, "
                "DESCRIBE, SHOW, EXPLAIN; tables are written by jobs"
            ) from error
        raise TrustlakeError(_one_line(told, statement)) from error


def _one_line(told: str, statement: str) -> str:
    found = _CONDITION.search(told)
    said = _HINT.sub("", _STATE.sub("", found[0] if found else told.splitlines()[0])).rstrip(". ;")
    place = _place(told, statement)
    if place is None and _PLACE.search(told):
        said = "[PARSE_SYNTAX_ERROR] The statement ends too early: a bracket or a part of it is missing"
    return f"{said[:_LONGEST]}{place or ''}"


def _place(told: str, statement: str) -> str | None:
    """Line and column of the statement, both from 1; None where Spark tells none, or one past the end."""
    found = _PLACE.search(told)
    if found is None:
        return None
    line, column = int(found[1] or found[3]), int(found[2] or found[4])
    # "position" counts from 1, "pos" from 0; the statement's first line is the second of what Spark was given.
    column += "position" not in found[0]
    if first_word(statement) in TELLING:
        line += statement.count("\n") - after_comments(statement).count("\n")
    else:
        line -= 1
    return f" (line {line}, column {column})" if line <= statement.count("\n") + 1 else None
