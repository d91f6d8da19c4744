"""Dialogue techniques: a tip at once, narrowed by three quick presses, and all of them to browse."""

from rapidfuzz import fuzz, process

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.techniques.entry import SITUATIONS, TECHNIQUES, Technique
from bot.features.techniques.select import rank
from bot.library.common import SOURCES, provenance_line
from bot.library.figures import draw_year, fill
from bot.library.load import Library
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome
from bot.talk.words import begins, folded

KINDS = (TECHNIQUES, SITUATIONS)
PARTS = ("who", "where", "feeling")
SURE, PERHAPS = 0.94, 0.249  # a technique's name, and one mistyped: below any rumour that is offered
TYPO = 84  # of 100: this like a name, it is read as it


def feature(library: Library) -> Feature:
    """Return the feature for `library`."""
    return _Techniques(library).feature()


def names(library: Library) -> dict[str, dict[str, tuple[str, bool]]]:
    """Return language → id → (name, safe where dignity is attacked), for features that point to techniques."""
    return {
        language: {name: (entry.name, entry.safe) for name, entry in library.all(TECHNIQUES, language).items()}
        for language in library.pack.languages
    }


class _Techniques:
    def __init__(self, library: Library) -> None:
        languages = library.pack.languages
        self._techniques = {language: library.all(TECHNIQUES, language) for language in languages}
        self._situations = {language: library.only(SITUATIONS, language) for language in languages}
        self._sources = library.only(SOURCES, next(iter(languages))).sources
        self._ids = next(iter(self._techniques.values())).keys()
        self._called = {
            folded(entry.name): name for by_id in self._techniques.values() for name, entry in by_id.items()
        }

    def feature(self) -> Feature:
        return Feature(
            "techniques",
            (
                Command("tip", self.tip, private=True, linkable=self._leads_on),
                Command(
                    "technique",
                    self.technique,
                    self.suggest,
                    argument=True,
                    linkable=lambda a: not a or a in self._ids,
                    shows=lambda a: (TECHNIQUES.name, a),
                ),
                Command("techniques", lambda _: self.browse, linkable=lambda argument: argument == ""),
            ),
            listen=self.listen,
        )

    def listen(self, text: str) -> Heard | None:
        """Claim a technique's name standing alone, in any language; one mistyped, where nobody else claims it."""
        wanted = folded(text)[:80].strip(" ?¿!¡.")
        found = process.extractOne(wanted, self._called.keys(), scorer=fuzz.ratio, score_cutoff=TYPO)
        if found is None:
            return None
        return Heard(SURE if wanted in self._called else PERHAPS, self.technique(self._called[found[0]]))

    def tip(self, argument: str) -> Answer:
        """`/tip family home fear`: the best technique for what is known so far, and the next quick question."""
        words = argument.split()

        def answer(context: Context) -> Outcome:
            situation = self._situation(words)
            ranked = rank(self._offered(context), situation)
            if not ranked:
                return self.browse(context)
            return Outcome((self._tip(context, situation, ranked),), counts=(Count("tip", ranked[0]),))

        return answer

    def technique(self, argument: str) -> Answer:
        """`/technique <id or name>`: the whole of it."""

        def answer(context: Context) -> Outcome:
            techniques = self._techniques[context.language]
            called = {folded(entry.name): name for name, entry in techniques.items()}
            name = argument if argument in self._ids else called.get(folded(argument))
            return self.browse(context) if name is None else self._show(context, name)

        return answer

    def browse(self, context: Context) -> Outcome:
        """Show all techniques by name."""
        choices = [Choice(t.name, f"/technique {name}") for name, t in self._techniques[context.language].items()]
        return context.show(context.say("techniques.all"), *choices)

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete names and ids."""
        found = self._techniques[language].items()
        return [Choice(entry.name, name) for name, entry in found if begins(typed, name, entry.name)]

    def _leads_on(self, argument: str) -> bool:
        return len(self._situation(argument.split())) == len(argument.split())

    def _situation(self, words: list[str]) -> dict[str, str]:
        """Return what the words of `/tip` say, in order; words that mean nothing are passed over."""
        known = next(iter(self._situations.values()))
        return {part: word for part in PARTS for word in words if word in getattr(known, part)}

    def _tip(self, context: Context, situation: dict[str, str], ranked: list[str]) -> Reply:
        say, techniques = context.say, self._techniques[context.language]
        best = techniques[ranked[0]]
        asked = next((part for part in PARTS if part not in situation), None)
        text = f"**{best.name}.** {best.gist}"
        if not self._is_same(context, situation, ranked[0]):
            text += f"\n\n{_steps(best)}"
        whole = Choice(say("techniques.whole"), f"/technique {ranked[0]}")
        if asked is None:
            others = [Choice(techniques[name].name, f"/technique {name}") for name in ranked[1:3]]
            useful = Choice(say("useful.ask"), f"/useful technique {ranked[0]}")
            return Reply(text, (whole, *others, Choice(say("techniques.again"), "/tip"), useful))
        known = " ".join(situation.values())
        labels: dict[str, str] = getattr(self._situations[context.language], asked)
        options = [Choice(label, f"/tip {known} {name}".replace("  ", " ")) for name, label in labels.items()]
        return Reply(f"{text}\n\n{say(f'techniques.ask_{asked}')}", (*options, whole))

    def _is_same(self, context: Context, situation: dict[str, str], best: str) -> bool:
        """Say whether `best` was the tip before the last answer too; its steps need not be read again."""
        before = dict(list(situation.items())[:-1])
        return bool(situation) and rank(self._offered(context), before)[0] == best

    def _offered(self, context: Context) -> dict[str, Technique]:
        """Return the techniques that editors have not withdrawn."""
        known = self._techniques[context.language].items()
        return {name: entry for name, entry in known if (TECHNIQUES.name, name) not in context.hidden}

    def _show(self, context: Context, name: str) -> Outcome:
        say, entry = context.say, self._techniques[context.language][name]
        if reason := context.hidden.get((TECHNIQUES.name, name)):
            text = say("techniques.withdrawn", name=entry.name, reason=escape(reason))
            other = (Choice(say("techniques.another_tip"), "/tip"), Choice(say("techniques.see_all"), "/techniques"))
            return context.show(text, *other)
        parts = [
            f"**{entry.name}.** {entry.gist}",
            say("techniques.when", when=entry.when),
            _steps(entry),
            say("techniques.example") + "\n" + self._example(context, entry),
            say("techniques.pitfall", pitfall=entry.pitfall),
            *self._evidence(context, entry),
            *self._cited(context, entry),
            f"*{provenance_line(say, entry.provenance, context.language, say('provenance.text'))}*",
        ]
        return context.show(
            "\n\n".join(parts),
            Choice(say("techniques.another_tip"), "/tip"),
            Choice(say("techniques.see_all"), "/techniques"),
            Choice(say("useful.ask"), f"/useful technique {name}"),
            link=f"/technique {name}",
        ).counted(Count("technique", name))

    def _example(self, context: Context, entry: Technique) -> str:
        say = context.say
        lines = [
            say("techniques.them", line=line.them)
            if line.them
            else say("techniques.you", line=line.you)
            if line.you
            else f"*{line.note}*"
            for line in entry.example
        ]
        return "\n".join(f"> {line}  " for line in lines)

    def _evidence(self, context: Context, entry: Technique) -> list[str]:
        fact = entry.evidence
        if fact is None:
            return []
        sentence = fill(fact.say, fact.figures, context.language)
        year = draw_year(fact.year, context.language)
        return [context.say("techniques.evidence", fact=sentence, place=fact.where, year=year)]

    def _cited(self, context: Context, entry: Technique) -> list[str]:
        cited = [self._sources[name] for name in entry.sources]
        links = [f"[{source.title}]({source.url})" for source in cited]
        return [context.say("techniques.sources", sources=" · ".join(links))] if links else []


def _steps(entry: Technique) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(entry.steps, 1))
