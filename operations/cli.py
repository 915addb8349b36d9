"""``trustlake``: everything an operator does around the jobs, one verb each."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from lake.errors import TrustlakeError

INTERRUPTED = 130


class Verb(NamedTuple):
    """A sub-command: its module has ``add_arguments(parser)``, and ``run(arguments)``, which raises."""

    name: str
    module: str
    about: str


VERBS = (
    Verb(
        "check-bundle",
        "operations.workflows.check_bundle",
        "find mistakes in databricks.yml without a workspace",
    ),
    Verb("demo", "operations.demo", "run every step of a configuration, raw logs to scores, and sum it up"),
    Verb("doctor", "operations.doctor", "check this machine and say what to do about what is wrong"),
    Verb("explain", "operations.explain", "show a feature's value of one row and the events it comes from"),
    Verb("features", "operations.features", "compute every feature for the keys and instants of a CSV"),
    Verb("graph", "operations.workflows.draw_graph", "draw the tasks of a workflow of databricks.yml"),
    Verb("list", "operations.workflows.list_workflows", "name the workflows of databricks.yml"),
    Verb("ops", "operations.databricks.ops", "see, start, follow and repair runs in a Databricks workspace"),
    Verb("plan", "operations.plan", "say what the next build of the features would change, fill in and read"),
    Verb("run", "operations.workflows.run_workflow", "run a workflow of databricks.yml on this machine"),
    Verb("schedule", "operations.workflows.next_runs", "say when each workflow of databricks.yml runs next"),
    Verb("sql", "operations.sql", "ask the tables of the lake and views of them in SQL; reads only"),
    Verb("ui", "operations.ui", "open MLflow's pages on the store of the jobs"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 refused."""
    argv = sys.argv[1:] if argv is None else list(argv)
    arguments, verb = _parse(argv)
    try:
        import_module(verb.module).run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has seen enough, as ``head`` has; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TrustlakeError as error:
        print(f"trustlake {verb.name}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parse(argv: list[str]) -> tuple[argparse.Namespace, Verb]:
    parser = argparse.ArgumentParser(
        prog="trustlake",
        description=__doc__,
        epilog="example: trustlake doctor; each verb has its own --help",
    )
    choices = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        sub = choices.add_parser(verb.name, help=verb.about, description=verb.about)
        # Only the verb in question is imported: some bring Spark or MLflow.
        if argv[:1] == [verb.name]:
            import_module(verb.module).add_arguments(sub)
    arguments = parser.parse_args(argv)
    return arguments, next(verb for verb in VERBS if verb.name == arguments.verb)


if __name__ == "__main__":
    sys.exit(main())
