"""A marketplace that writes raw logs. It stands outside the platform, as the real world does."""
