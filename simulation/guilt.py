"""Which accounts are a fraudster's own."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns

# Typologies whose payers opened their accounts for it; victims of a takeover (T3) did not.
_OWN_HAND = ("T1", "T2", "T7")


def typology_of(people: Columns, payments: Columns, posts: Columns, messages: Columns) -> Array:
    """Return for every account the typology it was opened or bought for; empty for honest ones."""
    typology = people["typology"].copy()
    own = payments["is_fraud"] & np.isin(payments["typology"], _OWN_HAND)
    typology[payments["payer"][own]] = payments["typology"][own]
    leads = messages["is_fraud"] & (people["role"][messages["sender"]] == "client")
    typology[messages["sender"][leads]] = messages["typology"][leads]
    typology[posts["client"][posts["is_fraud"]]] = posts["typology"][posts["is_fraud"]]
    return typology
