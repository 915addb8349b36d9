"""The user's Python: loaded once, every mistake at once with its line, and a fingerprint of what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.declare import count, days
from jobs.definitions import load_definitions
from lake.contracts import Contract, read_contracts
from lake.errors import ConfigError

CONTRACTS = """\
log: payments
description: Payments
files: {pattern: "p/{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns:
  payment_id: {type: string}
  card_id: {type: string}
  amount: {type: "decimal(18,2)"}
---
log: disputes
description: Disputes
files: {pattern: "d/{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns:
  payment_id: {type: string}
"""
HEAD = """\
from datetime import timedelta
from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days, expression, total
from features.labels import Label
from training.model import Model
card = Entity("card", key="card_id")
"""
MEASURES = 'measures=[count("n"), total("amount")]'
GROUP = f'group = FeatureGroup(entity=card, source="payments", windows=[days(1)], {MEASURES})\n'
VIEW = 'view = FeatureView(name="v", spine=Spine(source="payments", row="payment_id"), groups=[group])\n'
LABEL = 'Label(source="disputes", on="payment_id", fraud="true", matures_after=timedelta(days=1))'
MODEL = f'model = Model(name="m", view=view, label={LABEL})\n'
GOOD = HEAD + GROUP + VIEW + MODEL


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contract]:
    path = tmp_path_factory.mktemp("contracts") / "logs.yml"
    path.write_text(CONTRACTS, encoding="utf-8")
    return read_contracts([str(path)])


def write(folder: Path, text: str) -> str:
    path = folder / "definitions.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def mistakes(place: str, contracts: dict[str, Contract] | None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_definitions(place, contracts)
    return list(caught.value.mistakes)


def test_views_and_models_are_found_by_name(tmp_path: Path, contracts: dict[str, Contract]) -> None:
    found = load_definitions(write(tmp_path, GOOD + "again = view\n"), contracts)
    assert list(found.views) == ["v"]
    assert found.only_model().name == "m"
    names = ("has_card", "has_card_history", "card_n_1d", "card_amount_sum_1d")
    assert found.views["v"].features == names


def test_a_models_view_need_not_have_a_name_of_its_own(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    text = HEAD + GROUP + MODEL.replace("view=view", "view=" + VIEW.removeprefix("view = ").strip())
    assert list(load_definitions(write(tmp_path, text), contracts).views) == ["v"]


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path, contracts: dict[str, Contract]) -> None:
    place = write(
        tmp_path,
        HEAD
        + 'a = FeatureGroup(entity=card, source="refunds", windows=[days(1)], measures=[count("n")])\n'
        + 'b = FeatureGroup(entity=card, source="payments", windows=[days(1)], measures=[total("price"), count("n")])\n'
        + 'c = FeatureGroup(entity=card, source="payments", windows=[], measures=[count("n")])\n'
        + 'view = FeatureView(name="v", spine=Spine(source="payments", row="id", columns=["amount", '
        + 'expression("label", "1"), expression("card_id", "2")]), groups=[a, b, c])\n'
        + MODEL.replace('on="payment_id"', 'on="id"').replace('"disputes"', '"payments"')
        + MODEL.replace("model =", "other =").replace('"m"', '"n"').replace('"disputes"', '"chargebacks"'),
    )
    columns = "it has amount, card_id, event_at, known_at, payment_id"
    assert mistakes(place, contracts) == [
        f"{place}:9: spine of v: payments has no column id; {columns}",
        f"{place}:6: group of card: no contract declares the log refunds; there are disputes, payments",
        f"{place}:7: group of card: payments has no column price; {columns}",
        f"{place}:8: group of card has no windows or no measures; give one of each",
        f"{place}:9: view v names card_n_1d 2 times; rename a measure",
        f"{place}:9: view v names a feature label, which is reserved; rename it",
        f"{place}:9: card_id of view v is a key or context, and a feature too; rename the feature",
        f"{place}:10: payments has no column id; {columns}",
        f"{place}:11: no contract declares the label log chargebacks; there are disputes, payments",
    ]


def test_what_is_not_of_the_type_a_declaration_takes_is_told_with_its_line(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    place = write(
        tmp_path,
        HEAD
        + 'a = FeatureGroup(entity="card", source="payments", windows=["1d"], measures=[[count("n")]])\n'
        + 'b = FeatureGroup(entity=card, source="payments", windows=days(1), measures=["mode", total(3)])\n'
        + 'view = FeatureView(name="v", spine=Spine(source="payments", row=7, as_of="now"), groups=[a, b, count])\n'
        + GROUP
        + VIEW.replace('"v"', '"w"').replace("view =", "other =")
        + MODEL.replace("timedelta(days=1)", "1").replace("view=view", "view=other"),
    )
    found = mistakes(place, contracts)
    assert found == [
        f"{place}:8: row of Spine takes str; found 7",
        f"{place}:8: as_of of Spine takes Literal['event_at', 'known_at'] | Calendar; found 'now'",
        f"{place}:8: groups of FeatureView takes Sequence[FeatureGroup]; found {count!r}",
        f"{place}:11: matures_after of Label takes timedelta; found 1",
    ]
    place = write(tmp_path, Path(place).read_text(encoding="utf-8").replace("[a, b, count]", "[a, b]"))
    assert mistakes(place, contracts)[2:7] == [
        f"{place}:6: entity of FeatureGroup takes Entity; found 'card'",
        f"{place}:6: windows of FeatureGroup takes Sequence[Window]; found '1d'",
        f"{place}:6: measures of FeatureGroup takes Sequence[Measure]; found [{count('n')!r}]",
        f"{place}:7: windows of FeatureGroup takes Sequence[Window]; found {days(1)!r}",
        f"{place}:7: measures of FeatureGroup takes Sequence[Measure]; found 'mode'",
    ]


def test_two_views_or_models_of_one_name_are_a_mistake(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    place = write(tmp_path, GOOD + VIEW.replace("view =", "other ="))
    assert mistakes(place, contracts) == [f"{place}:9: view v is declared at {place}:7 too; rename one"]
    place = write(tmp_path, GOOD + MODEL.replace("model =", "other ="))
    assert mistakes(place, contracts) == [f"{place}:9: model m is declared at {place}:8 too; rename one"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\ny = (\n", ":2: cannot be loaded: '(' was never closed"),
        ("x = 1\ny = z\n", ":2: cannot be loaded: NameError: name 'z' is not defined"),
        ("\nfrom features.declare import Gruop\n", ":2: cannot be loaded: ImportError: cannot import name 'Gruop'"),
        ("import absent_package\n", ":1: cannot be loaded: ModuleNotFoundError: No module named 'absent_package'"),
        ("from features.declare import days\ndays()\n", ":2: cannot be loaded: TypeError: days() missing 1 required"),
        ("import features.declare\nfeatures.declare.wekks(1)\n", ":2: cannot be loaded: AttributeError: module"),
        ("x = int('one')\n", ":1: cannot be loaded: ValueError: invalid literal for int()"),
        ("x = {}['one']\n", ":1: cannot be loaded: KeyError: 'one'"),
        ("x = 1\n", ": declares no FeatureView and no Model at its top level"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_loaded_is_named_with_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    place = write(tmp_path, text)
    (found,) = mistakes(place, None)
    assert found.startswith(place + expected)


def test_an_absent_file_or_module_is_named(tmp_path: Path) -> None:
    assert mistakes(f"{tmp_path}/absent.py", None) == [
        f"{tmp_path}/absent.py: no such file; correct `definitions`"
    ]
    assert mistakes("absent.package", None) == [
        "absent.package: cannot be loaded: ModuleNotFoundError: No module named 'absent'"
    ]


def test_one_model_is_expected(tmp_path: Path, contracts: dict[str, Contract]) -> None:
    none = load_definitions(write(tmp_path, HEAD + GROUP + VIEW), contracts)
    with pytest.raises(ConfigError, match="definitions hold 0 models; this job trains exactly one"):
        none.only_model()


def test_the_fingerprint_changes_with_what_is_declared_and_not_with_where(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    def fingerprint(text: str) -> str:
        return load_definitions(write(tmp_path, text), contracts).hash

    assert fingerprint(GOOD) == fingerprint("\n\n" + GOOD)
    changed = [
        GOOD.replace("days(1)], m", "days(2)], m"),
        GOOD.replace('fraud="true"', 'fraud="false"'),
        GOOD.replace("timedelta(days=1)", "timedelta(days=2)"),
    ]
    assert len({fingerprint(text) for text in [GOOD, *changed]}) == 4


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'fraud="true"',
            'fraud="true", supersedes={"payments": "payment_id"}',
            "labels of disputes supersede those of payments, which is no source of the model's labels; they come",
        ),
        (
            'fraud="true"',
            'fraud="true", supersedes={"disputes": "label_id"}',
            "disputes has no column label_id; it has",
        ),
        (
            f"label={LABEL}",
            f"label=[{LABEL}, {LABEL}]",
            "labels come from disputes, disputes; give at least one source, and",
        ),
        (f"label={LABEL}", "label=[]", "labels come from none; give at least one source, and each once"),
        (
            f"label={LABEL}",
            f'label={LABEL}, monotone={{"card_m_1d": 1}}',
            "monotone says 1 of card_m_1d; name a feature of v",
        ),
        (
            f"label={LABEL}",
            f'label={LABEL}, monotone={{"card_n_1d": 2}}',
            "monotone says 2 of card_n_1d; name a feature of v",
        ),
    ],
)
def test_labels_and_monotone_features_that_do_not_fit_are_told(
    tmp_path: Path, contracts: dict[str, Contract], old: str, new: str, expected: str
) -> None:
    place = write(tmp_path, GOOD.replace(old, new))
    (found,) = mistakes(place, contracts)
    assert found.startswith(f"{place}:8: ")
    assert expected in found


def test_a_category_has_no_order_for_a_score_to_follow(
    tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    text = HEAD.replace("import Entity", "import category, Entity") + GROUP
    text += VIEW.replace(
        'row="payment_id"', 'row="payment_id", columns=[category("card_id", name="bank", codes=16)]'
    )
    text += MODEL.replace("view=view", 'view=view, monotone={"bank": 1}')
    (found,) = mistakes(write(tmp_path, text), contracts)
    assert "monotone names bank, whose codes have no order; leave it out" in found
    assert load_definitions(write(tmp_path, text.replace(', monotone={"bank": 1}', "")), contracts).views[
        "v"
    ].categorical == ("bank",)
