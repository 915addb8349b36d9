"""What features are to foretell, and what was known of it when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.labels import Label
from features.source import Source


@dataclass(frozen=True, slots=True)
class Target:
    """A label with its events; those known before ``known_before`` are used."""

    label: Label
    events: Source
    known_before: datetime

    @property
    def matured_before(self) -> datetime:
        """Labels of rows before this instant have matured."""
        return self.known_before - self.label.matures_after
