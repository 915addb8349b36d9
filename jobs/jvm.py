"""Starts Spark's JVM quietly: what Ivy and the launcher say is shown only if the start fails."""

from __future__ import annotations

import os
import threading

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from lake import delta_jars
from lake.errors import TrustlakeError

_STDERR = 2
_LINES_SHOWN = 15


class HeldBackOutput:
    """A pipe for what a child says: holds everything back until ``let_through``, then passes it on.

    Always read to its end, so that the child never blocks on a full pipe.
    """

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._held = bytearray()
        self._lock = threading.Lock()
        self._through = False
        self._thread = threading.Thread(target=self._read, name="jvm-output", daemon=True)
        self._thread.start()

    def let_through(self) -> None:
        """Forget what was held back and show what comes from now on."""
        with self._lock:
            self._held.clear()
            self._through = True

    def ended(self) -> str:
        """Everything the child said, once it has ended and our own write end is closed."""
        self._thread.join(timeout=10)
        with self._lock:
            return self._held.decode("utf-8", errors="replace")

    def _read(self) -> None:
        while chunk := os.read(self._read_end, 65_536):
            with self._lock:
                if not self._through:
                    self._held += chunk
                    continue
            try:
                os.write(_STDERR, chunk)
            except OSError:
                continue  # our own error stream is gone; the child must still be read


def is_started() -> bool:
    """True when a JVM runs already; PySpark is then connected to it, so that its settings can be read."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        SparkContext._ensure_initialized()  # noqa: SLF001 - else SparkConf does not see spark-submit's settings
    return SparkContext._gateway is not None  # noqa: SLF001 - PySpark has no public way to ask


def start_context(conf: SparkConf, jars: delta_jars.DeltaJars) -> None:
    """Start a JVM and its Spark context with ``conf``.

    Raises:
        TrustlakeError: the JVM ended before it was ready; says why and what to do.
    """
    output = HeldBackOutput()
    try:
        gateway = launch_gateway(  # type: ignore[no-untyped-call] # PySpark's, unannotated
            conf, popen_kwargs={"stdout": output.write_end, "stderr": output.write_end}
        )
    except PySparkRuntimeError as failure:
        os.close(output.write_end)
        raise _explained(output.ended(), jars) from failure
    os.close(output.write_end)
    SparkContext(conf=conf, gateway=gateway)
    output.let_through()


def require_delta() -> None:
    """Check that the running JVM has Delta's classes.

    Raises:
        TrustlakeError: it has none; spark-submit was called without the package. The context is stopped.
    """
    context = SparkContext.getOrCreate()
    loader = context._jvm.Thread.currentThread().getContextClassLoader()  # type: ignore[union-attr] # noqa: SLF001 - PySpark's only door to the JVM
    try:
        loader.loadClass(delta_jars.EXTENSION)
    except Py4JJavaError as absent:
        context.stop()
        raise TrustlakeError(
            "the running Spark has no Delta: start it with "
            f"spark-submit --packages {delta_jars.installed_coordinate()}, or with --jars and the jar files"
        ) from absent


def _explained(output: str, jars: delta_jars.DeltaJars) -> TrustlakeError:
    if "unresolved dependency" in output or "UNRESOLVED DEPENDENCIES" in output:
        return delta_jars.unresolved(jars)
    said = "\n".join(f"  {line}" for line in output.strip().splitlines()[-_LINES_SHOWN:])
    return TrustlakeError(
        f"Spark's Java process ended before it was ready; run: trustlake doctor. It said:\n{said}"
    )
