"""``trustlake ui``: MLflow's own pages over the store that the jobs write to."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from importlib.util import find_spec

from jobs.configuration import load
from lake.errors import TrustlakeError
from operations.configurations import add_config_arguments, chosen_files

HOST = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake ui``."""
    add_config_arguments(parser)
    parser.add_argument("--port", type=int, default=5000, help="port on this machine (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Serve the pages until interrupted; for a store that is a server already, only say where it is.

    Raises:
        ConfigError: the configuration is wrong.
        TrustlakeError: MLflow is not installed, or the port is taken.
    """
    store = load(chosen_files(arguments), arguments.set).config.mlflow.tracking
    if store.startswith(("http://", "https://")):
        print(f"models: {page(store)}")
        return
    if find_spec("mlflow") is None:
        raise TrustlakeError("mlflow is not installed; run: pip install 'trustlake[ui]'")
    require_free(arguments.port)
    print(
        f"models: {page(f'http://{HOST}:{arguments.port}')}   (ready in half a minute; Ctrl-C ends it)",
        flush=True,
    )
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", store, "--host", HOST, "--port", str(arguments.port)]
    # The server takes this process's place, so that Ctrl-C and service managers reach it and its workers.
    os.execv(sys.executable, command)  # noqa: S606 - the command is made of constants and a checked port


def page(server: str) -> str:
    """Address of the experiments; without the parameter MLflow opens its view for language models."""
    return f"{server.rstrip('/')}/#/experiments?workflowType=machine_learning"


def require_free(port: int) -> None:
    """Check that nothing listens on ``port`` of this machine.

    Raises:
        TrustlakeError: something does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise TrustlakeError(
                f"port {port} is taken ({taken.strerror}); give another with --port"
            ) from taken
