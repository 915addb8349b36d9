"""Proofs that features saw nothing but their row's past: of any function that builds them, of any finished table."""
