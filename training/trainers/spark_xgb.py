"""XGBoost's own Spark estimator behind the interface of ``fit``: the reference that ours is held against.

It knows no objective of ours, no parts and no ``train_days``, and reads its rows once more to count their classes. Its
columns are called by names of its own, so that no feature is taken for something else.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifier

from lake.errors import ConfigError
from training.trainers.fit_plan import TRAIN_DAYS, Fit, FitPlan
from training.trainers.objectives import EXPECTED_LOSS

_OWN = {"objective", "nthread", "seed", TRAIN_DAYS}


def fit_by_spark_xgb(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit as ``fit`` does, without validation rows.

    Args:
        rows: ``is_fraud``, ``features``, and ``weight`` where rows count differently.

    Raises:
        ConfigError: the plan asks for what the estimator cannot do.
    """
    objective = plan.params.get("objective")
    strange = [name for name in (TRAIN_DAYS,) if name in plan.params]
    strange += ["weights that move probabilities"] if not plan.keeps_odds else []
    strange += [str(objective)] if objective == EXPECTED_LOSS or plan.learns != "chance" else []
    if strange:
        asked = ", ".join(strange)
        raise ConfigError(
            [f"trainer.kind is spark_xgb, which knows no {asked}; use auto, one_task or several_tasks"]
        )
    weight = F.col("weight") if "weight" in rows.columns else F.lit(1.0)
    named = rows.select(F.col("is_fraud").cast("int").alias("fraud"), weight.alias("counts"), "features")
    types = ["c" if name in plan.categorical else "q" for name in plan.features]
    signs = tuple(plan.monotone.get(name, 0) for name in plan.features)
    params: dict[str, Any] = {name: value for name, value in plan.params.items() if name not in _OWN}
    if any(signs):
        params["monotone_constraints"] = str(signs)
    estimator = SparkXGBClassifier(
        features_col="features",
        label_col="fraud",
        weight_col="counts",
        num_workers=plan.workers,
        n_estimators=plan.rounds,
        random_state=int(plan.params.get("seed", 0)),
        feature_types=types,
        verbosity=0,
        **params,
    )
    booster = estimator.fit(named).get_booster()
    booster.feature_names = list(plan.features)
    return Fit(
        booster=bytes(booster.save_raw("ubj")),
        rounds=booster.num_boosted_rounds(),
        train_rows=named.count(),
        validation=None,
    )
