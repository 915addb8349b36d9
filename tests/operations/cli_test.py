"""The command ``trustlake``: its verbs, its usage errors, and what ``trustlake ui`` says before it serves."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from operations.cli import VERBS, main
from operations.ui import page

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_help_that_fits_a_screen(
    verb: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, module, about = verb
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert about in " ".join(said.split())
    assert len(said.splitlines()) <= 24
    assert callable(import_module(module).run)


@pytest.mark.parametrize("argv", [[], ["dance"], ["doctor", "--no-such-option"]])
def test_wrong_usage_ends_with_exit_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: trustlake" in capsys.readouterr().err


def test_links_select_the_machine_learning_view() -> None:
    assert page("http://host:5000/") == "http://host:5000/#/experiments?workflowType=machine_learning"


def config_of(folder: Path, mlflow: str) -> list[str]:
    """Arguments that name the built-in configuration with another MLflow store."""
    overlay = folder / "mlflow.yml"
    overlay.write_text(f"mlflow: {mlflow}\n", encoding="utf-8")
    files = [CONF / "base.yml", CONF / "marketplace.yml", overlay]
    return [part for file in files for part in ("--config", str(file))]


def test_a_store_that_is_a_server_is_only_pointed_to(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = config_of(tmp_path, "{store: null, tracking_uri: https://models.example.org}")
    assert main(["ui", *config]) == 0
    assert "https://models.example.org/#/experiments?workflowType=machine_learning" in capsys.readouterr().out


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["ui", *config_of(tmp_path, "{store: unused}"), "--port", str(port)]) == 1
    assert f"port {port} is taken" in capsys.readouterr().err


def test_who_stops_reading_hears_no_complaint() -> None:
    list_all = f"{sys.executable} -m operations list | true"
    done = subprocess.run(["sh", "-c", list_all], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
