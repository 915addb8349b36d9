"""The family of errors: each says what was found, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class TrustlakeError(Exception):
    """Base of every error a user can cause or mend. ``exit_code`` is what a console command returns for it."""

    exit_code = 1


class ConfigError(TrustlakeError):
    """Raised when configuration, contracts or definitions are wrong; carries every mistake found, one a line."""

    exit_code = 2

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        head = "1 mistake" if count == 1 else f"{count} mistakes"
        super().__init__(f"{head} in the configuration:\n" + "\n".join(f"  {m}" for m in self.mistakes))


class SchemaError(TrustlakeError):
    """Raised when a table or frame lacks a column or holds it with another type."""

    @classmethod
    def missing(cls, table: str, expected: Iterable[str], found: Iterable[str]) -> SchemaError:
        found = list(found)
        absent = [name for name in expected if name not in set(found)]
        return cls(f"{table} lacks {', '.join(absent)}; it has {', '.join(found)}")

    @classmethod
    def differs(cls, place: str, found: Mapping[str, str], expected: Mapping[str, str]) -> SchemaError:
        """Of columns with their types."""
        parts = [
            f"{name} is {found.get(name, 'absent')}, expected {expected.get(name, 'absent')}"
            for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name)
        ]
        return cls(
            f"{place} differs from its declaration: {'; '.join(parts)}; rebuild it or restore the declaration"
        )


class RefusedError(TrustlakeError):
    """Raised when a contract or a gate says no: the input or the candidate is at fault, not the platform."""

    exit_code = 3


class LockedError(TrustlakeError):
    """Raised when another process works on the same slice; names the holder."""


class LakeVersionError(TrustlakeError):
    """Raised when a lake was written by a newer version of trustlake."""
