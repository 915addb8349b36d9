"""Statements that are asked of an open lake one after another, from text or from a person at a prompt."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from pyspark.errors import AnalysisException

from lake.errors import TrustlakeError
from lake.tables import Lake
from operations.sql.query import one_line_mistakes, query
from operations.sql.shown import Format, show
from operations.sql.statements import after_comments, is_blank, statements
from operations.sql.views import View
from operations.table_lines import table_lines

HELP = "\\d lists tables and views, \\d NAME the columns of one, \\q ends; a statement ends with ;"
_PROMPT, _GOES_ON = "trustlake> ", "        -> "
_ABSENT = re.compile(r"\[TABLE_OR_VIEW_NOT_FOUND\] The table or view `(\w+)`")


@dataclass(frozen=True, slots=True)
class Shell:
    """What is asked, and how answers are shown.

    Attributes:
        writers: the jobs that write each table of the project, also of those that are not there yet.
    """

    lake: Lake
    views: Mapping[str, View]
    writers: Mapping[str, Sequence[str]]
    format: Format
    limit: int

    def run(self, text: str) -> None:
        r"""Run every statement of the text, up to ``\q``; the last may lack its semicolon.

        Raises:
            RefusedError: a statement would write or change something.
            TrustlakeError: a statement is wrong, and those after it were not run.
        """
        complete, rest = statements(text)
        for statement in complete if is_blank(rest) else [*complete, rest]:
            if after_comments(statement) == "\\q":
                return
            self.answer(statement)

    def answer(self, statement: str) -> None:
        r"""Show the rows of one statement, or what ``\d`` asks for."""
        said = after_comments(statement)
        if said.startswith("\\"):
            self._list(said)
            return
        try:
            rows = query(self.lake.spark, statement)
        except TrustlakeError as error:
            absent = _ABSENT.match(str(error))
            if absent is None or not self.writers.get(absent[1]):
                raise
            jobs = " or ".join(self.writers[absent[1]])
            raise TrustlakeError(
                f"{absent[1]} is not there yet; {jobs} writes it once it has rows for it"
            ) from error
        with one_line_mistakes(statement):
            show(rows, self.format, self.limit)

    def prompt(self) -> None:
        r"""Read statements from a terminal until its end or ``\q``; a mistake is told, and the next one read."""
        with suppress(ImportError):
            import readline  # noqa: F401 - lets input() edit lines and recall them; not on every system

        # PySpark's own handler speaks to Spark in the middle of a sentence, and what was asked runs on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print(f"{len(self.views)} tables and views; {HELP}")
        text: str | None = ""
        while text is not None:
            try:
                text = self._typed(text, input(_GOES_ON if text else _PROMPT))
            except KeyboardInterrupt:
                print()
                text = ""
            except EOFError:
                print()
                return

    def _typed(self, begun: str, line: str) -> str | None:
        """What is begun after this line; None where it was the last."""
        command = line.strip().rstrip(";")
        if not begun and command == "\\q":
            return None
        if not begun and command.startswith("\\"):
            self._try(command)
            return ""
        complete, rest = statements(f"{begun}\n{line}" if begun else line)
        for statement in complete:
            self._try(statement)
        return "" if is_blank(rest) else rest

    def _try(self, statement: str) -> None:
        """Answer in a thread of its own, so that Ctrl-C finds this one free to stop Spark."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(self._answer_or_say, statement)
            while True:
                try:
                    return asked.result()
                except KeyboardInterrupt:
                    self.lake.spark.interruptAll()

    def _answer_or_say(self, statement: str) -> None:
        try:
            self.answer(statement)
        except TrustlakeError as error:
            print(error, file=sys.stderr)

    def _list(self, command: str) -> None:
        what, *names = command.split()
        if what != "\\d" or len(names) > 1:
            raise TrustlakeError(f"{command} is not known; {HELP}")
        if not names:
            lines = table_lines(
                ("name", "what"), [(name, self._about(view)) for name, view in sorted(self.views.items())]
            )
        elif names[0] in self.views:
            lines = table_lines(
                ("column", "type", "what"),
                [
                    (field.name, field.dataType.simpleString(), field.metadata.get("comment", ""))
                    for field in self.views[names[0]].rows.schema
                ],
            )
        else:
            raise TrustlakeError(
                f"there is no table or view {names[0]}; there are {', '.join(sorted(self.views))}"
            )
        for line in lines:
            print(line)

    def _about(self, view: View) -> str:
        """What one row is; a table keeps that itself."""
        if view.about:
            return view.about
        try:
            detail = self.lake.spark.sql(f"DESCRIBE DETAIL {self.lake.place(view.name)}").head()
        except AnalysisException:
            # A schema of a catalog may hold what is no Delta table.
            return ""
        return str(detail["description"] or "") if detail else ""
