"""A model as its user declares it: a view, what to predict, and under which name it is registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from features.declare import Declared, FeatureView, here
from features.labels import Label, matures_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A classifier of the view's rows into fraud and not fraud.

    Attributes:
        label: where labels come from: one source, or several.
        monotone: features with 1 where a score may only rise with them, and -1 where it may only fall.
    """

    name: str
    view: FeatureView
    label: Label | Sequence[Label]
    monotone: Mapping[str, int] = field(default_factory=dict)
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The sources of labels."""
        return (self.label,) if isinstance(self.label, Label) else tuple(self.label)

    @property
    def matures_after(self) -> timedelta:
        """How old a row is when every source has had its time."""
        return matures_after(self.labels)

    @property
    def target(self) -> str:
        """What the model foretells, in words."""
        return "; ".join(f"{label.source}: {label.fraud}" for label in self.labels)
