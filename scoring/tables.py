"""The table of scores."""

from __future__ import annotations

from lake.described import described
from lake.layout import Layout
from lake.tables import TableSpec


def scores(model: str) -> TableSpec:
    """Scores of one declared model."""
    return TableSpec(
        f"scores_{model}",
        "One row per scored spine row: the score and everything needed to compute it again",
        described(
            "as_of timestamp: Instant the score describes (UTC)",
            "row_id string: Id of the spine row",
            "score double: Chance of fraud, 0 to 1",
            "model string: Registered name of the model",
            "model_version int: Version of the model that scored",
            "definition_hash string: Hash of the feature definition",
            "features_version long: Version of the feature table that was read",
            "code_version string: Version of the code that scored",
            "run_key string: Run that wrote the row",
        ),
        layout=Layout(ranges=("as_of",), clustered_by=("as_of",)),
    )
