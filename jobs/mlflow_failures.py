"""What MLflow does not do, in one line: its server does not answer or forbids it, or its folder cannot be written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lake.errors import TrustlakeError

_ADVICE = (
    "Mend its server (mlflow.tracking_uri, mlflow.registry_uri) or its folder (mlflow.store), and run the same "
    "command again"
)


@contextmanager
def mlflow_failures() -> Iterator[None]:
    """Raise what MLflow fails with in the body as one line.

    Raises:
        TrustlakeError: with MLflow's reason, and what to do.
    """
    try:
        yield
    except Exception as error:
        # Not imported here: that takes seconds, and most jobs never ask MLflow for anything.
        known = sys.modules.get("mlflow.exceptions")
        if known is None or not isinstance(error, known.MlflowException):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
        raise TrustlakeError(f"MLflow does not do what is asked of it: {reason}. {_ADVICE}") from error
