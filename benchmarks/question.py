"""What every competitor is asked: seven aggregates over five windows before each event, of the events of its key."""

from __future__ import annotations

from dataclasses import dataclass

from features.declare import (
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    Window,
    count,
    days,
    distinct,
    hours,
    hours_since_last,
    largest,
    mean,
    smallest,
    std,
    total,
)

WINDOWS: tuple[Window, ...] = (hours(1), days(1), days(7), days(30), days(90))
PARTITIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One measured task: which events, and where the answer goes."""

    events: str
    out: str
    rows: int
    with_distinct: bool = False

    @property
    def view(self) -> FeatureView:
        """The question as the platform's declarations; its columns are those of every answer."""
        measures = [
            count("n"),
            total("amount"),
            mean("amount"),
            std("amount"),
            smallest("amount"),
            largest("amount"),
            hours_since_last("age"),
        ]
        if self.with_distinct:
            measures.append(distinct("device"))
        group = FeatureGroup(
            entity=Entity("key", key="key"), source="events", windows=WINDOWS, measures=measures
        )
        return FeatureView(name="question", spine=Spine(source="events", row="event_id"), groups=[group])
