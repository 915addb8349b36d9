"""Applying a registered model to feature rows."""
