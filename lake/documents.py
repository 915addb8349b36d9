"""YAML documents that remember where each value was written, merged from a base and overlays, then decoded.

Every mistake of every file is reported at once, each with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from lake.errors import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)
Keys = tuple[str | int, ...]

_URI_MARK = ":"
# What aliases (&, *) may make of one document: ten lines of them can stand for a billion values, or for themselves.
_MOST_VALUES, _DEEPEST = 100_000, 100


class Strict(BaseModel):
    """Base of everything decoded from YAML: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LocatedText(str):
    """Text that knows the folder of the file it was written in."""

    folder: Path

    @classmethod
    def at(cls, text: str, folder: Path) -> LocatedText:
        located = cls(text)
        located.folder = folder
        return located


def _resolve(value: object) -> object:
    """Make a path absolute, relative to the file that holds it; URIs stay as they are."""
    if not isinstance(value, str) or _URI_MARK in value:
        return value
    folder = value.folder if isinstance(value, LocatedText) else Path.cwd()
    return str((folder / value).resolve())


PathText = Annotated[str, BeforeValidator(_resolve)]


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML tree, and where each of its keys was written: a line of a file, or an argument."""

    tree: dict[str, Any]
    origins: dict[Keys, Origin | str]
    mistakes: list[str] = field(default_factory=list)

    def section(self, name: str) -> Document:
        """The mapping under a top-level key as a document of its own; empty where the key is absent."""
        origins = {keys[1:]: origin for keys, origin in self.origins.items() if keys[:1] == (name,)}
        return Document(self.tree.get(name) or {}, origins)

    def origin(self, keys: Sequence[str | int]) -> Origin | str:
        """The line of the nearest key at or above ``keys``; the first file where there is none."""
        for length in range(len(keys), -1, -1):
            found = self.origins.get(tuple(keys[:length]))
            if found:
                return found
        return "configuration"


def read_documents(path: Path) -> list[Document]:
    """The documents of one YAML file (``---`` parts them). An empty file gives none.

    Raises:
        ConfigError: the file is absent, is no YAML, or a document is no mapping.
    """
    if not path.is_file():
        raise ConfigError([f"{path}: no such file; give a path to a YAML file"])
    try:
        nodes = list(yaml.compose_all(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: not YAML: {error.problem}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}"]) from error
    documents = []
    for node in filter(None, nodes):
        reader = _Reader(path)
        tree = reader.value(node, ())
        if not isinstance(tree, dict):
            raise ConfigError([f"{path}:{node.start_mark.line + 1}: expected a mapping of keys to values"])
        documents.append(Document(tree, reader.origins, reader.mistakes))
    return documents


def setting(text: str) -> Document:
    """The document of one ``section.key=value``; the value is YAML, and a path in it relative to the working folder.

    Raises:
        ConfigError: it is no such text.
    """
    place, equals, written = text.partition("=")
    keys, said = place.split("."), f"--set {text}"
    if not equals or not all(keys):
        raise ConfigError([f"{said}: expected a key and its value, as in lake.catalog=main"])
    try:
        value = yaml.safe_load(written)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([f"{said}: the value is not YAML; put it into quotes"]) from error
    for key in reversed(keys[1:]):
        value = {key: value}
    origins: dict[Keys, Origin | str] = {tuple(keys[: n + 1]): said for n in range(len(keys))}
    return Document({keys[0]: value}, origins)


def merge_documents(documents: Sequence[Document]) -> Document:
    """One document in which later mappings extend earlier ones and later scalars and lists replace them."""
    merged = Document({}, {})
    for document in documents:
        _merge_into(merged.tree, document.tree)
        merged.origins.update(document.origins)
        merged.mistakes.extend(document.mistakes)
    return merged


def decode(model: type[ModelT], document: Document) -> ModelT:
    """Build ``model`` from the document.

    Raises:
        ConfigError: with every mistake, each with the file and line it stands on.
    """
    mistakes = list(document.mistakes)
    try:
        decoded = model.model_validate(document.tree)
    except ValidationError as error:
        mistakes += [_explain(document, dict(fault)) for fault in error.errors(include_url=False)]
        raise ConfigError(mistakes) from None
    if mistakes:
        raise ConfigError(mistakes)
    return decoded


def _explain(document: Document, fault: Mapping[str, Any]) -> str:
    keys: Keys = fault["loc"]
    name = ".".join(str(key) for key in keys) or "the document"
    where = document.origin(keys)
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key {name}; remove it or correct its spelling"
    if fault["type"] == "missing":
        return f"{where}: {name} is missing; add it"
    message = str(fault["msg"]).removeprefix("Value error, ")
    found = "" if isinstance(fault["input"], dict) else f"found {fault['input']!r}; "
    return f"{where}: {name}: {found}{message}"


def _merge_into(target: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge_into(target[key], value)
        elif isinstance(value, dict):
            target[key] = {}
            _merge_into(target[key], value)
        else:
            target[key] = value


class _Reader:
    """Turns YAML nodes into plain values and notes the line of each."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.origins: dict[Keys, Origin | str] = {}
        self.mistakes: list[str] = []
        self._scalars = yaml.SafeLoader("")
        self._values = 0

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self._values += 1
        if self._values > _MOST_VALUES or len(keys) > _DEEPEST:
            line = node.start_mark.line + 1
            mistake = (
                f"{self.path}:{line}: more than {_MOST_VALUES:,} values or {_DEEPEST} levels of them, with aliases (*) "
                "written out; use fewer"
            )
            raise ConfigError([mistake])
        self.origins.setdefault(keys, Origin(str(self.path), node.start_mark.line + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        try:
            plain = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            # An unknown tag, or a date such as 2026-02-30.
            why = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
            self.mistakes.append(f"{self.path}:{node.start_mark.line + 1}: {node.value} is no value: {why}")
            return None
        return LocatedText.at(plain, self.path.parent) if isinstance(plain, str) else plain

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in mapping:
                self.mistakes.append(f"{self.path}:{line}: {key} is given twice; keep one")
            self.origins[(*keys, key)] = Origin(str(self.path), line)
            mapping[key] = self.value(value_node, (*keys, key))
        return mapping
