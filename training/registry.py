"""Versions of one registered model, by the operations that a local store and Unity Catalog both offer.

Only aliases say what a version is for: ``champion`` scores, ``challenger`` waits for the gate, ``rollback``
is the champion before. Stages, "latest" and filters other than by name exist in one of the two stores only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from lake.errors import ConfigError, RefusedError

CHAMPION = "champion"
CHALLENGER = "challenger"
ROLLBACK = "rollback"
THREE_LEVELS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)
ABSENT = "RESOURCE_DOES_NOT_EXIST"
COPIED_FROM = "copied_from"
PRESENT = ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS")


class ModelRegistry:
    """The versions of one model name.

    Args:
        name: ``catalog.schema.model``, on a laptop too, so that the name is the same everywhere.
        tracking_uri: where runs live.
        registry_uri: where versions live, such as ``databricks-uc``; the tracking store where None.

    Raises:
        ConfigError: the name has not three levels.
    """

    def __init__(self, name: str, *, tracking_uri: str, registry_uri: str | None = None) -> None:
        if not THREE_LEVELS.fullmatch(name):
            raise ConfigError([f"model name {name!r} has not three levels; write catalog.schema.model"])
        self.name = name
        self._client = MlflowClient(tracking_uri=tracking_uri, registry_uri=registry_uri)

    def register(self, run_id: str, *, tags: Mapping[str, str] | None = None, description: str = "") -> int:
        """Make the model logged by a run a version, or find the version that already is; return its number.

        A version that an interrupted registration left unfinished is passed over and stays without an alias.

        Raises:
            RefusedError: the run logged no finished model.
        """
        for version in self._versions():
            if version.run_id == run_id and version.status == "READY":
                return int(version.version)
        model = self._logged_model(run_id)
        self._create_name()
        created = self._client.create_model_version(
            self.name,
            source=model.model_uri,
            run_id=run_id,
            tags=dict(tags or {}),
            description=description or None,
            model_id=model.model_id,
        )
        return int(created.version)

    def copy(self, other: ModelRegistry, version: int) -> int:
        """Make a version of another name one of this name, tags and all, or find the copy there is; return its number.

        The files are copied where the store keeps them by name, as Unity Catalog does: the copy outlives its origin.
        """
        origin = other.uri(version)
        for number in self.versions():
            copied = self._client.get_model_version(self.name, str(number))
            if copied.tags.get(COPIED_FROM) == origin and copied.status == "READY":
                return number
        self._create_name()
        source = self._client.get_model_version(other.name, str(version))
        # MLflow's own copy_model_version fails on a version that Unity Catalog gives no model id.
        created = self._client.create_model_version(
            self.name,
            source=origin,
            run_id=source.run_id,
            tags=dict(source.tags) | {COPIED_FROM: origin},
            description=source.description or None,
            model_id=source.model_id or None,
        )
        return int(created.version)

    def versions(self) -> list[int]:
        """Return the numbers of all versions, oldest first; a name not yet registered has none."""
        return sorted(int(version.version) for version in self._versions())

    def run_of(self, version: int) -> str:
        """Return the id of the run that trained a version."""
        return str(self._client.get_model_version(self.name, str(version)).run_id)

    def version_of(self, alias: str) -> int | None:
        """Return the version an alias points at; None where the alias or the name does not exist."""
        return self.aliases().get(alias)

    def aliases(self) -> dict[str, int]:
        """Return every alias with its version; versions found by search carry none."""
        try:
            found = self._client.get_registered_model(self.name).aliases
        except MlflowException as error:
            if error.error_code == ABSENT:
                return {}
            raise
        return {alias: int(version) for alias, version in found.items()}

    def set_alias(self, alias: str, version: int) -> None:
        """Point an alias at a version.

        Raises:
            ConfigError: the alias is reserved by a registry (``latest``, ``v3``).
        """
        if RESERVED_ALIAS.fullmatch(alias):
            raise ConfigError(
                [f"alias {alias!r} is reserved by the registry; use {CHAMPION}, {CHALLENGER} or another"]
            )
        self._client.set_registered_model_alias(self.name, alias, str(version))

    def tags(self, version: int) -> dict[str, str]:
        """Return the tags of a version."""
        return dict(self._client.get_model_version(self.name, str(version)).tags)

    def set_tags(self, version: int, tags: Mapping[str, str]) -> None:
        """Write tags on a version, such as the gate's decision; other tags stay."""
        for key, value in tags.items():
            self._client.set_model_version_tag(self.name, str(version), key, value)

    def promote(self, version: int) -> int | None:
        """Make a version the champion and keep the old champion as rollback; return the old one.

        Killed half way and called again, it ends in the same aliases. To roll back, promote the rollback
        version.
        """
        aliases = self.aliases()
        old = aliases.get(CHAMPION)
        if old != version:
            if old is not None:
                self.set_alias(ROLLBACK, old)
            self.set_alias(CHAMPION, version)
        if aliases.get(CHALLENGER) == version:
            self._client.delete_registered_model_alias(self.name, CHALLENGER)
        return old

    def uri(self, version: int) -> str:
        """Return the address under which a version is loaded."""
        return f"models:/{self.name}/{version}"

    def _versions(self) -> list[ModelVersion]:
        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            page = self._client.search_model_versions(f"name='{self.name}'", page_token=token)
            found.extend(page)
            token = page.token
            if not token:
                return found

    def _create_name(self) -> None:
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code not in PRESENT:
                raise

    def _logged_model(self, run_id: str) -> LoggedModel:
        outputs = self._client.get_run(run_id).outputs
        logged = [
            self._client.get_logged_model(out.model_id) for out in (outputs.model_outputs if outputs else [])
        ]
        ready = [model for model in logged if model.status == LoggedModelStatus.READY]
        if not ready:
            raise RefusedError(f"run {run_id} logged {len(logged)} models, none finished; train it again")
        return max(ready, key=lambda model: model.creation_timestamp)
