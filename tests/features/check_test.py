"""What is wrong with a declared view, told before Spark starts; what is right is left in peace."""

from __future__ import annotations

import pytest

from features.check import RESERVED, mistakes
from features.declare import (
    LIFETIME,
    Calendar,
    Converted,
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Link,
    Lookup,
    Measure,
    Rates,
    Spine,
    SqlSource,
    Window,
    burst,
    converted,
    count,
    days,
    expression,
    seconds,
    share,
    total,
)

LOGS = {
    "payments": {"event_at", "known_at", "payment_id", "card_id", "amount"},
    "labels": {"event_at", "known_at", "card", "is_fraud"},
    "users": {"event_at", "known_at", "user_id", "lsn", "status"},
}
DAY = days(1)
CARD = Entity("card", key="card_id")


def view_of(
    *,
    row: str = "payment_id",
    source: str = "payments",
    columns: tuple[str | Expression | Converted, ...] = (),
    context: tuple[str, ...] = (),
    groups: tuple[FeatureGroup, ...] = (),
    lookups: tuple[Lookup, ...] = (),
    derived: tuple[Expression, ...] = (),
) -> FeatureView:
    spine = Spine(source=source, row=row, columns=columns, context=context)
    return FeatureView(name="v", spine=spine, groups=groups, lookups=lookups, derived=derived)


def group_of(
    *measures: Measure,
    source: str | Link | SqlSource = "payments",
    source_key: str | tuple[str, ...] | None = None,
    windows: tuple[Window, ...] = (days(1), LIFETIME),
) -> FeatureGroup:
    return FeatureGroup(entity=CARD, source=source, windows=windows, measures=measures, source_key=source_key)


def lookup_of(
    *columns: str | Expression,
    source: str | SqlSource = "users",
    source_key: str | tuple[str, ...] = "user_id",
    context: tuple[str, ...] = (),
    order_by: str | None = "lsn",
    stale_after: Window | None = None,
    spread: int = 1,
) -> Lookup:
    return Lookup(
        entity=CARD, source=source, columns=columns, source_key=source_key, context=context, order_by=order_by,
        stale_after=stale_after, spread=spread,
    )  # fmt: skip


def query_of(
    sql: str = "SELECT * FROM {payments}",
    *,
    name: str = "q",
    key: tuple[str, ...] = ("id",),
    lookback: Window | None = None,
) -> SqlSource:
    return SqlSource(name=name, sql=sql, key=key, lookback=lookback)


def amount_at(currency: str = "card_id", rates: Rates | None = None) -> Converted:
    usual = Rates(source="users", currency="user_id", rate="status", into="USD")
    return converted("amount", currency=currency, rates=rates or usual)


