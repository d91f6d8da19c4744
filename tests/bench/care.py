"""How many of those who are hurt or in danger are recognised, how many rumours are taken for them, and how fast."""

import time
from collections.abc import Iterator, Sequence

import yaml

from bot.app import carer, load_content
from bot.matching.care import Care
from tests.bench.figure import Figure, percentile
from tests.serving import ROOT

SENTENCES: dict[str, dict[str, list[str]]] = yaml.safe_load((ROOT / "tests/care.yaml").read_text(encoding="utf-8"))
CARES = ("danger", "hurt")
LABELLED = "labelled sentences of tests/care.yaml"
# List, signs that count, the bar, its side.
BARS: tuple[tuple[str, tuple[str, ...], float, str], ...] = (
    ("danger", ("danger",), 0.90, "at least"),
    ("danger", CARES, 0.95, "at least"),
    ("hurt", CARES, 0.90, "at least"),
    ("neither", CARES, 0.03, "at most"),
    ("insult", ("insult",), 0.85, "at least"),
    ("not_insult", ("insult",), 0.05, "at most"),
)
MILLISECONDS_BAR = 2.0


def figures() -> Iterator[Figure]:
    """Yield care_<list>_as_<signs>_<language>, the share of its sentences that are taken so; then care_ms, the median.

    The patterns were fitted to these sentences: what nobody has thought of yet is recognised far less often.
    """
    care = carer(load_content(ROOT / "content").library)
    for language, said in SENTENCES.items():
        for name, signs, bar, side in BARS:
            called = f"care_{name}_as_{'_or_'.join(signs)}_{language}"
            more: dict[str, object] = {"sentences": len(said[name])}
            at_most = side == "at most"
            yield Figure(
                called, rate(care, said[name], *signs), LABELLED, bar, "at most" if at_most else "at least", more
            )
    took = [_took(care, text) for said in SENTENCES.values() for texts in said.values() for text in texts]
    yield Figure(
        "care_ms",
        percentile(took, 0.5),
        "none: milliseconds",
        MILLISECONDS_BAR,
        "at most",
        {"p99_ms": percentile(took, 0.99)},
    )


def rate(care: Care, texts: Sequence[str], *signs: str) -> float:
    """Return the share of `texts` that are taken for one of `signs`."""
    return sum(care.recognise(text) in signs for text in texts) / len(texts)


def _took(care: Care, text: str) -> float:
    began = time.perf_counter()
    care.recognise(text)
    return (time.perf_counter() - began) * 1000
