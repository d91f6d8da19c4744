"""How well and how fast what people type finds its rumour, beside plain BM25 over the same entries in the same run."""

import json
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from math import log
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import yaml
from rapidfuzz import fuzz, process

from bot.app import load_content, tongues
from bot.features.rumours.entry import RUMOURS
from bot.features.rumours.find import Finder, Finding, Rumours
from bot.kept import kept
from bot.matching.index import Index, Phrasing
from bot.matching.tongue import Tongue, Typing
from bot.talk.words import folded
from tests.bench.figure import Figure, percentile
from tests.bench.memory import resident
from tests.serving import ROOT

BM25 = "BM25 as Elasticsearch has it: words as typed, no minimum, k1 1.2, b 0.75; each phrasing a document, as peers do"
TOKEN_SET = "rapidfuzz token_set_ratio over the same phrasings"
FIRST_BAR, TOP_BAR, APART_BAR = 1.5, 1.27, 1.2
RIGHT_BAR, ANSWERED_BAR, REFUSED_BAR, MISSPELT_BAR = 0.9, 0.5, 0.8, 0.75
BUILD_BAR, SLOW_BAR, MEGABYTES_BAR, LARGE_BAR = 3.0, 10.0, 60.0, 0.1
SIZES = (1_000, 10_000, 100_000)
SAMPLE = 500  # queries of a public set
SHARED = Path(os.environ.get("HEARSAY_MATCHING", ROOT.parent / "shared" / "matching"))
Rank = Callable[[str], list[str]]
Pairs = Sequence[tuple[str, str]]


def figures() -> Iterator[Figure]:
    """Yield how often the first answer and the top three are right, the tiers, public sets, speed by size."""
    rumours, spoken = _rumours()
    finder = Finder(rumours, spoken, recall=kept)
    heard = yaml.safe_load((ROOT / "tests" / "heard.yaml").read_text(encoding="utf-8"))
    for language, pairs in heard.items():
        ours = _ours(finder, language)
        phrasings = [(said.entry, said.text) for said in finder.reader(language).index.phrasings]
        known = [(wanted, text) for wanted, text in pairs if wanted != "none"]
        yield from _ranking(f"match_{language}", ours, phrasings, known)
        yield from _tiers(language, finder, pairs)
        yield _apart(language, finder, known)
    yield from _public()
    yield from _speed()


def _rumours() -> tuple[Rumours, Mapping[str, Tongue]]:
    library = load_content(ROOT / "content").library
    return {code: library.all(RUMOURS, code) for code in library.pack.languages}, tongues(library)


def _ours(finder: Finder, language: str) -> Rank:
    return lambda text: [match.entry for match in finder.ranked(text, language)]


def _ranking(name: str, ours: Rank, phrasings: Pairs, known: Pairs) -> Iterator[Figure]:
    first, top = _share(ours, known, 1), _share(ours, known, 3)
    each, whole = (PlainBM25(phrasings, together=together).rank for together in (False, True))
    for what, share, most, bar in (("first", first, 1, FIRST_BAR), ("top_three", top, 3, TOP_BAR)):
        plain = _share(each, known, most)
        more: dict[str, object] = {"share": share, "baseline_share": plain, "sentences": len(known)}
        more |= {"whole_entries_share": _share(whole, known, most)}
        yield Figure(f"{name}_{what}_ratio", share / plain, BM25, bar, more=more)
    slipped = [(wanted, misspelt(text)) for wanted, text in known]
    more = {"baseline_share": _share(each, slipped, 1)}
    yield Figure(
        f"{name}_misspelt_first", _share(ours, slipped, 1), "none: share of first answers", MISSPELT_BAR, more=more
    )


def _share(rank: Rank, known: Pairs, most: int) -> float:
    return sum(wanted in rank(text)[:most] for wanted, text in known) / len(known)


def _tiers(language: str, finder: Finder, pairs: Pairs) -> Iterator[Figure]:
    """Yield how many answers are right, how many known rumours are answered, how many others are not, all asked
    without saying the language.
    """
    found = [(wanted, finder.find(text)) for wanted, text in pairs]
    answered = [(wanted, finding) for wanted, finding in found if finding.decision == "answer"]
    right = sum(finding.candidates[0].entry == wanted for wanted, finding in answered)
    known, others = [f for w, f in found if w != "none"], [f for w, f in found if w == "none"]
    tiers: dict[str, object] = {f"known_{tier}": share for tier, share in _shares(known).items()}
    refused: dict[str, object] = {f"others_{tier}": share for tier, share in _shares(others).items()}
    none = "none: share"
    yield Figure(
        f"match_{language}_answers_right", right / len(answered), none, RIGHT_BAR, more={"answers": len(answered)}
    )
    yield Figure(f"match_{language}_known_answered", right / len(known), none, ANSWERED_BAR, more=tiers)
    unanswered = 1 - _shares(others)["answer"]
    yield Figure(f"match_{language}_others_not_answered", unanswered, none, REFUSED_BAR, more=refused)


