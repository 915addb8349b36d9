"""A ledger: entries that belong together are debits and credits of one sum."""

from __future__ import annotations

from collections.abc import Mapping

from lake.contracts.column import Column
from lake.documents import Strict

# Sums of these are exact; a double's depends on who adds first.
_EXACT = ("long", "decimal")


class Balance(Strict):
    """What must balance.

    Attributes:
        by: entries that agree in these columns are one transaction.
        amount: the column with the sum of an entry.
        side: the column that says on which side it stands, by the words ``debit`` and ``credit``.
    """

    by: tuple[str, ...]
    amount: str
    side: str
    debit: str = "debit"
    credit: str = "credit"

    def mistakes(self, columns: Mapping[str, Column]) -> list[str]:
        """What does not fit the columns of the contract."""
        named = (*self.by, self.amount, self.side)
        loose = [name for name in named if name not in columns or not columns[name].required]
        if loose or not self.by:
            return [f"balance names {', '.join(loose) or 'no `by`'}; name columns that are `required`"]
        found = []
        if not columns[self.amount].type.startswith(_EXACT):
            found.append(
                f"balance.amount: {self.amount} is {columns[self.amount].type}; expected {', '.join(_EXACT)}"
            )
        if sorted(columns[self.side].allowed) != sorted((self.debit, self.credit)):
            found.append(
                f"balance.side: expected `allowed: [{self.debit}, {self.credit}]` in column {self.side}"
            )
        return found
