"""The MLflow run of one training, found again by its run key, and everything it shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import mlflow
import pandas as pd
import xgboost as xgb
from mlflow import MlflowClient
from mlflow.data.dataset import Dataset
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from training.artefact.contract import ModelContract
from training.artefact.log import log_artefact
from training.champion import Champion
from training.judged import Judged
from training.metrics.compare import compare
from training.metrics.estimate import as_metrics
from training.metrics.settings import EvaluationSettings
from training.review.describe import ModelSummary, describe
from training.review.figures import Review, draw_review
from training.review.fold_table import fold_markdown
from training.review.links import UiLinks
from training.sweep.trial import Winner

RUN_KEY, FOLD = "trustlake.run_key", "trustlake.fold"
_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_FOLD_METRICS = ("roc_auc", "average_precision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained model and what is known of it; the last fold's booster is the one that is registered."""

    contract: ModelContract
    winner: Winner
    folds: Sequence[Judged]
    tables: Mapping[str, int]
    champion: Champion | None

    @property
    def final(self) -> Judged:
        return self.folds[-1]


@contextmanager
def open_run(client: MlflowClient, experiment_id: str, run_key: str, name: str) -> Iterator[str]:
    """The id of the run of this key, made or found again; it is the active run of the body.

    What the body raises is raised, also where MLflow cannot be told that the run has failed.
    """
    found = client.search_runs([experiment_id], f"tags.`{RUN_KEY}` = '{run_key}'", max_results=1)
    if found:
        run_id = found[0].info.run_id
    else:
        run_id = client.create_run(experiment_id, tags={RUN_KEY: run_key}, run_name=name).info.run_id
    mlflow.start_run(run_id=run_id)
    try:
        yield run_id
    except BaseException:
        with suppress(MlflowException), _asked_once():
            mlflow.end_run(RunStatus.to_string(RunStatus.FAILED))
        raise
    mlflow.end_run()


@contextmanager
def _asked_once() -> Iterator[None]:
    """Whoever does not answer is not asked again: MLflow would try for minutes."""
    before = os.environ.get(_RETRIES)
    os.environ[_RETRIES] = "0"
    try:
        yield
    finally:
        del os.environ[_RETRIES]
        if before is not None:
            os.environ[_RETRIES] = before


def log_candidate(
    candidate: Candidate,
    metrics: EvaluationSettings,
    dataset: Dataset,
    links: UiLinks,
    experiment_id: str,
    run_id: str,
) -> str:
    """Log everything a reviewer needs to the active run; returns the five-line description."""
    final = candidate.final
    booster = xgb.Booster(model_file=bytearray(final.fit.booster))
    mlflow.log_params(dict(candidate.winner.params) | {"rounds": candidate.winner.rounds})
    mlflow.log_metrics(as_metrics(final.evaluation))
    mlflow.log_input(dataset, context="training")
    folds = {str(judged.fold): judged.evaluation for judged in candidate.folds}
    gain: dict[str, Any] = booster.get_score(importance_type="total_gain")
    review = Review(
        predictions=final.predictions,
        evaluation=final.evaluation,
        gain=gain,
        folds=folds,
        champion=candidate.champion.predictions if candidate.champion else None,
    )
    for name, figure in draw_review(review, metrics).items():
        mlflow.log_figure(figure, f"review/{name}.png")
    shown = [
        name for name in final.evaluation if name.startswith((*_FOLD_METRICS, "recall", "entity_precision"))
    ]
    mlflow.log_text(fold_markdown(folds, shown), "review/folds.md")
    description = describe(_summary(candidate, metrics, links, experiment_id, run_id))
    mlflow.set_tag(MLFLOW_RUN_NOTE, description)
    mlflow.log_text(description, "review/description.md")
    log_artefact(booster, candidate.contract, _example(candidate.contract.feature_names))
    return description


def _example(names: Sequence[str]) -> pd.DataFrame:
    """Two rows that show a caller what to send: all zero, and all missing."""
    return pd.DataFrame([[0.0] * len(names), [float("nan")] * len(names)], columns=list(names))


def _summary(
    candidate: Candidate, metrics: EvaluationSettings, links: UiLinks, experiment_id: str, run_id: str
) -> ModelSummary:
    final, champion = candidate.final, candidate.champion
    difference = None
    if champion and champion.predictions:
        difference = compare(final.predictions, champion.predictions, metrics)["average_precision"]
    return ModelSummary(
        model=candidate.contract.model,
        target=candidate.contract.target,
        features=len(candidate.contract.feature_names),
        rows=final.fit.train_rows,
        frauds=final.frauds,
        trained_from=final.fold.train_from,
        trained_to=final.fold.train_to,
        predictions=final.predictions,
        evaluation=final.evaluation,
        is_random=final.fold.draw is not None,
        learns=final.fit.learns,
        tables=candidate.tables,
        champion=f"champion v{champion.version}" if champion else "",
        difference=difference,
        links={
            "run": links.run(experiment_id, run_id),
            "all runs": links.experiment(experiment_id),
            "model": links.model(candidate.contract.model),
        },
    )
