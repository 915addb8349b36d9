"""What a registered model promises: the features it reads, how they were defined, where it came from."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lake.errors import SchemaError

FILE = "contract.json"


class ModelContract(BaseModel):
    """The JSON file that lies beside the booster; scoring reads it before it reads the booster.

    Feature order is the booster's order. ``feature_types`` are those of the view, as Spark simple strings;
    the artefact itself takes every feature as double.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="three-level registered name")
    feature_names: tuple[str, ...] = Field(min_length=1, description="in the booster's order")
    feature_types: tuple[str, ...] = Field(
        description="Spark simple strings of the view's columns, same order"
    )
    categorical: tuple[str, ...] = Field(default=(), description="features that hold category codes")
    definition_hash: str = Field(description="hash of the view definition the features were built by")
    view: str = Field(description="name of the feature view")
    row_id: str = Field(description="row id column of the view's spine")
    target: str = Field(description="what the score is the chance of")
    trained_from: AwareDatetime = Field(description="first instant of the training rows, UTC")
    trained_to: AwareDatetime = Field(description="end of the training rows, exclusive, UTC")
    best_iteration: int = Field(ge=0, description="last boosting round of the artefact, counted from 0")
    code_version: str = Field(description="version of the code that trained it")
    threshold: float | None = Field(default=None, description="score from which a row is alerted")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if len(set(self.feature_names)) != len(self.feature_names):
            raise ValueError("feature_names repeats a name; name each feature once")
        if len(self.feature_types) != len(self.feature_names):
            raise ValueError(
                f"{len(self.feature_names)} feature_names, but {len(self.feature_types)} feature_types; "
                "give one each"
            )
        strange = sorted(set(self.categorical) - set(self.feature_names))
        if strange:
            raise ValueError(f"categorical names {', '.join(strange)}, which is not in feature_names")
        if self.trained_to <= self.trained_from:
            raise ValueError(f"trained_to {self.trained_to} is not after trained_from {self.trained_from}")
        return self

    def to_json(self) -> str:
        """Return the contract as indented JSON: the same contract gives the same text."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> ModelContract:
        """Read a contract.

        Raises:
            SchemaError: the text is no contract of this version of the platform.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, e['loc'])) or FILE}: {e['msg']}" for e in error.errors())
            raise SchemaError(
                f"{FILE} of the model cannot be read: {found}. Register the model again"
            ) from error
