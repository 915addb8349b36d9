"""What has a history: a payer, a device, or a pair of them."""

from __future__ import annotations

from dataclasses import dataclass

from features.declare.window import Window


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with a history.

    ``key`` is the spine's column, or its columns for an entity that is a pair. Where one is null there is no entity:
    its features are null, and ``has_<name>`` is false.
    """

    name: str
    key: str | tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the key."""
        return (self.key,) if isinstance(self.key, str) else self.key

    @property
    def present(self) -> str:
        """The flag that says whether the row has this entity at all."""
        return f"has_{self.name}"

    @property
    def history(self) -> str:
        """The flag that says whether anything was ever known of the entity; null where the row has none."""
        return f"has_{self.name}_history"


def feature_name(entity: Entity, measure: str, window: Window) -> str:
    """``<entity>_<measure>_<window>``, such as ``terminal_payment_count_7d``."""
    return f"{entity.name}_{measure}_{window.label}"
