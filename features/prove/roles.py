"""As whose a row of a source can be planted: which of its columns hold which keys of a described row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

from pyspark.sql.types import StructType

from features.prove.absurd import identifier
from features.prove.relation import Relation
from features.prove.sample import Sampled

# Column of the source to column of the spine; None is a subject of its own, by which only planted rows are linked.
Role = Mapping[str, str | None]

_POSITIVE = 2**31


def roles(relations: Sequence[Relation]) -> list[Role]:
    """The relations of one source in as few roles as hold them all; no relation gives one empty role."""
    found: list[dict[str, str | None]] = [{}]
    for relation in relations:
        wanted = dict(zip(relation.columns, relation.keys, strict=True)) if relation.keys else {}
        fitting = [
            role for role in found if all(role.get(column, key) == key for column, key in wanted.items())
        ]
        if fitting:
            fitting[0].update(wanted)
        else:
            found.append(dict(wanted))
    subjects = {column for relation in relations if not relation.keys for column in relation.columns}
    return [dict.fromkeys(subjects) | role for role in found]


def held(
    role: Role, relations: Sequence[Relation], sampled: Sampled, schema: StructType, *, is_last: bool
) -> Iterator[tuple[str, object]]:
    """What a row in a role holds: its keys, and nothing where another role holds some, for that is another row's.

    A key by which rows reach others is held for the last of the described rows alone, since no other comes after it.
    """
    far = {column for relation in relations if relation.travels for column in relation.columns}
    for column in dict.fromkeys(column for relation in relations for column in relation.columns):
        if column not in role:
            yield column, None
            continue
        key = None if column in far and not is_last else role[column]
        name = f"canary {sampled.row_id}"
        own = identifier(schema[column].dataType, name, crc32(name.encode()) % _POSITIVE, None)
        yield column, own if key is None else sampled.keys[key]
