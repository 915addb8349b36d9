"""What a simulated marketplace is made of: its size, its fraud and the dirt in its logs.

One object describes one marketplace. Equal settings give equal bytes; ``partitions`` alone changes none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulation.dirt.settings import DirtSettings

_FEWEST_ACCOUNTS = 200
_SEEDS_A_MARKETPLACE = 1_000_000


class FraudSettings(BaseModel):
    """How much fraud happens, of which kind, and how it comes to light."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approved_share: float = Field(
        default=0.02,
        gt=0.0,
        lt=0.2,
        description="Fraudulent share of approved payments. Raised: about 0.003 in real life.",
    )
    stolen_card_share: float = Field(
        default=0.59, ge=0, le=1, description="Share of frauds paid by stolen card (T1)."
    )
    card_testing_share: float = Field(
        default=0.14, ge=0, le=1, description="Share of frauds after card testing (T2)."
    )
    takeover_share: float = Field(
        default=0.22, ge=0, le=1, description="Share of frauds from taken-over accounts (T3)."
    )
    laundering_share: float = Field(
        default=0.03, ge=0, le=1, description="Share of frauds passing money through (T7)."
    )
    non_delivery_share: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Share of frauds by bought accounts that deliver nothing (T9), all in the last third.",
    )
    in_rings: float = Field(
        default=0.6, ge=0, le=1, description="Share of stolen-card accounts that sit in rings."
    )
    never_disputed: float = Field(
        default=0.08, ge=0, le=1, description="Share of card frauds nobody ever disputes."
    )
    early_warning: float = Field(
        default=0.8, ge=0, le=1, description="Share of disputed frauds announced 5-30 days on."
    )
    friendly: float = Field(
        default=0.0025,
        ge=0,
        le=0.1,
        description="Share of honest approved payments disputed by their own payer (T12).",
    )
    other_disputes: float = Field(
        default=0.004,
        ge=0,
        le=0.1,
        description="Share of honest approved payments disputed over delivery or quality.",
    )

    soliciting_posts: float = Field(
        default=0.008, ge=0, le=0.1, description="Job posts that solicit (T4), as a share of honest ones."
    )
    never_reported: float = Field(
        default=0.25, ge=0, le=1, description="Share of soliciting posts that nobody reports."
    )

    swindling_threads: float = Field(
        default=0.006,
        ge=0,
        le=0.1,
        description="Threads that swindle (T5), as a share of honest ones. Raised: about 0.002 in real life.",
    )
    swindles_unreported: float = Field(
        default=0.6, ge=0, le=1, description="Share of swindling threads that nobody reports."
    )

    self_dealing: float = Field(
        default=0.004,
        ge=0,
        le=0.1,
        description="Freelancers who farm ratings (T6), as a share of the honest ones.",
    )
    rented_identities: float = Field(
        default=0.003,
        ge=0,
        le=0.1,
        description="Freelancers under borrowed names (T8), as a share of the honest ones.",
    )
    padded_contracts: float = Field(
        default=0.02,
        ge=0,
        le=0.5,
        description="Honest hourly contracts whose hours are padded (T10). Raised: about 0.005 in real life.",
    )
    padding_noticed: float = Field(
        default=0.3, ge=0, le=1, description="Share of padded contracts whose client disputes a payment."
    )
    returning: float = Field(
        default=0.25, ge=0, le=1, description="Share of suspended accounts whose owner signs up again (T11)."
    )
    credit_rings: float = Field(
        default=0.006,
        ge=0,
        le=0.1,
        description="Accounts that rings open to invite themselves (T11), as a share of the honest newcomers.",
    )

    drift: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="Share of foreign stolen cards that are of the one country for sale that quarter (T1).",
    )
    reaction: float = Field(
        default=0.15,
        ge=0,
        le=2,
        description="By how much (as a logarithm) fraudsters charge less where all of their kind are blocked.",
    )

    @model_validator(mode="after")
    def _shares_add_up(self) -> FraudSettings:
        total = (
            self.stolen_card_share
            + self.card_testing_share
            + self.takeover_share
            + self.laundering_share
            + self.non_delivery_share
        )
        if round(total, 9) != 1.0:
            raise ValueError(f"the five typology shares add up to {total:.4f}; make them add up to 1")
        return self


