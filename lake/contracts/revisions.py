"""A log whose rows may be taken back or corrected by later rows of the same log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lake.contracts.column import Column
from lake.documents import Strict

REVISION = "revision"
CORRECTION, RETRACTION = "correction", "retraction"


class Revisions(Strict):
    """What makes a log one that is revised.

    Attributes:
        of: the id of the row that is meant, which a row and everything that revises it repeat.
        column: the column that says what a row is; with any other value, or none, it is a row itself.
        retraction: what it says where the row is taken back.
        correction: what it says where the row stands as told now.
    """

    of: tuple[str, ...]
    column: str
    retraction: tuple[str, ...] = ()
    correction: tuple[str, ...] = ()

    def mistakes(self, columns: Mapping[str, Column], key: Sequence[str]) -> list[str]:
        """What does not fit the columns and the key of the contract."""
        found = []
        loose = [name for name in self.of if name not in columns or not columns[name].required]
        if loose or not self.of:
            found.append(
                f"revisions.of names {', '.join(loose) or 'nothing'}; name columns that are `required`"
            )
        if self.column not in columns or columns[self.column].type != "string":
            found.append(f"revisions.column names {self.column}; name a column of type `string`")
        said = (*self.retraction, *self.correction)
        if not said or len(set(said)) < len(said):
            found.append("revisions: list the values of `retraction` and of `correction`, each value once")
        if set(key) <= set(self.of):
            found.append(
                f"key is {', '.join(key)}, which a row and its revisions share; name what tells deliveries apart, "
                "such as the id of the message"
            )
        return found
