"""Pieces of work that a driver starts at once: while one waits for its own planning, another has the cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

Found = TypeVar("Found")


def at_once(spark: SparkSession, pieces: Sequence[Callable[[], Found]], workers: int) -> list[Found]:
    """Do all pieces, at most ``workers`` at a time and started in order; returns what each found, in that order.

    After the first that fails none is started, those at work are waited for, and its error is raised.
    """
    with ThreadPoolExecutor(workers) as pool:
        # In its own thread a piece has the tags and the description of the job that started it.
        futures: list[Future[Found]] = [
            pool.submit(inheritable_thread_target(spark)(piece)) for piece in pieces
        ]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for failed in (future for future in futures if future in done and future.exception()):
            pool.shutdown(cancel_futures=True)
            failed.result()
        return [future.result() for future in futures]
