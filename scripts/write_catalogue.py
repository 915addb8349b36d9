"""Writes docs/features.md: every feature of the built-in marketplace, a table for each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from features.catalogue import Feature, catalogue
from features.declare import FeatureGroup, Lookup, SqlSource
from features.marketplace.payments import payments_view
from lake.contracts import read_contracts

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = ROOT / "conf" / "contracts"
TARGET = ROOT / "docs" / "features.md"

HEAD = """\
# Features of the built-in marketplace

Written by `make docs` from `features/marketplace/payments.py`; a test holds the two together.

One row of `features_payments` describes one approved payment at the instant it happened, `as_of`. A feature with a
window looks at rows that happened in `[as_of - window, as_of)` and were known before `as_of`; a row of the same instant
is outside. Where a payment has no such payer, payee, device or card, all features of it are null and `has_<name>` is
false. "Nothing" is what a feature is where the window holds no row; ≈ marks approximations, everything else is exact.
`trustlake explain --row <payment_id> --feature <name>` shows the rows behind one value.
"""


def page() -> str:
    """The catalogue as Markdown."""
    contracts = read_contracts([str(CONTRACTS)])
    units = {
        log: {name: column.unit for name, column in contract.columns.items() if column.unit}
        for log, contract in contracts.items()
    }
    return "\n".join([HEAD, *_sections(catalogue(payments_view, units))])


def _sections(features: Sequence[Feature]) -> Iterator[str]:
    yield from _section("The payment itself", [one for one in features if one.source and one.group is None])
    for entity in payments_view.entities:
        keys = ", ".join(f"`{key}`" for key in entity.keys)
        theirs = [one for one in features if one.entity == entity]
        yield from _section(
            f"{entity.name.capitalize()} ({keys})", [one for one in theirs if one.group is None]
        )
        for group, members in groupby(theirs, key=lambda one: one.group):
            if group is not None:
                yield from _group(group, list(members))
    yield from _section("Derived", [one for one in features if not one.source and one.entity is None])


def _group(group: FeatureGroup | Lookup, members: Sequence[Feature]) -> Iterator[str]:
    what = "last known of " if isinstance(group, Lookup) else ""
    yield f"### {group.entity.name.capitalize()}: {what}{group.source}\n"
    facts = [
        f"Owner: {group.owner}." if group.owner else "",
        f"Tags: {', '.join(group.tags)}." if group.tags else "",
    ]
    said = " ".join(part for part in [group.description, *facts] if part)
    if said:
        yield f"{said}\n"
    if isinstance(group.source, SqlSource):
        yield f"Derived from {', '.join(group.source.logs)} by `{' '.join(group.source.sql.split())}`.\n"
    yield from _table(members)


def _section(title: str, members: Sequence[Feature]) -> Iterator[str]:
    yield f"## {title}\n"
    yield from _table(members)


def _table(members: Sequence[Feature]) -> Iterator[str]:
    yield "| feature | meaning | window | unit | source | nothing |"
    yield "|---|---|---|---|---|---|"
    for one in members:
        approximate = "≈ " if one.is_approximate else ""
        cells = [f"`{one.name}`", f"{approximate}{one.meaning}", one.window, one.unit, one.source, one.empty]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def main() -> None:
    """Write the file."""
    TARGET.write_text(page(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(payments_view.features)} features")


if __name__ == "__main__":
    main()
