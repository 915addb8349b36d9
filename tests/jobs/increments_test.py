"""Building day by day, with files that come late in between, gives what one full build gives."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.build_features import BuildFeatures
from jobs.feature_states import FEATURE_STATES
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job
from lake.errors import RefusedError
from lake.seals import SEALS, latest_seal

FIRST, DAYS = date(2026, 3, 1), 3
TABLE = "features_payments"
MEASURES = (
    'count("payments"), total("amount"), largest("amount"), std("amount"), latest("amount"), '
    'decayed("weight", half_life=days(1)), entropy("payment_id"), distinct("payment_id")'
)
BRUTE: dict[str, tuple[timedelta, Callable[[Row], Any]]] = {
    "card_payments_1d": (timedelta(days=1), lambda _: 1),
    "card_payments_lifetime": (timedelta(days=1000), lambda _: 1),
    "card_amount_sum_2d": (timedelta(days=2), lambda event: event["amount"]),
}
IMPORTS = "days, decayed, distinct, entropy, largest, latest, std, total"


KEEPS_STATES = "features: {state_above_rows: 0}\n"

pytestmark = pytest.mark.minutes


def deliver(project: Any, dice: random.Random, on: date, delays: list[int]) -> None:
    """One file of payments; each row happened that many days before its delivery."""
    lines = []
    for number, delay in enumerate(delays):
        at = datetime.combine(on, datetime.min.time(), UTC) - timedelta(days=delay)
        at += timedelta(minutes=dice.randrange(1440))
        row = {
            "payment_id": f"{on}-{number}",
            "card_id": dice.choice("abc"),
            "amount": dice.randrange(999) / 100,
        }
        lines.append(json.dumps(row | {"ts": at.isoformat()}))
    project.write(f"raw/payments/{on}.jsonl", "\n".join(lines) + "\n")


def keep_states_and_a_file_a_day(project: Any) -> None:
    config = (project.folder / "base.yml").read_text()
    one_day = config.replace("{root: raw}", "{root: raw, days_per_batch: 1}")
    project.write("base.yml", one_day + KEEPS_STATES)


def midnight(on: date) -> datetime:
    return datetime.combine(on, datetime.min.time(), UTC)


def states(project: Any) -> list[datetime]:
    """The instants of the states that are kept."""
    found = project.lake.read(FEATURE_STATES.name).select("known_before").distinct().collect()
    return sorted(row["known_before"].replace(tzinfo=UTC) for row in found)


def rows(project: Any, where: str = "true") -> Counter[str]:
    table = project.lake.read(TABLE).where(where)
    return Counter(row[0] for row in table.select(F.to_json(F.struct("*"))).collect())


def restated(project: Any, known_before: datetime) -> set[tuple[str, str, str, str]]:
    """What a build said of counts and sums: row, feature, value as known, value had all come in time."""
    table = project.lake.read("restatements").where(F.col("known_before") == known_before)
    names = tuple(BRUTE)
    found = table.where(F.col("feature").isin(*names)).collect()
    return {(row["row_id"], row["feature"], row["as_known"], row["restated"]) for row in found}


def restated_by_hand(project: Any) -> set[tuple[str, str, str, str]]:
    """The same of all rows that are built, by looking at every event for each."""
    events = project.lake.read("events_payments").collect()
    found = set()
    for probe in project.lake.read(TABLE).collect():
        for name, (span, value) in BRUTE.items():
            seen = {"known_at": 0, "told_at": 0}
            for event in events:
                is_of_key = event["card_id"] == probe["card_id"]
                if is_of_key and probe["as_of"] - span <= event["event_at"] < probe["as_of"]:
                    for at in seen:
                        seen[at] += value(event) * (event[at] < probe["as_of"])
            cells = [str(one) for one in seen.values()]
            if cells[0] != cells[1]:
                found.add((probe["payment_id"], name, *cells))
    return found


def run(project: Any, job: Any, *argv: str) -> Any:
    return run_job(job, ["--config", project.config, *argv]).outcome


def build_in_turn(project: Any, capsys: pytest.CaptureFixture[str], *ends: date) -> str:
    """Build from the first day to each of some days in turn; returns what the last build said."""
    for begin, end in pairwise((FIRST, *ends)):
        run(project, BuildFeatures, "--from", str(begin), "--to", str(end))
        told = capsys.readouterr().err
    return told


def check_that_a_rebuild_gives_the_same(project: Any) -> None:
    increment = rows(project)
    run(project, BuildFeatures, "--replace")
    assert rows(project) == increment


def test_day_by_day_equals_one_full_build_and_what_was_built_never_changes(project: Any) -> None:
    project.definitions("windows=[days(1)]", "windows=[days(1), days(2), LIFETIME]")
    text = (project.folder / "definitions.py").read_text()
    text = text.replace('count("payments"), total("amount"), largest("amount")', MEASURES)
    text = text.replace("days, largest, total", IMPORTS).replace("import Entity", "import LIFETIME, Entity")
    project.write("definitions.py", text)
    project.write("base.yml", (project.folder / "base.yml").read_text() + KEEPS_STATES)
    dice = random.Random(7)
    built: Counter[str] = Counter()
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        delays = [0] * 12 + ([dice.randrange(1, number + 1) for _ in range(4)] if number else [])
        deliver(project, dice, day, delays)
        run(project, IngestLogs)
        span = ("--from", str(day), "--to", str(day + timedelta(days=1)))
        outcome = run(project, BuildFeatures, *span)
        assert outcome.rows_out == len(delays)
        assert latest_seal(project.lake) == datetime.combine(day, datetime.min.time(), UTC) + timedelta(
            days=1
        )
        after = rows(project)
        assert built <= after, "a row that was built before has changed"
        built = after
        if number:
            told = restated(project, datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1))
            assert len({feature for _, feature, _, _ in told}) == len(BRUTE)
            assert told == restated_by_hand(project)
    assert built.total() == 12 * DAYS + 4 * (DAYS - 1)
    assert states(project) == [midnight(FIRST + timedelta(days=number)) for number in (1, 2)]

    before = project.lake.read(SEALS.name).count()
    run(project, BuildFeatures, "--replace")
    assert rows(project) == built
    assert project.lake.read(SEALS.name).count() == before


def test_a_day_reads_what_its_windows_hold_and_the_state(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project.definitions(
        "windows=[days(1)], measures=[count",
        "windows=[days(1), Window('all', None)], measures=[count",
    )
    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("import Entity", "import Window, Entity"))
    keep_states_and_a_file_a_day(project)
    dice = random.Random(7)
    for number in range(5):
        deliver(project, dice, FIRST + timedelta(days=number), [0] * 9)
    run(project, IngestLogs)
    last = ("--from", "2026-03-05", "--to", "2026-03-06")
    run(project, BuildFeatures, "--to", "2026-03-05")
    run(project, BuildFeatures, *last)
    assert "features_payments reads 2 of 5 files of events_payments" in capsys.readouterr().err
    assert states(project) == [midnight(date(2026, 3, 5))]
    check_that_a_rebuild_gives_the_same(project)
    before = rows(project, "as_of >= '2026-03-05'")

    # History that comes later is in no state yet, though it was known before.
    contracts = (project.folder / "contracts/logs.yml").read_text()
    key, declared = "key: [payment_id]", "backfill: {first: 2026-02-02, until: 2026-02-03}"
    project.write("contracts/logs.yml", contracts.replace(key, f"{key}\n{declared}", 1))
    deliver(project, dice, date(2026, 2, 2), [0] * 9)
    run(project, IngestLogs)
    run(project, BuildFeatures, *last)
    increment = rows(project, "as_of >= '2026-03-05'")
    assert not increment & before
    run(project, BuildFeatures, "--replace")
    assert rows(project, "as_of >= '2026-03-05'") == increment


def test_of_a_revised_log_a_day_reads_what_its_windows_hold_and_keys_that_were_revised_since(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project.revise_disputes()
    project.definitions(
        'source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]',
        'source="disputes", source_key="payment_id", windows=[days(1), LIFETIME], measures=[count("disputes")]',
    )
    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("import Entity", "import LIFETIME, Entity"))
    keep_states_and_a_file_a_day(project)

    def disputes(on: date, names: str, **changes: str) -> None:
        """A file with a dispute of each card; ``changes`` make it a revision of one of another day."""
        lines = [
            {
                "message_id": f"{on} {name}",
                "dispute_id": f"{on} {name}",
                "payment_id": name,
                "ts": f"{on}T05:00:00Z",
            }
            | {key: value.format(name=name) for key, value in changes.items()}
            for name in names
        ]
        project.write(f"raw/disputes/{on}.jsonl", "\n".join(map(json.dumps, lines)) + "\n")

    dice = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in range(7)]
    for day in days[:5]:
        deliver(project, dice, day, [0] * 9)
        if day != days[1]:
            disputes(day, "abc")
    disputes(days[1], "a", action="void", dispute_id=f"{FIRST} {{name}}")
    run(project, IngestLogs)
    run(project, BuildFeatures, "--to", str(days[4]))
    run(project, BuildFeatures, "--from", str(days[4]), "--to", str(days[5]))
    # Of the fifth day nothing is known yet.
    assert "features_payments reads 1 of 5 files of events_disputes" in capsys.readouterr().err

    deliver(project, dice, days[5], [0] * 9)
    disputes(days[5], "b", action="amend", dispute_id=f"{FIRST} {{name}}", ts=f"{FIRST}T05:00:00Z")
    run(project, IngestLogs)
    run(project, BuildFeatures, "--from", str(days[5]), "--to", str(days[6]))
    assert "features_payments reads 6 of 6 files of events_disputes" in capsys.readouterr().err
    check_that_a_rebuild_gives_the_same(project)


def test_of_a_log_of_links_a_day_reads_what_came_since_the_state(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project.definitions(
        'source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]',
        'source=Link(source="disputes", on="payment_id", through="payments"), windows=[days(2), LIFETIME], '
        'measures=[count("disputes")]',
    )
    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("import Entity", "import LIFETIME, Link, Entity"))
    keep_states_and_a_file_a_day(project)
    dice = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in range(6)]
    for day in days[:5]:
        deliver(project, dice, day, [0] * 9)
        told = [
            {"dispute_id": f"{day} {number}", "payment_id": f"{of}-{number}", "ts": f"{day}T05:00:00Z"}
            for number in range(3)
            for of in (FIRST, day)[number % 2 :]
        ]
        project.write(f"raw/disputes/{day}.jsonl", "\n".join(map(json.dumps, told)) + "\n")
    run(project, IngestLogs)
    told_files = build_in_turn(project, capsys, *days[3:6])
    assert "features_payments reads 1 of 5 files of events_payments" in told_files
    assert states(project) == [midnight(day) for day in days[3:5]]
    assert project.lake.read(TABLE).where("card_disputes_lifetime > card_disputes_2d").count()
    check_that_a_rebuild_gives_the_same(project)


def test_of_a_log_that_is_looked_up_a_day_reads_what_came_since_the_state(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project.definitions(
        "groups=[group]",
        'groups=[group], lookups=[Lookup(entity=card, source="disputes", source_key="payment_id", '
        'columns=[expression("is_even", "dispute_id LIKE \'%0\'")], context=["dispute_id"])]',
    )
    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("import Entity", "import Lookup, expression, Entity"))
    keep_states_and_a_file_a_day(project)
    dice = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in range(6)]
    for number, day in enumerate(days[:5]):
        deliver(project, dice, day, [0] * 9)
        told = {
            "dispute_id": f"{day} {number % 2}",
            "payment_id": "abca"[number % 4],
            "ts": f"{day}T05:00:00Z",
        }
        project.write(f"raw/disputes/{day}.jsonl", json.dumps(told) + "\n")
    run(project, IngestLogs)
    told_files = build_in_turn(project, capsys, *days[3:6])
    assert "features_payments reads 1 of 5 files of events_disputes" in told_files
    latest = project.lake.read(TABLE).where(f"as_of >= '{days[4]}'").groupBy("card_dispute_id").count()
    assert {row[0] for row in latest.collect()} >= {f"{days[1]} 1", f"{days[2]} 0"}
    check_that_a_rebuild_gives_the_same(project)


def test_of_a_query_a_day_reads_as_far_as_it_looks_back(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    query = (
        'SqlSource(name="disputed", key=["dispute_id"], lookback={}, sql="SELECT dispute_id, p.card_id, '
        "d.event_at, greatest(p.known_at, d.known_at) AS known_at "
        'FROM {{disputes}} d JOIN {{payments}} p USING (payment_id)")'
    )
    project.definitions(
        'source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]',
        f'source={query.format("days(3)")}, windows=[days(1), LIFETIME], measures=[count("disputes")]',
    )
    text = (project.folder / "definitions.py").read_text()
    project.write(
        "definitions.py", text.replace("import Entity", "import LIFETIME, SqlSource, hours, Entity")
    )
    keep_states_and_a_file_a_day(project)
    dice = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in range(9)]
    for number, day in enumerate(days[:8]):
        deliver(project, dice, day, [0] * 9)
        # Told a day later, the last ones are of payments that come then.
        of = days[number + 1 if number > 5 else max(number - 1, 0)]
        told = [
            {"dispute_id": f"{day} {n}", "payment_id": f"{of}-{n}", "ts": f"{day}T05:00:00Z"}
            for n in range(9)
        ]
        project.write(f"raw/disputes/{day}.jsonl", "\n".join(map(json.dumps, told)) + "\n")
    run(project, IngestLogs)
    told_files = build_in_turn(project, capsys, *days[6:9])
    assert "features_payments reads 5 of 8 files of events_payments" in told_files
    assert "features_payments reads 5 of 8 files of events_disputes" in told_files
    assert project.lake.read(TABLE).where("card_disputes_lifetime > card_disputes_1d").count()
    check_that_a_rebuild_gives_the_same(project)

    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("lookback=days(3)", "lookback=hours(20)"))
    # Nothing of the last day looks back too far, but what is read for its windows does.
    check_that_a_query_is_refused(project, days[5], "--from", str(days[7]), "--to", str(days[8]))
    project.write("base.yml", (project.folder / "base.yml").read_text().replace(KEEPS_STATES, ""))
    check_that_a_query_is_refused(project, days[5], "--from", str(days[6]), "--to", str(days[7]))
    check_that_a_query_is_refused(project, days[3], "--from", str(days[0]), "--to", str(days[8]))


def check_that_a_query_is_refused(project: Any, of: date, *span: str) -> None:
    """A build refuses the query of disputes for one of that day."""
    told = rf'disputed says it looks back 20h; .* it gives only then {{"dispute_id":"{of} '
    with pytest.raises(RefusedError, match=told):
        run(project, BuildFeatures, *span)


def test_what_comes_after_a_seal_is_known_after_it_unless_it_is_declared_as_history(project: Any) -> None:
    dice = random.Random(7)
    deliver(project, dice, FIRST, [0])
    run(project, IngestLogs)
    run(project, BuildFeatures)
    seal = latest_seal(project.lake)
    assert seal == datetime(2026, 3, 2, tzinfo=UTC)
    for number, on in enumerate((date(2026, 2, 1), date(2026, 2, 2)), start=1):
        deliver(project, dice, on, [0])
        if number == 2:
            contracts = (project.folder / "contracts/logs.yml").read_text()
            declared = contracts.replace(
                "key: [payment_id]", "key: [payment_id]\nbackfill: {first: 2026-02-02, until: 2026-02-03}", 1
            )
            project.write("contracts/logs.yml", declared)
        run(project, IngestLogs)
    events = project.lake.read("events_payments").where("event_at < '2026-03-01'")
    found = {row["payment_id"]: (row["known_at"], row["event_at"]) for row in events.collect()}
    assert found["2026-02-01-0"][0].replace(tzinfo=UTC) == seal
    assert found["2026-02-02-0"][0] == found["2026-02-02-0"][1]
