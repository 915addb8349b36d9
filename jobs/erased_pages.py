"""Pages in MLflow that show values of rows: what ``explore_logs`` writes. Trainings log figures, metrics and no row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from jobs.configuration import MlflowSettings
from jobs.registry import connect
from lake.erase.person import Person

_FOLDER, _PAGE = "explore", ".html"
_GONE = "(erased)"


@dataclass(frozen=True, slots=True)
class NamingPage:
    """A page of one MLflow run, as it is to be: with no name of the person in it."""

    run_id: str
    path: str
    text: str


def pages_naming(settings: MlflowSettings, person: Person) -> Sequence[NamingPage]:
    """Every page of the configured experiment that shows the person's id, among the values of a column."""
    if settings.store and not Path(settings.store).exists():
        return []
    client = connect(settings)
    found = client.get_experiment_by_name(settings.experiment)
    if found is None:
        return []
    pages = []
    for run_id in _runs(client, found.experiment_id):
        for file in client.list_artifacts(run_id, _FOLDER):
            if file.path.endswith(_PAGE):
                text = mlflow.artifacts.load_text(f"runs:/{run_id}/{file.path}")
                without = re.sub(_written(person), _GONE, text)
                if without != text:
                    pages.append(NamingPage(run_id, file.path, without))
    return pages


def rewrite_pages(settings: MlflowSettings, pages: Sequence[NamingPage]) -> None:
    """Put the pages in the place of those that name the person."""
    client = connect(settings)
    for page in pages:
        client.log_text(page.run_id, page.text, page.path)


def _runs(client: MlflowClient, experiment: str) -> Iterator[str]:
    token = None
    while True:
        found = client.search_runs([experiment], page_token=token)
        yield from (run.info.run_id for run in found)
        token = found.token
        if not token:
            return


def _written(person: Person) -> str:
    names = {name for plain in person.names for name in (plain, escape(plain))}
    return "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True))
