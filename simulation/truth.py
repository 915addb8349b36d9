"""The hidden truth about payment attempts, job posts and accounts: which are fraud, and of which typology.

It serves to judge the simulation itself. No job reads it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulation.columns import Array, Columns, size, take
from simulation.files import remove_leftovers, write_bytes
from simulation.identifiers import opaque
from simulation.settings import SimulationSettings

# Typologies whose payers opened their accounts for it; victims of a takeover (T3) did not.
_OWN_HAND = ("T1", "T2", "T7")


def typology_of(people: Columns, payments: Columns, posts: Columns, messages: Columns) -> Array:
    """Return for every account the typology it was opened for; empty for honest ones."""
    typology = np.full(size(people), "", dtype="<U3")
    own = payments["is_fraud"] & np.isin(payments["typology"], _OWN_HAND)
    typology[payments["payer"][own]] = payments["typology"][own]
    leads = messages["is_fraud"] & (people["role"][messages["sender"]] == "client")
    typology[messages["sender"][leads]] = messages["typology"][leads]
    typology[posts["client"][posts["is_fraud"]]] = posts["typology"][posts["is_fraud"]]
    return typology


def write_truth(
    settings: SimulationSettings,
    people: Columns,
    payments: Columns,
    posts: Columns,
    messages: Columns,
    truth_root: str,
) -> None:
    """Write ``payments``, ``job_posts``, ``threads`` and ``accounts``: an id, is_fraud, and a typology
    (null for the ordinary).

    Typology T12 marks friendly fraud: an honest payment that its payer disputes as fraud.
    """
    remove_leftovers(truth_root)
    of_account = typology_of(people, payments, posts, messages)
    _, first = np.unique(messages["thread"], return_index=True)
    threads = take(messages, first)
    for name, key, prefix, numbers, is_fraud, typology in (
        ("payments", "payment_id", "pay", payments["payment"], payments["is_fraud"], payments["typology"]),
        ("job_posts", "job_id", "job", posts["post"], posts["is_fraud"], posts["typology"]),
        ("threads", "thread_id", "thr", threads["thread"], threads["is_fraud"], threads["typology"]),
        ("accounts", "account_id", "acc", people["account"], of_account != "", of_account),
    ):
        table = pa.table(
            {
                key: pa.array(opaque(prefix, settings.seed, numbers).tolist()),
                "is_fraud": pa.array(is_fraud.tolist()),
                "typology": pa.array([kind or None for kind in typology.tolist()], type=pa.string()),
            }
        )
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        write_bytes(Path(truth_root) / f"{name}.parquet", sink.getvalue().to_pybytes())
