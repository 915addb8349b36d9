"""The change log of organisations' members, one row when an account joins one and one when it leaves.

Offices are organisations of several, other clients mostly of one or none. Shells of those who pay with stolen cards or
pass money through have no tax number, and half of them the name of somebody else's firm; many small honest firms have
no tax number either, and a few share a name.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, take
from simulation.fraud.laundering import TYPOLOGY as PASSES_THROUGH
from simulation.fraud.stolen_cards import TYPOLOGY as STOLEN
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import belongs, happens, mixed, stream
from simulation.tenure import change_log

_ALONE_FIRST = 1_000_000
_LEAVES = 0.07
_MAIL_PROVIDERS = ("gmail.example", "outlook.example", "yahoo.example", "mailbox.example")


def organisation_changes(settings: SimulationSettings, people: Columns, typology: Array) -> Columns:
    """Return the changes up to the end of the period, sorted by ``lsn``.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        typology: of every account, what it was opened or bought for; empty for honest ones.
    """
    rng = stream(settings.seed, "organisations")
    rows = _memberships(rng, people, typology)
    count = size(rows)
    minutes = (rng.lognormal(2.5, 1.2, count) * 60_000).astype(np.int64)
    joined = people["signup_ms"][rows["account"]] + minutes
    in_order = np.lexsort((joined, rows["organisation"]))
    rows, joined = take(rows, in_order), joined[in_order]
    first = np.searchsorted(rows["organisation"], rows["organisation"])
    is_owner = first == np.arange(count)
    stays = is_owner | ~happens(rng, _LEAVES, count)
    left = joined + ((5 + rng.exponential(60.0, count)) * DAY_MS).astype(np.int64)
    rows |= {
        "member_role": np.where(is_owner, "owner", "member"),
        "country": people["country"][rows["account"][first]],
        **_registered(rows["organisation"], rows["is_shell"][first]),
    }
    return change_log(rng, settings, rows, joined, np.where(stays, settings.end_ms, left))


def _memberships(rng: np.random.Generator, people: Columns, typology: Array) -> Columns:
    """Return who belongs where: the people of an office to its organisation, some others to one of their own."""
    office, account = people["office"], people["account"]
    shell: Flags = (
        (office < 0) & np.isin(typology, (STOLEN, PASSES_THROUGH)) & happens(rng, 0.3, len(account))
    )
    alone = (
        (office < 0) & (people["role"] != "freelancer") & (typology == "") & happens(rng, 0.15, len(account))
    )
    belong = (office >= 0) | alone | shell
    number: Ints = np.where(office >= 0, office, _ALONE_FIRST + account)
    return {"organisation": number[belong], "account": account[belong], "is_shell": shell[belong]}


def _registered(organisation: Ints, is_shell: Flags) -> Columns:
    """Return name and tax number as numbers, the latter -1 where there is none, and the domain of its mail."""
    alone = organisation >= _ALONE_FIRST
    real = organisation[~is_shell]
    another = real[mixed(organisation, "namesake") % max(1, len(real))] if len(real) else organisation
    borrows = np.where(
        is_shell, belongs(organisation, "borrowed name", 0.5), belongs(organisation, "common name", 0.03)
    )
    untaxed = np.where(
        is_shell,
        belongs(organisation, "shell tax", 0.95),
        belongs(organisation, "small tax", 0.45) & alone,
    )
    free_mail = np.where(
        is_shell, belongs(organisation, "shell mail", 0.8), belongs(organisation, "mail", 0.4) & alone
    )
    own = np.array([f"firm{number}.example" for number in organisation.tolist()], dtype=object)
    provider = np.array(_MAIL_PROVIDERS, dtype=object)[mixed(organisation, "provider") % len(_MAIL_PROVIDERS)]
    return {
        "name": np.where(borrows, another, organisation),
        "tax_number": np.where(untaxed, -1, organisation),
        "domain": np.where(free_mail, provider, own),
    }
