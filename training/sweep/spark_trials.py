"""Hyperopt's own ``SparkTrials``: trials begin as soon as a task is free, and not in waves.

What is drawn depends on which trial ends first, so no two sweeps draw the same; trials cannot be given up, nor fitted
by several tasks. It is guarded against what it does not survive: its dispatcher hangs for ever where the function that
stops early raises, which Hyperopt's own does for trials that are not done; and it leaves out known points, which are
put among its trials here before it begins.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hyperopt import (
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    STATUS_FAIL,
    STATUS_OK,
    SparkTrials,
    fmin,
    tpe,
)
from hyperopt.exceptions import AllTrialsFailed
from hyperopt.fmin import generate_trials_to_calculate
from pyspark.sql import DataFrame
from pyspark.sql.utils import is_remote

from lake.errors import ConfigError
from training.sweep.hyperopt_documents import params_of, plain
from training.sweep.record import Record
from training.sweep.settings import SweepSettings
from training.sweep.suggestion import has_enough
from training.sweep.trial import Trial
from training.sweep.trial_run import in_a_line, plans_of, run_trial
from training.trainers.fit import fit_sent
from training.trainers.fit_plan import Fit, FitPlan

if TYPE_CHECKING:
    # A PySpark that only knows Connect has neither.
    from pyspark import Broadcast, SparkContext

_TRIAL = "trial"
Result = dict[str, Any]


def search(folds: Sequence[DataFrame], plan: FitPlan, settings: SweepSettings, record: Record) -> None:
    """Run what is left of ``settings.trials``; each fold is collected once, and sent to each executor once.

    Args:
        folds: as ``in_order`` gives them.

    Raises:
        ConfigError: the session is one of Spark Connect, or a trial takes several tasks.
        TrustlakeError: MLflow cannot be written to.
    """
    _check(plan)
    for number in sorted(record.finished):
        record.add(record.finished[number])
    context = folds[0].sparkSession.sparkContext
    documents, numbers = _begun(settings, record)
    left = settings.trials - len(record.finished)
    if left <= 0 or has_enough(record.losses, settings.enough):
        return
    sent = [_sent(context, rows) for rows in folds]
    listener = _Listener(record, settings, numbers)
    trials = SparkTrials(parallelism=settings.parallelism, spark_session=folds[0].sparkSession)
    trials.insert_trial_docs(documents)
    trials.refresh()
    try:
        # Whoever asks for the best of none is told by this that all failed, which the trials say better.
        with warnings.catch_warnings(), suppress(AllTrialsFailed):
            # Where warnings are errors, this one of Spark's for each trial would end the dispatcher.
            warnings.filterwarnings("ignore", message="Spark session is not provided", category=UserWarning)
            fmin(
                _objective(sent, plans_of(plan, settings, len(folds)), settings, record.name),
                settings.expressions(),
                algo=tpe.suggest,
                max_evals=settings.trials,
                trials=trials,
                rstate=np.random.default_rng(settings.seed),
                early_stop_fn=listener,
                return_argmin=False,
                show_progressbar=False,
            )
        listener.hear(trials)
    finally:
        for rows in sent:
            rows.unpersist()
    if listener.failure is not None:
        raise listener.failure


def _check(plan: FitPlan) -> None:
    wrong = []
    if is_remote():
        wrong.append("it needs a session of its own, and this one is of Spark Connect")
    if plan.workers > 1:
        wrong.append(f"a trial of it is one task, and the rows are to be fitted by {plan.workers}")
    if wrong:
        raise ConfigError(
            [f"training.sweep.sampler is spark_trials: {reason}; use hyperopt" for reason in wrong]
        )


def _begun(settings: SweepSettings, record: Record) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """What Hyperopt is told at first: trials that ended before, and known points; with the number of each."""
    before = [record.finished[number] for number in sorted(record.finished)]
    points = {
        number: point
        for number, point in enumerate(settings.start[: settings.trials])
        if number not in record.finished
    }
    told = [*(trial.params for trial in before), *points.values()]
    numbers = dict(enumerate([*(trial.number for trial in before), *points]))
    if not told:
        return [], numbers
    made = generate_trials_to_calculate([settings.raw(params) for params in told])
    made.refresh()
    documents = list(made.trials)
    for document, trial in zip(documents, before, strict=False):
        document["state"] = JOB_STATE_DONE
        document["result"] = _result(trial)
    return documents, numbers


def _sent(context: SparkContext, rows: DataFrame) -> Broadcast[bytes]:
    table, sink = rows.toArrow(), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return context.broadcast(sink.getvalue().to_pybytes())


def _objective(
    sent: Sequence[Broadcast[bytes]], plans: Sequence[FitPlan], settings: SweepSettings, sweep_name: str
) -> Callable[[Mapping[str, Any]], Result]:
    def objective(drawn: Mapping[str, Any]) -> Result:
        def fit_fold(fold: int, plan: FitPlan) -> Fit:
            return fit_sent(sent[fold], plan, sweep=sweep_name, fold=fold)

        # Its number is known where it was drawn.
        trial = run_trial(-1, plain(drawn), plans, fit_fold, settings)
        return _result(trial) | {_TRIAL: trial}

    return objective


def _result(trial: Trial) -> Result:
    if trial.score is None:
        return {"status": STATUS_FAIL}
    return {"status": STATUS_OK, "loss": -trial.score}


class _Listener:
    """Takes down trials as they end, and says when there are enough. It never raises: that would end the dispatcher."""

    def __init__(self, record: Record, settings: SweepSettings, numbers: Mapping[int, int]) -> None:
        self._record, self._settings = record, settings
        self._numbers = dict(numbers)
        taken = {*numbers.values()}
        self._free = (number for number in count() if number not in taken)
        self._heard = {own for own, number in numbers.items() if number in record.finished}
        self.failure: Exception | None = None

    def __call__(self, trials: SparkTrials, *_: object) -> tuple[bool, list[object]]:
        self.hear(trials)
        is_enough = has_enough(self._record.losses, self._settings.enough)
        return is_enough or self.failure is not None, []

    def hear(self, trials: SparkTrials) -> None:
        """Take down what ended since."""
        if self.failure is not None:
            return
        try:
            for own, trial in self._ended(trials):
                self._heard.add(own)
                self._record.add(trial)
        except Exception as failure:  # noqa: BLE001 - it is raised where the search ends; here nobody would hear of it
            self.failure = failure

    def _ended(self, trials: SparkTrials) -> Iterator[tuple[int, Trial]]:
        for document in list(trials.trials):
            own, state = int(document["tid"]), document["state"]
            # A trial is called done a moment before its result is there.
            if own in self._heard or (state == JOB_STATE_DONE and _TRIAL not in document["result"]):
                continue
            if state == JOB_STATE_DONE:
                trial: Trial = document["result"][_TRIAL]
                yield own, trial.numbered(self._number(own))
            elif state == JOB_STATE_ERROR and "error" in document["misc"]:
                params = dict(self._settings.fixed) | params_of(self._settings.expressions(), document)
                reason = in_a_line("\n".join(str(part) for part in document["misc"]["error"] if part))
                yield (
                    own,
                    Trial(number=self._number(own), params=params, rounds=0, score=None, reason=reason),
                )

    def _number(self, own: int) -> int:
        if own not in self._numbers:
            self._numbers[own] = next(self._free)
        return self._numbers[own]
