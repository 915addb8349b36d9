"""The operator's command ``trustlake`` and what it starts."""