class SimulationSettings(BaseModel):
    """One simulated marketplace. The defaults are the demo size: about 40,000 payment rows in 214 days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=7, ge=0, description="Another seed is another marketplace with the same rates.")
    start_on: date = Field(default=date(2026, 1, 1), description="First day of the logs (UTC).")
    days: int = Field(
        default=214, ge=14, description="Days simulated; nothing that arrives later is written."
    )
    accounts: int = Field(
        default=9000, ge=_FEWEST_ACCOUNTS, description="Honest accounts; fraudsters come on top."
    )
    regions: int = Field(
        default=1,
        ge=1,
        description="Parts that do not trade with each other, made one after the other: memory is that of one.",
    )
    payments_per_day: float = Field(
        default=196.0, gt=0, description="Payment attempts a day, declined ones included."
    )
    logins_per_account: float = Field(
        default=6.0, ge=0, description="Logins an account makes besides those before payments."
    )
    views_per_post: float = Field(
        default=2.0,
        ge=0,
        description="Views of a job post by people who do not bid; a sample of all there are.",
    )
    hours_per_file: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(
        default=24, description="Hours of arrival that lie in one file; the lines are the same."
    )
    partitions: int = Field(
        default=8, ge=1, description="Spark partitions that write files; changes no byte of them."
    )
    schema_changes: bool = Field(
        default=True,
        description="Whether apps change their schema after one and two thirds of the period.",
    )
    fraud: FraudSettings = Field(default_factory=FraudSettings, description="Fraud knobs.")
    dirt: DirtSettings = Field(default_factory=DirtSettings, description="Dirt knobs.")

    @classmethod
    def tiny(cls, seed: int = 7) -> SimulationSettings:
        """Return 60 days with about 3,000 payments, with every kind of fraud and of dirt."""
        dirt = DirtSettings(
            near_duplicate=0.005,
            test_traffic=0.01,
            bad_address=0.005,
            hour_off=0.005,
            year_off=0.003,
            broken_text=0.03,
            clock_skew=0.003,
            bad_currency=0.004,
            money_as_text=0.003,
            bad_timestamp=0.002,
            missing_key=0.002,
            truncated_line=0.002,
            out_of_order_change=0.03,
            ledger_imbalance=0.002,
            byte_order_mark=0.005,
        )
        return cls(
            seed=seed,
            days=60,
            accounts=900,
            payments_per_day=50.0,
            logins_per_account=2.0,
            partitions=2,
            fraud=FraudSettings(swindling_threads=0.02),
            dirt=dirt,
        )

    @model_validator(mode="after")
    def _regions_have_people(self) -> SimulationSettings:
        if self.accounts < _FEWEST_ACCOUNTS * self.regions:
            raise ValueError(
                f"{self.accounts} accounts in {self.regions} regions are fewer than {_FEWEST_ACCOUNTS} in each; "
                "ask for more accounts or fewer regions"
            )
        return self

    def by_region(self) -> list[SimulationSettings]:
        """Return the settings of every region, each a marketplace of its own; these here where there is but one."""
        if self.regions == 1:
            return [self]
        share, rest = divmod(self.accounts, self.regions)
        return [
            self.model_copy(
                update={
                    "regions": 1,
                    "seed": self.seed * _SEEDS_A_MARKETPLACE + region + 1,
                    "accounts": share + (region < rest),
                    "payments_per_day": self.payments_per_day / self.regions,
                }
            )
            for region in range(self.regions)
        ]

    @property
    def start_ms(self) -> int:
        """First millisecond of the period (Unix epoch)."""
        return int(datetime.combine(self.start_on, datetime.min.time(), tzinfo=UTC).timestamp()) * 1000

    @property
    def end_ms(self) -> int:
        """First millisecond after the period (Unix epoch)."""
        return self.start_ms + self.days * 86_400_000

    def day(self, number: int) -> date:
        """Return the calendar day ``number`` days after the first."""
        return self.start_on + timedelta(days=number)
