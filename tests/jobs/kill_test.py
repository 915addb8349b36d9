"""Jobs that are killed: SIGKILL of the whole process tree, the same command again, and the same tables as without."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psutil
import pytest
import yaml
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.readwriter import DataFrameWriter

from jobs import finishing
from jobs import job as lifecycle
from jobs.job import Finished, run_job
from lake.locks import LOCKS
from lake.runs import RUNS
from lake.tables import Lake

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "conf" / "base.yml", ROOT / "tests" / "small" / "two_logs.yml")
PLACES = """\
lake: {{root: lake}}
raw: {{root: "{raw}", days_per_batch: {days_per_batch}}}
mlflow: {{store: mlflow, experiment: kills}}
simulation: {{days: {days}}}
spark: {{master: "local[2]", driver_memory: 1g}}
"""
STEPS = {line.split()[0]: line.split()[1:] for line in yaml.safe_load(FILES[1].read_text())["steps"]}
WRITTEN = {
    "simulate_logs": (),
    "ingest_logs": ("events_*", "quarantine", "ingest_*"),
    "build_features": ("features_*", "lineage"),
    "train_model": ("training_*", "model_quality", "lineage"),
    "promote_model": (),
    "score_events": ("scores_*",),
}
# Which run wrote a row, and when a file was stored, is outside of every equality.
RUN_COLUMNS = ("run_id", "run_key", "modified")
# A job that is killed between its rows and its note writes the same rows once more: not the
# version must be equal, but what it holds.
FEATURES, VERSION = "features_payments", "features_version"

pytestmark = pytest.mark.minutes


@dataclass(frozen=True)
class Home:
    """One lake with its configuration, its raw files and its MLflow store."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, *, raw: str = "raw", days: int = 20, days_per_batch: int = 1000) -> Home:
        """A home whose logs span that many days; with the defaults each log is one batch."""
        folder.mkdir(exist_ok=True)
        text = PLACES.format(raw=raw, days=days, days_per_batch=days_per_batch)
        (folder / "places.yml").write_text(text, encoding="utf-8")
        return cls(folder)

    def with_raw_of(self, other: Path, *, lake: bool = False) -> Home:
        """A home in ``other`` on these raw files, and with a copy of this lake where ``lake`` says so."""
        made = Home.at(other, raw=str(self.folder / "raw"))
        if lake:
            shutil.copytree(self.folder / "lake", other / "lake")
        return made

    def argv(self, job: str, *further: str) -> list[str]:
        files = (*FILES, self.folder / "places.yml")
        return [*STEPS[job], *(part for file in files for part in ("--config", str(file))), *further]

    def run(self, job: str, *further: str) -> Finished:
        """Run a job in the session of the tests."""
        return run_job(import_module(f"jobs.{job}").JOB, self.argv(job, *further))

    def said(self, job: str) -> str:
        """The end of what the processes of a job said."""
        return (self.folder / f"{job}.log").read_text(encoding="utf-8")[-2000:]

    @contextmanager
    def started(self, job: str) -> Iterator[psutil.Popen]:
        """A job in a process of its own; whatever is left of it is killed in the end."""
        with (self.folder / f"{job}.log").open("a", encoding="utf-8") as log:
            command = [sys.executable, "-m", f"jobs.{job}", *self.argv(job)]
            process = psutil.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            try:
                yield process
            finally:
                kill(process)

    def commits(self, table: str) -> int:
        """How many commits a table has; 0 where there is none."""
        return len(list((self.folder / "lake" / table / "_delta_log").glob("*.json")))

    def tables(self, spark: SparkSession, job: str) -> dict[str, Counter[str]]:
        """The rows of every table that a job writes, less what names the run that wrote them; and what they are of."""
        places = sorted(place for pattern in WRITTEN[job] for place in (self.folder / "lake").glob(pattern))
        assert places or not WRITTEN[job]
        frames = {place.name: spark.read.format("delta").load(str(place)) for place in places}
        rows = {name: content(frame.drop(*RUN_COLUMNS, VERSION)) for name, frame in frames.items()}
        for name, frame in frames.items():
            if VERSION in frame.columns:
                ((version,),) = frame.select(VERSION).distinct().collect()
                features = spark.read.format("delta").option("versionAsOf", version)
                whole = features.load(str(self.folder / "lake" / FEATURES))
                rows[f"{FEATURES} of {name}"] = content(whole.drop(*RUN_COLUMNS))
        return rows


