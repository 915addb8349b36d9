"""Money in one currency, at the rate that was known at the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.declare.place import Declared, here
from features.declare.sql_source import Log, logs_of
from features.declare.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """A log of exchange rates: what one unit of a currency is worth in ``into``.

    Attributes:
        currency: the log's column that names the currency.
        rate: its column with the rate, a decimal.
        into: the currency that everything is converted into; its own rate is 1 and is not looked up.
        stale_after: how old a rate may be; one that is older is no rate.
        order_by: the log's column that orders rates; without it they are ordered by (event_at, row id).
    """

    source: Log
    currency: str
    rate: str
    into: str
    stale_after: Window | None = None
    order_by: str | None = None

    @property
    def logs(self) -> tuple[str, ...]:
        """The logs that are read."""
        return logs_of(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """An amount of the spine row at the rate known at its ``as_of``, to four decimal places, half up.

    Null where the amount or the currency is null or no rate was known; ``has_<name>_rate`` says whether one was.
    """

    name: str
    amount: str
    currency: str
    rates: Rates
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def has_rate(self) -> str:
        """The flag that says whether a rate was known."""
        return f"has_{self.name}_rate"


def converted(amount: str, *, currency: str, rates: Rates, name: str | None = None) -> Converted:
    """A column with money, in the currency of the rates: ``amount_in_usd``."""
    return Converted(
        name=name or f"{amount}_in_{rates.into.lower()}", amount=amount, currency=currency, rates=rates
    )
