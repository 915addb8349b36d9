"""Where labels come from: label events with their own arrival, never a column of the labelled row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Fraud as a source of label events tells it.

    Attributes:
        source: log of label events.
        on: column of the source that holds the labelled spine row's id.
        fraud: SQL condition of a label event that says fraud.
        matures_after: a row younger than this is unknown; one that no event called fraud by then is not fraud.
    """

    source: str
    on: str
    fraud: str
    matures_after: timedelta
