"""What is said where MLflow cannot be written to: its server is down, or its disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException

from lake.errors import TrustlakeError


@contextmanager
def writing_to_mlflow(what: str, kept: str) -> Iterator[None]:
    """Write something to MLflow.

    Args:
        what: is written, as the subject of a sentence.
        kept: what the same command need not do again.

    Raises:
        TrustlakeError: it cannot be written; with the reason in one line, and what to do.
    """
    try:
        yield
    except (MlflowException, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrustlakeError(
            f"{what} cannot be written to MLflow: {reason}. Mend its server or make room on its disk, and run the same "
            f"command again: {kept}"
        ) from error
