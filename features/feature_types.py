"""What a model can read: numbers and truths."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, NumericType

from features.declare import FeatureView
from lake.errors import SchemaError


def check_feature_types(view: FeatureView, rows: DataFrame) -> None:
    """Refuse features that a model could not be trained on.

    Raises:
        SchemaError: with every feature that is neither a number nor a truth.
    """
    types = {field.name: field.dataType for field in rows.schema}
    strange = [
        f"{name} is {types[name].simpleString()}"
        for name in view.features
        if not isinstance(types[name], NumericType | BooleanType)
    ]
    if strange:
        raise SchemaError(
            f"{view.declared}: view {view.name}: {', '.join(strange)}; models read numbers and truths: keep it as "
            "context, or make a feature of it, as category('status') or expression('is_closed', \"status = 'closed'\")"
        )
