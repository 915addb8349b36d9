"""Links that open the tracking UI where models are, not where traces are.

The UI starts in another view unless ``workflowType=machine_learning`` is asked for. A local store has no
server of its own, so its links point to where the UI is started on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LOCAL_UI = "http://127.0.0.1:5000"
VIEW = "?workflowType=machine_learning"


@dataclass(frozen=True, slots=True)
class UiLinks:
    """Links into one tracking UI.

    Attributes:
        tracking_uri: ``sqlite:///...`` or a folder (local UI), ``http(s)://...`` (that server) or
            ``databricks``. Credentials inside it do not reach the links.
        workspace_url: ``https://...``, for ``databricks`` only; links are relative without it.
    """

    tracking_uri: str
    workspace_url: str = ""

    def experiment(self, experiment_id: str) -> str:
        """Link to the list of runs of an experiment."""
        return self._page(f"experiments/{experiment_id}")

    def run(self, experiment_id: str, run_id: str) -> str:
        """Link to one run."""
        return self._page(f"experiments/{experiment_id}/runs/{run_id}")

    def model(self, name: str, version: int | None = None) -> str:
        """Link to a registered model by its three-level name, or to one of its versions."""
        if self._is_databricks:
            page = f"{self._base}/explore/data/models/{'/'.join(quote(part) for part in name.split('.'))}"
            return page if version is None else f"{page}/version/{version}"
        page = f"models/{quote(name)}"
        return self._page(page if version is None else f"{page}/versions/{version}")

    @property
    def _is_databricks(self) -> bool:
        return self.tracking_uri.split(":", 1)[0] == "databricks"

    @property
    def _base(self) -> str:
        if self._is_databricks:
            return self.workspace_url.rstrip("/")
        server = urlsplit(self.tracking_uri)
        if server.scheme not in {"http", "https"}:
            return LOCAL_UI
        return f"{server.scheme}://{server.netloc.rpartition('@')[2]}{server.path.rstrip('/')}"

    def _page(self, page: str) -> str:
        return f"{self._base}/ml/{page}{VIEW}" if self._is_databricks else f"{self._base}/#/{page}{VIEW}"
