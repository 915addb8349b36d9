"""Hyperopt's search, run in waves of single-task fits on Spark, each trial an MLflow child run."""
