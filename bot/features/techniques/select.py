"""Which technique suits who, where and what is felt: a pure ranking."""

from collections.abc import Mapping

from bot.features.techniques.entry import Suits, Technique

# What is felt in their words decides most, then the place (public or private), then the relation.
WEIGHTS = {"feeling": 4, "where": 2, "who": 1}
WRONG = 2  # naming other situations only is worse than leaving the matter open
Situation = Mapping[str, str]
"""`who`, `where`, `feeling` → the id chosen, as far as it is known"""


def rank(techniques: Mapping[str, Technique], situation: Situation) -> list[str]:
    """Return the ids of `techniques`, the best for `situation` first; nothing known gives the default first."""
    order = {name: number for number, name in enumerate(techniques)}
    return sorted(techniques, key=lambda name: (-score(techniques[name], situation), order[name]))


def score(technique: Technique, situation: Situation) -> float:
    """Return how well one technique suits; the default tip wins a tie."""
    total = sum(_fit(technique.suits, part, chosen) * WEIGHTS[part] for part, chosen in situation.items())
    return total + (0.5 if technique.first else 0.0)


def _fit(suits: Suits, part: str, chosen: str) -> float:
    named: list[str] = getattr(suits, part)
    if chosen in named:
        return 1.0 + 1.0 / (1 + len(named))  # made for just this beats made for much
    return -WRONG if named else 0.0
