"""The user's views and models: a Python file or module, loaded on the driver and checked against the contracts."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from features.check import mistakes
from features.declare import FeatureView
from features.declared_types import wrong_types
from features.definition_hash import definition_hash
from lake.contracts import Contract
from lake.errors import ConfigError
from training.model import Model

DeclaredT = TypeVar("DeclaredT", FeatureView, Model)


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a definitions module declares at its top level."""

    views: Mapping[str, FeatureView]
    models: Mapping[str, Model]

    @property
    def hash(self) -> str:
        """Fingerprint of everything declared; the lines declarations stand on do not matter."""
        views = sorted((name, definition_hash(view)) for name, view in self.views.items())
        models = sorted(
            (name, model.view.name, repr((model.labels, model.monotone)))
            for name, model in self.models.items()
        )
        return hashlib.sha256(repr((views, models)).encode()).hexdigest()[:12]

    def only_model(self) -> Model:
        """The one model there is.

        Raises:
            ConfigError: there is none or more than one.
        """
        if len(self.models) != 1:
            raise ConfigError([f"definitions hold {len(self.models)} models; this job trains exactly one"])
        return next(iter(self.models.values()))


def load_definitions(place: str, contracts: Mapping[str, Contract] | None) -> Definitions:
    """Import the definitions and check them; without contracts, only that they can be imported and name nothing twice.

    Raises:
        ConfigError: the file cannot be imported, declares nothing, or does not fit the contracts.
    """
    declared = list(vars(_import(place)).values())
    odd = [odd for value in declared if isinstance(value, (FeatureView, Model)) for odd in wrong_types(value)]
    if odd:
        raise ConfigError(list(dict.fromkeys(odd)))
    models = _distinct(value for value in declared if isinstance(value, Model))
    views = _distinct(
        [*(v for v in declared if isinstance(v, FeatureView)), *(model.view for model in models)]
    )
    if not views:
        raise ConfigError([f"{place}: declares no FeatureView and no Model at its top level"])
    found = [*_twice("view", views), *_twice("model", models)]
    if contracts is not None:
        logs = {log: {"event_at", "known_at", *contract.columns} for log, contract in contracts.items()}
        found += [mistake for view in views for mistake in mistakes(view, logs)]
        found += [mistake for model in models for mistake in (*_of_label(model, logs), *_of_monotone(model))]
    if found:
        raise ConfigError(found)
    return Definitions({view.name: view for view in views}, {model.name: model for model in models})


def _distinct(values: Iterable[DeclaredT]) -> list[DeclaredT]:
    """Each object once, however many names it has."""
    return list({id(value): value for value in values}.values())


def _twice(kind: str, values: Sequence[FeatureView] | Sequence[Model]) -> Iterator[str]:
    first: dict[str, FeatureView | Model] = {}
    for value in values:
        if value.name in first:
            yield f"{value.declared}: {kind} {value.name} is declared at {first[value.name].declared} too; rename one"
        first.setdefault(value.name, value)


def _of_monotone(model: Model) -> Iterator[str]:
    for name, sign in model.monotone.items():
        if name not in model.view.features or sign not in {-1, 1}:
            yield f"{model.declared}: monotone says {sign} of {name}; name a feature of {model.view.name}, with 1 or -1"
    both = sorted(set(model.monotone) & set(model.view.categorical))
    if both:
        yield f"{model.declared}: monotone names {', '.join(both)}, whose codes have no order; leave it out"


def _of_label(model: Model, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    for label in model.labels:
        source, there = label.source, logs.get(label.source)
        if there is None:
            yield f"{model.declared}: no contract declares the label log {source}; there are {', '.join(sorted(logs))}"
            continue
        for column in (label.on, *label.supersedes.values()):
            if column not in there:
                yield f"{model.declared}: {source} has no column {column}; it has {', '.join(sorted(there))}"
    named = [label.source for label in model.labels]
    if not named or len(set(named)) < len(named):
        listed = ", ".join(named) or "none"
        yield f"{model.declared}: labels come from {listed}; give at least one source, and each once"
    for label in model.labels:
        strange = sorted(set(label.supersedes) - set(named))
        if strange:
            yield (
                f"{model.declared}: labels of {label.source} supersede those of {', '.join(strange)}, which is "
                f"no source of the model's labels; they come from {', '.join(named)}"
            )


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
    except SyntaxError as error:
        raise ConfigError([f"{error.filename}:{error.lineno}: cannot be loaded: {error.msg}"]) from error
    except (ImportError, NameError, TypeError, AttributeError, ValueError, LookupError) as error:
        lines = [
            f":{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == place
        ]
        # Python says only here what it takes a name for: "Did you mean: 'total'?"
        said = traceback.format_exception_only(error)[-1].strip()
        raise ConfigError([f"{place}{''.join(lines[-1:])}: cannot be loaded: {said}"]) from error
    return module
