"""T5, swindles in messages: cheques for equipment, fees, and money sent by mistake that is to be sent back.

No money moves on the platform. The swindlers are newcomers who neither pay nor are paid nor post; they write to
freelancers who bid on somebody's post, and lead them elsewhere by the fifth message.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints
from simulation.fraud.idle_newcomers import idle_newcomers
from simulation.population import HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import stream
from simulation.text.letters import swindle
from simulation.text.spinning import luck

TYPOLOGY = "T5"
_ANSWERED = 0.7


def swindles(
    settings: SimulationSettings,
    people: Columns,
    payments: Columns,
    posts: Columns,
    proposals: Columns,
    wanted: int,
) -> Columns:
    """Return the messages of about ``wanted`` threads, numbered from 0; none where nobody is idle or bids."""
    rng = stream(settings.seed, "swindling")
    idle = np.setdiff1d(idle_newcomers(settings, people, payments), posts["client"])
    swindler = rng.permutation(idle)[: -(-wanted // 3)]
    begins, victim = _approaches(rng, people, proposals, swindler, wanted)
    sender = _senders(rng, people, swindler, begins)
    said = _said(rng, begins.tolist())
    thread = np.array([number for number, _, _, _ in said], dtype=np.int64)
    leads = np.array([turn % 2 == 0 for _, turn, _, _ in said], dtype=bool)
    nothing = np.full(len(said), -1)
    return {
        "thread": thread,
        "ms": np.array([at for _, _, at, _ in said], dtype=np.int64),
        "sender": np.where(leads, sender[thread], victim[thread]),
        "recipient": np.where(leads, victim[thread], sender[thread]),
        "job": nothing,
        "contract": nothing,
        "body": np.array([body for _, _, _, body in said], dtype=object),
        "is_fraud": np.ones(len(said), dtype=bool),
        "typology": np.full(len(said), TYPOLOGY),
    }


def _said(rng: np.random.Generator, begins: list[int]) -> list[tuple[int, int, int, str]]:
    """Return thread, turn, time and body of every message; three victims in ten never answer."""
    draws = luck(rng)
    said = []
    for thread, begin in enumerate(begins):
        bodies, is_answered, at = swindle(draws), next(draws) < _ANSWERED, begin
        for turn, body in enumerate(bodies):
            if is_answered or turn % 2 == 0:
                said.append((thread, turn, at, body))
                at += int(next(draws) * 5 * HOUR_MS) + 60_000
    return said


def _approaches(
    rng: np.random.Generator, people: Columns, proposals: Columns, swindler: Ints, wanted: int
) -> tuple[Ints, Ints]:
    """Return when each thread begins, and to whom: hours after a bid, of which anyone may learn."""
    first = int(people["signup_ms"][swindler].min(initial=np.iinfo(np.int64).max))
    after = np.flatnonzero(proposals["ms"] > first)
    picked = np.sort(rng.choice(after, min(wanted, len(after)), replace=False)) if len(after) else after
    delay = (rng.exponential(10.0, len(picked)) * HOUR_MS).astype(np.int64) + HOUR_MS
    return proposals["ms"][picked] + delay, proposals["freelancer"][picked]


def _senders(rng: np.random.Generator, people: Columns, swindler: Ints, begins: Ints) -> Ints:
    """Return for each thread one of those who had signed up by then, mostly a new one."""
    order = swindler[np.argsort(people["signup_ms"][swindler], kind="stable")]
    there = np.searchsorted(people["signup_ms"][order], begins)
    chosen: Ints = order[np.maximum(0, there - rng.geometric(0.4, len(begins)))]
    return chosen
