"""Trials as Hyperopt notes them down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hyperopt import space_eval


def params_of(space: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a trial; a choice is noted down as its index."""
    drawn = {name: values[0] for name, values in document["misc"]["vals"].items() if values}
    return plain(space_eval(space, drawn))


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without numpy's numbers."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()}
