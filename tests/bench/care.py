"""How many of those who are hurt or in danger are recognised, how many rumours are taken for them, and how fast."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import yaml

from bot.app import carer, load_content, rumour_finder, tongues
from bot.features.rumours.find import Finder
from bot.library.load import Library
from bot.matching.care import CARE, Care
from bot.matching.spelled import spelled
from bot.matching.told import TOLD, Ear, Told
from tests.bench.figure import Figure, percentile
from tests.serving import ROOT

Lists = dict[str, dict[str, list[str]]]
SENTENCES: Lists = yaml.safe_load((ROOT / "tests/care.yaml").read_text(encoding="utf-8"))
SECOND: Lists = yaml.safe_load((ROOT / "tests/care_second.yaml").read_text(encoding="utf-8"))
CARES = ("danger", "hurt")
LABELLED = "labelled sentences of tests/care.yaml, which are also among the examples"
UNSEEN = "tests/care_second.yaml, without any example that shares most of its words with one of them"
FOLDED = "content/care/examples, each topic judged by an ear that learnt from the others"
# List, signs that count, the bar, its side.
BARS: tuple[tuple[str, tuple[str, ...], float, str], ...] = (
    ("danger", ("danger",), 0.90, "at least"),
    ("danger", CARES, 0.95, "at least"),
    ("hurt", CARES, 0.90, "at least"),
    ("neither", CARES, 0.03, "at most"),
    ("insult", ("insult",), 0.85, "at least"),
    ("not_insult", ("insult",), 0.05, "at most"),
)
LISTS = ("danger", "hurt", "neither")
MILLISECONDS_BAR = 2.0
FOLDS = 6
ALIKE = 0.55  # the share of the shorter sentence's words from which two are no longer independent
SHORT = 3  # words that say nothing of their own
Keep = Callable[[str, str, int], bool]
"""Whether an example is learnt from: its topic's name, its text, its topic's number."""


def figures() -> Iterator[Figure]:
    """Yield care_<list>_as_<signs>_<language>, the share of its sentences that are taken so; then time and memory."""
    content = load_content(ROOT / "content")
    library, finder = content.library, rumour_finder(content, tongues(content.library))
    care = carer(library, finder)
    for language, said in SENTENCES.items():
        for name, signs, bar, side in BARS:
            called = f"care_{name}_as_{'_or_'.join(signs)}_{language}"
            more: dict[str, object] = {"sentences": len(said[name])}
            at_most = side == "at most"
            yield Figure(
                called, rate(care, said[name], *signs), LABELLED, bar, "at most" if at_most else "at least", more
            )
    yield from _rates("unseen", SECOND, independent(library, finder), UNSEEN)
    yield from _folded(library, finder)
    yield from _costs(library, finder, care)


def _rates(called: str, lists: Lists, care: Care, against: str) -> Iterator[Figure]:
    for language, said in lists.items():
        for name in LISTS:
            taken = [care.recognise(text) for text in said[name]]
            shares: dict[str, object] = {
                sign: round(sum(one == sign for one in taken) / len(taken), 3) for sign in CARES
            }
            yield Figure(
                f"care_{called}_{name}_{language}",
                sum(sign in CARES for sign in taken) / len(taken),
                against,
                more={"sentences": len(taken), **shares},
            )


def _folded(library: Library, finder: Finder) -> Iterator[Figure]:
    """Yield the rates of the examples themselves, topic by topic, each judged by what the others teach."""
    examples = library.all(TOLD, next(iter(library.pack.languages)))
    ears = [taught(library, finder, _all_but(fold)) for fold in range(FOLDS)]
    for language, told in examples.items():
        for name in LISTS:
            taken = [
                ears[number % FOLDS].recognise(text) in CARES
                for number, texts in enumerate(getattr(told, name).values())
                for text in texts
            ]
            more: dict[str, object] = {"sentences": len(taken)}
            yield Figure(f"care_folded_{name}_{language}", sum(taken) / len(taken), FOLDED, more=more)


def _all_but(fold: int) -> Keep:
    return lambda _topic, _text, number: number % FOLDS != fold


def _costs(library: Library, finder: Finder, care: Care) -> Iterator[Figure]:
    took = [_took(care, text) for said in SENTENCES.values() for texts in said.values() for text in texts]
    more: dict[str, object] = {"p99_ms": percentile(took, 0.99)}
    yield Figure("care_ms", percentile(took, 0.5), "none: milliseconds", MILLISECONDS_BAR, "at most", more)
    began = time.process_time()
    carer(library, finder).recognise("learnt")
    yield Figure("care_learning_s", time.process_time() - began, "none: seconds of a processor, patterns and all")
    tracemalloc.start()
    kept = taught(library, finder, lambda _topic, _text, _number: True)  # other sentences than above: learnt afresh
    kept.recognise("learnt")
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Figure("care_megabytes", now / 1e6, "none: patterns and weights", more={"peak": round(peak / 1e6, 1)})


def independent(library: Library, finder: Finder) -> Care:
    """Return a care that learnt from no example like a sentence of the second list."""
    second = [set(spelled(text)) for said in SECOND.values() for name in LISTS for text in said[name]]
    holding: dict[str, list[int]] = {}
    for number, words in enumerate(second):
        for word in words:
            holding.setdefault(word, []).append(number)

    def keep(_topic: str, text: str, _number: int) -> bool:
        words = set(spelled(text))
        shared = Counter(number for word in words for number in holding.get(word, ()))
        alike = any(count / min(len(words), len(second[number])) >= ALIKE for number, count in shared.items())
        return len(words) <= SHORT or not alike

    return taught(library, finder, keep)


def taught(library: Library, finder: Finder, keep: Keep) -> Care:
    """Return a care that learnt only from the examples that `keep` lets through."""
    original = next(iter(library.pack.languages))
    ear = Ear([_kept(told, keep) for told in library.all(TOLD, original).values()], finder.phrases)
    return Care(library.all(CARE, original), ear, lambda text: finder.find(text).decision == "answer")


def _kept(told: Told, keep: Keep) -> Told:
    lists = {
        name: {
            topic: [text for text in texts if keep(topic, text, number)]
            for number, (topic, texts) in enumerate(getattr(told, name).items())
        }
        for name in LISTS
    }
    return told.model_copy(update=lists)


def rate(care: Care, texts: Sequence[str], *signs: str) -> float:
    """Return the share of `texts` that are taken for one of `signs`."""
    return sum(care.recognise(text) in signs for text in texts) / len(texts)


def _took(care: Care, text: str) -> float:
    began = time.perf_counter()
    care.recognise(text)
    return (time.perf_counter() - began) * 1000
