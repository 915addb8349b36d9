"""The workflows of databricks.yml: read, resolved and checked without a workspace."""
