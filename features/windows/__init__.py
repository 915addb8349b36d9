"""The window engine: exact aggregates over [as_of - w, as_of) of what was known before ``as_of``."""
