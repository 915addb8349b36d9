"""Dynamic values (``{{job.parameters.x}}``): what a workspace fills in when a run or a task begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

_DYNAMIC = re.compile(r"\{\{(.*?)\}\}")
_NAME = re.compile(r"[\w.\-\[\]/]+")
_SATURDAY = 6
_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def times(at: datetime) -> dict[str, str]:
    """What a workspace makes of an instant, by the names that it has for it (UTC)."""
    return {
        "iso_date": at.strftime("%Y-%m-%d"),
        "iso_datetime": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "iso_weekday": str(at.isoweekday()),
        "is_weekday": str(at.isoweekday() < _SATURDAY).lower(),
        "timestamp_ms": str(int(at.timestamp() * 1000)),
        **{part: at.strftime(code) for part, code in _PARTS.items()},
    }


_SOME_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_SAMPLES = {
    "job.id": "1",
    "job.name": "a job",
    "job.run_id": "2",
    "job.repair_count": "0",
    "job.trigger.type": "periodic",
    "task.name": "a task",
    "task.run_id": "3",
    "task.execution_count": "1",
    "workspace.id": "4",
    "workspace.url": "workspace",
    "input": "an input",
    **{
        f"job.{moment}.{part}": text
        for moment in ("start_time", "trigger.time")
        for part, text in times(_SOME_TIME).items()
    },
}


class UnknownDynamicError(ValueError):
    """A text has a dynamic value that no workspace knows; it would be passed on as it is written."""


def is_secret(name: str) -> bool:
    """``secrets/<scope>/<key>``, which only the environment of a cluster may name."""
    return re.fullmatch(r"secrets/[\w.-]+/[\w.-]+", name) is not None


def filled(text: str, value_of: Callable[[str], str | None]) -> str:
    """``text`` with its dynamic values filled in.

    Raises:
        UnknownDynamicError: ``value_of`` gives None for a name, or braces hold none.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        found = value_of(name) if _NAME.fullmatch(name) else None
        if found is None:
            raise UnknownDynamicError(
                f"{match[0]} is no dynamic value, and would be passed on as it is written"
            )
        return found

    return _DYNAMIC.sub(value, text)


def sample(name: str, parameters: Mapping[str, str], tasks: Mapping[str, object]) -> str | None:
    """A value such as a run of a job with these parameters and tasks could have; None where it could have none."""
    kind, _, rest = name.partition(".")
    if name.startswith("job.parameters."):
        default = parameters.get(name.removeprefix("job.parameters."))
        # A default may be dynamic, too, but no parameter names another; an empty one is given when a run is started.
        return None if default is None else filled(default or "given", _SAMPLES.get)
    if kind == "tasks":
        task, _, what = rest.partition(".")
        is_known = task in tasks and (what in {"run_id", "result_state"} or what.startswith("values."))
        return "a value" if is_known else None
    return "a secret" if is_secret(name) else _SAMPLES.get(name)
