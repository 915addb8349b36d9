"""How good models of published data are, by configuration alone: ``python -m benchmarks.quality --data FOLDER``.

The folder holds ``handbook``, ``bitcoin_otc`` and ``aws_registration``, as the first lines of the examples' contracts
say. Each example is ingested and built once, then trained with every seed; parameters are chosen on validation folds
only. The table gives the median seed of each metric's mean over the folds, with its deviation over them, beside
published figures.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pyspark.sql import functions as F

from jobs.build_features import BuildFeatures
from jobs.configuration import load
from jobs.ingest_logs import IngestLogs
from jobs.job import open_lake, run_job
from jobs.train_model import TrainModel
from training.quality_table import MODEL_QUALITY

ROOT = Path(__file__).parents[1]
EXAMPLES = ("handbook", "bitcoin_otc", "aws_registration")
METRICS = ("roc_auc", "average_precision", "entity_precision_at_100_per_day")
STEPS = (IngestLogs, BuildFeatures, TrainModel)
Means = Mapping[str, tuple[float, float]]


def main(argv: Sequence[str] | None = None) -> None:
    """Train and print a table in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--examples", nargs="+", choices=EXAMPLES, default=list(EXAMPLES))
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench" / "quality")
    arguments = parser.parse_args(argv)
    head = ("", "seeds", *METRICS)
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|", flush=True)
    for example in arguments.examples:
        _print(example, arguments.data.absolute(), arguments.folder.absolute() / example, arguments.seeds)


def _print(example: str, data: Path, folder: Path, seeds: Sequence[int]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    overlay = folder / "places.yml"
    places = {"lake": {"root": "lake"}, "mlflow": {"store": "mlflow"}, "raw": {"root": str(data / example)}}
    overlay.write_text(yaml.safe_dump(places), encoding="utf-8")
    files = [str(ROOT / "conf/base.yml"), str(ROOT / "examples" / example / "overlay.yml"), str(overlay)]
    found = [_trained(files, seed) for seed in seeds]
    cells = [_median([means[metric] for means in found if metric in means]) for metric in METRICS]
    print(f"| {example} | {len(seeds)} | " + " | ".join(cells) + " |")
    for name, figures in load(files).config.training.published.items():
        cells = [
            f"{figures[m]:.3f}" if m in figures else ""
            for m in (one.removesuffix("_per_day") for one in METRICS)
        ]
        print(f"| published: {name} | | " + " | ".join(cells) + " |", flush=True)


def _trained(files: Sequence[str], seed: int) -> Means:
    """Mean and deviation over the folds of each metric, of a training with a seed."""
    named = [part for file in files for part in ("--config", file)]
    seeded = [f"training.sweep.seed={seed}", f"training.split.seed={seed}"]
    loaded = load(files)
    for step in loaded.config.steps:
        name, *arguments = shlex.split(step)
        job = next((one for one in STEPS if name == one.NAME), None)
        if job is not None:
            changed = [part for text in seeded for part in ("--set", text)] if job is TrainModel else []
            run_job(job, [*arguments, *named, *changed])
    lake = open_lake(loaded, "benchmarks.quality")
    done = lake.read("runs").where("job = 'train_model' AND state = 'done'")
    newest = done.agg(F.max_by("run_key", "finished_at"))
    values = defaultdict[str, list[float]](list)
    for row in lake.read(MODEL_QUALITY.name).join(newest.toDF("run_key"), on="run_key").collect():
        if row["value"] is not None:
            values[row["metric"]].append(row["value"])
    return {
        name: (statistics.fmean(folds), statistics.stdev(folds) if len(folds) > 1 else 0.0)
        for name, folds in values.items()
    }


def _median(found: Sequence[tuple[float, float]]) -> str:
    """The middle seed by its mean."""
    if not found:
        return ""
    mean, deviation = sorted(found)[len(found) // 2]
    return f"{mean:.3f} ± {deviation:.3f}"


if __name__ == "__main__":
    main()
