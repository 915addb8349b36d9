"""What a job prints: one line a step, plain or JSON."""

from __future__ import annotations

import json
import logging
import sys

LOGGER = logging.getLogger("trustlake")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "at": self.formatTime(record),
                "level": record.levelname,
                "job": record.name,
                "line": record.getMessage(),
            }
        )


def start_log(log_format: str) -> None:
    """Send the lines of ``trustlake`` to standard error, once."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(_JsonLines() if log_format == "json" else text)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def step_log(job: str) -> logging.Logger:
    """The logger of a job."""
    return LOGGER.getChild(job)
