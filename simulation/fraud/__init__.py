"""The fraudsters: what they own in common, and one module per typology."""
