"""One sentence a feature: what, of whom, over which window, and what it is where there is nothing."""

from __future__ import annotations

from features.catalogue import meanings
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    count,
    days,
    distinct,
    expression,
    hours_since_first,
    hours_since_last,
    largest,
    mean,
    share,
    smallest,
    total,
)

MEASURES = [
    count("n", where="is_declined"),
    total("amount"),
    mean("amount"),
    share("declined_share", of="is_declined"),
    smallest("amount"),
    largest("amount"),
    distinct("device"),
    hours_since_last("hours_since_last"),
    hours_since_first("hours_since_first"),
]
VIEW = FeatureView(
    name="v",
    spine=Spine(source="payments", row="id", columns=["amount"]),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"), source="payments", where="amount > 0",
            windows=[days(7), LIFETIME], measures=MEASURES,
        )
    ],
    derived=[expression("ratio", "amount / card_amount_mean_7d")],
)  # fmt: skip


def test_every_feature_has_one_sentence() -> None:
    assert tuple(meanings(VIEW)) == VIEW.features
    assert all(meanings(VIEW).values())


def test_the_sentence_says_what_of_whom_when_and_what_nothing_gives() -> None:
    found = meanings(VIEW)
    assert found["card_n_7d"] == (
        "Number of payments where amount > 0 and is_declined, of the card in the 7d before as_of; "
        "0 where there are none"
    )
    assert found["card_amount_mean_lifetime"] == (
        "Mean of amount over payments where amount > 0, of the card ever before as_of; null where there are none"
    )
    assert found["card_amount_sum_7d"].endswith("0 where there are none")
    assert found["card_device_distinct_7d"].startswith(
        "Number of different device of payments where amount > 0"
    )
    assert found["amount"] == "amount of the payments row itself"
    assert found["ratio"] == "amount / card_amount_mean_7d"
