"""The fingerprint of a view's declaration: equal exactly where the features mean the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass

from features.declare import FeatureView


def definition_hash(view: FeatureView) -> str:
    """Twelve hex digits over everything declared; the lines declarations stand on do not matter."""
    return hashlib.sha256(json.dumps(_plain(view), sort_keys=True).encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.compare}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
