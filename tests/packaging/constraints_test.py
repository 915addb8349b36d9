"""The exact versions of ``constraints/`` lie in the ranges of ``setup.py`` and fit each other."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lake.delta_jars import coordinate, installed_coordinate

ROOT = Path(__file__).parents[2]
FILES = ("py311", "py312", "dbr18")
SAME_ON_BOTH_PYTHONS = (
    "pyspark",
    "delta-spark",
    "mlflow",
    "hyperopt",
    "databricks-sdk",
    "pandas",
    "pydantic",
    "pyarrow",
)
RUNTIME_18 = {
    "pyspark": "4.1.0",
    "mlflow": "3.8.1",
    "xgboost-cpu": "3.1.1",
    "databricks-sdk": "0.67.0",
    "pandas": "2.2.3",
    "numpy": "2.1.3",
    "pyarrow": "21.0.0",
    "scikit-learn": "1.6.1",
}


def pins(name: str) -> dict[str, str]:
    """Version of each distribution that ``constraints/<name>.txt`` pins."""
    lines = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {key.lower(): value for key, value in found.items()}


def ranges() -> dict[str, list[Requirement]]:
    """Requirements of ``setup.py`` by extra; those of the bare wheel under the empty name."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    values: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    test = ast.literal_eval(values["TEST"])
    extras = values["EXTRAS"]
    assert isinstance(extras, ast.Dict)
    found = {"": ast.literal_eval(values["BASE"])}
    for key, value in zip(extras.keys, extras.values, strict=True):
        assert isinstance(key, ast.Constant)
        found[str(key.value)] = _texts(value, test)
    return {extra: [Requirement(text) for text in texts] for extra, texts in found.items()}


def _texts(value: ast.expr, test: list[str]) -> list[str]:
    if isinstance(value, ast.Name):
        return test
    assert isinstance(value, ast.List)
    own = [ast.literal_eval(item) for item in value.elts if isinstance(item, ast.Constant)]
    return own + (test if any(isinstance(item, ast.Starred) for item in value.elts) else [])


@pytest.mark.parametrize("name", FILES)
def test_every_pin_lies_in_its_range(name: str) -> None:
    found = pins(name)
    outside = [
        f"{requirement} but {found[requirement.name.lower()]}"
        for requirements in ranges().values()
        for requirement in requirements
        if requirement.name.lower() in found
        and not requirement.specifier.contains(found[requirement.name.lower()])
    ]
    assert outside == []


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("py311", ["", "local", "cpu", "java", "ui", "dev"]),
        ("py312", ["", "local", "cpu", "java", "ui", "dev"]),
        ("dbr18", ["", "local", "cpu", "test"]),
    ],
)
def test_everything_that_set_up_installs_is_pinned(name: str, extras: list[str]) -> None:
    wanted = {requirement.name.lower() for extra in extras for requirement in ranges()[extra]}
    assert wanted - pins(name).keys() == set()


def test_both_pythons_get_the_same_platform() -> None:
    old, new = pins("py311"), pins("py312")
    assert {name: old[name] for name in SAME_ON_BOTH_PYTHONS} == {
        name: new[name] for name in SAME_ON_BOTH_PYTHONS
    }


def test_the_runtime_file_keeps_the_versions_of_the_runtime() -> None:
    found = pins("dbr18")
    assert {name: found[name] for name in RUNTIME_18} == RUNTIME_18


@pytest.mark.parametrize("name", FILES)
def test_no_file_pins_both_wheels_of_xgboost(name: str) -> None:
    assert "xgboost" not in pins(name)


def test_the_running_environment_has_the_pinned_delta_jars() -> None:
    # The session of the tests resolves this very coordinate, so a pin without jars cannot pass.
    found = pins(f"py{sys.version_info[0]}{sys.version_info[1]}")
    assert coordinate(found["pyspark"], found["delta-spark"]) == installed_coordinate()
