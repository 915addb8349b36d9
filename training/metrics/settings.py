"""What is measured, and how wide the bootstrap is: the evaluation part of the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class EvaluationSettings(BaseModel):
    """Settings of one evaluation; the defaults are those of the published figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    draws: int = Field(default=1000, ge=20, description="bootstrap draws of as many days as the period has")
    confidence: Share = Field(default=0.95, description="share of the draws inside an interval")
    seed: int = Field(default=7, ge=0, description="seed of the bootstrap: the same gives the same intervals")
    fpr_limits: tuple[Share, ...] = Field(
        default=(0.01, 0.001), description="false-positive rates at which recall is given"
    )
    alert_share: Share = Field(
        default=0.01, description="share of rows alerted; sets the threshold of value detection and slices"
    )
    precision_at: tuple[Count, ...] = Field(default=(100,), description="rows a day that are reviewed")
    entity_precision_at: tuple[Count, ...] = Field(
        default=(100,), description="entities a day that are reviewed"
    )
    calibration_bins: int = Field(
        default=10, ge=2, le=100, description="bins, each with an equal share of the sum of scores"
    )
    slice_values: int = Field(
        default=12, ge=1, description="values shown per slice, most frequent first; the rest is 'other'"
    )
