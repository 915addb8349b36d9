"""Credits, one row per movement: freelancers get some for joining and for inviting, and pay to be shown first.

Who runs out buys a pack; nobody's balance is ever below nothing.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints, size, stack, take
from simulation.settings import SimulationSettings
from simulation.verification import verified

BOOSTS = (2, 5, 10)
WELCOME, REWARD, PACK = 10, 20, 40
_MINUTE_MS = 60_000


def credit_movements(settings: SimulationSettings, people: Columns, bids: Columns) -> Columns:
    """Return the movements up to the end of the period, sorted by time.

    Whoever confirms an e-mail address brings credits to himself, if he is to work, and to who invited him.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        bids: the proposals: proposal, freelancer, ms, boost_credits.
    """
    confirmed = verified(settings, people)["confirmed_ms"]
    welcome = np.flatnonzero((confirmed >= 0) & (people["role"] != "client"))
    invited = np.flatnonzero((confirmed >= 0) & (people["referrer"] >= 0))
    paid = take(bids, bids["boost_credits"] > 0)
    rows = stack(
        [
            _moved(welcome, confirmed[welcome], "sign_up_bonus", np.full(len(welcome), WELCOME)),
            _moved(
                people["referrer"][invited],
                confirmed[invited] + _MINUTE_MS,
                "referral_bonus",
                np.full(len(invited), REWARD),
                invited=invited,
            ),
            _moved(
                paid["freelancer"], paid["ms"], "boost", -paid["boost_credits"], proposal=paid["proposal"]
            ),
        ]
    )
    rows = take(rows, rows["ms"] < settings.end_ms)
    rows = stack([_packs(rows), rows])
    rows = take(rows, np.lexsort((-rows["credits"], rows["account"], rows["ms"])))
    return rows | {"movement": np.arange(size(rows))}


def _moved(
    account: Ints,
    ms: Ints,
    kind: str,
    incoming: Ints,
    *,
    invited: Ints | None = None,
    proposal: Ints | None = None,
) -> Columns:
    nothing = np.full(len(account), -1)
    return {
        "account": account,
        "ms": ms,
        "kind": np.full(len(account), kind).astype("<U14"),
        "credits": incoming,
        "invited": nothing if invited is None else invited,
        "proposal": nothing if proposal is None else proposal,
    }


def _packs(rows: Columns) -> Columns:
    """Return the packs bought a minute before the boosts that the credits at hand would not pay."""
    rows = take(rows, np.lexsort((-rows["credits"], rows["ms"], rows["account"])))
    account = rows["account"]
    first = np.searchsorted(account, account)
    running = np.cumsum(rows["credits"])
    balance = running - (running - rows["credits"])[first]
    missing = np.maximum(0, -(balance // PACK))
    # Accounts ascend: far enough apart, a maximum so far does not reach from one into the next.
    apart = account * (1 + int(missing.max(initial=0)))
    bought = np.maximum.accumulate(missing + apart) - apart
    before = np.where(first == np.arange(len(first)), 0, np.roll(bought, 1))
    news = np.flatnonzero(bought > before)
    return _moved(account[news], rows["ms"][news] - _MINUTE_MS, "purchase", (bought - before)[news] * PACK)
