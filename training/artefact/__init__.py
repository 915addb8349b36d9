"""The registered model: booster bytes, a JSON contract and a scorer file; nothing is pickled."""