def _shares(found: Sequence[Finding]) -> Mapping[str, float]:
    counted = Counter(finding.decision for finding in found)
    return {tier: counted[tier] / len(found) for tier in ("answer", "offer", "none")}


def _apart(language: str, finder: Finder, known: Pairs) -> Figure:
    """Return how well the best score tells known rumours from the same sentences asked without their card."""
    index = finder.reader(language).index
    plain = PlainBM25([(said.entry, said.text) for said in index.phrasings], together=False)
    ours: list[tuple[float, bool]] = []
    theirs: list[tuple[float, bool]] = []
    for wanted in {wanted: None for wanted, _ in known}:
        without = index.fold([number for number, said in enumerate(index.phrasings) if said.entry == wanted])
        for text in (text for entry, text in known if entry == wanted):
            for fold in (None, without):
                found = index.rank(index.read(text), 1, fold=fold)
                ours.append((found[0].score if found else 0.0, fold is None))
                theirs.append((plain.best(text, wanted if fold else ""), fold is None))
    area, plain_area = auroc(ours), auroc(theirs)
    more: dict[str, object] = {"auroc": area, "baseline_auroc": plain_area}
    return Figure(f"match_{language}_apart_ratio", area / plain_area, BM25, APART_BAR, more=more)


def auroc(scored: Sequence[tuple[float, bool]]) -> float:
    """Return how likely a score of what is true is above one of what is false; equal ones count half."""
    yes, no = ([score for score, true in scored if true is wanted] for wanted in (True, False))
    wins = sum((one > other) + 0.5 * (one == other) for one in yes for other in no)
    return wins / (len(yes) * len(no))


def misspelt(sentence: str) -> str:
    """Return `sentence` with a slip in every second longer word: swapped, dropped, doubled or wrong letters."""
    chance, words, longer = random.Random(sentence), sentence.split(), 0
    for place, word in enumerate(words):
        if sum(map(str.isalpha, word)) >= 4:
            longer += 1
            words[place] = _slip(word, chance) if longer % 2 else word
    return " ".join(words)


def _slip(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    slips = (before + after[:1] + letter + after[1:], before + after, before + letter * 2 + after)
    return chance.choice((*slips, before + chance.choice("aeiorstnl") + after))


class PlainBM25:
    """BM25 as Elasticsearch's default has it: words as typed, no stop words, no stems; best phrasing or all as one."""

    def __init__(self, phrasings: Pairs, *, together: bool) -> None:
        texts: dict[tuple[str, int], list[str]] = defaultdict(list)
        for number, (entry, text) in enumerate(phrasings):
            texts[entry, 0 if together else number] += _words(text)
        self._owners = [entry for entry, _ in texts]
        self._documents = [Counter(words) for words in texts.values()]
        self._held = Counter(word for document in self._documents for word in document)
        self._mean = sum(map(Counter.total, self._documents)) / len(texts)
        self._postings: dict[str, list[int]] = defaultdict(list)
        for number, document in enumerate(self._documents):
            for word in document:
                self._postings[word].append(number)

    def rank(self, text: str) -> list[str]:
        """Return the entries that share a word, the best first."""
        scores = self._scores(text)
        return sorted(scores, key=lambda entry: (-scores[entry], entry))

    def best(self, text: str, but: str) -> float:
        """Return the best score of an entry other than `but`."""
        return max((score for entry, score in self._scores(text).items() if entry != but), default=0.0)

    def _scores(self, text: str) -> Mapping[str, float]:
        scores: dict[int, float] = defaultdict(float)
        for word in set(_words(text)):
            for number in self._postings.get(word, ()):
                scores[number] += self._weight(word, self._documents[number])
        best: dict[str, float] = defaultdict(float)
        for number, score in scores.items():
            best[self._owners[number]] = max(best[self._owners[number]], score)
        return best

    def _weight(self, word: str, document: Counter[str]) -> float:
        held, count = self._held[word], document[word]
        idf = log(1 + (len(self._documents) - held + 0.5) / (held + 0.5))
        return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * document.total() / self._mean))


@cache
def _words(text: str) -> list[str]:
    return re.findall(r"\w+", folded(text))


