"""A bad load taken back: its events, quarantined rows and ledger go, so that the same or mended files can come."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.dependents import dependents, finished_runs, loaded_at, models_reading
from jobs.feature_states import FEATURE_STATES
from jobs.job import Context, Plan, console_command, now, run_job
from lake.contracts import Contract
from lake.dimensions.refresh import rebuild
from lake.errors import RefusedError, TrustlakeError
from lake.ingest.schemas import BATCHES, FILES
from lake.ingest.undo import (
    Load,
    begin,
    begun,
    finish,
    killed_replays,
    linked,
    noted_loads,
    removable,
    remove,
)
from lake.ingest.undone import DONE, UNDONE
from lake.locks import Claim, held
from lake.runs import Outcome
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Undo:
    """What is taken back of one log, why each batch is, how much it holds, and what was built since a version."""

    contract: Contract
    loads: Sequence[Load]
    because: Mapping[str, str]
    removable: Mapping[str, tuple[int, int]]
    since: int
    dependents: Sequence[str]


class UndoLoad:
    """Removes batches from ``events_*``, ``dim_*``, ``quarantine`` and ``ingest_*``; writes ``undone_loads``."""

    NAME = "undo_load"
    ABOUT = "Take back a bad load, by its batches or the run that made them; the files can be ingested again."
    EXAMPLE = "undo_load --config conf/base.yml --run 3f2a9c1d0b7e --reason 'amounts in cents' --dry-run"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--run", metavar="RUN", help="every batch that this run of ingest_logs finished")
        which.add_argument(
            "--batch",
            action="append",
            metavar="BATCH",
            help="a batch, as ingest_batch names it; may be repeated",
        )
        parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the table undone_loads")
        parser.add_argument(
            "--with-linked",
            action="store_true",
            help="take back also the batches without which rows would be lost (default: refuse, and name them)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be removed, and remove nothing"
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        arguments, lake = context.arguments, context.lake
        if not lake.exists(FILES.name):
            raise TrustlakeError(f"{lake.place(FILES.name)} does not exist; nothing was ever ingested")
        asked = f"run {arguments.run}" if arguments.run else f"batch {', '.join(sorted(arguments.batch))}"
        found = {name: lake.version(name) for name in (BATCHES.name, FILES.name, UNDONE.name)}
        inputs = {name: version for name, version in found.items() if version is not None}
        return Plan(slice=asked, holds="all logs", inputs=inputs, work=lambda _: _undo(context, asked))


def _undo(context: Context, asked: str) -> Outcome:
    """Take back what was asked for, while no log is ingested and no feature built."""
    lake, wait = context.lake, context.arguments.wait
    with (
        held(lake, Claim("ingest_logs", "all logs"), now, wait=wait),
        held(lake, Claim("build_features", "all views"), now, wait=wait),
    ):
        lake.widen(BATCHES)
        finished = finished_runs(lake)
        if context.arguments.dry_run:
            return _report(context, _chosen(context, asked, finished), finished, "would be removed")
        _remove_begun(context)
        undos = _chosen(context, asked, finished)
        outcome = _report(context, undos, finished, "removed")
        if undos:
            begin(lake, [row for undo in undos for row in _rows(context, undo)])
            _remove_begun(context)
        return outcome


def _chosen(context: Context, asked: str, finished: Sequence[Row]) -> list[Undo]:
    """What was asked for and is there, with what must go with it.

    Raises:
        TrustlakeError: there is no such batch, and there never was.
        RefusedError: other batches must go too, and ``--with-linked`` was not said.
    """
    lake, run, batches = context.lake, context.arguments.run, set(context.arguments.batch or ())

    def is_asked(load: Load) -> bool:
        return load.loaded_by == run if run else load.batch_id in batches

    undos, noted = [], noted_loads(lake, context.contracts)
    missing = batches - {load.batch_id for loads in noted.values() for load in loads}
    for log, contract in context.contracts.items():
        if not missing and not any(map(is_asked, noted[log])):
            continue  # its events need not be searched for what no ledger knows
        loads = [*noted[log], *killed_replays(lake, contract, noted[log])]
        chosen = [load for load in loads if is_asked(load)]
        missing -= {load.batch_id for load in chosen}
        if chosen:
            undos.append(_with_linked(context, contract, loads, chosen, finished))
    if missing or not undos:
        _check_was_undone(lake, run, missing, asked)
    return undos


def _with_linked(
    context: Context,
    contract: Contract,
    loads: Sequence[Load],
    chosen: Sequence[Load],
    finished: Sequence[Row],
) -> Undo:
    why = linked(context.lake, context.config.raw.root, contract, loads, chosen)
    if why and not context.arguments.with_linked:
        named = "; ".join(f"batch {batch} {reason}" for batch, reason in sorted(why.items()))
        raise RefusedError(
            f"{contract.log}: rows would be lost, for {named}; say --with-linked to take these back too, and ingest "
            "their files again"
        )
    everything = [load for load in loads if load in chosen or load.batch_id in why]
    since = loaded_at(context.lake, contract.table, {load.loaded_by for load in everything}, finished)
    held_by_each = removable(context.lake, contract, everything)
    built = dependents(finished, {contract.table: since})
    return Undo(contract, everything, why, held_by_each, since, built)


def _check_was_undone(lake: Lake, run: str | None, missing: set[str], asked: str) -> None:
    done = lake.read(UNDONE.name).where(F.col("state") == DONE).collect() if lake.exists(UNDONE.name) else []
    is_known = {row["ingest_batch"] for row in done} >= missing if missing else False
    if is_known or (run is not None and run in {row["loaded_by"] for row in done}):
        return
    raise TrustlakeError(
        f"{asked} loaded nothing that {lake.place(BATCHES.name)} or {lake.place(FILES.name)} holds of the logs with a "
        "contract; look there for ingest_batch and run_id"
    )


def _rows(context: Context, undo: Undo) -> list[dict[str, object]]:
    rows = []
    for load in undo.loads:
        events, quarantined = undo.removable[load.batch_id]
        row: dict[str, object] = {
            "log": load.log,
            "ingest_batch": load.batch_id,
            "kind": load.kind,
            "loaded_by": load.loaded_by,
            "reason": context.arguments.reason,
            "because": undo.because.get(load.batch_id, "asked for"),
            "events": events,
            "quarantined": quarantined,
            "files": len(load.files),
            "dependents": "\n".join(undo.dependents),
        }
        rows.append(row)
    return rows


def _remove_begun(context: Context) -> None:
    """Finish what this run or a killed one has begun."""
    lake, waiting = context.lake, begun(context.lake)
    if not waiting:
        return
    for log, batches in waiting.items():
        if log not in context.contracts:
            raise TrustlakeError(
                f"{log} has no contract any more, and {batches} are half removed; restore it"
            )
    remove(lake, context.contracts, waiting)
    for log in waiting:
        rebuild(lake, context.contracts[log])
    if lake.exists(FEATURE_STATES.name):
        # A state that is carried on would go on counting the removed events.
        nothing = lake.spark.createDataFrame([], lake.read(FEATURE_STATES.name).schema)
        lake.replace(FEATURE_STATES.name, nothing, where="view IS NOT NULL")
    finish(lake)


def _report(context: Context, undos: Sequence[Undo], finished: Sequence[Row], done: str) -> Outcome:
    """Say batch by batch what goes, then what was built on any of it and what builds that again."""
    removed = 0
    for undo in undos:
        for row in _rows(context, undo):
            removed += int(str(row["events"]))
            context.log.info(
                "%s batch %s (%s): %s events, %s quarantined rows, %s files %s",
                *(row[name] for name in ("log", "ingest_batch", "because", "events", "quarantined", "files")),
                done,
            )
    built = dependents(finished, {undo.contract.table: undo.since for undo in undos})
    for line in built:
        context.log.warning("was built on it: %s", line)
    logs = [undo.contract.log for undo in undos]
    models = models_reading(context.lake, logs)
    if models:
        context.log.warning("models that read %s: %s", ", ".join(logs), ", ".join(models))
    if built:
        context.log.warning(
            "these rows stay as they are; to rebuild them, run their jobs again in this order with --replace; what "
            "is ingested from now on becomes known after the latest seal, unless the contract calls it a backfill"
        )
    batches = sum(len(undo.loads) for undo in undos)
    return Outcome(
        rows_out=removed,
        result=f"{batches} batches with {removed:,} events {done}, {len(built)} runs had read them",
        place=UNDONE.name,
    )


JOB = UndoLoad


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
