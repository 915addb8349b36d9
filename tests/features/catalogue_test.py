"""What each feature is: one sentence, a unit, and what it is where there is nothing; the written page says the same."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import get_args

from features.catalogue import Feature, catalogue, kept_meanings, meanings
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Kind,
    Lookup,
    Rates,
    Spine,
    SqlSource,
    approx_distinct,
    burst,
    converted,
    count,
    days,
    decayed,
    distinct,
    earliest,
    entropy,
    expression,
    hours,
    hours_since_first,
    hours_since_last,
    is_new,
    largest,
    latest,
    mean,
    share,
    smallest,
    std,
    total,
)
from features.marketplace.payments import payments_view

ROOT = Path(__file__).parents[2]
MEASURES = [
    count("n", where="is_declined"),
    total("amount"),
    mean("amount"),
    std("amount"),
    share("declined_share", of="is_declined"),
    smallest("amount"),
    largest("amount"),
    earliest("amount"),
    latest("amount"),
    distinct("device"),
    approx_distinct("device"),
    entropy("device"),
    hours_since_last("hours_since_last"),
    hours_since_first("hours_since_first"),
    is_new("is_new"),
    decayed("weight", half_life=hours(2)),
    decayed("amount_weight", of="amount", half_life=hours(2)),
    total("amount * 2", name="double"),
    burst("burst", span=hours(1)),
]
VIEW = FeatureView(
    name="v",
    spine=Spine(source="payments", row="id", columns=["amount", expression("is_large", "amount > 9")]),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"), source="payments", where="amount > 0",
            windows=[days(7), LIFETIME], measures=MEASURES,
        ),
        FeatureGroup(
            entity=Entity("agent", key="agent_id"), source="payments", windows=[days(7)], measures=[total("amount")],
        ),
    ],
    derived=[expression("ratio", "amount / card_amount_mean_7d")],
)  # fmt: skip


STATUS = Lookup(
    entity=Entity("payer", key="payer_id"), source="users", columns=["kyc_level"], context=["status"],
    deleted="op = 'D'", stale_after=days(30), owner="risk", description="Who pays.", tags=["accounts"],
)  # fmt: skip
FX = Rates(source="fx", currency="code", rate="usd", into="USD", stale_after=days(3))
SETTLED = SqlSource(name="settled", sql="SELECT *\n  FROM {payments}", key=["id"])
SECOND = FeatureView(
    name="w",
    spine=Spine(
        source="payments", row="id", context=["note"], columns=["amount", converted("amount", currency="cur", rates=FX)]
    ),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"), source=SETTLED, windows=[days(1)], measures=[total("amount")]
        )
    ],
    lookups=[STATUS],
    derived=[expression("is_new", "payer_status = 'new'")],
)  # fmt: skip


def entries() -> dict[str, Feature]:
    return {feature.name: feature for feature in catalogue(VIEW, {"payments": {"amount": "USD"}})}


def test_every_feature_has_one_sentence_in_the_order_of_the_table() -> None:
    assert {measure.kind for measure in MEASURES} == set(get_args(Kind))
    assert tuple(entries()) == tuple(meanings(VIEW)) == VIEW.features
    assert all(meanings(VIEW).values())
    assert "None" not in " ".join(meanings(VIEW).values())


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
    assert found["card_is_new_7d"].endswith("true where there are none")
    assert found["card_device_distinct_7d"].startswith(
        "Number of different device of payments where amount > 0"
    )
    assert found["card_weight_7d"].startswith(
        "Number of payments where amount > 0, each halved with every 2h of age"
    )
    assert found["card_burst_7d"].startswith("The most payments where amount > 0 that 1h ever held at once")
    assert found["amount"] == "amount of the payments row itself"
    assert found["has_agent"] == "Whether the row has an agent"
    assert found["has_card_history"] == (
        "Whether anything was known of the card before as_of; null where there is none"
    )
    assert found["ratio"] == "amount / card_amount_mean_7d"


def test_units_come_from_the_kind_of_measure_or_from_the_column() -> None:
    found = {name: feature.unit for name, feature in entries().items()}
    assert {
        found[name]
        for name in ("amount", "card_amount_std_7d", "card_amount_weight_7d", "agent_amount_sum_7d")
    } == {"USD"}
    assert {found[name] for name in ("card_n_7d", "card_weight_7d", "card_burst_7d")} == {"rows"}
    assert {found[name] for name in ("card_double_7d", "ratio")} == {""}
    assert {found[name] for name in ("is_large", "has_card", "has_agent_history", "card_is_new_7d")} == {
        "true or false"
    }
    assert (found["card_declined_share_7d"], found["card_device_entropy_7d"]) == ("0 to 1", "bits")
    assert {feature.unit for feature in catalogue(VIEW) if "amount" in feature.name} == {""}


def test_windows_sources_and_approximations_are_data() -> None:
    found = entries()
    feature = found["card_device_approx_distinct_7d"]
    assert (feature.window, feature.source, feature.empty, feature.is_approximate) == (
        "7d",
        "payments",
        "0",
        True,
    )
    assert (found["amount"].window, found["amount"].empty) == ("", "null")
    assert [name for name, one in found.items() if one.is_approximate] == [
        f"card_device_approx_distinct_{window}" for window in ("7d", "lifetime")
    ]


def test_the_written_page_is_what_the_marketplace_declares() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "write_catalogue.py"))["page"]()
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == page, "docs/features.md is not what the view gives; run make docs"


def test_what_is_looked_up_converted_and_derived_is_told_too() -> None:
    units = {"users": {"kyc_level": "level"}, "payments": {"amount": "EUR"}}
    features = {feature.name: feature for feature in catalogue(SECOND, units)}
    assert tuple(features) == SECOND.features
    found = {name: feature.sentence for name, feature in features.items()}
    last = "in the last change in users, of the payer before as_of"
    assert found["payer_kyc_level"] == (
        f"kyc_level {last}, unless it is older than 30d or op = 'D'; null where there are none"
    )
    assert found["payer_users_age_hours"] == (
        "Hours since the last change in users, of the payer before as_of; null where there are none"
    )
    assert found["amount_in_usd"] == (
        "amount of the payments row itself, in USD at the rate of cur in fx known before as_of, no older than 3d"
    )
    assert found["has_amount_in_usd_rate"].startswith(
        "Whether there was the rate of cur in fx known before as_of"
    )
    assert found["card_amount_sum_1d"].startswith("Sum of amount over settled, of the card")
    assert "has_payer_history" not in found
    facts = {name: (one.unit, one.source, one.group is STATUS) for name, one in features.items()}
    assert facts["payer_kyc_level"] == ("level", "users", True)
    assert facts["payer_users_age_hours"] == ("hours", "users", True)
    assert facts["amount_in_usd"] == ("USD", "payments", False)
    assert facts["card_amount_sum_1d"] == ("EUR", "settled", False)
    assert kept_meanings(SECOND) == {
        "note": "note of the payments row itself, kept as context",
        "payer_status": f"status {last}, unless it is older than 30d or op = 'D', kept as context; null where there "
        "are none",
    }


def test_the_page_says_what_is_looked_up_and_what_a_query_is() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_catalogue.py"))
    said = "\n".join(line for group in (STATUS, SECOND.groups[0]) for line in script["_group"](group, []))
    assert "### Payer: last known of users\n\nWho pays. Owner: risk. Tags: accounts.\n" in said
    assert "### Card: settled\n\nDerived from payments by `SELECT * FROM {payments}`.\n" in said


def test_every_built_in_group_has_an_owner_a_description_and_tags() -> None:
    declared: list[FeatureGroup | Lookup] = [*payments_view.groups, *payments_view.lookups]
    lacking = [f"{one.declared}" for one in declared if not (one.owner and one.description and one.tags)]
    assert lacking == []
