"""Newcomers who move no money: among them are those who came to talk people into something elsewhere."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints
from simulation.settings import SimulationSettings


def idle_newcomers(settings: SimulationSettings, people: Columns, payments: Columns) -> Ints:
    """Return the newcomers among the clients who never pay or are paid, by their sign-up."""
    is_new = (people["signup_ms"] >= settings.start_ms) & (people["signup_ms"] < settings.end_ms)
    busy = np.isin(people["account"], np.union1d(payments["payer"], payments["payee"]))
    made_up = people["account"] >= settings.accounts
    idle = np.flatnonzero(is_new & ~busy & ~made_up & (people["role"] == "client"))
    sorted_idle: Ints = idle[np.argsort(people["signup_ms"][idle], kind="stable")]
    return sorted_idle
