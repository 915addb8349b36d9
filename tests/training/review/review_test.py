"""The review of a candidate: every figure draws, reads well, and says so where there is nothing to draw."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from lake.errors import SchemaError
from training.metrics.estimate import Estimate
from training.metrics.evaluate import evaluate
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings
from training.review.describe import ModelSummary, describe
from training.review.figures import Review, draw_review
from training.review.fold_table import fold_markdown
from training.review.links import UiLinks

SETTINGS = EvaluationSettings(draws=20, slice_values=3)
GAIN = {f"payment_usd_sum_by_instrument_{i}d": 100.0 / (i + 1) for i in range(40)}


def period(rows: int = 500, frauds: float = 0.1) -> Predictions:
    rng = np.random.default_rng(1)
    is_fraud = rng.random(rows) < frauds
    return Predictions(
        row_id=np.arange(rows).astype(object),
        as_of=np.datetime64("2026-01-01", "us") + rng.integers(0, 5, rows) * np.timedelta64(1, "D"),
        score=np.clip(rng.beta(1, 20, rows) + 0.1 * is_fraud, 0, 1),
        is_fraud=is_fraud,
        slices={"country": np.array(["IN", "US", "GB", "DE", None], object)[rng.integers(0, 5, rows)]},
    )


def review(rows: Predictions, champion: Predictions | None = None) -> Review:
    found = evaluate(rows, SETTINGS)
    return Review(
        predictions=rows,
        evaluation=found,
        gain=GAIN,
        champion=champion,
        folds={"2026-01": found, "2026-02": found},
    )


def texts(figure: Figure) -> str:
    inside = [text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)]
    return "\n".join(text.get_text() for text in (*figure.texts, *inside))


def test_all_figures_are_drawn_at_900_by_600() -> None:
    rows = period()
    figures = draw_review(review(rows, champion=rows.take(np.arange(len(rows))[::-1])), SETTINGS)
    assert list(figures) == [
        "pr_curve",
        "calibration",
        "scores_by_class",
        "feature_importance",
        "slice_country",
        "folds",
    ]
    for figure in figures.values():
        figure.savefig(BytesIO(), format="png")
        assert (figure.get_size_inches() * figure.dpi).tolist() == [900, 600]


def test_figures_name_their_axes_and_their_key_numbers() -> None:
    rows = period()
    found = evaluate(rows, SETTINGS)
    figures = draw_review(review(rows), SETTINGS)
    assert str(found["average_precision"]) in texts(figures["pr_curve"])
    assert "precision: share of alerts that are fraud" in texts(figures["pr_curve"])
    assert str(found["ece"]) in texts(figures["calibration"])
    assert "share of gain (%)" in texts(figures["feature_importance"])
    assert "rows (logarithmic)" in texts(figures["scores_by_class"])
    assert "recall: share of frauds alerted" in texts(figures["slice_country"])
    assert "± 0.000" in texts(figures["folds"])


def test_the_curve_passes_through_the_base_rate_at_full_recall() -> None:
    rows = period()
    axes = draw_review(review(rows), SETTINGS)["pr_curve"].axes[0]
    curve, base = axes.lines
    reached = rows.score >= rows.score[rows.is_fraud].min()
    assert np.asarray(curve.get_ydata())[-1] == pytest.approx(rows.fraud_count / reached.sum())
    assert np.asarray(base.get_ydata())[0] == pytest.approx(rows.fraud_count / len(rows))


def test_thirty_features_are_shown_and_a_slice_keeps_its_largest_values() -> None:
    figures = draw_review(review(period()), SETTINGS)
    bars = figures["feature_importance"].axes[0].patches
    assert len(bars) == 30
    values = [label.get_text() for label in figures["slice_country"].axes[0].get_yticklabels()]
    assert len(values) == 4
    assert values[-1] == "other"


@pytest.mark.parametrize(
    ("rows", "name", "reason"),
    [
        (period(0), "pr_curve", "no fraud among 0 rows"),
        (period(0), "scores_by_class", "no rows"),
        (period(frauds=0), "pr_curve", "no fraud among 500 rows"),
        (period().with_score(np.full(500, 3.0)), "calibration", "so they are no probabilities"),
        (period().with_score(np.zeros(500)), "calibration", "every score is 0"),
        (period(frauds=0), "slice_country", "no fraud among"),
    ],
)
def test_a_poor_period_still_gives_figures_that_say_why(rows: Predictions, name: str, reason: str) -> None:
    figures = draw_review(review(rows), SETTINGS)
    figures[name].savefig(BytesIO(), format="png")
    assert reason in texts(figures[name])


def test_a_booster_of_one_leaf_has_no_importance_to_show() -> None:
    bare = Review(predictions=period(), evaluation=evaluate(period(), SETTINGS), gain={})
    figures = draw_review(bare, SETTINGS)
    assert "no tree has split on any feature" in texts(figures["feature_importance"])
    assert "folds" not in figures


def test_a_champion_scored_on_other_rows_is_refused() -> None:
    rows = period()
    with pytest.raises(SchemaError, match="score both on the same rows"):
        draw_review(review(rows, champion=rows.take(np.arange(10))), SETTINGS)


def summary(**changed: object) -> ModelSummary:
    rows = period()
    written: dict[str, object] = {
        "model": "trustlake.fraud.payment",
        "target": "fraud_dispute",
        "features": 86,
        "rows": 14210,
        "frauds": 312,
        "trained_from": datetime(2026, 1, 1, tzinfo=UTC),
        "trained_to": datetime(2026, 6, 1, tzinfo=UTC),
        "predictions": rows,
        "evaluation": evaluate(rows, SETTINGS),
        "tables": {"features_payment": 12, "labels": 4},
        "links": {"run": UiLinks("sqlite:///x.db").run("1", "abc")},
    }
    return ModelSummary(**{**written, **changed})  # type: ignore[arg-type]  # one dictionary for many types


def test_five_lines_say_what_how_good_against_what_from_which_tables_and_where_to_look() -> None:
    found = summary()
    lines = describe(found).splitlines()
    assert len(lines) == 5
    assert "86 features, trained on 14,210 rows (312 fraud) from 2026-01-01 to before 2026-06-01" in lines[0]
    assert f"average precision {found.evaluation['average_precision']}" in lines[1]
    assert "on 500 rows (" in lines[1]
    assert "of 2026-01-01 to 2026-01-05" in lines[1]
    assert "no champion yet; guessing reaches an average precision of 0.096" in lines[2]
    assert "`features_payment` version 12, `labels` version 4" in lines[3]
    assert "[run](http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning)" in lines[4]


def test_the_third_line_gives_the_difference_to_the_champion_with_its_interval() -> None:
    gain = Estimate(0.012, -0.004, 0.028, 1000)
    line = describe(summary(champion="champion v3", difference=gain)).splitlines()[2]
    assert "champion v3: average precision changes by +0.012 (-0.004 to +0.028) on the same rows" in line


def test_an_empty_period_is_described_too() -> None:
    none = period(0)
    lines = describe(summary(predictions=none, evaluation=evaluate(none, SETTINGS))).splitlines()
    assert len(lines) == 5
    assert "average precision unknown (no fraud among 0 rows)" in lines[1]


def test_folds_as_markdown_end_in_mean_and_deviation() -> None:
    folds = {name: {"roc_auc": Estimate(v, v, v, 1)} for name, v in (("a", 0.8), ("b", 0.9))}
    assert fold_markdown(folds, ["roc_auc", "brier"]).splitlines() == [
        "| fold | roc_auc | brier |",
        "|---|---|---|",
        "| a | 0.800 | - |",
        "| b | 0.900 | - |",
        "| mean | 0.850 ± 0.071 | - |",
    ]


@pytest.mark.parametrize(
    ("links", "model"),
    [
        (UiLinks("sqlite:///lake/mlflow.db"), "http://127.0.0.1:5000/#/models/a.b.c/versions/2?"),
        (
            UiLinks("https://me:secret@ml.example.org/ui/"),
            "https://ml.example.org/ui/#/models/a.b.c/versions/2?",
        ),
        (
            UiLinks("databricks", "https://w.example.org/"),
            "https://w.example.org/explore/data/models/a/b/c/version/2",
        ),
    ],
)
def test_links_open_the_view_of_models(links: UiLinks, model: str) -> None:
    assert links.model("a.b.c", 2).startswith(model)
    assert links.run("7", "abc").endswith("/experiments/7/runs/abc?workflowType=machine_learning")
    assert links.experiment("7").endswith("/experiments/7?workflowType=machine_learning")
    assert "secret" not in links.run("7", "abc")
