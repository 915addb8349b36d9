"""The hidden truth, one row per payment attempt: whether it was fraud, and of which typology.

It serves to judge the simulation itself. No job reads it.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simulation.columns import Columns
from simulation.files import remove_leftovers, write_bytes
from simulation.identifiers import opaque
from simulation.settings import SimulationSettings


def write_truth(settings: SimulationSettings, payments: Columns, truth_root: str) -> None:
    """Write ``payments.parquet``: payment_id, is_fraud, typology (null for ordinary payments).

    Typology T12 marks friendly fraud: an honest payment that its payer disputes as fraud.
    """
    table = pa.table(
        {
            "payment_id": pa.array(opaque("pay", settings.seed, payments["payment"]).tolist()),
            "is_fraud": pa.array(payments["is_fraud"].tolist()),
            "typology": pa.array([name or None for name in payments["typology"].tolist()], type=pa.string()),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    remove_leftovers(truth_root)
    write_bytes(Path(truth_root) / "payments.parquet", sink.getvalue().to_pybytes())
