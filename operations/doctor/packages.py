"""Checks of the Python packages: versions that fit each other, and names that are ours alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from operations.doctor.finding import Finding

DISTRIBUTION = "trustlake"
PACKAGES = ("lake", "features", "training", "scoring", "jobs", "operations", "simulation")
SPARK_LINES = ("4.0", "4.1", "4.2")
XGBOOST = ("xgboost", "xgboost-cpu")
_INSTALL = "run: pip install 'trustlake[local,cpu]'"


def installed(names: Iterable[str]) -> dict[str, str]:
    """Version of each of ``names`` that is installed; absent ones are left out."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check_spark_and_delta(versions: Mapping[str, str]) -> Finding:
    """Spark is of a line that Delta builds jars for, and the Delta version has jars."""
    check = "spark and delta"
    absent = [name for name in ("pyspark", "delta-spark") if name not in versions]
    if absent:
        return Finding.fail(check, f"{' and '.join(absent)} not installed", _INSTALL)
    spark, delta = versions["pyspark"], versions["delta-spark"]
    found = f"pyspark {spark}, delta-spark {delta}"
    line = ".".join(spark.split(".")[:2])
    if line not in SPARK_LINES:
        return Finding.fail(check, found, f"this code runs on Spark {', '.join(SPARK_LINES)}; {_INSTALL}")
    if delta == "4.4.1":
        return Finding.fail(
            check, f"{found}, whose jars are not in Maven Central", "run: pip install delta-spark==4.4.0"
        )
    return Finding.ok(check, f"{found}, Scala 2.13")


def check_pandas(versions: Mapping[str, str]) -> Finding:
    """Pandas is older than 3: Spark 4 fails on its data."""
    pandas = versions.get("pandas")
    if pandas is None:
        return Finding.fail("pandas", "not installed", _INSTALL)
    if int(pandas.split(".", maxsplit=1)[0]) >= 3:  # noqa: PLR2004 - the major version that Spark 4 cannot take
        return Finding.fail(
            "pandas", f"pandas {pandas}; Spark 4 fails on its data", "run: pip install 'pandas>=2.2,<3'"
        )
    return Finding.ok("pandas", f"pandas {pandas}")


def check_xgboost(versions: Mapping[str, str]) -> Finding:
    """Exactly one of the two wheels that bring the module xgboost."""
    found = [f"{name} {versions[name]}" for name in XGBOOST if name in versions]
    if not found:
        return Finding.fail("xgboost", "not installed", "run: pip install 'trustlake[cpu]' (or [gpu])")
    if len(found) > 1:
        return Finding.fail(
            "xgboost",
            f"{' and '.join(found)} overwrite each other's files",
            "run: pip uninstall -y xgboost xgboost-cpu && pip install 'trustlake[cpu]' (or [gpu])",
        )
    return Finding.ok("xgboost", found[0])


def check_names(owners: Mapping[str, Iterable[str]]) -> Finding:
    """Our top-level packages belong to our distribution alone; pip lets another one overwrite them."""
    check = "package names"
    strangers = {
        name: sorted(set(owners.get(name, ())) - {DISTRIBUTION})
        for name in PACKAGES
        if set(owners.get(name, ())) - {DISTRIBUTION}
    }
    if strangers:
        found = "; ".join(f"{name} also comes from {', '.join(others)}" for name, others in strangers.items())
        return Finding.fail(
            check, found, "use an environment of its own: python -m venv, then install trustlake"
        )
    if not all(owners.get(name) for name in PACKAGES):
        return Finding.warn(
            check,
            "trustlake runs from a folder and is not installed",
            "run: pip install -e '.[local,cpu]', or ship dist/trustlake.zip with --py-files (make zip)",
        )
    return Finding.ok(check, f"{', '.join(PACKAGES)} belong to {DISTRIBUTION}")


def check_packages() -> list[Finding]:
    """All checks of this file on the environment that runs."""
    versions = installed(("pyspark", "delta-spark", "pandas", *XGBOOST))
    return [
        check_spark_and_delta(versions),
        check_pandas(versions),
        check_xgboost(versions),
        check_names(packages_distributions()),
    ]
