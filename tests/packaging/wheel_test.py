"""The wheel holds what git tracks, asks a cluster for nothing it brings itself, and its commands exist."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from email import message_from_string
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from operations.doctor.finding import State
from operations.doctor.packages import PACKAGES, check_names

ROOT = Path(__file__).parents[2]
NOT_FOR_A_CLUSTER = {"pyspark", "delta-spark", "mlflow", "mlflow-skinny", "xgboost", "xgboost-cpu"}


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return files


@pytest.fixture(scope="module")
def wheel(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from a clean export of the tracked files."""
    export = tmp_path_factory.mktemp("export")
    for name in tracked:
        target = export / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."]
    done = subprocess.run(command, cwd=export, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = (export / "dist").glob("*.whl")
    return built


def read(wheel: Path, name: str) -> str:
    """Text of a file of the wheel's own metadata."""
    with ZipFile(wheel) as archive:
        (path,) = [entry for entry in archive.namelist() if entry.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def base_requirements(wheel: Path) -> Iterator[Requirement]:
    """What the wheel asks for when no extra is named."""
    for line in message_from_string(read(wheel, "METADATA")).get_all("Requires-Dist", []):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def pulled_in(requirement: Requirement, seen: set[str]) -> None:
    """Add the names of ``requirement`` and of everything it pulls in here to ``seen``."""
    name = requirement.name.lower().replace("_", "-")
    if name in seen:
        return
    seen.add(name)
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for child in map(Requirement, lines):
        if child.marker is None or any(
            child.marker.evaluate({"extra": extra}) for extra in requirement.extras | {""}
        ):
            pulled_in(child, seen)


def test_the_wheel_holds_exactly_the_tracked_files_of_the_packages(wheel: Path, tracked: list[str]) -> None:
    with ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == {name for name in tracked if name.split("/")[0] in PACKAGES and "/" in name}


def test_the_bare_wheel_pulls_nothing_onto_a_cluster_that_the_cluster_brings(wheel: Path) -> None:
    seen: set[str] = set()
    for requirement in base_requirements(wheel):
        pulled_in(requirement, seen)
    assert "databricks-sdk" in seen
    assert not seen & NOT_FOR_A_CLUSTER


def test_every_console_command_loads(wheel: Path) -> None:
    parser = ConfigParser()
    parser.read_string(read(wheel, "entry_points.txt"))
    commands = dict(parser["console_scripts"])
    assert {"trustlake", "ingest_logs", "score_events"} <= commands.keys()
    for target in commands.values():
        module, _, attribute = target.partition(":")
        assert callable(getattr(import_module(module), attribute)), target


def test_no_job_is_named_like_a_package_or_a_standard_module() -> None:
    stems = {path.stem for path in (ROOT / "jobs").glob("*.py")}
    taken = set(PACKAGES) | sys.stdlib_module_names | set(packages_distributions())
    assert stems & taken <= {"__init__"}


def test_our_package_names_belong_to_no_other_distribution() -> None:
    finding = check_names(packages_distributions())
    assert finding.state is not State.FAIL, finding.found
