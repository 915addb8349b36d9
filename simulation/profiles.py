"""The change log of freelancers' profiles, one row per change, with the profile as it is afterwards.

What was before the first day is one row per profile, its state then. Bought accounts (T9) change name, face and
portfolio within the hour, and show the works of somebody else; rented ones (T8) have faces of their own and one text
between them, and so have rings that invite themselves (T11); who returns after a ban (T11) shows face, name and text
again. Honest people show works that others show too, use pictures that many use, and have names that others have.
"""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.fraud.non_delivery import TYPOLOGY as BOUGHT
from simulation.fraud.rented_identities import TYPOLOGY as RENTED
from simulation.population import HOUR_MS
from simulation.referrals import invited_by_itself
from simulation.settings import SimulationSettings
from simulation.streams import belongs, choice, mixed, stream
from simulation.tenure import folded
from simulation.text.job_words import CATEGORIES
from simulation.text.profile_texts import headline, overview_template, skills
from simulation.text.spinning import luck, spin
from simulation.verification import verified

_EDITS = 1.3
_EDITED = ("rate", "overview", "photo", "portfolio")
_STOCK_PICTURES = 40
_COMMON_NAMES = 400
_BUYERS_FIRST = 9_000_000_000
_MINUTE_MS = 60_000


def profile_changes(settings: SimulationSettings, people: Columns) -> Columns:
    """Return the changes up to the end of the period, sorted by ``lsn``, which grows with time."""
    rng = stream(settings.seed, "profiles")
    rows = _changes(rng, settings, people)
    rows |= {f"times_{kind}": _so_far(rows, kind) for kind in (*_EDITED, "sold")}
    rows |= {"is_verified": _is_verified(verified(settings, people), rows)}
    rows = folded(rows, settings.start_ms)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    rows |= {"lsn": 5_000_000 + np.cumsum(rng.integers(1, 9, size(rows)))}
    rows |= _shown(people, rows)
    return rows | _written(rng, people, rows)


def _changes(rng: np.random.Generator, settings: SimulationSettings, people: Columns) -> Columns:
    """Return when which profile is made, edited, sold and marked as verified, by account and time."""
    who = np.flatnonzero(people["role"] != "client")
    made = people["signup_ms"].copy()
    made[who] += (rng.lognormal(3.0, 1.5, len(who)) * _MINUTE_MS).astype(np.int64)
    edited = np.repeat(who, rng.poisson(_EDITS, len(who)))
    room = (settings.end_ms - made[edited]).clip(0)
    bought = who[people["typology"][who] == BOUGHT]
    sold = people["new_method_ms"][bought] - HOUR_MS + rng.integers(5, 40, len(bought)) * _MINUTE_MS
    checked = verified(settings, people)["checked_ms"]
    marked = who[checked[who] > made[who]]
    rows = stack(
        [
            _change(who, made[who], "made", "I"),
            _change(
                edited,
                made[edited] + 1 + (rng.random(len(edited)) * room).astype(np.int64),
                choice(rng, _EDITED, (35, 30, 15, 20), len(edited)),
            ),
            _change(bought, sold, "sold"),
            _change(marked, checked[marked], "verified"),
        ]
    )
    rows = take(rows, rows["ms"] < settings.end_ms)
    return take(rows, np.lexsort((rows["ms"], rows["account"])))


def _change(account: Ints, ms: Ints, what: Array | str, op: str = "U") -> Columns:
    count = len(account)
    return {
        "account": account,
        "ms": ms,
        "what": np.full(count, what).astype("<U9"),
        "op": np.full(count, op),
    }


def _so_far(rows: Columns, kind: str) -> Ints:
    """Return how many changes of a kind each profile has had, that of the row included."""
    count = np.cumsum(rows["what"] == kind)
    first = np.searchsorted(rows["account"], rows["account"])  # a profile begins by being made
    found: Ints = count - count[first]
    return found


def _is_verified(verification: Columns, rows: Columns) -> Flags:
    checked = verification["checked_ms"][rows["account"]]
    return (checked >= 0) & (checked <= rows["ms"])


def _shown(people: Columns, rows: Columns) -> Columns:
    """Return face, name, works, craft and rate as numbers."""
    account = rows["account"]
    hand, kind, sold = people["hand"][account], people["typology"][account], rows["times_sold"] > 0
    person = np.where((kind == RENTED) | invited_by_itself(people)[account], account, hand)
    face = np.where(sold, _BUYERS_FIRST + account, person) * 32 + rows["times_photo"]
    stock = belongs(person, "stock picture", 0.05) & ~sold
    name = np.where(belongs(person, "common name", 0.04), mixed(person, "name") % _COMMON_NAMES, person)
    is_copy = sold | ((kind == RENTED) & belongs(account, "copied works", 0.5))
    is_copy |= belongs(account, "works of a team", 0.02)
    freelancers = np.flatnonzero(people["role"] != "client")
    author = np.where(is_copy, freelancers[mixed(account, "author") % len(freelancers)], hand)
    rate = 900 + mixed(hand, "rate") % 5_200
    raised = rate * 1.12 ** rows["times_rate"] * np.where(sold, 1.8, 1.0)
    return {
        "photo": np.where(stock, mixed(face, "stock") % _STOCK_PICTURES, face),
        "name": np.where(sold, _BUYERS_FIRST + account, name),
        "works": author * 32 + np.where(is_copy, 0, rows["times_portfolio"]),
        "items": 1 + mixed(author, "items") % 12 + np.where(is_copy, 0, rows["times_portfolio"]),
        "craft": mixed(author, "craft") % len(CATEGORIES),
        "rate_cents": np.rint(raised / 50).astype(np.int64) * 50,
    }


def _written(rng: np.random.Generator, people: Columns, rows: Columns) -> Columns:
    """Return headline, skills and overview: a profile keeps its words until it is sold or the text is written anew."""
    draws = luck(rng)
    country: list[str] = geography.COUNTRIES[people["country"]].tolist()
    crafts = np.array(CATEGORIES)[rows["craft"]]
    said: dict[tuple[int, int], tuple[str, str]] = {}
    templates: dict[int, str] = {}
    overviews: dict[tuple[int, int], str] = {}
    found: list[tuple[str, str, str]] = []
    hands = people["hand"][rows["account"]]
    for account, hand, sold, text, craft in zip(
        rows["account"].tolist(),
        hands.tolist(),
        rows["times_sold"].tolist(),
        rows["times_overview"].tolist(),
        crafts.tolist(),
        strict=True,
    ):
        if (account, sold) not in said:
            said[account, sold] = headline(craft, draws), skills(craft, draws)
        if hand not in templates:
            templates[hand] = overview_template(country[hand], draws)
        if (account, text) not in overviews:
            overviews[account, text] = spin(templates[hand], draws)
        found.append((*said[account, sold], overviews[account, text]))
    columns = np.array(found, dtype=object).reshape(-1, 3).T
    return dict(zip(("headline", "skills", "overview"), columns, strict=True))
