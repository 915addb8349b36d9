"""The connection to a workspace: one place for how long to wait, and what its errors are in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import urlopen

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import OperationFailed, PermissionDenied, Unauthenticated
from databricks.sdk.errors.base import DatabricksError

from lake.errors import TrustlakeError

_SECONDS_TO_CONNECT = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait.

    Attributes:
        reply: for one reply. A request that takes longer is sent again, so what starts something needs a token.
        retries: for all tries of one request together.
        poll: between two looks at a run.
    """

    reply: float = 60.0
    retries: float = 60.0
    poll: float = 10.0


def make_client(patience: Patience, profile: str | None = None) -> WorkspaceClient:
    """A client for the workspace that the environment, or a profile of ``~/.databrickscfg``, names.

    Raises:
        TrustlakeError: neither names one, or it cannot be reached.
    """
    with told("connect"):
        # While it is made, it asks the host about itself, as long as it may retry.
        config = Config(
            profile=profile,
            http_timeout_seconds=patience.reply,
            retry_timeout_seconds=_SECONDS_TO_CONNECT,
            product="trustlake",
        )
        _check_there(config.host)
        config.retry_timeout_seconds = int(patience.retries)
        return WorkspaceClient(config=config)


def _check_there(host: str) -> None:
    """Ask a host for anything; whatever it answers, somebody is there."""
    try:
        with urlopen(host, timeout=_SECONDS_TO_CONNECT):  # noqa: S310 - a Config has only hosts of http and https
            pass
    except HTTPError as answer:
        answer.close()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say in one line what a workspace refused.

    Raises:
        TrustlakeError: instead of any error of the SDK.
    """
    try:
        yield
    except (Unauthenticated, PermissionDenied) as error:
        raise TrustlakeError(
            f"{what}: the workspace refuses: {_line(error)}; check the credentials and their rights"
        ) from error
    except OperationFailed as error:
        raise TrustlakeError(f"{what}: {_line(error)}") from error
    except DatabricksError as error:
        raise TrustlakeError(
            f"{what}: the workspace says {error.error_code or 'an error'}: {_line(error)}"
        ) from error
    except TimeoutError as error:
        raise TrustlakeError(
            f"{what}: no answer in time: {_line(error)}; is the host right, and reachable?"
        ) from error
    except ValueError as error:
        hint = "set DATABRICKS_HOST and its credentials, or name a profile"
        raise TrustlakeError(f"{what}: {_line(error)}; {hint}") from error
    except OSError as error:
        raise TrustlakeError(f"{what}: cannot be reached: {_line(error)}; is the host right?") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
