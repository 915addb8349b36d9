"""The hidden truth about payment attempts, job posts, threads, contracts and accounts: which are fraud, and how.

It serves to judge the simulation itself. No job reads it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulation.columns import take
from simulation.files import of_region, write_bytes
from simulation.guilt import typology_of
from simulation.identifiers import opaque
from simulation.settings import SimulationSettings
from simulation.world import World


def write_truth(settings: SimulationSettings, world: World, truth_root: str, region: int) -> None:
    """Write ``payments``, ``job_posts``, ``threads``, ``contracts`` and ``accounts``: an id, is_fraud, a typology.

    The typology is null for the ordinary. Some payments have one and are no fraud: T12 marks friendly fraud, an
    honest payment that its payer disputes as fraud; T6 and T8 mark payments that nobody loses.
    """
    payments, posts, terms = world.payments, world.job_posts, world.contracts
    of_account = typology_of(world.accounts, payments, posts, world.messages)
    _, first = np.unique(world.messages["thread"], return_index=True)
    threads = take(world.messages, first)
    account, bad_terms = world.accounts["account"], terms["typology"] != ""
    for name, key, prefix, numbers, is_fraud, typology in (
        ("payments", "payment_id", "pay", payments["payment"], payments["is_fraud"], payments["typology"]),
        ("job_posts", "job_id", "job", posts["post"], posts["is_fraud"], posts["typology"]),
        ("threads", "thread_id", "thr", threads["thread"], threads["is_fraud"], threads["typology"]),
        ("contracts", "contract_id", "con", terms["contract"], bad_terms, terms["typology"]),
        ("accounts", "account_id", "acc", account, of_account != "", of_account),
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
        write_bytes(Path(truth_root) / f"{of_region(name, region)}.parquet", sink.getvalue().to_pybytes())
