"""The configuration of all jobs: a base file and overlays, decoded and checked whole before Spark starts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from jobs.session import SparkSettings
from lake.documents import (
    Document,
    LocatedText,
    PathText,
    Strict,
    decode,
    merge_documents,
    read_documents,
    setting,
)
from lake.errors import ConfigError
from lake.settings import LakeSettings, RawSettings
from training.gate import GateSettings
from training.settings import TrainingSettings

VARIABLE = "TRUSTLAKE_CONFIG"


class MlflowSettings(Strict):
    """Where runs and models are kept: a local ``store`` folder, or a tracking server.

    Attributes:
        registry_schema: catalog and schema of the registered model, which has the name of the declared one.
        registered_model: its whole name, where another is given to it, as a development bundle does.
    """

    store: PathText | None = None
    tracking_uri: str | None = None
    registry_uri: str | None = None
    experiment: str
    registry_schema: Annotated[str, Field(pattern=r"^[\w-]+\.[\w-]+$")]
    registered_model: Annotated[str, Field(pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$")] | None = None

    @model_validator(mode="after")
    def _one_store(self) -> MlflowSettings:
        if (self.store is None) == (self.tracking_uri is None):
            raise ValueError("give either store, a local folder, or tracking_uri")
        return self

    @property
    def tracking(self) -> str:
        return self.tracking_uri or f"sqlite:///{self.store}/mlflow.db"

    @property
    def artifacts(self) -> str | None:
        """Where a new experiment keeps its files; None leaves it to the server."""
        return f"file://{self.store}/artifacts" if self.store else None


class FeatureSettings(Strict):
    """How features are built: a view whose logs have more rows than this keeps a state of what is long past."""

    state_above_rows: Annotated[int, Field(ge=0)] = 100_000_000


class Config(Strict):
    """Everything a job is told by files. ``steps`` are the job lines that a demo runs in order."""

    lake: LakeSettings
    raw: RawSettings
    contracts: tuple[PathText, ...]
    definitions: str
    mlflow: MlflowSettings
    features: FeatureSettings = FeatureSettings()
    training: TrainingSettings
    gate: GateSettings = GateSettings()
    spark: SparkSettings = SparkSettings()
    simulation: Mapping[str, Any] = Field(default_factory=dict)
    steps: tuple[str, ...] = ()


class Places(BaseModel):
    """Where a configuration says that contracts and definitions are, whatever else is wrong in it."""

    contracts: tuple[PathText, ...]
    definitions: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, the document it came from, and its fingerprint."""

    config: Config
    document: Document
    hash: str


def read(paths: Sequence[str], settings: Sequence[str] = ()) -> Document:
    """Read the base and its overlays; later files win, and ``settings`` (``section.key=value``) over all files.

    Raises:
        ConfigError: no file is named, or with every file that is absent or no YAML, and every setting that is none.
    """
    named = list(paths) or [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    if not named:
        raise ConfigError([f"no configuration; give --config conf/base.yml, or set {VARIABLE}"])
    documents: list[Document] = []
    mistakes: list[str] = []
    pieces = [partial(read_documents, Path(path)) for path in named]
    pieces += [partial(lambda text: [setting(text)], text) for text in settings]
    for piece in pieces:
        try:
            documents += piece()
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    return merge_documents(documents)


def load(paths: Sequence[str], settings: Sequence[str] = ()) -> Loaded:
    """Read and decode the base, its overlays, and settings over them.

    Raises:
        ConfigError: with every mistake, each with its file and line.
    """
    return decoded(read(paths, settings))


def decoded(document: Document) -> Loaded:
    """Decode the merged files.

    Raises:
        ConfigError: with every mistake, each with its file and line.
    """
    config = decode(Config, document)
    return Loaded(config, document, config_hash(config))


def places(document: Document) -> Places | None:
    """Contracts and definitions as the files name them; None where they do not do so rightly."""
    try:
        named = Places.model_validate(document.tree)
    except ValidationError:
        return None
    return named.model_copy(update={"definitions": _definitions_place(document, named.definitions)})


def config_hash(config: Config) -> str:
    """Fingerprint of what a result can depend on; where and how Spark runs and what a demo runs are no part of it."""
    text = config.model_dump_json(exclude={"spark", "features", "steps"})
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _definitions_place(document: Document, named: str) -> str:
    """A definitions file's path relative to the file that names it; a module's name stays as it is."""
    if not named.endswith(".py"):
        return named
    written = document.tree.get("definitions")
    folder = written.folder if isinstance(written, LocatedText) else Path.cwd()
    return str((folder / named).resolve())
