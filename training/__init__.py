"""Learning: training sets, splits, XGBoost, Hyperopt, metrics, the MLflow registry and its gate."""
