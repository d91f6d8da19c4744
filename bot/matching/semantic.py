"""A sentence model of the operator's own: how alike two texts are in meaning, whatever their words.

Off unless a folder is named. Nothing is ever downloaded, and what it needs is imported only then: the extra
`hearsay[semantic]`. It also hears what such models are deaf to, so it never decides alone: "they take our jobs" and
"they don't take our jobs" are nearly the same to it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import exp, log
from pathlib import Path
from typing import Any

from bot.matching.index import Match, Phrasing
from bot.matching.tongue import READ

Voice = Callable[[str], Mapping[str, float]]
"""Return entry → how alike a text is to what is said of it: 0 as to what is not meant, 1 as to what means the same."""

MODELS = ("model.onnx", "onnx/model.onnx")
TOKENIZER = "tokenizer.json"
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
LONGEST = 128  # tokens of a text
BATCH = 64  # texts at once
SAMPLE = 200  # phrasings by which it is measured what alike means to this model
ALIKE = 0.5  # from here on an entry is worth asking for, though its words are others
VOTE = 1.5  # log-odds that full likeness adds to how sure the words make, and none at all takes away
LEAST, SUREST = 0.15, 0.95  # how sure words are at least and at most: neither their lack nor they alone settle it
SPLIT = 0.5  # how sure two voices that name different entries can be
MOST = 5

Array = Any  # numpy's, which is there only with the extra


class ModelError(Exception):
    """The folder holds no model that can be used; the message says why, and what would be good."""


class Model:
    """A tokenizer and a session of onnxruntime, as one function from texts to vectors of length 1."""

    def __init__(self, tokenizer: Any, session: Any) -> None:
        self._tokenizer = tokenizer
        self._session = session
        self._inputs = [given.name for given in session.get_inputs()]

    def vectors(self, texts: Sequence[str]) -> Array:
        """Return a row for each text. Raises `ModelError` where the model does not give sentences or words."""
        import numpy as np

        rows = [self._batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(rows)

    def voice(self, phrasings: Sequence[Phrasing]) -> Voice | None:
        """Return what judges texts by these phrasings; None where it cannot tell their entries apart."""
        if len({phrasing.entry for phrasing in phrasings}) < 2:
            return None
        texts = list(dict.fromkeys(phrasing.text for phrasing in phrasings))
        vectors = self.vectors([text[:READ] for text in texts])
        known = vectors[[texts.index(phrasing.text) for phrasing in phrasings]]
        return judged(self, [phrasing.entry for phrasing in phrasings], known)

    def _batch(self, texts: Sequence[str]) -> Array:
        import numpy as np

        encoded = self._tokenizer.encode_batch([text[:READ] for text in texts])
        mask = np.array([found.attention_mask for found in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([found.ids for found in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        found = self._session.run(None, {name: given[name] for name in self._inputs})
        return _normal(_sentences(found, mask))


def load(folder: Path) -> Model:
    """Return the model in `folder`: `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`. Raises `ModelError`."""
    paths = [folder / name for name in MODELS if (folder / name).is_file()]
    if not folder.is_dir():
        raise ModelError("there is no such folder")
    if not paths or not (folder / TOKENIZER).is_file():
        raise ModelError(f"it is no sentence model: a folder holds {MODELS[0]} and {TOKENIZER}")
    try:
        import onnxruntime
        import tokenizers
    except ImportError as error:
        raise ModelError("the extra is not installed; pip install 'hearsay[semantic]'") from error
    try:
        model = _opened(tokenizers, onnxruntime, folder / TOKENIZER, paths[0])
        model.vectors(["one sentence", "and another, which is longer"])
    except ModelError:
        raise
    except Exception as error:  # both libraries raise whatever they like about a file that is not theirs
        raise ModelError(f"it is no sentence model: {type(error).__name__}") from error
    return model


def _opened(tokenizers: Any, onnxruntime: Any, tokenizer: Path, model: Path) -> Model:
    read = tokenizers.Tokenizer.from_file(str(tokenizer))
    read.enable_truncation(LONGEST)
    if read.padding is None:
        read.enable_padding()
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    if strange := {given.name for given in session.get_inputs()} - INPUTS:
        raise ModelError(f"it is no sentence model: it asks for {', '.join(sorted(strange))}")
    return Model(read, session)


def _sentences(outputs: Sequence[Array], mask: Array) -> Array:
    """Return a row for each text: the model's own, or the mean over its words."""
    for found in outputs:
        if found.ndim == 2 and len(found) == len(mask):
            return found
    for found in outputs:
        if found.ndim == 3 and found.shape[:2] == mask.shape:
            weights = mask[:, :, None]
            return (found * weights).sum(axis=1) / weights.sum(axis=1).clip(min=1)
    raise ModelError("it is no sentence model: it gives neither sentences nor words")