def content(frame: DataFrame) -> Counter[str]:
    rows = frame.select(F.to_json(F.struct(*sorted(frame.columns))).alias("row")).collect()
    return Counter(row["row"] for row in rows)


def kill(process: psutil.Popen) -> None:
    """SIGKILL a process and everything it started; Spark's Python daemon has left its process group."""
    tree = [process, *process.children(recursive=True)] if process.is_running() else [process]
    signal_all(tree, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(tree, timeout=30)


def signal_all(tree: Sequence[psutil.Process], what: signal.Signals) -> None:
    """Signal processes; those that ended by themselves in between, as Spark's launcher does, need none."""
    for one in tree:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(what)


def wait_until(happened: Callable[[], bool], process: psutil.Popen, home: Home, job: str) -> None:
    deadline = time.monotonic() + 240
    while not happened():
        assert process.poll() is None, f"ended too early: {home.said(job)}"
        assert time.monotonic() < deadline, f"nothing happened: {home.said(job)}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Raw files, events and features of runs that nobody disturbed."""
    home = Home.at(tmp_path_factory.mktemp("undisturbed"))
    for job in ("simulate_logs", "ingest_logs", "build_features"):
        home.run(job)
    return home


@pytest.mark.parametrize(
    ("job", "table", "commits"),
    [("ingest_logs", "events_payments", 2), ("build_features", "features_payments", 1)],
)
def test_a_killed_job_that_is_run_again_leaves_the_tables_of_an_undisturbed_run(
    spark: SparkSession, undisturbed: Home, tmp_path: Path, job: str, table: str, commits: int
) -> None:
    home = undisturbed.with_raw_of(tmp_path, lake=job == "build_features")
    shutil.rmtree(tmp_path / "lake" / "features_payments", ignore_errors=True)
    with home.started(job) as process:
        wait_until(lambda: home.commits(table) >= commits, process, home, job)
        time.sleep(random.Random(job).uniform(0, 1))
        assert process.poll() is None
        kill(process)
    assert not home.run(job).was_done
    assert home.tables(spark, job) == undisturbed.tables(spark, job)
    assert home.run(job).was_done


def test_a_second_copy_is_refused_with_the_holders_name_and_one_that_waits_finds_the_work_done(
    undisturbed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = "build_features"
    home = undisturbed.with_raw_of(tmp_path, lake=True)
    shutil.rmtree(tmp_path / "lake" / RUNS.name)
    before = home.commits(LOCKS.name)
    with home.started(job) as process:
        wait_until(lambda: home.commits(LOCKS.name) > before, process, home, job)
        tree = [process, *process.children(recursive=True)]
        signal_all(tree, signal.SIGSTOP)
        monkeypatch.setattr(sys, "argv", [job, *home.argv(job)])
        with pytest.raises(SystemExit) as ended:
            import_module(f"jobs.{job}").command()
        signal_all(tree, signal.SIGCONT)
        said = capsys.readouterr().err
        assert ended.value.code == 1
        assert f"is being worked on by {os.uname().nodename}:{process.pid}:" in said
        assert home.run(job, "--wait", "5m").was_done
        assert process.wait(timeout=120) == 0


class DiedError(BaseException):
    """Stands for SIGKILL inside a session: nothing that runs while it passes can write any more."""


NOTED_EACH, NOTED_TOGETHER = (2, 0.0, 30), (7, 3600.0, 8)


@pytest.mark.slow
@pytest.mark.parametrize("noted", [NOTED_EACH, NOTED_TOGETHER], ids=["each", "together"])
def test_an_ingest_that_dies_after_each_of_its_commits_ends_with_the_same_tables(
    spark: SparkSession,
    undisturbed: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    noted: tuple[int, float, int],
) -> None:
    days_per_batch, pause, fewest = noted
    raw = str(undisturbed.folder / "raw")
    whole, home = (
        Home.at(tmp_path / name, raw=raw, days_per_batch=days_per_batch) for name in ("whole", "home")
    )
    monkeypatch.setattr(finishing, "_PAUSE_SECONDS", pause)
    whole.run("ingest_logs")
    save, is_dead = Lake._save, False  # noqa: SLF001 - every commit of rows goes through it

    def save_and_die(lake: Lake, writer: DataFrameWriter, name: str) -> None:
        nonlocal is_dead
        if not is_dead:
            before = home.commits(name)
            save(lake, writer, name)
            is_dead = name != RUNS.name and home.commits(name) > before
        if is_dead:
            raise DiedError

    monkeypatch.setattr(Lake, "_save", save_and_die)
    # The process that holds the lock lives on here, as that of a real kill would not.
    monkeypatch.setattr(lifecycle, "held", lambda *_, **__: nullcontext())
    deaths, has_ended = 0, False
    while not has_ended:
        is_dead = False
        try:
            home.run("ingest_logs")
            has_ended = True
        except DiedError:
            deaths += 1
            assert deaths < 100, "it makes no progress"
    found = home.tables(spark, "ingest_logs")
    assert found == whole.tables(spark, "ingest_logs")
    assert deaths >= fewest
    assert pause or deaths >= 2 * found["ingest_batches"].total()


@pytest.mark.slow
def test_a_series_of_kills_over_all_jobs_changes_no_file_no_table_and_no_model(
    spark: SparkSession, tmp_path: Path
) -> None:
    draw = random.Random(7)
    reference, disturbed = (Home.at(tmp_path / name, days=66, days_per_batch=30) for name in ("one", "other"))
    hits = 0
    for job in STEPS:
        span = undisturbed_span(reference, job)
        for third in range(3):
            hits += killed_after(disturbed, job, (third + draw.random()) / 3 * span)
        with disturbed.started(job) as process:
            assert process.wait(timeout=600) == 0, disturbed.said(job)
        assert files(disturbed) == files(reference), job
        assert disturbed.tables(spark, job) == reference.tables(spark, job)
        assert models(disturbed) == models(reference), job
    assert hits >= 12


def undisturbed_span(home: Home, job: str) -> float:
    """Run a job in a process of its own; returns the seconds from its lock to its end."""
    before = home.commits(LOCKS.name)
    with home.started(job) as process:
        wait_until(lambda: home.commits(LOCKS.name) > before, process, home, job)
        locked = time.monotonic()
        assert process.wait(timeout=600) == 0, home.said(job)
        return time.monotonic() - locked


def killed_after(home: Home, job: str, seconds: float) -> bool:
    """Kill a job that long after it took the lock; False where it had ended by then."""
    before = home.commits(LOCKS.name)
    with home.started(job) as process:
        while process.poll() is None and home.commits(LOCKS.name) == before:
            time.sleep(0.02)
        try:
            assert process.wait(timeout=seconds) == 0, home.said(job)
        except psutil.TimeoutExpired:
            kill(process)
            return True
        return False


def files(home: Home) -> dict[str, bytes]:
    raw = home.folder / "raw"
    return {str(path.relative_to(raw)): path.read_bytes() for path in raw.rglob("*") if path.is_file()}


def models(home: Home) -> object:
    """Metrics of trials and trainings, versions and aliases, less ids and times."""
    store = home.folder / "mlflow" / "mlflow.db"
    if not store.exists():
        return None
    client = MlflowClient(f"sqlite:///{store}")
    experiments = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(experiments, "status = 'FINISHED'")
    measured = sorted((run.data.tags.get("trial", ""), sorted(run.data.metrics.items())) for run in runs)
    names = [model.name for model in client.search_registered_models()]
    aliases = {name: client.get_registered_model(name).aliases for name in names}
    versions = sorted((v.name, v.version, v.tags.get("gate")) for v in client.search_model_versions())
    return measured, aliases, versions
