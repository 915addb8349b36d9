"""What a training row counts for: how sure its label is, how likely it is known by now, how much money is at stake."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pyspark.sql import Column
from pyspark.sql import functions as F

from lake.documents import Strict


class WeightSettings(Strict):
    """What makes one training row count more than another. Tests count every row once.

    Attributes:
        confidence: a row counts as much as its label is sure.
        maturity: a fraud counts 1 / P(its label is known by now), for those whose label is still to come; the
            probability is that of the maturity curve, as known when the test begins.
        fraud: how many times a fraud counts. The booster's probabilities are put right afterwards.
        false_alarm: how many times any other row counts.
        money: how a fraud counts by the money at risk, ``test.amount``: 1 and its amount, the root or the
            logarithm of it.
    """

    confidence: bool = True
    maturity: bool = False
    fraud: Annotated[float, Field(gt=0)] = 1.0
    false_alarm: Annotated[float, Field(gt=0)] = 1.0
    money: Literal["none", "linear", "root", "log"] = "none"

    @property
    def keeps_odds(self) -> bool:
        """Whether frauds and others count alike, so that probabilities need not be put right."""
        return self.fraud == self.false_alarm and self.money == "none" and not self.maturity


def weight(
    settings: WeightSettings, is_fraud: Column, *, amount: Column, confidence: Column, known: Column
) -> Column:
    """The weight of a row, above 0.

    Args:
        amount: money at risk; null counts as nothing.
        confidence: how sure the label is, above 0 and at most 1.
        known: P(label known by now), above 0 and at most 1.
    """
    found = confidence if settings.confidence else F.lit(1.0)
    of_fraud = F.lit(settings.fraud)
    if settings.maturity:
        of_fraud /= known
    if settings.money != "none":
        money = F.greatest(F.coalesce(amount, F.lit(0.0)), F.lit(0.0))
        scaled = {"linear": money, "root": F.sqrt(money), "log": F.log1p(money)}[settings.money]
        # A fraud without money is a fraud still.
        of_fraud *= F.lit(1.0) + scaled
    return (found * F.when(is_fraud, of_fraud).otherwise(settings.false_alarm)).cast("double")
