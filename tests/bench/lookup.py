"""How long it takes to find what a person's own words mean, and how heavy it is to be able to."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import yaml

from bot.app import load_content, tongues
from bot.features.rumours.entry import RUMOURS
from bot.features.rumours.find import Finder
from bot.kept import kept
from tests.bench.figure import Figure, percentile
from tests.bench.memory import resident
from tests.serving import ROOT

BAR = 2.0
MEGABYTES_BAR = 4.0


def figures() -> Iterator[Figure]:
    """Yield lookup_ms: the median over every sentence of tests/heard.yaml, asked as a person asks, in any language.

    Then lookup_mb: the resident megabytes that building the finder adds to a fresh process.
    """
    finder, _, _ = _built()
    heard = yaml.safe_load((ROOT / "tests" / "heard.yaml").read_text(encoding="utf-8"))
    sentences = [sentence for pairs in heard.values() for _, sentence in pairs]
    for sentence in sentences[:20]:
        finder.find(sentence)
    took = [_took(finder, sentence) for sentence in sentences]
    more: dict[str, object] = {"p99_ms": percentile(took, 0.99), "sentences": len(sentences)}
    yield Figure("lookup_ms", percentile(took, 0.5), "none: milliseconds", BAR, "at most", more)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        megabytes, seconds = fresh.submit(_weight).result()
    yield Figure("lookup_mb", megabytes, "none: megabytes", MEGABYTES_BAR, "at most", {"build_s": seconds})


def _built() -> tuple[Finder, float, float]:
    """Return the finder of the shipped content, the megabytes it added and the seconds it took."""
    library = load_content(ROOT / "content").library
    rumours = {code: library.all(RUMOURS, code) for code in library.pack.languages}
    spoken = tongues(library)
    before, began = resident(os.getpid()), time.perf_counter()
    finder = Finder(rumours, spoken, recall=kept)
    return finder, resident(os.getpid()) - before, time.perf_counter() - began


def _weight() -> tuple[float, float]:
    """Return the megabytes and seconds of building, without the finder, which stays in its process."""
    _, megabytes, seconds = _built()
    return megabytes, seconds


def _took(finder: Finder, sentence: str) -> float:
    began = time.perf_counter()
    finder.find(sentence)
    return (time.perf_counter() - began) * 1000
