"""Tables stored anew: small files put together, old ones removed. No row changes, and no version that counts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from jobs.arguments import duration
from jobs.declared_tables import BUILD, INGEST, Declared, declared_tables
from jobs.job import Context, Plan, console_command, now, run_job
from lake.errors import TrustlakeError
from lake.layout import stored
from lake.locks import LOCKS, Claim, check_none_held, held
from lake.maintenance import LEAST_RETENTION, Work, check_retention, do, find_work
from lake.maintenance_table import MAINTENANCE, begin, begun, finish
from lake.runs import DONE, RUNS, Outcome
from lake.tables import FORMAT_PROPERTY, Lake

# Such are in a lake in which nothing was ever done.
_OF_EVERY_RUN = {RUNS.name, LOCKS.name}


class MaintainTables:
    """Reads and stores anew every table of the lake; writes ``table_maintenance``."""

    NAME = "maintain_tables"
    ABOUT = "Put small files together, and remove files that no version needs which is kept; no row changes."
    EXAMPLE = "maintain_tables --config conf/base.yml --config conf/marketplace.yml --dry-run"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--table", action="append", metavar="TABLE", help="a table; may be repeated (default: all)"
        )
        parser.add_argument(
            "--retain",
            type=duration,
            metavar="SPAN",
            help=f"keep replaced files so long from now on, {LEAST_RETENTION.days}d or more (default: as each table "
            "says, 30d where it says nothing)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    @staticmethod
    def plan(context: Context) -> Plan:
        arguments = context.arguments
        if arguments.retain is not None:
            check_retention("--retain", arguments.retain)
        declared = declared_tables(context.contracts, context.definitions)
        open_runs = begun(context.lake)
        looked_at = [_look(context, table, declared.get(table)) for table in _tables(context)]
        works = [work for work in looked_at if work or work.table in open_runs]
        if arguments.dry_run:
            _say(context, works)
        inputs = {work.table: f"{work.fingerprint} {open_runs.get(work.table, '')}" for work in works}
        return Plan(
            slice=", ".join(arguments.table or ["all tables"]),
            holds="the lake",
            inputs=inputs,
            work=lambda _: _maintain(context, works, len(looked_at), declared),
        )


def _tables(context: Context) -> list[str]:
    """The tables asked for, or all of the lake that trustlake made.

    Raises:
        TrustlakeError: there is no table, or none of a name that was asked for.
    """
    lake, named = context.lake, list(dict.fromkeys(context.arguments.table or ()))
    there = [name for name in lake.names() if _is_ours(lake, name)]
    if not set(there) - _OF_EVERY_RUN:
        raise TrustlakeError(f"{lake.place('*')}: there is no table yet; run ingest_logs first")
    unknown = [name for name in named if name not in there]
    if unknown:
        raise TrustlakeError(
            f"{lake.place('*')}: trustlake made no table {', '.join(unknown)}; there are {', '.join(there)}"
        )
    return named or there


def _is_ours(lake: Lake, name: str) -> bool:
    """A schema of a catalog may hold views and tables of others."""
    try:
        return FORMAT_PROPERTY in stored(lake.spark, lake.place(name)).properties
    except AnalysisException:
        return False


def _look(context: Context, table: str, declared: Declared | None) -> Work:
    # A change of a table's properties would make runs fail that write it at this moment.
    is_laid_out = declared is not None and bool(declared.writers)
    return find_work(
        context.lake,
        table,
        declared.layout if declared and is_laid_out else None,
        declared.properties if declared else {},
        retain=context.arguments.retain,
        now=now(),
    )


def _say(context: Context, works: Sequence[Work]) -> None:
    for work in works:
        context.log.info("%s: %s", work.table, work)
        if work.readable_from is not None:
            context.log.warning(
                "%s: versions before %d can no longer be read; %s",
                *(work.table, work.readable_from, _readers(context.lake, work.table, work.readable_from)),
            )


def _readers(lake: Lake, table: str, version: int) -> str:
    """What had read versions that are lost."""
    if not lake.exists(RUNS.name):
        return "no run had read them"
    rows = lake.read(RUNS.name).where((F.col("state") == DONE) & (F.col("inputs")[table] < version))
    found = rows.groupBy("job").count().orderBy("job").collect()
    said = ", ".join(f"{row['count']} of {row['job']}" for row in found)
    return f"they were read by {said}" if said else "no run had read them"


def _maintain(
    context: Context, works: Sequence[Work], looked_at: int, declared: Mapping[str, Declared]
) -> Outcome:
    if context.arguments.dry_run or not works:
        result = f"{len(works)} of {looked_at} tables would be stored anew"
        if not works:
            result = f"nothing to do, {looked_at} tables looked at"
        return Outcome(result=result, place=MAINTENANCE.name)
    lake = context.lake
    lake.ensure(MAINTENANCE)
    open_runs = begun(lake)
    began = now()
    begin(lake, [_row(work, began) for work in works if work.table not in open_runs])
    after: dict[str, tuple[int, int]] = {}
    for writers, group in _by_writers(works, declared).items():
        with _alone(context, writers):
            done = {work.table: do(lake, work) for work in group}
        counts = {table: (found.files, found.bytes) for table, found in done.items()}
        finish(lake, counts, now())
        after |= counts
        _say(context, group)
    files = sum(work.before.files for work in works), sum(count for count, _ in after.values())
    removed = sum(len(work.removable) for work in works)
    size = sum(work.removable_bytes for work in works)
    return Outcome(
        result=f"{len(works)} of {looked_at} tables stored anew, {files[0]:,} files are {files[1]:,}, {removed:,} old "
        f"files of {size / 1_000_000:,.1f} MB removed",
        place=MAINTENANCE.name,
    )


def _by_writers(
    works: Sequence[Work], declared: Mapping[str, Declared]
) -> dict[tuple[Claim, ...], list[Work]]:
    """The tables that the same jobs write; what no configuration declares is anyone's."""
    groups: dict[tuple[Claim, ...], list[Work]] = {}
    for work in works:
        writers = declared[work.table].writers if work.table in declared else (INGEST, BUILD)
        groups.setdefault(writers, []).append(work)
    return groups


@contextmanager
def _alone(context: Context, writers: Sequence[Claim]) -> Iterator[None]:
    """While no job writes what these write.

    Raises:
        LockedError: one does.
    """
    with ExitStack() as stack:
        for claim in writers:
            stack.enter_context(held(context.lake, claim, now, wait=context.arguments.wait))
        check_none_held(context.lake, {claim.job for claim in writers}, now)
        yield


def _row(work: Work, began: datetime) -> dict[str, object]:
    return {
        "table": work.table,
        "begun_at": began,
        "data_version": work.data_version,
        "changes": "\n".join(work.changes),
        "files_before": work.before.files,
        "bytes_before": work.before.bytes,
        "removed_files": len(work.removable),
        "removed_bytes": work.removable_bytes,
        "retain_hours": int(work.retain.total_seconds() // 3600),
        "readable_from": work.readable_from,
    }


JOB = MaintainTables


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
