"""The built-in marketplace, declared exactly as a user would declare their own."""
