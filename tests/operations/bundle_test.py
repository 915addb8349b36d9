"""databricks.yml as each target deploys it: no mistakes as it is, and each mistake named with its line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk.service import jobs

from lake.errors import ConfigError
from operations.cli import main
from operations.workflows.bundle import FILE, load_bundle, targets_of
from operations.workflows.checks import mistakes_of
from operations.workflows.node import Node

ROOT = Path(__file__).parents[2]
BROKEN = sorted((Path(__file__).parent / "broken_bundles").glob("*.yml"))
CASES = {
    f"{path.stem}-{name}": case
    for path in BROKEN
    for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}
ON = date(2026, 11, 28)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of what the project's bundle consists of."""
    for name in (FILE, "setup.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("resources", "conf"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("benchmarks", "docs", "examples", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    return tmp_path


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_the_bundle_of_the_project_has_no_mistakes(target: str) -> None:
    assert mistakes_of(ROOT, target, {}, ON) == []


def test_there_are_three_targets_and_the_first_is_the_default() -> None:
    assert targets_of(ROOT) == ["dev", "staging", "prod"]
    assert load_bundle(ROOT).target == "dev"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_broken_bundle_is_told_of_with_file_and_line(bundle: Path, case: Mapping[str, Any]) -> None:
    path = bundle / case["file"]
    before = path.read_text(encoding="utf-8")
    assert case["replace"] in before
    path.write_text(before.replace(case["replace"], case["by"], 1), encoding="utf-8")
    found = mistakes_of(bundle, case.get("target"), {}, ON)
    told = [mistake for mistake in found if re.search(_pattern(case["says"]), mistake)]
    assert told, found
    assert "among" in case or told == found
    where = case.get("where")
    if where is None:
        line = before[: before.index(case["replace"])].count("\n") + 1 + case.get("at", 0)
        assert told[0].startswith(f"{path}:{line}: ")
    else:
        assert re.match(rf"{re.escape(str(bundle / where))}[^:]*:\d+: ", told[0])


def _pattern(text: str) -> str:
    return re.sub(r"[$(){}\[\]*]", lambda match: "\\" + match[0], text.replace(".*", "\0")).replace(
        "\0", ".*"
    )


def test_there_are_enough_broken_bundles() -> None:
    assert len(CASES) >= 25


def _check_with_the_sdk(key: str, job: Node) -> None:
    given = {name: node.plain for name, node in job.fields.items() if name != "permissions"}
    assert jobs.JobSettings.from_dict(given).as_dict() == given, key


def test_every_job_is_what_the_sdk_makes_of_it() -> None:
    for target in targets_of(ROOT):
        for key, job in load_bundle(ROOT, target).jobs.items():
            _check_with_the_sdk(key, job)


def test_every_resource_is_taken_by_the_classes_of_the_command_line() -> None:
    reason = "databricks-bundles is not installed"
    classes = {
        kind: getattr(pytest.importorskip(f"databricks.bundles.{module}", reason=reason), name)
        for kind, module, name in (
            ("jobs", "jobs", "Job"),
            ("schemas", "schemas", "Schema"),
            ("volumes", "volumes", "Volume"),
            ("registered_models", "registered_models", "RegisteredModel"),
            ("experiments", "experiments", "MlflowExperiment"),
            ("model_serving_endpoints", "model_serving_endpoints", "ModelServingEndpoint"),
            ("quality_monitors", "quality_monitors", "QualityMonitor"),
        )
    }
    for target in targets_of(ROOT):
        for kind, resources in load_bundle(ROOT, target).tree.at("resources").fields.items():
            for resource in resources.fields.values():
                assert classes[kind].from_dict(resource.plain)


def test_the_optional_endpoint_and_monitor_have_no_mistakes_and_a_monitor_of_dev_waits(bundle: Path) -> None:
    whole = (bundle / FILE).read_text(encoding="utf-8")
    added = whole.replace(
        "  - resources/*.yml\n", "  - resources/*.yml\n  - resources/optional/serving.yml\n"
    )
    (bundle / FILE).write_text(added, encoding="utf-8")
    for target in targets_of(bundle):
        assert mistakes_of(bundle, target, {}, ON) == []
        resources = load_bundle(bundle, target).tree.at("resources")
        assert bool(resources.at("quality_monitors", "scores", "schedule").fields) == (target != "dev")
        model = resources.at("registered_models", "payment_fraud")
        names = [model.at(part).text for part in ("catalog_name", "schema_name", "name")]
        endpoint = resources.at("model_serving_endpoints", "answers")
        assert endpoint.at("config", "served_entities").items[0].at("entity_name").text == ".".join(names)
    wrong = bundle / "resources/optional/serving.yml"
    text = wrong.read_text(encoding="utf-8")
    wrong.write_text(text.replace("workload_size", "workload_sise").replace("timestamp_col: as_of", ""))
    found = "\n".join(mistakes_of(bundle, "prod", {}, ON))
    assert "serving.yml:16: model_serving_endpoints.answers.config.served_entities has no field" in found
    assert "inference_log lacks timestamp_col" in found


@pytest.fixture
def serverless(bundle: Path) -> Path:
    """The bundle with serverless compute for all that can have it."""
    whole = (bundle / FILE).read_text(encoding="utf-8")
    assert "compute/clusters.yml" in whole
    (bundle / FILE).write_text(
        whole.replace("compute/clusters.yml", "compute/serverless.yml"), encoding="utf-8"
    )
    return bundle


def test_serverless_compute_serves_every_task_that_neither_trains_nor_hashes(serverless: Path) -> None:
    for target in targets_of(serverless):
        assert mistakes_of(serverless, target, {}, ON) == []
        loaded, on_clusters = load_bundle(serverless, target), load_bundle(ROOT, target)
        tasks = {
            task.at("python_wheel_task", "entry_point").text: task
            for key, job in loaded.jobs.items()
            if key != "simulation"
            for task in job.at("tasks").items
            if "python_wheel_task" in task.fields
        }
        on_cluster = {command for command, task in tasks.items() if "job_cluster_key" in task.fields}
        assert on_cluster == {"ingest_logs", "train_model", "erase_user"}
        assert len(tasks) > len(on_cluster)
        for key, job in loaded.jobs.items():
            _check_with_the_sdk(key, job)
            others = on_clusters.jobs[key].at("tasks").items
            for other, task in zip(others, job.at("tasks").items, strict=True):
                assert _less_compute(task, serverless) == _less_compute(other, ROOT)


def _less_compute(task: Node, folder: Path) -> str:
    compute = {"job_cluster_key", "environment_key", "libraries"}
    left = {name: node.plain for name, node in task.fields.items() if name not in compute}
    return json.dumps(left, sort_keys=True).replace(str(folder), "folder")


DEPENDENCY = "                  - ../../dist/*.whl\n"
ON_CLUSTER, HERE = "job_cluster_key: cluster, libraries: *libraries", "environment_key: serverless"
TRAINS = "job_cluster_key: training_cluster, libraries: *libraries"


@pytest.mark.parametrize(
    ("replace", "by", "says"),
    [
        ('default: "5"', 'default: "4"', "version '4'; conf/databricks/environments.yml has 5, 6"),
        (DEPENDENCY, "", "environment serverless has no wheel among its dependencies"),
        (DEPENDENCY, DEPENDENCY.replace("../", "", 1), "which no artifact builds and which is not there"),
        (
            "- matplotlib>=3.9,<4",
            "- pyspark>=4.1",
            "installs pyspark>=4.1, and serverless compute has its own",
        ),
        (
            f"score, {HERE}",
            f"score, {HERE}, libraries: *libraries",
            "an environment, which takes no libraries",
        ),
        (f"erase, {ON_CLUSTER}", f"erase, {HERE}", "task erase hashes personal values"),
        (f"train, {TRAINS}", f"train, {HERE}", "task train trains; give it a job cluster"),
        (f"undo, {HERE}", "undo, environment_key: other", "names other, which jobs.undo_load does not have"),
        (f"undo, {HERE}", "undo", "task undo is given nothing to run on"),
    ],
)
def test_a_mistake_of_serverless_compute_is_told_of_with_file_and_line(
    serverless: Path, replace: str, by: str, says: str
) -> None:
    path = serverless / "resources" / "compute" / "serverless.yml"
    before = path.read_text(encoding="utf-8")
    assert replace in before
    path.write_text(before.replace(replace, by, 1), encoding="utf-8")
    told = [mistake for mistake in mistakes_of(serverless, "prod", {}, ON) if says in mistake]
    assert told
    assert re.match(rf"{re.escape(str(serverless))}/resources/[^:]+:\d+: ", told[0])


def test_targets_differ_in_names_pauses_and_who_is_told() -> None:
    dev, staging, prod = (load_bundle(ROOT, name) for name in ("dev", "staging", "prod"))
    names = [one.tree.at("resources", "schemas", "lake", "name").text for one in (dev, staging, prod)]
    assert names == ["dev_deployer_fraud", "staging_fraud", "fraud"]
    assert dev.jobs["training"].at("name").text == "[dev deployer] 2 training"
    paused = [one.jobs["training"].at("schedule", "pause_status").text for one in (dev, staging, prod)]
    assert paused == ["PAUSED", "PAUSED", ""]
    assert dev.jobs["scoring"].at("webhook_notifications").plain == {}
    assert "on_failure" in prod.jobs["scoring"].at("webhook_notifications").fields
    arguments = prod.jobs["scoring"].at("tasks").items[0].at("python_wheel_task", "parameters").plain
    assert isinstance(arguments, list)
    assert "--set=mlflow.registered_model=trustlake_prod.fraud.payment_fraud" in arguments
    assert "--set=raw.root=/Volumes/trustlake_prod/fraud/raw" in arguments


def test_lists_of_a_target_are_appended_and_tasks_merged_by_their_key(bundle: Path) -> None:
    extra = """
    resources:
      jobs:
        training:
          tags: {team: fraud}
          tasks:
            - {task_key: train, timeout_seconds: 60}
            - {task_key: after, depends_on: [{task_key: train}], condition_task: {op: EQUAL_TO, left: a, right: a}}
          parameters: [{name: as_of, default: "2026-01-01"}]
    sync: {exclude: [conf/sizes/**]}
"""
    text = (bundle / FILE).read_text(encoding="utf-8")
    (bundle / FILE).write_text(text.rstrip("\n") + extra, encoding="utf-8")
    loaded = load_bundle(bundle, "prod")
    job = loaded.jobs["training"]
    assert [task.at("task_key").text for task in job.at("tasks").items] == ["prove", "train", "after"]
    train = job.at("tasks").items[1]
    assert train.at("timeout_seconds").value == 60
    assert train.at("python_wheel_task", "entry_point").text == "train_model"
    assert job.at("parameters").plain == [{"name": "as_of", "default": "2026-01-01"}]
    assert loaded.tree.at("sync", "exclude").items[-1].text == "conf/sizes/**"
    assert len(loaded.tree.at("sync", "exclude").items) == 5


def test_variables_come_from_the_command_line_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check-bundle", "--on", "2026-11-28"]) == 0
    assert capsys.readouterr().out == f"{FILE}: no mistakes in dev, staging, prod\n"
    monkeypatch.setenv("BUNDLE_VAR_runtime", "7.x")
    assert main(["check-bundle", "--target", "prod"]) == 2
    assert "has spark_version '7.x'" in capsys.readouterr().err
    assert main(["check-bundle", "--on", "2026-11-28", "--var", "runtime=19.x-cpu-ml-scala2.13"]) == 0
    assert main(["check-bundle", "--var", "no_such=1"]) == 2
    assert "--var no_such=1: variable no_such is not defined" in capsys.readouterr().err
    assert main(["check-bundle", "--var", "runtime"]) == 2
    assert "--var runtime: expected a name and its value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"bundle: {name: \xff}", "not YAML in UTF-8"),
        (b"bundle: {name", ":1: not YAML"),
        (b"- bundle", ":1: expected a mapping"),
        (b"", "expected one YAML document, found 0"),
        (b"bundle: {name: a}\n---\nbundle: {name: b}", "expected one YAML document, found 2"),
        (b"bundle: {name: a}", "there is no target 'prod'; there are none"),
        (b"bundle: {name: a}\ntargets: {dev: {}}", "there is no target 'prod'; there are dev"),
        (
            b"a: &a [x,x,x,x,x,x,x,x,x]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(8)
            ),
            "values or 100 levels of them, with aliases (*) written out; use fewer",
        ),
        (b"a: &a [*a]", "100 levels of them"),
    ],
)
def test_files_that_say_nothing_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(says)):
        load_bundle(tmp_path, "prod")


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; give a path to a YAML file"):
        load_bundle(tmp_path)
