"""What features are to foretell, and what was known of it when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from features.labels import Label, matures_after
from features.source import Source


@dataclass(frozen=True, slots=True)
class Target:
    """Labels with the logs they come from, by name; events known before ``known_before`` are used."""

    labels: tuple[Label, ...]
    sources: Mapping[str, Source]
    known_before: datetime

    @property
    def matured_before(self) -> datetime:
        """Labels of rows before this instant have matured."""
        return self.known_before - matures_after(self.labels)
