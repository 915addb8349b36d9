"""The workflows of databricks.yml: read, resolved, checked and run without a workspace."""
