"""A booster over feature rows: one score per row, computed on executors."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.view import AS_OF, DEFINITION
from lake.errors import SchemaError
from training.artefact.contract import ModelContract
from training.artefact.predict import predict
from training.training_set import FEATURES, feature_array


def check_offered(contract: ModelContract, offered: Mapping[str, str], *, table: str) -> None:
    """Refuse to score features that are not those the model was trained on.

    Args:
        offered: Spark type of each column of the feature table.

    Raises:
        SchemaError: a feature is absent or has another type.
    """
    types = dict(zip(contract.feature_names, contract.feature_types, strict=True))
    wrong = [
        f"{name} is {offered.get(name, 'absent')}, the model was trained on {expected}"
        for name, expected in types.items()
        if offered.get(name) != expected
    ]
    if wrong:
        raise SchemaError(
            f"{table} does not offer what {contract.model} needs: {'; '.join(wrong)}. "
            "Build the features by the definition of the model, or train again"
        )


def check_definition(contract: ModelContract, rows: DataFrame, *, table: str) -> None:
    """Refuse rows that another definition of the view made: the same names may mean something else.

    Raises:
        SchemaError: there are such rows.
    """
    other = rows.where(F.col(DEFINITION) != contract.definition_hash).select(DEFINITION).head()
    if other is not None:
        raise SchemaError(
            f"{table} holds rows of definition {other[DEFINITION]}, {contract.model} was trained on "
            f"{contract.definition_hash}; build the features by that definition, or train again"
        )


def score(rows: DataFrame, booster: bytes, contract: ModelContract) -> DataFrame:
    """Score every row.

    Args:
        rows: ``as_of``, the row id and the contract's features; other columns are ignored.
        booster: UBJ bytes, cut to the best round.

    Returns:
        One row per row: ``as_of``, the row id and ``score``, the chance of fraud (0 to 1).
    """
    row = contract.row_id
    wanted = rows.select(AS_OF, row, feature_array(contract.feature_names).alias(FEATURES))
    return predict(wanted, booster, keep=[AS_OF, row])
