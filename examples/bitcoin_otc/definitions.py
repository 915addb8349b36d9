"""Traders by the ratings they gave. Ratings they received leak the verdict, and the leakage prover says so."""

from datetime import timedelta

# One name a line would be a fifth of the example.
from features.declare import (  # isort: skip
    LIFETIME, Entity, FeatureGroup, FeatureView, Spine, SqlSource, count, days, distinct, expression, hours_since_first,
    hours_since_last, largest, latest, mean, share, smallest, std,
)  # fmt: skip
from features.labels import Label
from training.model import Model

trader = Entity("trader", key="user")

# What others had said of the rated trader before.
standing = SqlSource(
    name="standing",
    sql="""
        SELECT rater, ratee, rating, event_at, known_at, count(rating) OVER before AS raters,
               CAST(avg(rating) OVER before AS decimal(9, 4)) AS standing
        FROM {ratings} WINDOW before AS (
            PARTITION BY ratee ORDER BY event_at RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
        )
    """,
    key=["rater", "ratee"],
)
# Two traders who rated one: how they agree.
peers = SqlSource(
    name="peers",
    sql="""
        SELECT a.rater, a.ratee, b.rater AS peer, b.rating AS peer_rating, a.rating - b.rating AS gap,
               greatest(a.event_at, b.event_at) AS event_at, greatest(a.known_at, b.known_at) AS known_at
        FROM {ratings} a JOIN {ratings} b ON a.ratee = b.ratee AND a.rater <> b.rater
    """,
    key=["rater", "ratee", "peer"],
)
given = FeatureGroup(
    entity=trader, source=standing, source_key="rater", windows=[days(365), LIFETIME],
    measures=[
        count("ratings_given"), distinct("ratee", name="traders_rated"), mean("rating"), std("rating"),
        smallest("rating"), largest("rating"), share("negative_share", of="rating < 0"),
        share("extreme_share", of="abs(rating) = 10"),
    ],
)  # fmt: skip
pace = FeatureGroup(
    entity=trader, source=standing, source_key="rater", windows=[LIFETIME],
    measures=[
        hours_since_first("hours_since_first_rating"), hours_since_last("hours_since_rating"), latest("rating"),
        mean("standing"), smallest("standing"), mean("raters"), share("first_rater_share", of="raters = 0"),
    ],
)  # fmt: skip
agreement = FeatureGroup(
    entity=trader, source=peers, source_key="rater", windows=[LIFETIME],
    measures=[
        count("peer_count"), mean("peer_rating"), std("peer_rating"), smallest("peer_rating"), mean("gap"),
        smallest("gap"), largest("gap"), share("peer_negative_share", of="peer_rating < 0"),
    ],
)  # fmt: skip
view = FeatureView(
    name="traders", spine=Spine(source="traders", row="user"), groups=[given, pace, agreement],
    derived=[expression(
        "trader_active_hours", "trader_hours_since_first_rating_lifetime - trader_hours_since_rating_lifetime"
    )],
)  # fmt: skip
model = Model(
    name="trader_fraud",
    view=view,
    label=Label(
        source="verdicts", on="user", fraud="verdict = -1", not_fraud="verdict = 1", silence_acquits=False,
        matures_after=timedelta(days=1),
    ),
)  # fmt: skip
