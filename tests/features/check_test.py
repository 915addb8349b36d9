"""What is wrong with a declared view, told before Spark starts; what is right is left in peace."""

from __future__ import annotations

import pytest

from features.check import RESERVED, mistakes
from features.declare import (
    LIFETIME,
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Measure,
    Spine,
    count,
    days,
    expression,
    share,
    total,
)

LOGS = {
    "payments": {"event_at", "known_at", "payment_id", "card_id", "amount"},
    "labels": {"event_at", "known_at", "card", "is_fraud"},
}
CARD = Entity("card", key="card_id")


def view_of(
    *,
    row: str = "payment_id",
    source: str = "payments",
    columns: tuple[str | Expression, ...] = (),
    context: tuple[str, ...] = (),
    groups: tuple[FeatureGroup, ...] = (),
    derived: tuple[Expression, ...] = (),
) -> FeatureView:
    spine = Spine(source=source, row=row, columns=columns, context=context)
    return FeatureView(name="v", spine=spine, groups=groups, derived=derived)


def group_of(*measures: Measure, source: str = "payments", source_key: str | None = None) -> FeatureGroup:
    return FeatureGroup(
        entity=CARD, source=source, windows=[days(1), LIFETIME], measures=measures, source_key=source_key
    )


def told(view: FeatureView) -> list[str]:
    """The mistakes without the place they are told with, which is this file."""
    found = mistakes(view, LOGS)
    assert all(mistake.startswith(f"{__file__}:") for mistake in found)
    return [mistake.split(": ", 1)[1] for mistake in found]


def test_a_right_view_has_no_mistakes() -> None:
    view = view_of(
        columns=("amount", expression("hour", "hour(event_at)")),
        context=("known_at",),
        groups=(
            group_of(count("n"), total("amount"), total("amount * 2", name="double")),
            group_of(share("fraud_share", of="is_fraud"), source="labels", source_key="card"),
        ),
        derived=(expression("ratio", "amount / card_amount_sum_1d"),),
    )
    assert mistakes(view, LOGS) == []


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (
            view_of(source="orders"),
            "spine of v: no contract declares the log orders; there are labels, payments",
        ),
        (view_of(row="id"), "spine of v: payments has no column id; it has amount, card_id, event_at"),
        (view_of(columns=("price",)), "spine of v: payments has no column price; it has"),
        (view_of(context=("ip",)), "spine of v: payments has no column ip; it has"),
        (view_of(groups=(group_of(total("price")),)), "group of card: payments has no column price; it has"),
        (
            view_of(groups=(group_of(count("n"), source="labels"),)),
            "group of card: labels has no column card_id; it",
        ),
        (view_of(groups=(group_of(),)), "group of card has no windows or no measures; give one of each"),
        (
            view_of(columns=("card_id",), groups=(group_of(count("n")),)),
            "card_id of view v is a key or context, and",
        ),
        (view_of(columns=("amount", "amount")), "view v names amount 2 times; rename a measure"),
        (
            view_of(derived=(expression("Label", "1"), expression("label", "2"))),
            "view v names label 2 times; rename",
        ),
        (
            view_of(columns=(expression("Card_ID", "1"),), groups=(group_of(count("n")),)),
            "Card_ID of view v is a key",
        ),
    ],
)
def test_each_mistake_is_told(view: FeatureView, expected: str) -> None:
    assert any(mistake.startswith(expected) for mistake in told(view)), told(view)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_refused(name: str) -> None:
    expected = f"view v names a feature {name}, which is reserved; rename it"
    assert told(view_of(derived=(expression(name, "1"),))) == [expected]


def test_an_absent_column_is_told_once_and_a_sql_expression_is_left_to_spark() -> None:
    found = told(
        view_of(groups=(group_of(total("price"), total("price + 1", name="more"), share("s", of="price")),))
    )
    assert len(found) == 1
