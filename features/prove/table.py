"""The table of proofs: what was proved of which features, and what was found."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from features.prove.report import Finding, Made, Report
from lake.described import described
from lake.layout import Layout
from lake.tables import TableSpec

PASSED, FAILED, SUSPECTED, NOT_MADE = "passed", "leak", "suspicion", "not made"

FEATURE_PROOFS = TableSpec(
    "feature_proofs",
    "One row per proof of a run that found nothing or was not made, and one per finding of the others",
    described(
        "run_key string: Run that made the proof",
        "table string: Table that was proved",
        "proof string: truncation, canary, tie, embargo or suspicion",
        "state string: passed, leak, suspicion (worth a look) or not made",
        "rows long: Rows it was made on; null beside a finding",
        "feature string: Feature that is not what its past gives",
        "row_id string: Row in which it is not",
        "as_of timestamp: Instant of that row (UTC)",
        "source string: Source of the row that must not have been seen",
        "source_row string: Id of that source row",
        "event_at timestamp: When it happened (UTC)",
        "known_at timestamp: When it became known (UTC)",
        "expected string: Value without that source row; of a suspicion the limit",
        "found string: Value with it; of a suspicion what was measured",
        "note string: What is wrong and what to do, or why the proof was not made",
    ),
    # No ranges of ids: the log of the table would keep those of an erased person.
    layout=Layout(ranges=("run_key", "table", "as_of")),
)

_NO_FINDING = (None,) * 9


def proof_rows(spark: SparkSession, run_key: str, table: str, report: Report) -> DataFrame:
    """The rows of one run and table."""
    failed = {finding.proof for finding in report.findings if finding.is_leak}
    rows = [(run_key, table, *_made(made)) for made in report.made if made.proof not in failed]
    rows += [(run_key, table, *_found(finding)) for finding in report.findings]
    return spark.createDataFrame(rows, FEATURE_PROOFS.schema)


def _made(made: Made) -> tuple[object, ...]:
    state = PASSED if made.rows else NOT_MADE
    return made.proof, state, made.rows, *_NO_FINDING, made.why_not or None


def _found(finding: Finding) -> tuple[object, ...]:
    event = finding.event
    seen = (event.source, event.row_id, event.event_at, event.known_at) if event else (None,) * 4
    return (
        finding.proof,
        FAILED if finding.is_leak else SUSPECTED,
        None,
        finding.feature,
        finding.row_id,
        finding.as_of,
        *seen,
        finding.expected,
        finding.found,
        finding.what,
    )