def _normal(rows: Array) -> Array:
    import numpy as np

    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-9)


def judged(model: Model, entries: Sequence[str], known: Array) -> Voice | None:
    """Return the voice that knows `known`, a row for each of `entries`; measured on themselves, left out in turn."""
    import numpy as np

    names = sorted(set(entries))
    number = {name: place for place, name in enumerate(names)}
    places = np.array([number[entry] for entry in entries])
    means = np.array([name.rpartition("/")[2] for name in names])[places]  # a city's own means the same as the shared
    picked = np.unique(np.linspace(0, len(entries) - 1, min(SAMPLE, len(entries))).astype(int))
    likeness = known[picked] @ known.T
    likeness[np.arange(len(picked)), picked] = -1
    same = means[picked][:, None] == means[None, :]
    own = np.where(same, likeness, -1).max(axis=1)
    strange = float(np.median(np.where(same, -1, likeness).max(axis=1)))
    span = float(np.median(own)) - strange
    if span <= 0:
        return None

    @lru_cache(1)  # a message is looked at several times
    def similar(text: str) -> Mapping[str, float]:
        best = np.full(len(names), -1.0)
        np.maximum.at(best, places, known @ model.vectors([text])[0])
        scores = ((best - strange) / span).clip(0, 1)
        return {name: float(score) for name, score in zip(names, scores, strict=True) if score > 0}

    return similar


def here(likeness: Mapping[str, float], city: str) -> Mapping[str, float]:
    """Return the likeness by plain ids: a city's own (`city/id`) before the shared one, no other city's."""
    own = {name.rpartition("/")[2]: score for name, score in likeness.items() if name.startswith(f"{city}/")}
    return {**{name: score for name, score in likeness.items() if "/" not in name}, **own}


def joined(matches: Sequence[Match], sure: float, likeness: Mapping[str, float]) -> tuple[tuple[Match, ...], float]:
    """Return the matches as words and meaning rank them together, and how sure both are of the first, 0 to 1.

    A match by words weighs its share of the highest score, and as much as meaning where they are as good as even. How
    sure they are is voted up or down by how alike the first is in meaning; where words and meaning name different
    entries, it is at most even.
    """
    most = max((match.score for match in matches), default=0.0) or 1.0
    by_words = {match.entry: match for match in matches}
    near = sorted((name for name, alike in likeness.items() if alike >= ALIKE), key=lambda name: -likeness[name])
    weight = 2 * sure / most
    shares = {name: weight * by_words[name].score if name in by_words else 0.0 for name in (*by_words, *near[:MOST])}
    ranked = sorted(shares, key=lambda name: -(shares[name] + likeness.get(name, 0.0)))[:MOST]
    if not ranked:
        return (), 0.0
    first = likeness.get(ranked[0], 0.0)
    voted = _voted(sure, first)
    agreed = bool(matches) and ranked[0] == matches[0].entry
    found = tuple(by_words.get(name) or Match(name, likeness[name], "") for name in ranked)
    return found, voted if agreed else min(voted, SPLIT)


def _voted(sure: float, alike: float) -> float:
    held = min(max(sure, LEAST), SUREST)
    return 1 / (1 + exp(-(log(held / (1 - held)) + VOTE * (2 * alike - 1))))
