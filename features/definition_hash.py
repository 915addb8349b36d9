"""The fingerprint of a view's declaration: equal exactly where the features mean the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass

from features.declare import FeatureView

_LEFT_OUT: tuple[object, ...] = (None, (), [])


def definition_hash(view: FeatureView) -> str:
    """Twelve hex digits over everything declared; the lines declarations stand on do not matter.

    What is left out is not part of it, so that an option that declarations learn later changes no hash.
    """
    return hashlib.sha256(json.dumps(_plain(view), sort_keys=True).encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    if is_dataclass(value):
        said = {f.name: getattr(value, f.name) for f in fields(value) if f.compare}
        return {name: _plain(part) for name, part in said.items() if part not in _LEFT_OUT}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
