"""Reviews, one row each: what the sides of an ended contract say of each other, honestly or to farm ratings (T6)."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints, size, stack, take
from simulation.fraud.non_delivery import TYPOLOGY as NON_DELIVERY
from simulation.fraud.self_dealing import TYPOLOGY as SELF_DEALING
from simulation.population import HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.text.review_words import OF_CLIENTS, OF_FREELANCERS
from simulation.text.spinning import luck, pick, spin

_SILENT = ("T1", "T2", "T3", "T7")
_STARS = ("1", "2", "3", "4", "5")
_CONTENT = 4


def reviews(settings: SimulationSettings, people: Columns, terms: Columns) -> Columns:
    """Return the reviews of the period sorted by time; nobody reviews what a stolen card paid.

    Self-dealers give each other five stars within the hour, in one text per hand.
    """
    rng = stream(settings.seed, "reviews")
    over = take(terms, (terms["end_ms"] < settings.end_ms) & ~np.isin(terms["typology"], _SILENT))
    farmed = over["typology"] == SELF_DEALING
    by_client = take(over, farmed | happens(rng, 0.55, size(over)))
    by_freelancer = take(over, farmed | happens(rng, 0.42, size(over)))
    rows = stack(
        [
            _side(by_client, "client", "freelancer"),
            _side(by_freelancer, "freelancer", "client"),
        ]
    )
    farmed = rows["typology"] == SELF_DEALING
    wait = np.where(farmed, rng.uniform(0.02, 1.0, size(rows)), rng.lognormal(2.6, 1.3, size(rows)))
    rows["ms"] = rows.pop("end_ms") + (wait * HOUR_MS).astype(np.int64)
    rows["stars"] = _stars(rng, rows)
    rows |= {"private_score": _private(rng, rows["stars"]), "comment": _comments(rng, people, rows)}
    rows = take(rows, rows["ms"] < settings.end_ms)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    return rows | honest_sessions(rng, people, rows["reviewer"], rows["ms"])


def _side(terms: Columns, reviewer: str, reviewed: str) -> Columns:
    kept = {name: terms[name] for name in ("contract", "end_ms", "typology")}
    side = {"reviewer": terms[reviewer], "reviewed": terms[reviewed]}
    return kept | side | {"is_of_client": np.full(size(terms), reviewed == "client")}


def _stars(rng: np.random.Generator, rows: Columns) -> Ints:
    """Most people are content; who paid for nothing is not."""
    usual = choice(rng, _STARS, (4, 3, 6, 17, 70), size(rows))
    angry = choice(rng, _STARS, (80, 12, 4, 2, 2), size(rows))
    cheated = (rows["typology"] == NON_DELIVERY) & ~rows["is_of_client"]
    found = np.select([rows["typology"] == SELF_DEALING, cheated], ["5", angry], usual)
    return found.astype(np.int64)


def _private(rng: np.random.Generator, stars: Ints) -> Ints:
    """Return 0 to 10: what they tell the platform alone, a little less kind than the stars."""
    told: Ints = (2 * stars - rng.poisson(0.7, len(stars))).clip(0, 10)
    return told


def _comments(rng: np.random.Generator, people: Columns, rows: Columns) -> Array:
    """Return what each says; a farm repeats the first text about each of its hands."""
    draws = luck(rng)
    liked, farmed = (rows["stars"] >= _CONTENT).tolist(), (rows["typology"] == SELF_DEALING).tolist()
    hands, of_client = people["hand"][rows["reviewed"]].tolist(), rows["is_of_client"].tolist()
    said: dict[int, str] = {}
    texts = []
    for hand, is_liked, is_of_client, is_farmed in zip(hands, liked, of_client, farmed, strict=True):
        words = OF_CLIENTS if is_of_client else OF_FREELANCERS
        text = spin(pick(words["good" if is_liked else "bad"], draws), draws)
        texts.append(said.setdefault(hand, text) if is_farmed else text)
    return np.array(texts, dtype=object)
