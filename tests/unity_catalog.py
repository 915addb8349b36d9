"""The model registry of Unity Catalog and its files on loopback, as far as an unmodified MLflow client asks for it."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.loopback import Loopback, Reply, Request

_REGISTRY = "/api/2.0/mlflow/unity-catalog/"
_OF_VERSION = frozenset({"name", "source", "run_id", "description", "tags", "model_id"})
_FILES, _FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"


def _refused(status: int, code: str) -> Reply:
    return Reply(status, json.dumps({"error_code": code, "message": "as Unity Catalog would"}).encode())


_ABSENT, _PRESENT = _refused(404, "RESOURCE_DOES_NOT_EXIST"), _refused(400, "RESOURCE_ALREADY_EXISTS")


class UnityCatalog(Loopback):
    """Models by their names, versions by name and number, files by their paths."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, str], dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self._lock = threading.Lock()
        super().__init__(self._answered)

    def _answered(self, request: Request) -> Reply:
        with self._lock:
            if request.path.startswith(_FILES):
                return self._file(request, request.path.removeprefix(_FILES))
            if request.path.startswith(_FOLDERS):
                return self._folder(request, request.path.removeprefix(_FOLDERS))
            if not request.path.startswith(_REGISTRY):
                return _ABSENT
            name = request.path.removeprefix(_REGISTRY).replace("/", "_").replace("-", "_")
            route = getattr(self, f"_{request.method.lower()}_{name}", None)
            asked: dict[str, Any] = dict(request.query) if request.method == "GET" else {}
            if request.body:
                asked |= json.loads(request.body)
            answer = route(asked) if route is not None else None
            if isinstance(answer, Reply):
                return answer
            return _ABSENT if answer is None else Reply(body=json.dumps(answer).encode())

    def _post_registered_models_create(self, asked: dict[str, Any]) -> dict[str, Any] | Reply:
        if asked["name"] in self.models:
            return _PRESENT
        self.models[asked["name"]] = {"name": asked["name"], "aliases": []}
        return {"registered_model": self.models[asked["name"]]}

    def _get_registered_models_get(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        found = self.models.get(asked["name"])
        return None if found is None else {"registered_model": found}

    def _post_registered_models_alias(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if (asked["name"], asked["version"]) not in self.versions:
            return None
        self._delete_registered_models_alias(asked)
        self.models[asked["name"]]["aliases"].append({"alias": asked["alias"], "version": asked["version"]})
        return {}

    def _delete_registered_models_alias(self, asked: dict[str, Any]) -> dict[str, Any]:
        model = self.models[asked["name"]]
        model["aliases"] = [one for one in model["aliases"] if one["alias"] != asked["alias"]]
        return {}

    def _post_model_versions_create(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = str(1 + sum(name == asked["name"] for name, _ in self.versions))
        given = {key: value for key, value in asked.items() if key in _OF_VERSION}
        version: dict[str, Any] = {**given, "version": number, "status": "PENDING_REGISTRATION"}
        self.versions[asked["name"], number] = version
        return {"model_version": version}

    def _post_model_versions_finalize(self, asked: dict[str, Any]) -> dict[str, Any]:
        version = self.versions[asked["name"], asked["version"]]
        folder = self._place(version)
        # What was promised must be there: a version without files cannot be loaded.
        version["status"] = "READY" if f"{folder}/MLmodel" in self.files else "FAILED_REGISTRATION"
        return {"model_version": version}

    def _get_model_versions_get(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        found = self.versions.get((asked["name"], asked["version"]))
        return None if found is None else {"model_version": found}

    def _get_model_versions_search(self, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = asked["filter"].partition("'")[2].rstrip("'")
        return {"model_versions": [one for (name, _), one in self.versions.items() if name == wanted]}

    def _get_model_versions_get_download_uri(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"artifact_uri": "dbfs:" + self._place(self.versions[asked["name"], asked["version"]])}

    def _post_model_versions_set_tag(self, asked: dict[str, Any]) -> dict[str, Any]:
        version = self.versions[asked["name"], asked["version"]]
        kept = [tag for tag in version.get("tags", []) if tag["key"] != asked["key"]]
        version["tags"] = [*kept, {"key": asked["key"], "value": asked["value"]}]
        return {}

    def _post_model_versions_emit_lineage(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    @staticmethod
    def _place(version: dict[str, Any]) -> str:
        return f"/Models/{version['name'].replace('.', '/')}/{version['version']}"

    def _file(self, request: Request, path: str) -> Reply:
        if request.method == "PUT":
            self.files[path] = request.body
            return Reply(204, b"")
        if path not in self.files:
            return _ABSENT
        return Reply(body=self.files[path], headers={"Content-Type": "application/octet-stream"})

    def _folder(self, request: Request, path: str) -> Reply:
        inside = {
            name.removeprefix(f"{path}/").split("/")[0] for name in self.files if name.startswith(f"{path}/")
        }
        if not inside:
            return _ABSENT
        if request.method == "HEAD":
            return Reply()
        found = [
            {
                "path": f"{path}/{name}",
                "name": name,
                "is_directory": f"{path}/{name}" not in self.files,
                "file_size": len(self.files.get(f"{path}/{name}", b"")),
            }
            for name in sorted(inside)
        ]
        return Reply(body=json.dumps({"contents": found}).encode())
