"""What the collector receives of a log: every event with its arrival, some late, some twice, some broken.

A row carries one kind of dirt at most, so the planted counts are the counts to be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.columns import Array, Columns, Ints, stack, take
from simulation.dirt.clocks import misdated
from simulation.dirt.kinds import HOUR_MS, KINDS, draw_kinds, suits
from simulation.dirt.monitors import test_traffic
from simulation.dirt.outage import in_a_lump
from simulation.dirt.spoiling import spoil
from simulation.dirt.told_again import replayed, retries, second_deliveries
from simulation.identifiers import event_ids, iso_text
from simulation.settings import SimulationSettings
from simulation.streams import stream
from simulation.wording import CANONICAL, schema_versions
from simulation.words import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The lines of one log in the order of arrival, and how many of them carry each kind of dirt.

    ``columns`` are the fields of the line before ``as_sent`` words them; ``file_hour`` is the first hour of its
    file as text (``2026-03-01T06``), ``keep_share`` the part of the line that survives (1 for all but truncated lines).
    """

    columns: Columns
    file_hour: Array
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
    dirt = draw_kinds(rng, settings, source, rows, old)
    ingest_ms = _arrivals(rng, settings, event_ms, dirt, old)
    ingest_ms = in_a_lump(settings, source.log, ingest_ms, dirt)
    ingest_ms = _in_company(rng, source, rows, ingest_ms, dirt)
    skewed = ingest_ms + (rng.uniform(10.0, 60.0, len(rows)) * 60_000).astype(np.int64)
    event_ms = np.where(dirt == "clock_skew", skewed, event_ms)
    event_ms = misdated(settings.seed, source.log, event_ms, dirt)
    body = {
        "event_id": event_ids(event_ms, rng).astype(object),
        "event_ts": iso_text(event_ms).astype(object),
    }
    body |= {"producer": producer, **take(source.fields, rows)}
    spoil(rng, settings.seed, body, dirt, source)
    versions = schema_versions(settings, source.event_ms[rows], from_server=source.from_server)
    times = {"event_ms": event_ms, "ingest_ms": ingest_ms}
    sorting = {"row": np.arange(len(rows)), "dirt": dirt, "version": versions}
    return _arrange(settings, source, _with_additions(rng, settings, source, body | times | sorting))


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


def _with_additions(
    rng: np.random.Generator, settings: SimulationSettings, source: Records, lines: Columns
) -> Columns:
    """Add the lines that tell an event once more and those of tests; drop what arrives after the period."""
    added = [
        second_deliveries(rng, lines),
        retries(stream(settings.seed, f"retries:{source.log}"), lines),
        replayed(stream(settings.seed, f"replay:{source.log}"), settings, lines),
    ]
    if not source.from_server:
        added.append(test_traffic(stream(settings.seed, f"tests:{source.log}"), settings, lines))
    is_told_again = np.isin(lines["dirt"], ("exact_duplicate", "near_duplicate"))
    lines["dirt"] = np.where(is_told_again, "", lines["dirt"])
    everything = stack([lines, *added])
    return take(everything, everything["ingest_ms"] < settings.end_ms)


def _arrange(settings: SimulationSettings, source: Records, lines: Columns) -> Delivery:
    """Sort by arrival, number the lines, and put the envelope before the fields."""
    lines = take(lines, np.lexsort((lines["row"], lines["ingest_ms"])))
    del lines["row"], lines["event_ms"]
    ingest_ms, dirt = lines.pop("ingest_ms"), lines.pop("dirt")
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
    planted = {kind: int((dirt == kind).sum()) for kind in KINDS if suits(kind, source)}
    if not source.from_server:
        is_told = dirt != "truncated_line"
        planted["other_schema"] = int((is_told & (envelope["schema_version"] != CANONICAL)).sum())
    return Delivery(
        columns=envelope | lines,
        file_hour=_file_hours(settings, ingest_ms),
        keep_share=np.where(dirt == "truncated_line", cut, 1.0),
        planted=planted,
    )


def _file_hours(settings: SimulationSettings, ingest_ms: Ints) -> Array:
    """Return the first hour of the file of each line; the files of a day begin at midnight."""
    span = settings.hours_per_file * HOUR_MS
    began = ingest_ms - ingest_ms % span
    hours: Array = np.datetime_as_string(began.astype("datetime64[ms]"), unit="h")
    return hours
