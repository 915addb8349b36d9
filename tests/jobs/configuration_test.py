"""Base and overlays, found, merged, decoded, fingerprinted; every mistake of them, of contracts and definitions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from jobs.configuration import VARIABLE, load, places, read
from jobs.job import check
from lake.errors import ConfigError

ROOT = Path(__file__).parents[2]
BASE = {
    "lake": {"root": "lake"},
    "raw": {"root": "raw"},
    "contracts": ["contracts"],
    "definitions": "definitions.py",
    "mlflow": {"store": "mlflow", "experiment": "e", "registry_schema": "a.b"},
    "training": {
        "split": {"train_days": 2, "test_days": 1},
        "sweep": {"trials": 1, "space": {"max_depth": {"integer": [2, 3]}}},
    },
}
CONTRACT = """\
log: payments
description: Payments
files: {pattern: "{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns:
  payment_id: {type: string}
"""
DEFINITIONS = """\
from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days

group = FeatureGroup(
    entity=Entity("card", key="payment_id"), source="payments", windows=[days(1)], measures=[count("payments")]
)
view = FeatureView(name="payments", spine=Spine(source="payments", row="payment_id"), groups=[group])
"""


def write(folder: Path, content: object, name: str = "base.yml") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def project(folder: Path, **changes: object) -> str:
    write(folder, CONTRACT, "contracts/payments.yml")
    write(folder, DEFINITIONS, "definitions.py")
    return write(folder, BASE | changes)


def mistakes(*paths: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check(paths)
    return list(caught.value.mistakes)


def test_a_whole_project_is_checked_without_a_session(tmp_path: Path) -> None:
    loaded, contracts, definitions = check([project(tmp_path)])
    assert loaded.config.lake.root == str(tmp_path / "lake")
    assert loaded.config.mlflow.tracking == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert (list(contracts), list(definitions.views)) == (["payments"], ["payments"])


def test_mistakes_of_configuration_contracts_and_definitions_are_told_at_once(tmp_path: Path) -> None:
    base = project(tmp_path, lkae={}, raw={"root": "raw", "days_per_batch": 0})
    contract = write(tmp_path, CONTRACT.replace("[payment_id]", "[id]"), "contracts/payments.yml")
    definitions = write(tmp_path, DEFINITIONS + "broken = undefined\n", "definitions.py")
    found = mistakes(base)
    assert len(found) == 4
    line = Path(base).read_text(encoding="utf-8").splitlines().index("lkae: {}") + 1
    assert f"{base}:{line}: unknown key lkae; remove it or correct its spelling" in found
    assert any(
        m.startswith(f"{base}:") and "raw.days_per_batch: found 0; Input should be greater" in m
        for m in found
    )
    assert f"{contract}:1: the document: key names id; columns are payment_id" in found
    assert f"{definitions}:7: cannot be loaded: NameError: name 'undefined' is not defined" in found


def test_definitions_are_checked_against_the_contracts_although_the_configuration_is_wrong(
    tmp_path: Path,
) -> None:
    base = project(tmp_path, lkae={})
    definitions = write(
        tmp_path, DEFINITIONS.replace('source="payments", row', 'source="refunds", row'), "definitions.py"
    )
    found = mistakes(base)
    assert len(found) == 2
    assert (
        f"{definitions}:6: spine of payments: no contract declares the log refunds; there are payments"
        in found
    )


def test_every_absent_or_broken_file_is_told(tmp_path: Path) -> None:
    broken = write(tmp_path, "lake: [", "broken.yml")
    found = mistakes(str(tmp_path / "absent.yml"), broken)
    assert [
        f"{tmp_path}/absent.yml: no such file; give a path to a YAML file",
        f"{broken}:1: not YAML: ",
    ] == [
        found[0],
        found[1][: len(f"{broken}:1: not YAML: ")],
    ]


def test_paths_are_relative_to_the_file_that_names_them_in_overlays_too(tmp_path: Path) -> None:
    base = project(tmp_path / "conf")
    write(tmp_path / "mine", DEFINITIONS, "own.py")
    overlay = write(tmp_path / "mine", {"definitions": "own.py", "raw": {"root": "../data"}}, "overlay.yml")
    document = read([base, overlay])
    named = places(document)
    assert named is not None
    assert named.definitions == str(tmp_path / "mine" / "own.py")
    assert named.contracts == (str(tmp_path / "conf" / "contracts"),)
    assert load([base, overlay]).config.raw.root == str(tmp_path / "data")
    write(tmp_path / "mine", {"definitions": "training.marketplace"}, "overlay.yml")
    module = places(read([base, overlay]))
    assert module is not None
    assert module.definitions == "training.marketplace"


def test_the_variable_names_the_files_where_no_argument_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = project(tmp_path)
    overlay = write(tmp_path, {"raw": {"root": "other"}}, "overlay.yml")
    monkeypatch.setenv(VARIABLE, os.pathsep.join([base, overlay]))
    assert load([]).config.raw.root == str(tmp_path / "other")
    assert load([base]).config.raw.root == str(tmp_path / "raw")
    monkeypatch.delenv(VARIABLE)
    assert mistakes() == [f"no configuration; give --config conf/base.yml, or set {VARIABLE}"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"spark": {"driver_memory": "9g"}}, True),
        ({"steps": ["ingest_logs"]}, True),
        ({"raw": {"root": "elsewhere"}}, False),
        ({"training": BASE["training"] | {"published": {"paper": {"roc_auc": 0.9}}}}, False),  # type: ignore[operator]  # a dict
    ],
)
def test_the_fingerprint_covers_what_a_result_depends_on(
    tmp_path: Path, changes: dict[str, object], *, same: bool
) -> None:
    before = load([project(tmp_path)]).hash
    assert (load([project(tmp_path, **changes)]).hash == before) is same


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lake": {}}, "lake: give either root, or catalog and schema_name"),
        ({"lake": {"root": "x", "catalog": "c", "schema_name": "s"}}, "lake: give either root, or catalog"),
        ({"lake": {"catalog": "c"}}, "lake: give either root, or catalog and schema_name"),
        ({"mlflow": {"experiment": "e", "registry_schema": "a.b"}}, "mlflow: give either store, a local folder"),
        ({"mlflow": {"store": "s", "experiment": "e", "registry_schema": "a"}}, "mlflow.registry_schema: found 'a'"),
        ({"spark": {"conf": {"spark.sql.session.timeZone": "Asia/Tokyo"}}}, "timeZone is Asia/Tokyo"),
    ],
)  # fmt: skip
def test_settings_that_exclude_each_other_are_told(
    tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    found = mistakes(project(tmp_path, **changes))
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize("overlay", ["conf/marketplace.yml", "examples/handbook/overlay.yml"])
def test_the_shipped_configurations_are_right(overlay: str) -> None:
    _, contracts, definitions = check([str(ROOT / "conf/base.yml"), str(ROOT / overlay)])
    assert {label.source for label in definitions.only_model().labels} <= contracts.keys()


def test_settings_win_over_every_file_and_are_named_where_they_are_wrong(tmp_path: Path) -> None:
    base = project(tmp_path)
    given = ["lake.root=null", "lake.catalog=main", "lake.schema_name='2026'", "training.sweep.trials=5"]
    config = check([base], given)[0].config
    assert (config.lake.root, config.lake.catalog, config.lake.schema_name) == (None, "main", "2026")
    assert config.training.sweep.trials == 5
    assert config.training.sweep.space == load([base]).config.training.sweep.space
    assert load([base]).hash != check([base], given)[0].hash
    with pytest.raises(ConfigError) as raised:
        check([base], ["lake.katalog=main", "training.sweep.trials=many"])
    assert [mistake.split(": ", 1)[0] for mistake in raised.value.mistakes] == [
        "--set lake.katalog=main",
        "--set training.sweep.trials=many",
    ]
    with pytest.raises(ConfigError) as raised:
        check([base, str(tmp_path / "absent.yml")], ["lake", ".=1", "lake.root=[1"])
    assert len(raised.value.mistakes) == 4
    assert "--set lake.root=[1: the value is not YAML; put it into quotes" in raised.value.mistakes


def test_a_path_in_a_setting_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = project(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert check([base], ["raw.root=delivered"])[0].config.raw.root == str(tmp_path / "delivered")
