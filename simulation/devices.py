"""Devices, one row each when the platform first sees it: system, browser, screen, and how genuine it looks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints, stack, take
from simulation.fraud.card_testing import TYPOLOGY as CARD_TESTING
from simulation.fraud.rented_identities import TYPOLOGY as RENTED
from simulation.fraud.underworld import is_made_up
from simulation.settings import SimulationSettings
from simulation.streams import belongs, choice, happens, mixed, stream

# Of browsers, by system; an app of a phone brings its own.
SYSTEMS = ("windows", "macos", "linux")
BROWSERS = ("chrome", "safari", "firefox", "edge")
SCREENS = ("1920x1080", "1366x768", "1536x864", "2560x1440", "1440x900")
PHONE_SCREENS = ("390x844", "412x915", "360x800", "428x926")
_MAKES = 3_000  # devices of one make draw the same picture
_OF_ONE_LOT = 6


def devices(settings: SimulationSettings, people: Columns, typology: Array, *seen: Columns) -> Columns:
    """Return the devices of the period and of earlier sign-ups, sorted by first sight.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        typology: of every account, what it was opened or bought for; empty for honest ones.
        seen: acts of accounts on devices: ms, account, device.
    """
    rng = stream(settings.seed, "devices")
    sign_ups = {"ms": people["signup_ms"], "account": people["account"], "device": people["signup_device"]}
    rows = stack([sign_ups, *({name: part[name] for name in sign_ups} for part in seen)])
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    _, first = np.unique(rows["device"], return_index=True)
    rows = take(rows, np.sort(first))
    rows = take(rows, rows["ms"] < settings.end_ms)
    count, kind = len(rows["ms"]), typology[rows["account"]]
    country = people["country"][rows["account"]]
    abroad = happens(rng, 0.06, count)
    lived = np.where(abroad, geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, count), country)
    return rows | {
        "system": choice(rng, SYSTEMS, (62, 30, 8), count),
        "browser": choice(rng, BROWSERS, (66, 16, 9, 9), count),
        "screen": choice(rng, SCREENS, (40, 22, 16, 12, 10), count),
        "phone_screen": choice(rng, PHONE_SCREENS, (30, 30, 25, 15), count),
        "offset_minutes": geography.UTC_OFFSET_HOURS[lived] * 60,
        "canvas": _canvas(rows["device"]),
        "emulator": _is(rng, rows["device"], kind, (CARD_TESTING,), usual=0.004, among=0.4),
        "remote_desktop": _is(rng, rows["device"], kind, (RENTED,), usual=0.03, among=0.7),
    }


def _canvas(device: Ints) -> Ints:
    """Return what each draws: as others of its make do, and those that fraudsters set up as the last ones did."""
    found: Ints = np.where(is_made_up(device), device // _OF_ONE_LOT, mixed(device, "make") % _MAKES)
    return found


def _is(
    rng: np.random.Generator,
    device: Ints,
    kind: Array,
    suspects: Sequence[str],
    *,
    usual: float,
    among: float,
) -> Flags:
    """Return what many devices of some typologies are, and few of other people."""
    guilty: Flags = np.isin(kind, suspects) & happens(rng, among, len(device))
    return guilty | belongs(device, f"device:{suspects[0]}", usual)
