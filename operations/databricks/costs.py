"""What runs cost, from the billing tables of the workspace's account."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import StatementParameterListItem, StatementState

from lake.errors import TrustlakeError

# List prices: what an account pays may be less.
_ASKED = """\
SELECT u.usage_metadata.job_id AS job_id, u.usage_metadata.job_run_id AS run_id,
       sum(u.usage_quantity) AS dbu, sum(u.usage_quantity * p.pricing.effective_list.default) AS price
FROM system.billing.usage u
JOIN system.billing.list_prices p
  ON u.sku_name = p.sku_name AND u.cloud = p.cloud
 AND u.usage_start_time >= p.price_start_time
 AND (p.price_end_time IS NULL OR u.usage_start_time < p.price_end_time)
WHERE u.usage_date >= :since AND u.usage_metadata.job_id = :job_id
GROUP BY ALL ORDER BY run_id"""
_WAITING = frozenset({StatementState.PENDING, StatementState.RUNNING})


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: Databricks units, and their list price in the account's currency."""

    run_id: str
    dbu: float
    price: float


def costs(
    client: WorkspaceClient, warehouse: str, job_id: int, since: date, *, seconds: float, poll: float
) -> list[Cost]:
    """What each run of a job has cost since a day; a run is billed some hours after it.

    Raises:
        TrustlakeError: the warehouse refused the query, or did not answer in time.
    """
    reply = client.statement_execution.execute_statement(
        _ASKED,
        warehouse,
        parameters=[
            StatementParameterListItem("since", type="DATE", value=since.isoformat()),
            StatementParameterListItem("job_id", type="STRING", value=str(job_id)),
        ],
    )
    deadline = time.monotonic() + seconds
    while reply.status is not None and reply.status.state in _WAITING and reply.statement_id:
        if time.monotonic() >= deadline:
            client.statement_execution.cancel_execution(reply.statement_id)
            raise TrustlakeError(
                f"warehouse {warehouse} did not answer within {seconds:.0f} s; is it running?"
            )
        time.sleep(poll)
        got = client.statement_execution.get_statement(reply.statement_id)
        reply.status, reply.result = got.status, got.result
    status = reply.status
    if status is None or status.state is not StatementState.SUCCEEDED:
        why = status.error.message if status is not None and status.error is not None else "no reason given"
        raise TrustlakeError(f"warehouse {warehouse} refused: {why}; it needs SELECT on system.billing")
    rows = (reply.result.data_array if reply.result is not None else None) or []
    return [Cost(str(row[1]), float(row[2]), float(row[3])) for row in rows]
