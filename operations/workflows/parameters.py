"""The parameters of a job, which every run may be given other values of."""

from __future__ import annotations

from operations.workflows.node import Node


def defaults_of(job: Node) -> dict[str, str]:
    """The value of each parameter where a run gives none."""
    return {item.at("name").text: item.at("default").text for item in job.at("parameters").items}
