"""Clusters: runtimes that are in support, machines, and what training needs of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from lake.documents import read_documents
from operations.workflows.bundle import Bundle
from operations.workflows.node import Node

RUNTIMES = "conf/databricks/runtimes.yml"
# Their tasks run all at once or not at all, and use what only a runtime for machine learning has.
TRAINING = frozenset({"train_model"})
_DEDICATED = frozenset({"SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED"})
# i4i.xlarge, Standard_D4ds_v5, n2-standard-4
_NODE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9]+|Standard_\w+|[a-z][a-z0-9]*-[a-z]+-[0-9]+(-\w+)?")


def check_clusters(bundle: Bundle, on: date) -> Iterator[str]:
    """Mistakes in the clusters of every job, where runtimes are to be in support on a day."""
    runtimes = _runtimes(bundle)
    for key, job in bundle.jobs.items():
        clusters = {
            item.at("job_cluster_key").text: item.at("new_cluster") for item in job.at("job_clusters").items
        }
        for name, cluster in clusters.items():
            yield from _cluster(cluster, f"jobs.{key}: cluster {name}", runtimes, on)
        for task in job.at("tasks").items:
            if task.at("python_wheel_task", "entry_point").text in TRAINING:
                yield from _for_training(task, clusters)


def _runtimes(bundle: Bundle) -> Mapping[str, date | None]:
    (document,) = read_documents(bundle.folder / RUNTIMES)
    return {key: described.get("support_ends") for key, described in document.tree.items()}


def _cluster(cluster: Node, where: str, runtimes: Mapping[str, date | None], on: date) -> Iterator[str]:
    runtime, machine = cluster.at("spark_version"), cluster.at("node_type_id")
    if runtime.text not in runtimes:
        yield f"{runtime.origin}: {where} has spark_version {runtime.text!r}; {RUNTIMES} has {', '.join(runtimes)}"
    else:
        ends = runtimes[runtime.text]
        if ends is not None and ends < on:
            newest = list(runtimes)[-1]
            yield f"{runtime.origin}: {where} has {runtime.text}, out of support since {ends}; take {newest}"
    if "instance_pool_id" not in cluster.fields and not _NODE_TYPE.fullmatch(machine.text):
        yield f"{machine.origin}: {where} has node_type_id {machine.text!r}; expected a machine such as i4i.xlarge"
    if cluster.at("data_security_mode").text not in _DEDICATED:
        yield f"{cluster.origin}: {where} is shared, and jobs need Python and Java side by side; SINGLE_USER is not"
    if cluster.at("num_workers").value == 0 and "autoscale" not in cluster.fields:
        yield f"{cluster.at('num_workers').origin}: {where} has no workers, and no single-node settings; give it one"


def _for_training(task: Node, clusters: Mapping[str, Node]) -> Iterator[str]:
    key, name = task.at("task_key"), task.at("job_cluster_key")
    cluster = clusters.get(name.text)
    if cluster is None:
        yield f"{key.origin}: task {key.text} trains; give it a job cluster, whose machines are its own"
        return
    if "autoscale" in cluster.fields or not isinstance(cluster.at("num_workers").value, int):
        yield (
            f"{name.origin}: task {key.text} trains on {name.text}, whose size may change, and its tasks run all "
            "at once; give num_workers"
        )
    if "-ml-" not in cluster.at("spark_version").text:
        yield f"{name.origin}: task {key.text} trains on {name.text}, no runtime for machine learning (-ml-)"
