"""Holds the operator's own sentence model to account: how it joins in, what it may not do, and what is no model."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.app import Content, learner, rumour_finder, sentence_model, tongues
from bot.features.rumours.entry import RUMOURS
from bot.features.rumours.find import Finder
from bot.matching.index import Match, Phrasing
from bot.matching.semantic import ModelError, here, joined, load
from bot.settings import SettingsError

JOBS, WAGES = Match("jobs", 2.0, "they take our jobs"), Match("wages", 1.0, "they work for less")
MEANS = {"work": "jobs", "employment": "jobs", "boss": "jobs", "flats": "homes", "rent": "homes", "housing": "homes"}


# -------------------- words and meaning together


@pytest.mark.parametrize(
    ("likeness", "first", "surer"),
    [
        ({"jobs": 1.0}, "jobs", True),
        ({"jobs": 0.1}, "jobs", False),
        ({}, "jobs", False),
        ({"wages": 1.0}, "wages", False),
        ({"homes": 1.0}, "jobs", False),
    ],
)
def test_meaning_votes_on_what_the_words_say(likeness: Mapping[str, float], first: str, surer: bool) -> None:
    found, sure = joined((JOBS, WAGES), 0.6, likeness)
    assert found[0].entry == first
    assert (sure > 0.6) is surer


def test_where_words_and_meaning_name_different_entries_it_is_even_at_most() -> None:
    _, sure = joined((JOBS, WAGES), 0.95, {"wages": 1.0})
    assert sure <= 0.5


def test_what_shares_no_word_is_offered_for_its_meaning_and_never_answered() -> None:
    found, sure = joined((), 0.0, {"homes": 1.0, "jobs": 0.2})
    assert [match.entry for match in found] == ["homes"]
    assert sure <= 0.5
    assert joined((), 0.0, {"homes": 0.2}) == ((), 0.0)


def test_a_citys_own_goes_before_the_shared_and_no_other_citys_is_heard() -> None:
    likeness = {"jobs": 0.2, "homes": 0.3, "north/jobs": 0.9, "south/jobs": 1.0}
    assert here(likeness, "north") == {"jobs": 0.9, "homes": 0.3}
    assert here(likeness, "") == {"jobs": 0.2, "homes": 0.3}


@pytest.fixture(scope="module")
def likeness() -> dict[str, float]:
    return {}


@pytest.fixture(scope="module")
def finder(content: Content, likeness: dict[str, float]) -> Finder:
    library = content.library
    rumours = {code: library.all(RUMOURS, code) for code in library.pack.languages}
    return Finder(rumours, tongues(library), voice=lambda _: likeness)


@pytest.mark.parametrize(
    ("text", "alike", "decision"),
    [
        ("the moon landing was filmed in a shed", {}, "none"),
        ("the moon landing was filmed in a shed", {"jobs": 1.0}, "offer"),
        ("they take our jobs", {"jobs": 1.0}, "answer"),
        ("the jobs are all taken now", {"homes": 1.0}, "offer"),
    ],
)
def test_a_voice_brings_what_no_word_finds_and_doubts_what_only_words_find(
    finder: Finder, likeness: dict[str, float], text: str, alike: Mapping[str, float], decision: str
) -> None:
    likeness.clear()
    likeness.update(alike)
    assert finder.find(text).decision == decision


def test_dehumanising_words_are_met_as_without_a_voice(
    content: Content, finder: Finder, likeness: dict[str, float]
) -> None:
    likeness.update(jobs=1.0)
    name, rumour = next((n, r) for n, r in content.library.all(RUMOURS, "en").items() if r.blocked)
    found = finder.find(rumour.blocked[0])
    assert found.blocked
    assert found.candidates[0].entry == name


# -------------------- what is no model


def test_a_folder_that_is_not_there_or_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds model\.onnx and tokenizer\.json"):
        load(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"none")
    with pytest.raises(ModelError, match=r"holds model\.onnx and tokenizer\.json"):
        load(tmp_path)


def test_the_setting_is_named_with_the_folder(content: Content, tmp_path: Path) -> None:
    learn = learner(tmp_path / "nowhere")
    assert learn
    with pytest.raises(SettingsError, match=r"HEARSAY_SEMANTIC=.*nowhere cannot be used: there is no such folder\."):
        learn([Phrasing("jobs", "they take our jobs")])
    assert learner(None) is None


def test_without_the_setting_nothing_of_it_is_imported() -> None:
    asked = "import sys, bot.matching.semantic; print({'onnxruntime', 'tokenizers', 'numpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "set()"


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"pip install 'hearsay\[semantic\]'"):
        load(tmp_path)


# -------------------- a real model, as small as can be: a vector for each word


def written(folder: Path, *, inputs: Sequence[str] = ("input_ids", "attention_mask"), flat: bool = False) -> Path:
    """Write a model in which words that mean the same have the same vector."""
    onnx: Any = pytest.importorskip("onnx")
    tokenizers: Any = pytest.importorskip("tokenizers")
    np: Any = pytest.importorskip("numpy")
    pytest.importorskip("onnxruntime")
    meanings = {meaning: number for number, meaning in enumerate(sorted(set(MEANS.values())), 1)}
    vocabulary = {"[PAD]": 0, "[UNK]": 1} | {word: number for number, word in enumerate(MEANS, 2)}
    table = np.zeros((len(vocabulary), len(meanings) + 1), dtype=np.float32)
    table[1, 0] = 1
    for word, meaning in MEANS.items():
        table[vocabulary[word], meanings[meaning]] = 1
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    shape: list[str | int] = ["batch", "words", table.shape[1]]
    if flat:
        axes = onnx.numpy_helper.from_array(np.array([1]), "axes")
        nodes.append(helper.make_node("ReduceSum", ["last_hidden_state", "axes"], ["sentence"], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "words",
        [helper.make_tensor_value_info(name, kind.INT64, ["batch", "words"]) for name in inputs],
        [helper.make_tensor_value_info("sentence", kind.FLOAT, ["batch", table.shape[1]])]
        if flat
        else [helper.make_tensor_value_info("last_hidden_state", kind.FLOAT, shape)],
        [onnx.numpy_helper.from_array(table, "table"), *([axes] if flat else [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    read = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, "[UNK]"))
    read.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    read.save(str(folder / "tokenizer.json"))
    return folder


SAID = [
    *(Phrasing("jobs", text) for text in ("work employment", "boss work", "employment boss they")),
    *(Phrasing("homes", text) for text in ("flats rent", "rent housing", "housing flats they")),
]


@pytest.mark.parametrize("flat", [False, True])
def test_a_text_is_like_what_means_the_same_in_other_words(tmp_path: Path, flat: bool) -> None:
    voice = load(written(tmp_path, flat=flat)).voice(SAID)
    assert voice
    assert voice("boss") == {"jobs": 1.0}
    assert voice("rent rent rent") == {"homes": 1.0}
    assert voice("zzz") == pytest.approx({"jobs": 0.447, "homes": 0.447}, abs=0.2)


def test_a_model_that_tells_no_entries_apart_has_no_voice(tmp_path: Path) -> None:
    model = load(written(tmp_path))
    assert model.voice([Phrasing("jobs", "work"), Phrasing("homes", "work"), Phrasing("jobs", "rent")]) is None
    assert model.voice([Phrasing("jobs", "work")]) is None
    assert model.voice([]) is None


def test_odd_texts_do_not_break_it(tmp_path: Path) -> None:
    voice = load(written(tmp_path)).voice(SAID)
    assert voice
    for text in ("", " ", "work " * 20_000, "\u200b", "🙂", "работа work"):
        assert all(0 <= score <= 1 for score in voice(text).values())


def test_a_model_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="asks for pixels"):
        load(written(tmp_path, inputs=("input_ids", "pixels")))
    (tmp_path / "model.onnx").write_bytes(b"no model at all")
    with pytest.raises(ModelError, match="it is no sentence model"):
        load(tmp_path)


def test_the_whole_pack_is_found_by_meaning_too(content: Content, tmp_path: Path) -> None:
    learn = learner(written(tmp_path))
    sentence_model.cache_clear()
    found = rumour_finder(replace(content, learn=learn), tongues(content.library)).find("they take our jobs")
    assert found.candidates[0].entry == "jobs"
