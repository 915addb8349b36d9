"""The tables that a platform takes from elsewhere, as the service that fetches them words them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.columns import Columns
from simulation.identifiers import iso_text
from simulation.words import Records, Words

# One row lost would leave a day without a rate, or a card without an issuer.
_DIRT = ("exact_duplicate", "replayed_day")


def rate_records(words: Words, rows: Columns) -> Records:
    """Return ``exchange_rates``."""
    usd = np.array([f"{ppm // 1_000_000}.{ppm % 1_000_000:06d}" for ppm in rows["usd_ppm"].tolist()])
    fields = {"currency": rows["currency"], "usd": usd, "published_ts": iso_text(rows["ms"])}
    return _fetched(words, "exchange_rates", "rate_published", rows, fields)


def issuer_records(words: Words, rows: Columns) -> Records:
    """Return ``card_issuers``."""
    fields = {
        "bin": rows["bin"].astype(str),
        "issuer_id": words.id("iss", rows["bank"]),
        "country": words.country(rows["country"]),
        "funding": rows["funding"],
    }
    return _fetched(words, "card_issuers", "issuer_listed", rows, fields)


def domain_records(words: Words, rows: Columns) -> Records:
    """Return ``throw_away_domains``."""
    return _fetched(words, "throw_away_domains", "domain_listed", rows, {"domain": rows["domain"]})


def holiday_records(words: Words, rows: Columns) -> Records:
    """Return ``holidays``."""
    fields = {
        "country": words.country(rows["country"]),
        "day": rows["day"].astype("datetime64[D]").astype(str),
        "name": rows["name"],
    }
    return _fetched(words, "holidays", "holiday_listed", rows, fields)


def _fetched(words: Words, log: str, event_type: str, rows: Columns, fields: Columns) -> Records:
    fetched = words.of_server(log, event_type, rows, fields, "reference-data")
    return replace(fetched, dirt=_DIRT, tells_past=True, is_of_all=True)
