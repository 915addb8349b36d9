"""Trials as child runs of the training's MLflow run, found again after a kill by their number."""

from __future__ import annotations

import json

from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from training.sweep.trial import Trial

_NUMBER, _SCORE, _ROUNDS, _PARAMS = "trial", "score", "rounds", "trustlake.params"
_STAGE = "stage"
_CURVES, _PRUNED, _REASON = "trustlake.curves", "pruned", "reason"
_ENDED = ("FINISHED", "FAILED")


class ChildRuns:
    """The trials below one parent run."""

    def __init__(
        self, client: MlflowClient, experiment_id: str, parent_run_id: str, *, stage: int = 0
    ) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._parent = parent_run_id
        self._stage = stage

    def of_stage(self, number: int) -> ChildRuns:
        """The trials of one stage of a split."""
        return ChildRuns(self._client, self._experiment_id, self._parent, stage=number)

    @property
    def name(self) -> str:
        """The sweep's name: the id of the parent run, and the stage."""
        return f"{self._parent}/{self._stage}"

    def finished(self) -> dict[int, Trial]:
        """Trials that were written to their end, by number."""
        ended = [run for status in _ENDED for run in self._search(status)]
        return {trial.number: trial for trial in map(_trial, ended)}

    def write(self, trial: Trial) -> None:
        """Write one trial; a run that a killed sweep left open under the same number is closed as killed."""
        for run in self._search("RUNNING"):
            if run.data.tags.get(_NUMBER) == str(trial.number):
                self._client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))
        tags = {
            MLFLOW_PARENT_RUN_ID: self._parent,
            _NUMBER: str(trial.number),
            _STAGE: str(self._stage),
            _PARAMS: json.dumps(dict(trial.params), sort_keys=True),
            _CURVES: json.dumps([[round(value, 6) for value in curve] for curve in trial.curves]),
            _PRUNED: json.dumps(trial.is_pruned),
            _REASON: trial.reason,
        }
        run = self._client.create_run(self._experiment_id, tags=tags, run_name=self._name_of(trial))
        run_id = run.info.run_id
        for name, value in trial.params.items():
            self._client.log_param(run_id, name, value)
        if trial.score is not None:
            self._client.log_metric(run_id, _SCORE, trial.score)
        self._client.log_metric(run_id, _ROUNDS, trial.rounds)
        self._client.set_terminated(run_id, _ENDED[trial.score is None])

    def _name_of(self, trial: Trial) -> str:
        name = f"trial {trial.number + 1}"
        return name if self._stage == 0 else f"part {self._stage + 1}, {name}"

    def _search(self, status: str) -> list[Run]:
        where = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._parent}' and attributes.status = '{status}'"
        found: list[Run] = []
        token: str | None = None
        while True:
            page = self._client.search_runs([self._experiment_id], where, page_token=token)
            found += [run for run in page if run.data.tags.get(_STAGE, "0") == str(self._stage)]
            token = page.token
            if not token:
                return found


def _trial(run: Run) -> Trial:
    return Trial(
        number=int(run.data.tags[_NUMBER]),
        params=json.loads(run.data.tags[_PARAMS]),
        rounds=int(run.data.metrics[_ROUNDS]),
        score=run.data.metrics.get(_SCORE),
        curves=tuple(tuple(curve) for curve in json.loads(run.data.tags.get(_CURVES, "[]"))),
        is_pruned=json.loads(run.data.tags.get(_PRUNED, "false")),
        reason=run.data.tags.get(_REASON, ""),
        is_kept=True,
    )
