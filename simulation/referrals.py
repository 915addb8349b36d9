"""Who came by whose link, where the link was that of a member."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Flags, Ints, size
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream


def with_referrers(settings: SimulationSettings, people: Columns) -> Columns:
    """Return the people with an honest ``referrer`` where they came by referral and none is known.

    Some members invite many and most nobody; half of those in an office were invited by its first member. Nobody
    invites before he signed up himself; who came before all others has no referrer, -1.
    """
    rng = stream(settings.seed, "referrers")
    asks = np.flatnonzero((people["channel"] == "referral") & (people["referrer"] < 0))
    honest = np.flatnonzero(people["account"] < settings.accounts)
    honest = honest[np.argsort(people["signup_ms"][honest], kind="stable")]
    reach = np.cumsum(rng.lognormal(0.0, 1.8, len(honest)))
    earlier = np.searchsorted(people["signup_ms"][honest], people["signup_ms"][asks])
    drawn = rng.random(len(asks)) * np.where(earlier > 0, reach[earlier - 1], 0.0)
    referrer = people["referrer"].copy()
    referrer[asks] = np.where(earlier > 0, honest[np.searchsorted(reach, drawn, side="right")], -1)
    colleague = _first_in_office(people, honest)[asks]
    knows = (colleague >= 0) & happens(rng, 0.5, len(asks))
    knows &= people["signup_ms"][np.maximum(colleague, 0)] < people["signup_ms"][asks]
    referrer[asks[knows]] = colleague[knows]
    return people | {"referrer": referrer}


def invitations(people: Columns) -> Columns:
    """Return who invited somebody and when that one signed up: referrer, ms."""
    came = people["referrer"] >= 0
    return {"referrer": people["referrer"][came], "ms": people["signup_ms"][came]}


def invited_by_itself(people: Columns) -> Flags:
    """Tell which accounts somebody of the same hand invited: nobody honest, who has but one."""
    by_own_hand: Flags = people["hand"][people["referrer"]] == people["hand"]
    return by_own_hand & (people["referrer"] >= 0)


def _first_in_office(people: Columns, by_sign_up: Ints) -> Ints:
    """Return for every account the first of its office to sign up, -1 where it has none."""
    found = np.full(size(people), -1)
    offices, first = np.unique(people["office"][by_sign_up], return_index=True)
    sits = people["office"] >= 0
    found[sits] = by_sign_up[first[np.searchsorted(offices, people["office"][sits])]]
    return found