def _public() -> Iterator[Figure]:
    """Yield the first answers on subsets of CLINC150 and BANKING77, where they are there; no aliases, no bars."""
    stop = load_typing().stop
    for name in ("clinc150", "banking77"):
        path = SHARED / f"{name}.json"
        if not path.exists():
            continue
        data = json.loads(path.read_text(encoding="utf-8"))
        phrasings = [(entry, text) for entry, texts in data["library"].items() for text in texts]
        index = Index([Phrasing(*pair) for pair in phrasings], Tongue(Typing(stemmer="english", stop=stop)))
        queries = [(wanted, text) for text, wanted in data["queries"]]
        queries = random.Random(1).sample(queries, min(SAMPLE, len(queries)))
        found = [index.rank(index.read(text), 3) for _, text in queries]
        pairs = list(zip(queries, found, strict=True))
        first = sum(matches[0].entry == wanted for (wanted, _), matches in pairs if matches) / len(queries)
        plain = _share(PlainBM25(phrasings, together=False).rank, queries, 1)
        outside = [index.rank(index.read(text), 1) for text in data.get("oos", [])[:SAMPLE]]
        scored = [(m[0].score if m else 0.0, True) for m in found] + [
            (m[0].score if m else 0.0, False) for m in outside
        ]
        more: dict[str, object] = {"first": first, "baseline_first": plain}
        yield Figure(
            f"match_{name}_first_ratio", first / plain, BM25, more=more | ({"auroc": auroc(scored)} if outside else {})
        )


def load_typing() -> Typing:
    """Return how English is typed."""
    text = (ROOT / "content" / "matching" / "en.yaml").read_text(encoding="utf-8")
    return Typing(stop=yaml.safe_load(text)["stop"])


def _speed() -> Iterator[Figure]:
    """Yield, in processor time, so that a busy machine does not matter, how long a library takes by its size."""
    for size in SIZES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            seconds, megabytes, took, theirs = fresh.submit(_sized, size).result()
        middle, slow = median(took), percentile(took, 0.99)
        more: dict[str, object] = {"p50_ms": middle, "p99_ms": slow, "megabytes": megabytes, "token_set_ms": theirs}
        bars = (BUILD_BAR, SLOW_BAR, MEGABYTES_BAR) if size == 10_000 else (None, None, None)
        yield Figure(f"match_{size}_build_s", seconds, "none: seconds", bars[0], "at most", more)
        yield Figure(f"match_{size}_p99_ms", slow, "none: milliseconds", bars[1], "at most")
        yield Figure(f"match_{size}_mb", megabytes, "none: megabytes", bars[2], "at most")
        large = LARGE_BAR if size == max(SIZES) else None
        yield Figure(f"match_{size}_p50_ratio", middle / theirs, TOKEN_SET, large, "at most")


def _sized(size: int) -> tuple[float, float, list[float], float]:
    """Return the seconds and megabytes of building, the milliseconds of each look-up, and rapidfuzz's median."""
    library = load_content(ROOT / "content").library
    said = [text for rumour in library.all(RUMOURS, "en").values() for text in rumour.heard_as]
    texts, tongue = _made(size, said), tongues(library)["en"]
    before, began = resident(os.getpid()), time.process_time()
    index = Index([Phrasing(f"entry-{number}", text) for number, text in enumerate(texts)], tongue)
    seconds, megabytes = time.process_time() - began, resident(os.getpid()) - before
    chance = random.Random(3)
    asked = [*said[::5], *chance.sample(texts, 100)]
    asked = [" ".join(word for word in text.split() if chance.random() < 0.8) for text in asked]
    took = [_milliseconds(lambda text=text: index.rank(index.read(text))) for text in asked]  # type: ignore[misc]
    theirs = [
        _milliseconds(lambda text=text: process.extract(text, texts, scorer=fuzz.token_set_ratio, limit=5))  # type: ignore[misc]
        for text in asked[::10]
    ]
    return seconds, megabytes, took, median(theirs)


def _made(size: int, said: Sequence[str]) -> list[str]:
    """Return sentences like those `said`, some of their words changed for others and for words made up."""
    chance, words = random.Random(1), sorted({word for text in said for word in text.split()})
    parts = ("ba", "to", "ri", "men", "lo", "sta", "ver", "ni", "cu", "dra", "pel", "os", "an", "ti", "gre", "mo")
    more = ["".join(chance.choices(parts, k=chance.randint(2, 4))) for _ in range(20_000)]
    made = []
    for _ in range(size):
        sentence = chance.choice(said).split()
        for _ in range(4):
            rare = more[min(int(chance.paretovariate(0.6)), len(more)) - 1]
            sentence[chance.randrange(len(sentence))] = chance.choice((chance.choice(words), rare))
        made.append(" ".join(sentence))
    return made


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
