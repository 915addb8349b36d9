"""What the collector receives of a log: every event with its arrival, some late, some twice, some broken.

A row carries one kind of dirt at most, so the planted counts are the counts to be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.columns import Array, Columns, Ints, stack, take
from simulation.identifiers import event_ids, iso_text
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.wording import CANONICAL, schema_versions
from simulation.words import OLD_APP, OLD_APP_SHARE, Records

HOUR_MS = 3_600_000
_MARK = "\ufeff"
_SOURCE_ONLY = ("clock_skew", "bad_timestamp")
_MONEY_ONLY = ("bad_currency", "money_as_text")
_TIME_ONLY = ("late_arrival", "very_late_arrival", "clock_skew")
_KINDS = (
    "exact_duplicate",
    "late_arrival",
    "very_late_arrival",
    "clock_skew",
    "bad_currency",
    "money_as_text",
    "bad_timestamp",
    "missing_key",
    "truncated_line",
    "out_of_order_change",
    "ledger_imbalance",
    "byte_order_mark",
)
_OF_SOME_LOGS = ("out_of_order_change", "ledger_imbalance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The lines of one log in the order of arrival, and how many of them carry each kind of dirt.

    ``columns`` are the fields of the line before ``as_sent`` words them; ``ingest_day`` is its day as text,
    ``keep_share`` the part of the line that survives (1 for all but truncated lines).
    """

    columns: Columns
    ingest_day: Array
    keep_share: Array
    planted: dict[str, int]


def deliver(settings: SimulationSettings, source: Records) -> Delivery:
    """Return what arrives of ``source`` within the period.

    What a log tells of the time before the period arrives together in its first half hour.
    """
    rng = stream(settings.seed, f"delivery:{source.log}")
    old = source.event_ms < settings.start_ms
    wanted = source.event_ms < settings.end_ms
    if not source.tells_past:
        wanted &= ~old
    rows = np.flatnonzero(wanted)
    old = old[rows]
    event_ms, producer = source.event_ms[rows], source.producer[rows]
    dirt = _draw_dirt(rng, settings, source, rows, old)
    ingest_ms = _arrivals(rng, settings, event_ms, dirt, old)
    ingest_ms = _in_company(rng, source, rows, ingest_ms, dirt)
    skewed = ingest_ms + (rng.uniform(10.0, 60.0, len(rows)) * 60_000).astype(np.int64)
    event_ms = np.where(dirt == "clock_skew", skewed, event_ms)
    body = {
        "event_id": event_ids(event_ms, rng).astype(object),
        "event_ts": iso_text(event_ms).astype(object),
    }
    body |= {"producer": producer, **take(source.fields, rows)}
    _spoil(rng, body, dirt, source.device_field)
    if source.text_field is not None:
        pasted = dirt == "byte_order_mark"
        body[source.text_field] = np.where(pasted, _MARK + body[source.text_field], body[source.text_field])
    versions = schema_versions(settings, source.event_ms[rows], from_server=source.from_server)
    sorting = {"ingest_ms": ingest_ms, "row": np.arange(len(rows)), "dirt": dirt, "version": versions}
    return _arrange(settings, source, _repeat(rng, settings, body | sorting))


