"""The user's views and models: a Python file or module, loaded on the driver and checked against the contracts."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from features.check import mistakes
from features.declare import FeatureView
from lake.contracts import Contract
from lake.errors import ConfigError
from training.model import Model


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a definitions module declares at its top level."""

    views: Mapping[str, FeatureView]
    models: Mapping[str, Model]

    def only_model(self) -> Model:
        """The one model there is.

        Raises:
            ConfigError: there is none or more than one.
        """
        if len(self.models) != 1:
            raise ConfigError([f"definitions hold {len(self.models)} models; this job trains exactly one"])
        return next(iter(self.models.values()))


def load_definitions(place: str, contracts: Mapping[str, Contract]) -> Definitions:
    """Import the definitions and check them.

    Raises:
        ConfigError: the file cannot be imported, declares nothing, or does not fit the contracts.
    """
    module = _import(place)
    declared = list(vars(module).values())
    models = {model.name: model for model in declared if isinstance(model, Model)}
    views = {view.name: view for view in declared if isinstance(view, FeatureView)}
    views |= {model.view.name: model.view for model in models.values()}
    if not views:
        raise ConfigError([f"{place}: declares no FeatureView and no Model at its top level"])
    logs = {log: {"event_at", "known_at", *contract.columns} for log, contract in contracts.items()}
    found = [mistake for view in views.values() for mistake in mistakes(view, logs)]
    for model in models.values():
        if model.label.source not in logs:
            found.append(f"{model.declared}: no contract declares the label log {model.label.source}")
        elif model.label.on not in logs[model.label.source]:
            found.append(f"{model.declared}: {model.label.source} has no column {model.label.on}")
    if found:
        raise ConfigError(found)
    return Definitions(views, models)


def _import(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        if not Path(place).is_file():
            raise ConfigError([f"{place}: no such file; correct `definitions`"])
        spec = importlib.util.spec_from_file_location(f"definitions_{Path(place).stem}", place)
        if spec is None or spec.loader is None:
            raise ConfigError([f"{place}: is no Python file; correct `definitions`"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, NameError, TypeError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ConfigError([f"{place}{line}: cannot be loaded: {error}"]) from error
    return module
