"""Fitting XGBoost on Spark: in one task, or in several that agree through XGBoost's own collective."""
