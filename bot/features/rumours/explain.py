"""Why a sentence is taken for a rumour, or is not: for editors, in plain lines."""

from collections.abc import Iterator, Sequence

from bot.features.rumours.find import ANSWER, OFFER, Finder
from bot.matching.index import LEARNT, MEAN, Match, Part, Query
from bot.matching.sure import SIGNS, Reader, listen

SHOWN, PARTS, LETTERS = 3, 12, 6


def explain(finder: Finder, text: str, language: str | None = None, city: str = "") -> Iterator[str]:
    """Yield what `text` is taken for, how sure that is, and which words, aliases and n-grams counted."""
    found = finder.find(text, language, city)
    reader = finder.reader(found.language)
    query = reader.index.read(text)
    yield f"language    {found.language}"
    yield from _read(reader, text, query)
    matches = finder.ranked(text, found.language, city)
    if not matches:
        yield "found       nothing: no word, alias or n-gram of it stands in any phrasing"
        return
    tiers = f"answers from {ANSWER:.0%}, offers from {OFFER:.0%}"
    yield f"decision    {found.decision}: {found.confidence:.0%} sure ({tiers})"
    yield f"sounds like {_sorts(reader, text)}; taken for: {found.sort}"
    yield from _signs(finder, reader, text, matches)
    for place, match in enumerate(matches[:SHOWN], 1):
        yield from _candidate(place, match, reader.index.explain(query, match))


def _read(reader: Reader, text: str, query: Query) -> Iterator[str]:
    """Yield the text without its frames, what was repaired, and what its words say."""
    yield f"read        {reader.tongue.bare(text)}"
    if query.repaired:
        yield "repaired    " + ", ".join(f"{typed} → {read}" for typed, read in query.repaired.items())
    yield "words       " + ", ".join(_unit(unit) for unit in dict.fromkeys(query.units))


def _unit(unit: Sequence[str]) -> str:
    return unit[0] if len(unit) == 1 else f"{unit[0]} ({unit[1]})"


def _sorts(reader: Reader, text: str) -> str:
    sorts = reader.sound.of(text)
    return ", ".join(f"{sort} {odds:.0%}" for sort, odds in sorted(sorts.items(), key=lambda item: -item[1]))


def _signs(finder: Finder, reader: Reader, text: str, matches: Sequence[Match]) -> Iterator[str]:
    """Yield what each sign of the first entry adds to the log odds that it is meant."""
    heard = listen(reader, text, matches)
    parts = finder.judge.right.parts(heard.signs)
    told = (f"{name} {sign:.2f} ({part:+.2f})" for name, sign, part in zip(SIGNS, heard.signs, parts, strict=True))
    yield f"why so sure {finder.judge.right.bias:+.2f}, " + ", ".join(told)
    yield (
        f"known       {heard.evidence.words} of its words, {heard.evidence.share:.0%} of their weight, "
        f"{heard.evidence.named} of them aliases; the opposite is meant: {finder.judge.opposite.of(heard.stance):.0%}"
    )


def _candidate(place: int, match: Match, parts: Sequence[Part]) -> Iterator[str]:
    yield ""
    yield f"{place}. {match.entry}  {match.score:.2f}, of it {match.best:.2f} by: {match.phrase}"
    yield f"   (the mean of its phrasings counts {MEAN:g}, what was learnt {LEARNT:g})"
    for by, most in (("phrasing", PARTS), ("learnt", PARTS), ("letters", LETTERS)):
        own = [part for part in parts if part.by == by][:most]
        if own:
            yield f"   {by:9} " + ", ".join(f"{part.what} {part.adds:+.2f}" for part in own)
