"""A model as its user declares it: a view, what to predict, and under which name it is registered."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.declare import Declared, FeatureView, here
from features.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A classifier of the view's rows into fraud and not fraud."""

    name: str
    view: FeatureView
    label: Label
    declared: Declared = field(default_factory=here, compare=False, repr=False)
