"""Lines of the quarantine without personal values: none is left, and nothing else changes."""

from __future__ import annotations

import json
import random

import pytest

from lake.contracts import Contract
from lake.hash_key import PREFIX, HashKey
from lake.ingest.hidden_text import hidden_line, personal_places

KEY = HashKey(b"a key that nobody guesses")
LOG = {
    "log": "logins",
    "description": "Logins",
    "files": {"pattern": "{day}.jsonl", "format": "json"},
    "key": ["id"],
    "event_at": "ts",
    "known_at": {"lag": "0s"},
    "columns": {
        "id": {"type": "string"},
        "ip": {"type": "string", "personal": True, "unknown": ["-"], "means": {"lo": "127.0.0.1"}},
        "device": {"type": "string", "personal": True, "from": ["$.device.id", "device"]},
    },
}
PLACES = personal_places(Contract.model_validate(LOG))
IP, DEVICE, A = KEY.hashed("10.1.2.3"), KEY.hashed("d7"), KEY.hashed("a")
WHOLE = [
    ('{"id": "a",  "ip": "10.1.2.3"}', f'{{"id": "a",  "ip": "{IP}"}}'),
    ('{"ip":"10.1.2.3","amount":1.50,"big":12345678901234567890.10}', None),
    ('{"ip": null, "device": null}', '{"ip": null, "device": null}'),
    ('{"ip": "-", "device": "d7"}', f'{{"ip": "-", "device": "{DEVICE}"}}'),
    ('{"ip": "lo"}', '{"ip": "lo"}'),
    (
        '{"device": {"id": "d7", "app": "x"}, "id": "d8"}',
        f'{{"device": {{"id": "{DEVICE}", "app": "x"}}, "id": "d8"}}',
    ),
    (
        '{"other": {"id": "e1"}, "device": {"id": "d7"}}',
        f'{{"other": {{"id": "e1"}}, "device": {{"id": "{DEVICE}"}}}}',
    ),
    ('{"ip": 1012, "id": "a"}', f'{{"ip": "{KEY.hashed("1012")}", "id": "a"}}'),
    (r'{"ip": "10.1\u002e2.3"}', f'{{"ip": "{IP}"}}'),
    (r'{"\u0069p": "10.1.2.3"}', f'{{"ip": "{IP}"}}'),
    ('{"ip": {"v4": "10.1.2.3"}}', None),
    ('{"ip": ["10.1.2.3", "10.1.2.3"]}', None),
    ('{"device": "{\\"id\\": \\"10.1.2.3\\"}"}', None),
    ('{"ip": "first", "ip": "10.1.2.3"}', None),
]
BROKEN = [
    ('{"id": "a", "ip": "10.1.2.3", "amou', f'{{"id": "{A}", "ip": "{IP}", "amou'),
    ('{"id": "a", "ip": "10.1', f'{{"id": "{A}", "ip": "{KEY.hashed("10.1")}"'),
    ('{"ip": 10.1.2.3}', f'{{"ip": "{IP}"}}'),
    ("{'ip': '10.1.2.3'}", f"{{'ip': \"{IP}\"}}"),
    ('[{"ip": "10.1.2.3"}]', f'[{{"ip": "{IP}"}}]'),
    ('{"ip": ["10.1.2.3", "10.1.2.3"', None),
    ('{"ip": "10.1.2.3\\', None),
    ('{"ip" : \t"10.1.2.3"} trailing', f'{{"ip" : \t"{IP}"}} trailing'),
    ("no json at all", "no json at all"),
    ("", ""),
]


def hide(value: str) -> str:
    return value if PREFIX in value else KEY.hashed(value)


@pytest.mark.parametrize(("line", "expected"), [*WHOLE, *BROKEN])
def test_personal_values_go_and_all_else_stays(line: str, expected: str | None) -> None:
    found = hidden_line(line, PLACES, hide)
    assert "10.1" not in found
    assert "10.1" not in found.replace("\\u002e", ".")
    if expected is not None:
        assert found == expected
    assert hidden_line(found, PLACES, hide) == found


def test_what_a_pattern_refuses_is_hashed_and_marked() -> None:
    columns = {
        "id": {"type": "string"},
        "ip": {"type": "string", "personal": True, "pattern": r"(\d+\.){3}\d+"},
    }
    places = personal_places(Contract.model_validate(LOG | {"columns": columns}))
    found = hidden_line('{"ip": "10.1.2"}', places, hide)
    assert found == f'{{"ip": "unfit-{KEY.hashed("10.1.2")}"}}'
    assert hidden_line(found, places, hide) == found
    assert hidden_line('{"ip": "10.1.2.3"}', places, hide) == f'{{"ip": "{IP}"}}'


def test_of_random_rows_only_the_personal_values_change() -> None:
    random.seed(5)
    for _ in range(2000):
        ip = ".".join(str(random.randint(100, 255)) for _ in range(4))
        device = f"device-{random.randint(10**6, 10**7)}"
        row: dict[str, object] = {
            "ip": ip,
            "id": random.choice(["a", '"quoted"', "ü\\", "x, y}"]),
            "device": random.choice([device, {"id": device, "app": random.choice(["x", None, 1.25])}]),
            "amount": random.choice([1.5, 7, "1,2", None, True]),
        }
        names = list(row)
        random.shuffle(names)
        row = {name: row[name] for name in names}
        line = json.dumps(row)
        found = hidden_line(line, PLACES, hide)
        place = row["device"]
        expected = row | {
            "ip": KEY.hashed(ip),
            "device": place | {"id": KEY.hashed(device)} if isinstance(place, dict) else KEY.hashed(device),
        }
        assert found == json.dumps(expected)
        cut = line[: random.randint(0, len(line))]
        assert ip not in hidden_line(cut, PLACES, hide)
        assert device not in hidden_line(cut, PLACES, hide)
