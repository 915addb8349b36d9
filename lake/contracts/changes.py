"""A change log: each row says how a thing stands after a change, or that it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lake.contracts.column import Column
from lake.documents import Strict

# Types of which a greater value is a later change; text would put 10 before 9.
_ORDERED = ("long", "timestamp", "decimal")
VALID_FROM, VALID_TO = "valid_from", "valid_to"


class Changes(Strict):
    """What makes a log a change log.

    Attributes:
        key: the thing that changes.
        order: the column whose greater value is the later change, whatever the times say.
        op: the column that says what was done.
        deleted: what ``op`` says where the thing is gone; after anything else it stands as the row has it.
    """

    key: tuple[str, ...]
    order: str
    op: str
    deleted: str = "D"

    def mistakes(self, columns: Mapping[str, Column], key: Sequence[str]) -> list[str]:
        """What does not fit the columns and the key of the contract."""
        named = (*self.key, self.order, self.op)
        loose = [name for name in named if name not in columns or not columns[name].required]
        if loose or not self.key:
            return [f"changes names {', '.join(loose) or 'no key'}; name columns that are `required`"]
        found = []
        if not columns[self.order].type.startswith(_ORDERED):
            found.append(
                f"changes.order: {self.order} is {columns[self.order].type}; expected {', '.join(_ORDERED)}"
            )
        if self.deleted not in columns[self.op].allowed:
            found.append(
                f"changes.op: `allowed` of {self.op} lacks {self.deleted}; list everything that a change may be"
            )
        if self.order not in key or not set(key) <= {*self.key, self.order}:
            wanted = ", ".join((*self.key, self.order))
            found.append(f"key is {', '.join(key)}; a change is known by {wanted}, so make that the key")
        taken = [name for name in (VALID_FROM, VALID_TO) if name in columns]
        if taken:
            found.append(f"the dimension adds {', '.join(taken)} itself; rename it")
        return found
