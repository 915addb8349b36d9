"""YAML to settings: every mistake at once with its line, overlays, and paths relative to the file that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import Field

from lake.documents import Document, PathText, Strict, decode, merge_documents, read_documents
from lake.errors import ConfigError


class Inner(Strict):
    """A section."""

    root: PathText
    size: int = 1


class Outer(Strict):
    """A document."""

    inner: Inner
    name: str
    items: tuple[PathText, ...] = ()
    table: Mapping[str, int] = Field(default_factory=dict)


NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"


def write(folder: Path, text: str, name: str = "base.yml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(*paths: Path) -> Document:
    return merge_documents([document for path in paths for document in read_documents(path)])


def mistakes(*paths: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(Outer, read(*paths))
    return list(caught.value.mistakes)


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "inner:\n  root: x\n  size: many\n  colour: red\ntable: {a: 1, b: two}\ntable: {c: 2}\n"
        "nmae: x\nwhen: 2026-02-30\n",
    )
    found = mistakes(path)
    assert sorted(found) == sorted(
        [
            f"{path}:3: inner.size: found 'many'; {NO_INTEGER}",
            f"{path}:4: unknown key inner.colour; remove it or correct its spelling",
            f"{path}:6: table is given twice; keep one",
            f"{path}:7: unknown key nmae; remove it or correct its spelling",
            f"{path}:8: 2026-02-30 is no value: day is out of range for month",
            f"{path}:8: unknown key when; remove it or correct its spelling",
            f"{path}:1: name is missing; add it",
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"inner: [1\nname: x\n", "base.yml:2: not YAML: "),
        (b"- a\n- b\n", "base.yml:1: expected a mapping of keys to values"),
        (b"name: x\n---\n- b\n", "base.yml:3: expected a mapping of keys to values"),
        (b"name: \xff\n", "base.yml: not YAML in UTF-8: "),
        (b"name: \x01\n", "base.yml: not YAML in UTF-8: "),
    ],
)
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: bytes, expected: str) -> None:
    path = tmp_path / "base.yml"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        read_documents(path)
    assert expected in caught.value.mistakes[0]


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yml: no such file; give a path to a YAML file"):
        read_documents(tmp_path / "absent.yml")


def test_an_unknown_tag_is_a_mistake_of_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\ninner:\n  root: !env HOME\n")
    assert f"{path}:3: HOME is no value: could not determine a constructor for the tag '!env'" in mistakes(
        path
    )


def test_an_empty_file_gives_no_document(tmp_path: Path) -> None:
    assert read_documents(write(tmp_path, "# nothing\n")) == []


def test_an_overlay_extends_mappings_and_replaces_scalars_and_lists(tmp_path: Path) -> None:
    base = write(tmp_path, "name: base\ninner: {root: data, size: 3}\nitems: [a, b]\ntable: {a: 1, b: 2}\n")
    overlay = write(
        tmp_path, "name: over\ninner: {size: 4}\nitems: [c]\ntable: {b: 5, c: 6}\n", "overlay.yml"
    )
    decoded = decode(Outer, read(base, overlay))
    assert decoded.name == "over"
    assert decoded.inner == Inner(root=str(tmp_path / "data"), size=4)
    assert decoded.items == (str(tmp_path / "c"),)
    assert decoded.table == {"a": 1, "b": 5, "c": 6}


def test_the_merge_leaves_the_base_as_it_was(tmp_path: Path) -> None:
    base = read_documents(write(tmp_path, "name: base\ninner: {root: a, size: 3}\n"))
    overlay = read_documents(write(tmp_path, "inner: {size: 4}\n", "overlay.yml"))
    merge_documents([*base, *overlay])
    assert base[0].tree["inner"]["size"] == 3


def test_a_mistake_is_told_in_the_file_that_made_it(tmp_path: Path) -> None:
    base = write(tmp_path, "name: base\ninner:\n  root: a\n  size: 3\n")
    overlay = write(tmp_path / "other", "inner:\n  size: big\n", "overlay.yml")
    assert mistakes(base, overlay)[0].startswith(f"{overlay}:2: inner.size: found 'big'")
    base = write(tmp_path, "name: base\ninner:\n  root: a\n  size: big\n")
    overlay = write(tmp_path / "other", "inner:\n  root: b\n", "overlay.yml")
    assert mistakes(base, overlay)[0].startswith(f"{base}:4: inner.size: found 'big'")


def test_a_path_is_relative_to_the_file_that_holds_it(tmp_path: Path) -> None:
    base = write(tmp_path / "conf", "name: x\ninner: {root: ../data}\nitems: [one]\n")
    assert decode(Outer, read(base)).inner.root == str(tmp_path / "data")
    overlay = write(tmp_path / "elsewhere" / "deep", "inner: {root: ../near}\n", "overlay.yml")
    decoded = decode(Outer, read(base, overlay))
    assert decoded.inner.root == str(tmp_path / "elsewhere" / "near")
    assert decoded.items == (str(tmp_path / "conf" / "one"),)


@pytest.mark.parametrize("place", ["/var/data", "s3://bucket/data", "dbfs:/data"])
def test_absolute_paths_and_uris_stay(tmp_path: Path, place: str) -> None:
    assert decode(Outer, read(write(tmp_path, f"name: x\ninner: {{root: '{place}'}}\n"))).inner.root == place
