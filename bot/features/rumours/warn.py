"""What `hearsay check` warns of in the ways of saying rumours; none of it is a mistake in itself."""

from collections.abc import Iterator, Mapping, Sequence

from bot.features.rumours.entry import Rumour
from bot.features.rumours.find import Finder, Rumours
from bot.matching.learnt import Recall
from bot.matching.strays import Stray, rivals, strays
from bot.matching.tongue import Tongue


def phrasing_warnings(rumours: Rumours, tongues: Mapping[str, Tongue], recall: Recall, *, every: bool) -> Iterator[str]:
    """Yield, by language, which rumours take each other's sentences, and how many sentences are alone of their kind."""
    finder = Finder(rumours, tongues, recall=recall)
    for language, tongue in tongues.items():
        found = strays(finder.reader(language).index, recall)
        yield from (_rivals(language, pair, lost) for pair, lost in rivals(found).items())
        yield from _unnamed(language, rumours[language], tongue)
        if every:
            yield from (_stray(language, stray) for stray in found)
        elif lonely := [stray for stray in found if not stray.near]:
            yield (
                f"{language}: {len(lonely)} ways of saying a rumour would not be found by the others of its file, so "
                "people who say something like it may not find it either; list them with --phrasings"
            )


def _rivals(language: str, pair: tuple[str, str], lost: tuple[Sequence[str], Sequence[str]]) -> str:
    (one, other), (ones, others) = pair, lost
    return (
        f"{language}: '{one}' and '{other}' take each other's sentences ({len(ones)} and {len(others)}), such as "
        f"\u201c{ones[0]}\u201d and \u201c{others[0]}\u201d; say in each file what only it is about"
    )


def _stray(language: str, stray: Stray) -> str:
    instead = f"finds '{stray.found}'" if stray.found else "finds nothing"
    own = ", then its own" if stray.near else ""
    return f"{language}: {stray.entry}: \u201c{stray.text}\u201d, once left out, {instead}{own}"


def _unnamed(language: str, rumours: Mapping[str, Rumour], tongue: Tongue) -> Iterator[str]:
    """Yield concepts that a card needs and a language has no words for."""
    for name, rumour in rumours.items():
        missing = [concept for concept in rumour.needs if not tongue.named([concept])]
        if missing:
            yield f"{language}: '{name}' needs {', '.join(missing)}, for which matching/{language}.yaml has no aliases"
