"""Trials as child runs of the training's MLflow run, found again after a kill by their number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

_NUMBER, _SCORE, _ROUNDS, _PARAMS = "trial", "score", "rounds", "trustlake.params"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One set of parameters with its mean score over the validation folds; higher is better."""

    number: int
    params: Mapping[str, Any]
    rounds: int
    score: float


class ChildRuns:
    """The trials below one parent run."""

    def __init__(self, client: MlflowClient, experiment_id: str, parent_run_id: str) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._parent = parent_run_id

    def finished(self) -> dict[int, Trial]:
        """Trials that were written to their end, by number."""
        return {trial.number: trial for trial in map(_trial, self._search("FINISHED"))}

    def write(self, trial: Trial) -> None:
        """Write one trial; a run that a killed sweep left open under the same number is closed as killed."""
        for run in self._search("RUNNING"):
            if run.data.tags.get(_NUMBER) == str(trial.number):
                self._client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))
        tags = {
            MLFLOW_PARENT_RUN_ID: self._parent,
            _NUMBER: str(trial.number),
            _PARAMS: json.dumps(dict(trial.params), sort_keys=True),
        }
        run = self._client.create_run(self._experiment_id, tags=tags, run_name=f"trial {trial.number}")
        run_id = run.info.run_id
        for name, value in trial.params.items():
            self._client.log_param(run_id, name, value)
        self._client.log_metric(run_id, _SCORE, trial.score)
        self._client.log_metric(run_id, _ROUNDS, trial.rounds)
        self._client.set_terminated(run_id)

    def _search(self, status: str) -> list[Run]:
        where = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._parent}' and attributes.status = '{status}'"
        found: list[Run] = []
        token: str | None = None
        while True:
            page = self._client.search_runs([self._experiment_id], where, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _trial(run: Run) -> Trial:
    return Trial(
        number=int(run.data.tags[_NUMBER]),
        params=json.loads(run.data.tags[_PARAMS]),
        rounds=int(run.data.metrics[_ROUNDS]),
        score=run.data.metrics[_SCORE],
    )
