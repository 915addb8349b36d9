"""Text to statements: where one ends, and with which word it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>--(?:\\\n|[^\r\n])*|\s+)
    |(?P<block>/\*)
    |(?P<end>;)
    |(?P<quoted>(?<!\w)[rR]'[^']*'|(?<!\w)[rR]"[^"]*"|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)
    |(?P<open>['"`])
    |(?P<word>\w+)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the text and what it is: comment, end, quoted, word, other, or open: begun and not ended."""

    kind: str
    start: int
    stop: int


class Statements(NamedTuple):
    """Statements that are complete, without their semicolons, and what follows the last of them."""

    complete: list[str]
    rest: str


def statements(text: str) -> Statements:
    """Split at the semicolons that are neither quoted nor in a comment; what says nothing is left out.

    What begins with a backslash ends with its line.
    """
    complete, start, command = [], 0, False
    for token in _tokens(text):
        piece = text[token.start : token.stop]
        command = command or (piece == "\\" and is_blank(text[start : token.start]))
        if token.kind == "end" or (command and "\n" in piece):
            complete.append(text[start : token.start])
            start, command = token.stop, False
    said = [statement.strip() for statement in complete]
    return Statements([one for one in said if not is_blank(one)], text[start:].strip())


def is_blank(text: str) -> bool:
    """True where there is nothing but comments and space; not for a comment that has not ended."""
    return all(token.kind == "comment" for token in _tokens(text))


def after_comments(statement: str) -> str:
    """The statement without the comments and space that it begins with."""
    first = next((token for token in _tokens(statement) if token.kind != "comment"), None)
    return statement[first.start :] if first else ""


def first_word(statement: str) -> str:
    """The first word in capitals; empty where the statement begins with something else."""
    found = re.match(r"\w+", after_comments(statement))
    return found[0].upper() if found else ""


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while match := _TOKEN.match(text, at):
        kind, stop = str(match.lastgroup), match.end()
        if kind == "block":
            ended = _end_of_block(text, at)
            kind, stop = ("open", len(text)) if ended is None else ("comment", ended)
        elif kind == "open":
            stop = len(text)
        yield Token(kind, at, stop)
        at = stop


def _end_of_block(text: str, start: int) -> int | None:
    """Where the comment that begins at ``start`` ends, with those inside it; None where it does not."""
    depth = 0
    for mark in re.compile(r"/\*(?!\+)|\*/").finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return None
