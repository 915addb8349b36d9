"""A profile as one HTML page that needs no other file; every value of the log is text in it, whatever it holds."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import BytesIO

from training.metrics.estimate import Estimate
from training.metrics.wilson import wilson
from training.profile.columns import ColumnFigures, shown
from training.profile.counts import MOST_DISTINCT, Counted
from training.profile.profile import Profile
from training.profile.volume_plot import draw_volume
from training.review.theme import FRAUD, GRID, INK, MUTED

_STYLE = f"""
body {{ font: 14px system-ui, sans-serif; color: {INK}; margin: 2em; }}
table {{ border-collapse: collapse; margin: 0.5em 0 1.5em; }}
th, td {{ border-bottom: 1px solid {GRID}; padding: 2px 10px; text-align: left; vertical-align: top; }}
td.n {{ text-align: right; white-space: nowrap; }}
td.v {{ max-width: 28em; overflow-wrap: anywhere; }}
.none, p.note {{ color: {MUTED}; }}
.rate {{ position: relative; width: 240px; height: 1em; background: {GRID}; }}
.rate i {{ position: absolute; top: 0.4em; height: 0.2em; background: {FRAUD}; }}
.rate b {{ position: absolute; top: 0.1em; width: 3px; height: 0.8em; background: {FRAUD}; }}
"""
_ABOUT = "≈: from sketches; distinct values within about 5 %, quantiles within 0.01 % of the ranks."
_INTERVALS = "Intervals: Wilson, 95 %, each value by itself, as if rows were independent; those of one account are not."
_COLUMNS = (
    *("column", "type", "without value", "distinct ≈", "least", "5 % ≈", "median ≈", "95 % ≈", "most"),
    *("mean", "deviation", "empty", "length", "what"),
)


def page(profile: Profile) -> str:
    """The page."""
    log = escape(profile.log)
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{log}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{log}</h1>",
            *_head(profile),
            f'<img alt="rows a day" width="900" src="data:image/png;base64,{_picture(profile)}">',
            "<h2>Columns</h2>",
            f'<p class="note">{_ABOUT}</p>',
            *_table(_COLUMNS, (_column(column, profile.rows) for column in profile.columns)),
            *_rates(profile),
            *_top(profile),
            "</body></html>\n",
        ]
    )


def _head(profile: Profile) -> Iterator[str]:
    read = ", ".join(f"{table} version {version}" for table, version in profile.read.items())
    yield f"<p>{escape(profile.about)}</p>"
    yield f"<p>{profile.rows:,} rows, {escape(profile.span)}. Read: {escape(read)}.</p>"


def _picture(profile: Profile) -> str:
    held = BytesIO()
    draw_volume(profile.log, profile.counts.days).savefig(held, format="png")
    return base64.b64encode(held.getvalue()).decode()


def _rates(profile: Profile) -> Iterator[str]:
    yield "<h2>Label rates</h2>"
    if not profile.labels:
        yield '<p class="note">No model of the definitions has labels of this log that were ingested.</p>'
        return
    whole = profile.counts.whole
    yield f'<p class="note">{escape(profile.labels)} {_INTERVALS}</p>'
    rate = _estimate(wilson(whole.frauds, whole.settled))
    yield f"<p>{whole.frauds:,} of {whole.settled:,} settled rows are fraud: {rate}.</p>"
    if not whole.settled:
        return
    for name, values in profile.counts.slices.items():
        rates = [wilson(one.frauds, one.settled) for one in values]
        scale = max((rate.high for rate in rates if rate.is_known), default=0.0) or 1.0
        yield f"<h3>{escape(name)}</h3>"
        yield from _table(
            ("value", "rows", "settled", "fraud", "rate", f"0 to {scale:.2%}"),
            (
                [*_counted(one), _number(one.settled), _number(one.frauds), _cell(_estimate(rate)), _bar(rate, scale)]
                for one, rate in zip(values, rates, strict=True)
            ),
        )  # fmt: skip


def _top(profile: Profile) -> Iterator[str]:
    yield "<h2>Most frequent values</h2>"
    for column in profile.columns:
        values: Sequence[Counted] = profile.counts.top.get(column.name, ())
        if not values and column.distinct <= MOST_DISTINCT:
            continue
        yield f"<h3>{escape(column.name)}</h3>"
        if not values:
            yield f'<p class="note">Not counted: more than about {MOST_DISTINCT:,} values.</p>'
        elif values[0].rows == 1:
            yield '<p class="note">No value is there twice.</p>'
        else:
            yield from _table(("value", "rows"), map(_counted, values))


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>"
    for row in rows:
        yield f"<tr>{''.join(row)}</tr>"
    yield "</table>"


def _column(column: ColumnFigures, rows: int) -> list[str]:
    without = rows - column.filled
    five, median, ninety_five = (
        (shown(column.quantiles[at]) for at in (1, 3, 5)) if column.quantiles else (None, None, None)
    )
    lengths = f"{column.lengths[0]:,} to {column.lengths[1]:,}" if column.lengths else None
    return [
        _cell(column.name),
        _cell(column.type),
        _number(f"{without:,} ({without / rows:.1%})" if rows else without),
        _number(column.distinct),
        _value(column.least),
        *(_cell(quantile or "") for quantile in (five, median, ninety_five)),
        _value(column.most),
        *(
            _number(None if figure is None else f"{figure:,.6g}")
            for figure in (column.mean, column.deviation)
        ),
        _number(column.empty),
        _number(lengths),
        _cell(column.about),
    ]


def _counted(one: Counted) -> list[str]:
    return [_value(one.value), _number(one.rows)]


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _value(text: str | None) -> str:
    return '<td class="none">none</td>' if text is None else f'<td class="v">{escape(text)}</td>'


def _number(figure: int | str | None) -> str:
    text = "" if figure is None else f"{figure:,}" if isinstance(figure, int) else figure
    return f'<td class="n">{escape(text)}</td>'


def _estimate(rate: Estimate) -> str:
    if not rate.is_known:
        return "no settled rows"
    return f"{rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"


def _bar(rate: Estimate, scale: float) -> str:
    """The interval as a line and the rate as a mark on it."""
    if not rate.is_known:
        return "<td></td>"
    low, width, at = (100 * part / scale for part in (rate.low, rate.high - rate.low, rate.value))
    return (
        f'<td><div class="rate"><i style="left:{low:.1f}%;width:{width:.1f}%"></i>'
        f'<b style="left:{at:.1f}%"></b></div></td>'
    )