def calendar_of(
    *,
    key: str | tuple[str, ...] = "card_id",
    every: Window = DAY,
    columns: tuple[str, ...] = (),
    entity: Entity = CARD,
) -> FeatureView:
    calendar = Calendar(entity=CARD, every=every, source_key=key)
    group = FeatureGroup(entity=entity, source="payments", windows=[DAY], measures=[count("n")])
    spine = Spine(source="payments", row="card_day", as_of=calendar, columns=columns)
    return FeatureView(name="v", spine=spine, groups=[group])


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
        lookups=(lookup_of("lsn", expression("is_new", "status = 'new'"), context=("status",)),),
        derived=(expression("ratio", "amount / card_amount_sum_1d"),),
    )
    assert mistakes(view, LOGS) == []
    query = query_of()
    linked = Link(source=query, on="payment_id", through="payments")
    asked = (group_of(count("n"), source=query), group_of(count("m"), source=linked))
    assert mistakes(calendar_of(), LOGS) == []
    assert mistakes(view_of(columns=(amount_at(),), groups=asked), LOGS) == []


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
        (
            view_of(groups=(group_of(count("n"), windows=(seconds(0),)),)),
            "group of card looks at 0s in the group; a window is at least a microsecond long",
        ),
        (
            view_of(groups=(group_of(burst("b", span=seconds(-1))),)),
            "group of card looks at -1s in measure b; a window is at least a microsecond long",
        ),
        (
            view_of(groups=(group_of(burst("b", span=LIFETIME)),)),
            "group of card has lifetime as the span of measure b; give it a length",
        ),
        (
            view_of(groups=(group_of(Measure("median", "amount_median", "amount")),)),  # type: ignore[arg-type] # the mistake
            "group of card measures amount_median by median; there are count, sum, mean, std, share, min, max, first,",
        ),
        (
            view_of(groups=(group_of(count("n"), source_key=("card_id", "amount")),)),
            "group of card has 2 keys in payments, the entity has 1; name as many",
        ),
        (
            view_of(groups=(group_of(count("n")), group_of(count("n"), source="labels", source_key="card"))),
            "view v names card_n_1d 2 times; rename a measure",
        ),
        (
            view_of(lookups=(lookup_of("level"),)),
            "look-up of card: users has no column level; it has event_at, known_at, lsn",
        ),
        (
            view_of(lookups=(lookup_of(context=("level",)),)),
            "look-up of card: users has no column level; it has",
        ),
        (view_of(lookups=(lookup_of(order_by="seq"),)), "look-up of card: users has no column seq; it has"),
        (view_of(lookups=(lookup_of(source_key="uid"),)), "look-up of card: users has no column uid; it has"),
        (
            view_of(lookups=(lookup_of(source="people"),)),
            "look-up of card: no contract declares the log people; there are labels, payments, users",
        ),
        (
            view_of(lookups=(lookup_of(source_key=("user_id", "lsn")),)),
            "look-up of card has 2 keys in users, the entity has 1; name as many",
        ),
        (
            view_of(lookups=(lookup_of(stale_after=LIFETIME),)),
            "look-up of card is stale after lifetime; give a length of at least a microsecond, or leave it out",
        ),
        (
            view_of(lookups=(lookup_of(stale_after=seconds(0)),)),
            "look-up of card is stale after 0s; give a length",
        ),
        (
            view_of(lookups=(lookup_of(spread=0),)),
            "look-up of card spreads a key over 0 tasks; give at least 1",
        ),
        (
            view_of(lookups=(lookup_of("lsn"), lookup_of("lsn"))),
            "view v names card_lsn 2 times; rename a measure",
        ),
        (
            view_of(lookups=(lookup_of(context=("lsn",)), lookup_of(context=("lsn",), source="payments"))),
            "view v keeps card_lsn 2 times as key or context; rename one",
        ),
        (
            view_of(lookups=(lookup_of("status", context=("status",)),)),
            "card_status of view v is a key or context, and a feature too; rename the feature",
        ),
        (
            view_of(columns=(amount_at(currency="money"),)),
            "spine of v: payments has no column money; it has amount, card_id, event_at",
        ),
        (
            view_of(
                columns=(amount_at(rates=Rates(source="users", currency="code", rate="lsn", into="USD")),)
            ),
            "rates of amount_in_usd: users has no column code; it has event_at",
        ),
        (
            view_of(columns=(amount_at(rates=Rates(source="fx", currency="code", rate="lsn", into="USD")),)),
            "rates of amount_in_usd: no contract declares the log fx; there are labels, payments, users",
        ),
        (calendar_of(key="card"), "spine of v: payments has no column card; it has amount, card_id"),
        (
            calendar_of(key=("card_id", "amount")),
            "spine of v has 2 keys in payments, the entity has 1; name as many",
        ),
        (
            calendar_of(every=LIFETIME),
            "spine of v has a step every lifetime; give a length of at least a micros",
        ),
        (
            calendar_of(columns=("amount",)),
            "spine of v: rows of a calendar have no columns and no context of their own; look them up",
        ),
        (
            calendar_of(entity=Entity("amount", key="amount")),
            "spine of v is a calendar of card, and groups ask for amount; its rows have card_id only",
        ),
        (
            view_of(groups=(group_of(count("n"), source=query_of("SELECT * FROM {orders}")),)),
            "derived source q: no contract declares the log orders; there are labels, payments, users",
        ),
        (
            view_of(groups=(group_of(count("n"), source=query_of("SELECT * FROM payments")),)),
            "derived source q reads no log; name each in braces, such as FROM {payments}",
        ),
        (
            view_of(groups=(group_of(count("n"), source=query_of("SELECT '}' FROM {payments}")),)),
            "derived source q: Single '}' encountered in format string in its sql; name logs as {payments} and write",
        ),
        (
            view_of(lookups=(lookup_of(source=query_of(name="labels")),)),
            "derived source labels has the name of a log; rename it",
        ),
        (
            view_of(lookups=(lookup_of(source=query_of(key=())),)),
            "derived source q has no key; name the columns that are a row's id",
        ),
        (
            view_of(lookups=(lookup_of(source=query_of(lookback=LIFETIME)),)),
            "derived source q looks back lifetime; give a length of at least a microsecond, or leave it out",
        ),
        (
            view_of(lookups=(lookup_of(source=query_of(name="my source")),)),
            "derived source my source: a name has letters, digits and underscores",
        ),
        (
            view_of(
                groups=tuple(group_of(count(n), source=query_of(f"SELECT {n} FROM {{users}}")) for n in "ab")
            ),
            f"derived source q is declared at {__file__}:",
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
