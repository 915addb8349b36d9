"""Raw files to events: every new file of every contract, once, with what is refused kept in quarantine."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from statistics import mean

from jobs.arguments import add_range
from jobs.at_once import at_once
from jobs.finishing import Finishing, say
from jobs.job import Context, Plan, console_command, run_job
from lake.dimensions.refresh import refresh
from lake.erase.erasures import check_no_erasure_begun
from lake.errors import TrustlakeError
from lake.ingest.batch import UNREADABLE, ingest_batch
from lake.ingest.event_table import has_columns, prepare_events
from lake.ingest.files import Batch, RawFile, delivered, of_days
from lake.ingest.finished import BatchResult
from lake.ingest.plan import Delivered, plan_logs
from lake.ingest.replay import held_back, replay, replay_completed
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE
from lake.ingest.undone import UNDONE, check_none_begun
from lake.runs import Outcome
from lake.session_settings import INTERPRETED, session_settings

# Bytes of a batch. Under gzip, generating code costs a tenth of the ingest more than it saves at 4 MB, nothing at 60.
_WORTH_CODE = 32 * 2**20


class IngestLogs:
    """Reads what the contracts describe; writes ``events_*``, ``quarantine``, ``ingest_files``, ``ingest_batches``.

    It ends with the dimensions of change logs (``dim_*``), which are those events in another shape: no definition and
    no instant of their own goes into them, so a job of theirs could only be forgotten.
    """

    NAME = "ingest_logs"
    ABOUT = "Read new raw files into event tables; refused rows go to quarantine with a reason."
    EXAMPLE = (
        "ingest_logs --config conf/base.yml --config conf/marketplace.yml --from 2026-01-01 --to 2026-02-01"
    )

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_range(parser, "delivery")
        parser.add_argument(
            "--replay-quarantine",
            action="store_true",
            help="read the rows in quarantine again instead, after a contract was mended; of all days",
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        if context.arguments.replay_quarantine:
            return _replay_plan(context)
        root, contracts = context.config.raw.root, context.contracts
        pieces = [partial(delivered, context.spark, root, contract) for contract in contracts.values()]
        listed = at_once(context.spark, pieces, context.config.raw.logs_at_once)
        files = dict(zip(contracts, listed, strict=True))
        if not any(files.values()):
            raise TrustlakeError(f"{root} holds no file of any contract; deliver some, or correct `raw.root`")
        logs = [
            Delivered(
                contracts[log], found, of_days(found, root, contracts[log], _days(context.arguments, found))
            )
            for log, found in files.items()
        ]
        inputs = {log.contract.log: _fingerprint(log.chosen) for log in logs} | _undone(context)
        return Plan(slice="all logs", holds="all logs", inputs=inputs, work=lambda _: _ingest(context, logs))


def _replay_plan(context: Context) -> Plan:
    arguments = context.arguments
    if arguments.begin or arguments.end:
        raise TrustlakeError("--replay-quarantine reads the rows of all days; leave out --from and --to")
    if not context.lake.exists(QUARANTINE.name):
        raise TrustlakeError(f"{context.lake.place(QUARANTINE.name)} does not exist; ingest logs first")
    inputs = {
        log: _fingerprint([held_back(context.lake, log), contract.model_dump_json()])
        for log, contract in context.contracts.items()
    } | _undone(context)
    return Plan(slice="quarantine", holds="all logs", inputs=inputs, work=lambda _: _replay(context))


def _undone(context: Context) -> dict[str, str]:
    """Files that a run has completed are to be read again after a load was taken back."""
    version = context.lake.version(UNDONE.name)
    return {} if version is None else {UNDONE.name: f"version {version}"}


def _days(arguments: argparse.Namespace, files: Sequence[RawFile]) -> tuple[date, date]:
    """The range asked for; an open end is the first or last day delivered."""
    on = [date.fromisoformat(file.day) for file in files]
    begin = arguments.begin or min(on, default=date.max)
    end = arguments.end or max((day + timedelta(days=1) for day in on), default=date.min)
    return begin, end


def _fingerprint(parts: Sequence[RawFile] | Sequence[str]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _ingest(context: Context, delivered_logs: Sequence[Delivered]) -> Outcome:
    lake, raw = context.lake, context.config.raw
    _prepare_ledger(context)
    planned = plan_logs(lake, raw, delivered_logs)
    _prepare_events(context, [log for log, batches in planned.items() if batches])
    # The longest first, lest the others wait for it at the end.
    logs = sorted(planned, key=lambda log: -sum(batch.size for batch in planned[log]))
    finishing = Finishing(context)
    pieces = [partial(_ingest_log, context, log, planned[log], finishing) for log in logs]
    with session_settings(context.spark, code_settings(planned)):
        try:
            at_once(context.spark, pieces, raw.logs_at_once)
        finally:
            finishing.note_all()
    results = finishing.results
    for contract in context.contracts.values():
        for completed in replay_completed(lake, raw.root, contract):
            results.append(completed)
            say(context, completed, "from quarantine, of transactions now complete")
    return _outcome(context, results, _refresh(context))


def code_settings(planned: Mapping[str, Sequence[Batch]]) -> Mapping[str, str]:
    """How Spark carries out the plans of these batches: those of small ones without generating code for each."""
    sizes = [batch.size for batches in planned.values() for batch in batches]
    return INTERPRETED if sizes and mean(sizes) < _WORTH_CODE else {}


def _ingest_log(context: Context, log: str, planned: Sequence[Batch], finishing: Finishing) -> None:
    for batch in planned:
        finishing.add(ingest_batch(context.lake, context.config.raw.root, context.contracts[log], batch))


def _replay(context: Context) -> Outcome:
    _prepare_ledger(context)
    _prepare_events(context, context.contracts)
    results = []
    for contract in context.contracts.values():
        for result in replay(context.lake, context.config.raw.root, contract):
            results.append(result)
            say(context, result, "from quarantine")
    return _outcome(context, results, _refresh(context))


def _refresh(context: Context) -> dict[str, int]:
    """Bring the dimensions of all change logs up to date; returns how many batches were new to each."""
    new = refresh(context.lake, list(context.contracts.values()))
    for dimension, batches in new.items():
        context.log.info("%s: %s new batches", dimension, f"{batches:,}")
    return new


def _prepare_ledger(context: Context) -> None:
    check_none_begun(context.lake)
    check_no_erasure_begun(context.lake)
    context.lake.ensure(FILES)
    for spec in (QUARANTINE, BATCHES):
        context.lake.widen(spec)


def _prepare_events(context: Context, to_be_written: Collection[str]) -> None:
    """Give every log its event table, with its columns; those to be written are looked at more closely."""
    lake = context.lake
    pieces = [
        partial(prepare_events, lake, contract)
        for log, contract in context.contracts.items()
        if log in to_be_written or not has_columns(lake, contract)
    ]
    at_once(context.spark, pieces, context.config.raw.logs_at_once)


def _outcome(context: Context, results: Sequence[BatchResult], dimensions: Mapping[str, int]) -> Outcome:
    reasons = sum((Counter(result.refused) for result in results), Counter[str]())
    reasons += Counter({UNREADABLE: sum(len(result.unreadable_files) for result in results)})
    duplicates = sum(result.duplicates for result in results)
    kinds = [f"{count:,} {reason}" for reason, count in reasons.most_common()]
    logs = dict.fromkeys(result.log for result in results)
    refreshed = [table for table, batches in dimensions.items() if batches]
    written = [*(context.contracts[log].table for log in logs), *refreshed, QUARANTINE.name]
    pieces = [partial(context.lake.version, table) for table in written]
    versions = at_once(context.spark, pieces, context.config.raw.logs_at_once)
    return Outcome(
        rows_in=sum(result.rows_in for result in results),
        rows_out=sum(result.rows_out for result in results),
        refused=sum(sum(result.refused.values()) for result in results),
        result=" · ".join([f"{duplicates:,} duplicates", *kinds]),
        place=", ".join([f"events ({len(context.contracts)} tables)", *dimensions, QUARANTINE.name]),
        outputs=dict(zip(written, versions, strict=True)),
    )


JOB = IngestLogs


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
