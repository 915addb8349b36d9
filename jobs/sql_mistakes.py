"""What Spark finds wrong with a SQL expression of the definitions or the configuration, in one line.

Some of it shows while a plan is made (a column that is not there), some only on the data (a division by zero): then
the message lies deep in what Spark says of a failed job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException

from lake.errors import SchemaError

_ADVICE = "correct the expression in the definitions or the overlay"
# SQLSTATE class 22, "data exception": a value for which an expression has no result.
_DATA_EXCEPTION = re.compile(
    r"(\[[A-Z][A-Z0-9_.]*\] [^\n]*?) SQLSTATE: 22\w{3}(?:\n== SQL[^\n]*==\n([^\n]+))?"
)


@contextmanager
def sql_mistakes() -> Iterator[None]:
    """Raise what went wrong in the body as one line where an expression of the user's is at fault.

    Raises:
        SchemaError: with Spark's condition, the expression where Spark names it, and what to do.
    """
    try:
        yield
    except AnalysisException as error:
        first = str(error).strip().splitlines()[0].split(" SQLSTATE")[0]
        raise SchemaError(f"{first.rstrip('. ')}; {_ADVICE}") from error
    except (PySparkException, Py4JJavaError) as error:
        found = _DATA_EXCEPTION.search(str(error))
        if found is None:
            raise
        said, expression = found.groups()
        where = f" in `{expression.strip()}`" if expression else ""
        raise SchemaError(f"{said.rstrip('. ')}{where}; {_ADVICE}") from error