def _draw_dirt(
    rng: np.random.Generator, settings: SimulationSettings, source: Records, rows: Ints, old: Array
) -> Array:
    """Draw at most one kind of dirt per row, among those that suit the log and the row."""
    kinds = [kind for kind in _KINDS if _suits(kind, source)]
    producer = source.producer[rows]
    shares = [float(getattr(settings.dirt, kind)) for kind in kinds]
    dirt = choice(rng, ("", *kinds), (1.0 - sum(shares), *shares), len(producer)).astype("<U20")
    dirt = np.where(old & np.isin(dirt, _TIME_ONLY), "", dirt)
    if source.next_ms is not None:
        changes_soon = source.next_ms[rows] - source.event_ms[rows]
        fits = (changes_soon > 0) & (changes_soon < HOUR_MS // 3) & ~old
        dirt = np.where((dirt == "out_of_order_change") & ~fits, "", dirt)
    if source.device_field is None:
        return dirt
    share = np.where(producer == OLD_APP, settings.dirt.sentinel_device / OLD_APP_SHARE, 0.0)
    return np.where((dirt == "") & happens(rng, share, len(dirt)), "sentinel_device", dirt)


def _arrivals(
    rng: np.random.Generator, settings: SimulationSettings, event_ms: Ints, dirt: Array, old: Array
) -> Ints:
    """Return when the collector got each row: within seconds unless it is late or from before the period."""
    count = len(event_ms)
    seconds = rng.lognormal(0.7, 0.8, count).clip(0.05, 600.0)
    late = 3600.0 * rng.uniform(1.1, 20.0, count)
    very_late = 3600.0 * rng.uniform(25.0, 90.0, count)
    delay = np.select([dirt == "late_arrival", dirt == "very_late_arrival"], [late, very_late], seconds)
    arrived = event_ms + (delay * 1000).astype(np.int64)
    first_half_hour = settings.start_ms + rng.integers(0, HOUR_MS // 2, count)
    return np.where(old, first_half_hour, arrived)


def _in_company(rng: np.random.Generator, source: Records, rows: Ints, ingest_ms: Ints, dirt: Array) -> Ints:
    """Let rows that belong together arrive at once, and a change out of order after the next one."""
    if source.together is not None:
        _, first, group = np.unique(source.together[rows], return_index=True, return_inverse=True)
        ingest_ms = ingest_ms[first][group]
    if source.next_ms is not None:
        minutes = rng.uniform(11.0, 30.0, len(rows)) * 60_000
        behind = source.next_ms[rows] + minutes.astype(np.int64)
        ingest_ms = np.where(dirt == "out_of_order_change", behind, ingest_ms)
    return ingest_ms


def _spoil(rng: np.random.Generator, body: Columns, dirt: Array, device_field: str | None) -> None:
    """Put the drawn dirt into the fields."""

    def put(field: str, kind: str, options: tuple[str, ...]) -> None:
        hit = np.flatnonzero(dirt == kind)
        values = body[field].astype(object)
        values[hit] = rng.choice(np.array(options, dtype=object), len(hit))
        body[field] = values

    put("event_ts", "bad_timestamp", ("not-a-time", ""))
    body["event_id"][dirt == "missing_key"] = None
    if device_field is not None:
        put(device_field, "sentinel_device", ("unknown", "", "00000000"))
    wrong = np.flatnonzero(dirt == "ledger_imbalance")
    if len(wrong):
        body["amount_minor"] = body["amount_minor"].copy()
        body["amount_minor"][wrong] += rng.integers(1, 500, len(wrong))
    if "amount" in body:
        put("currency", "bad_currency", ("US$", "XXX", "usd "))
        for row in np.flatnonzero(dirt == "money_as_text").tolist():
            body["amount"][row] = _worded(body["amount"][row])


def _worded(amount: str) -> str:
    """Return '1,234.50' for 1234.50 and, where there is no thousand to separate, '34,50' for 34.50."""
    whole, cents = amount.split(".")
    grouped = f"{int(whole):,}"
    return f"{grouped}.{cents}" if "," in grouped else f"{whole},{cents}"


def _repeat(rng: np.random.Generator, settings: SimulationSettings, lines: Columns) -> Columns:
    """Add second deliveries, two minutes to ten hours later; drop what arrives after the period."""
    again = take(lines, lines["dirt"] == "exact_duplicate")
    minutes = np.exp(rng.uniform(np.log(2), np.log(600), len(again["row"])))
    again["ingest_ms"] = again["ingest_ms"] + (minutes * 60_000).astype(np.int64)
    lines["dirt"] = np.where(lines["dirt"] == "exact_duplicate", "", lines["dirt"])
    both = stack([lines, again])
    return take(both, both["ingest_ms"] < settings.end_ms)


def _arrange(settings: SimulationSettings, source: Records, lines: Columns) -> Delivery:
    """Sort by arrival, number the lines, and put the envelope before the fields."""
    lines = take(lines, np.lexsort((lines["row"], lines["ingest_ms"])))
    ingest_ms, dirt, _ = lines.pop("ingest_ms"), lines.pop("dirt"), lines.pop("row")
    count = len(ingest_ms)
    envelope: Columns = {
        "event_id": lines.pop("event_id"),
        "event_type": np.full(count, source.event_type),
        "event_ts": lines.pop("event_ts"),
        "ingest_ts": iso_text(ingest_ms),
        "schema_version": lines.pop("version"),
        "producer": lines.pop("producer"),
        "raw_offset": np.arange(count),
    }
    cut = stream(settings.seed, f"cut:{source.log}").uniform(0.3, 0.9, count)
    planted = {
        kind: int((dirt == kind).sum()) for kind in (*_KINDS, "sentinel_device") if _suits(kind, source)
    }
    if not source.from_server:
        is_told = dirt != "truncated_line"
        planted["other_schema"] = int((is_told & (envelope["schema_version"] != CANONICAL)).sum())
    return Delivery(
        columns=envelope | lines,
        ingest_day=np.datetime_as_string(ingest_ms.astype("datetime64[ms]"), unit="D"),
        keep_share=np.where(dirt == "truncated_line", cut, 1.0),
        planted=planted,
    )


def _suits(kind: str, source: Records) -> bool:
    """Tell whether a kind of dirt can occur in this log."""
    if source.dirt is not None:
        return kind in source.dirt
    if kind in _OF_SOME_LOGS:
        return False
    if kind in _MONEY_ONLY:
        return "amount" in source.fields
    if kind == "byte_order_mark":
        return source.text_field is not None
    if kind == "sentinel_device":
        return source.device_field is not None
    return not (source.from_server and kind in _SOURCE_ONLY)
