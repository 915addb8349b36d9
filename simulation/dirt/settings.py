"""How much of each kind of dirt the logs carry: one knob each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DirtSettings(BaseModel):
    """Share of the rows of a log that carry each kind of dirt, but for an outage; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: float = Field(
        default=0.007, ge=0, le=0.2, description="Events delivered twice, minutes to hours apart."
    )
    near_duplicate: float = Field(
        default=0.001,
        ge=0,
        le=0.1,
        description="Payments and payouts that a client tells again under a new event_id within minutes.",
    )
    test_traffic: float = Field(
        default=0.004,
        ge=0,
        le=0.2,
        description="Events of monitors and testers on top of what apps write, as a share of it.",
    )
    bad_address: float = Field(
        default=0.001, ge=0, le=0.1, description="Events whose ip is private, of IPv6, or cut off."
    )
    orphan: float = Field(
        default=0.003, ge=0, le=0.1, description="Events of members of whom no other row tells."
    )
    missing_device: float = Field(
        default=0.02, ge=0, le=0.1, description="Events without a device; one app version only."
    )
    missing_ip: float = Field(
        default=0.01,
        ge=0,
        le=0.05,
        description="Events without ip; behind one proxy, and more often where accounts are taken over.",
    )
    broken_text: float = Field(
        default=0.001,
        ge=0,
        le=0.1,
        description="Texts with bytes that are not UTF-8, characters without width or look-alike letters.",
    )
    replayed_day: float = Field(
        default=0.1, ge=0, le=1, description="Events of one day that are delivered again, in bursts."
    )
    producer_outage: float = Field(
        default=9.0,
        ge=0,
        le=48,
        description="Hours for which an app delivers nothing, once; then everything in one lump.",
    )
    late_arrival: float = Field(
        default=0.03, ge=0, le=0.2, description="Events collected 1 to 20 hours after they happened."
    )
    very_late_arrival: float = Field(
        default=0.003, ge=0, le=0.1, description="Events collected 25 to 90 hours late."
    )
    clock_skew: float = Field(
        default=0.001, ge=0, le=0.1, description="Events dated 10 to 60 minutes after their arrival."
    )
    hour_off: float = Field(
        default=0.001,
        ge=0,
        le=0.1,
        description="Events dated exactly one hour before or after they happened.",
    )
    year_off: float = Field(
        default=0.0002, ge=0, le=0.1, description="Events dated 365 days before or after they happened."
    )
    bad_currency: float = Field(
        default=0.002, ge=0, le=0.1, description="Money rows whose currency is US$, XXX or 'usd '."
    )
    money_as_text: float = Field(
        default=0.0005, ge=0, le=0.1, description="Money rows with '1,234.50' or '34,50' as amount."
    )
    bad_timestamp: float = Field(default=0.0005, ge=0, le=0.1, description="Events dated 'not-a-time' or ''.")
    missing_key: float = Field(default=0.0005, ge=0, le=0.1, description="Events without event_id.")
    sentinel_device: float = Field(
        default=0.01,
        ge=0,
        le=0.03,
        description="Events whose device is 'unknown', '' or '00000000'; one app version only.",
    )
    truncated_line: float = Field(default=0.0002, ge=0, le=0.1, description="Lines cut off in the middle.")
    out_of_order_change: float = Field(
        default=0.005,
        ge=0,
        le=0.2,
        description="Sign-ups in account_changes that arrive after the next change.",
    )
    ledger_imbalance: float = Field(
        default=0.00005, ge=0, le=0.1, description="Ledger entries whose amount is not the other side's."
    )
    byte_order_mark: float = Field(
        default=0.001, ge=0, le=0.1, description="Texts that were pasted with an invisible mark before them."
    )
