"""Values that are missing, and not at random: which rows lack their device or their address."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Ints
from simulation.settings import SimulationSettings
from simulation.words import Records

FORGETFUL_APP, _FORGETFUL_APP_SHARE = "android-5.1", 0.14
# All addresses of the country whose traffic the proxy carries, and their part of all traffic at least.
PROXY, _PROXY_SHARE = "49.", 0.10
# Who takes over accounts likes proxies: so much more often is the address missing there.
_TAKEOVER_ODDS = 4.0


def missing_device_share(settings: SimulationSettings, source: Records, rows: Ints) -> Array:
    """Return for each row how probable it is that its device is missing."""
    share = settings.dirt.missing_device / _FORGETFUL_APP_SHARE
    return np.where(source.producer[rows] == FORGETFUL_APP, share, 0.0)


def missing_ip_share(settings: SimulationSettings, source: Records, rows: Ints) -> Array:
    """Return for each row how probable it is that its address is missing."""
    if source.ip_field is None:
        return np.zeros(len(rows))
    is_behind = np.char.startswith(source.fields[source.ip_field][rows].astype(str), PROXY)
    share = np.where(is_behind, settings.dirt.missing_ip / _PROXY_SHARE, 0.0)
    if source.is_taken_over is None:
        return share
    hidden = _TAKEOVER_ODDS * settings.dirt.missing_ip
    return np.where(source.is_taken_over[rows], np.maximum(share, hidden), share)
