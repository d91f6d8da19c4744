"""The glossary: a word and what it means, found however it is typed."""

from collections.abc import Mapping
from functools import partial

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.glossary.entry import TERMS, Term
from bot.features.glossary.find import TermFinder
from bot.library.common import SOURCES, provenance_line
from bot.library.load import Library
from bot.matching.tongue import Tongue
from bot.storage import missed
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome
from bot.talk.words import begins, folded

KINDS = (TERMS,)
NAME = "glossary"
SURE = 0.95
PERHAPS = 0.249  # a word mistyped: below any rumour that is offered, above what nobody knows
MOST_WORDS = 6  # of what may be a word mistyped


def feature(library: Library, tongues: Mapping[str, Tongue]) -> Feature:
    """Return the feature for `library`."""
    return _Glossary(library, tongues).feature()


class _Glossary:
    def __init__(self, library: Library, tongues: Mapping[str, Tongue]) -> None:
        languages = library.pack.languages
        self._languages = languages
        self._terms = {language: library.all(TERMS, language) for language in languages}
        self._sources = library.only(SOURCES, next(iter(languages))).sources
        self._ids = next(iter(self._terms.values())).keys()
        self._finder = TermFinder(self._terms)
        self._tongues = tongues

    def feature(self) -> Feature:
        return Feature(
            NAME,
            (
                Command(
                    "term",
                    self.read,
                    self.suggest,
                    argument=True,
                    private=True,
                    linkable=lambda a: not a or self.leads_somewhere(a),
                    shows=self._shown,
                ),
                Command("terms", self.browse, argument=True, linkable=self._leads_on),
            ),
            listen=self.listen,
            resume=self.resume,
            ask=self.ask,
        )

    def read(self, argument: str) -> Answer:
        """`/term <word>`; without a word, ask for it."""
        if argument in self._ids:
            return lambda context: self._show(context, argument)
        if not argument:
            return lambda context: Outcome((self.ask(context),), context.session.enter(NAME))
        return lambda context: self._look_up(context, argument)

    def resume(self, text: str) -> Answer:
        """Take the word that `/term` asked for."""
        return lambda context: self._look_up(context, text).then(context.session.leave(NAME))

    def ask(self, context: Context) -> Reply:
        """Ask for a word."""
        return Reply(context.say("glossary.which_word"), prompt=context.say("glossary.your_word"))

    def listen(self, text: str) -> Heard | None:
        """Claim a term standing alone, and "what is a …?" about one; one mistyped, where nobody else claims it."""
        for language, tongue in self._tongues.items():
            name = self._finder.exact(tongue.asked_for(text), language)
            if name:
                return Heard(SURE, partial(self._show, name=name))
        mistyped = self._mistyped(text) if len(text.split()) <= MOST_WORDS else None
        return Heard(PERHAPS, partial(self._show, name=mistyped)) if mistyped else None

    def _mistyped(self, text: str) -> str | None:
        found = (self._finder.find(tongue.asked_for(text), code).term for code, tongue in self._tongues.items())
        return next(filter(None, found), None)

    def browse(self, argument: str) -> Answer:
        """`/terms`: the letters; `/terms s`: the terms under one."""

        def answer(context: Context) -> Outcome:
            known = self._terms[context.language].items()
            terms = {name: term for name, term in known if (TERMS.name, name) not in context.hidden}
            by_letter: dict[str, list[str]] = {}
            for name in sorted(terms, key=lambda name: folded(terms[name].name)):
                by_letter.setdefault(folded(terms[name].name)[0], []).append(name)
            if argument.casefold() in by_letter:
                choices = [self._choice(context, name) for name in by_letter[argument.casefold()]]
                return context.show(f"**{argument.upper()}**", *choices)
            letters = [Choice(letter.upper(), f"/terms {letter}") for letter in by_letter]
            return context.show(context.say("glossary.letters", count=len(terms)), *letters)

        return answer

    def leads_somewhere(self, argument: str) -> bool:
        """Say whether `argument` is a term's id, or its name in any language."""
        return argument in self._ids or any(self._finder.exact(argument, language) for language in self._languages)

    def _shown(self, argument: str) -> tuple[str, str] | None:
        """Return the term that `/term argument` shows, by id or by its name in any language."""
        named = (self._finder.exact(argument, language) for language in self._languages)
        name = argument if argument in self._ids else next(filter(None, named), None)
        return (TERMS.name, name) if name else None

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete names; where none begins so, offer those that are near."""
        names = sorted(term.name for term in self._terms[language].values() if begins(typed, term.name))
        return [Choice(name, name) for name in names or self._near(typed, language)]

    def _near(self, typed: str, language: str) -> list[str]:
        found = self._finder.find(typed, language)
        return [self._terms[language][name].name for name in ([found.term] if found.term else found.near)]

    def _leads_on(self, argument: str) -> bool:
        return argument == "" or (len(argument) == 1 and argument.isalpha())

    def _look_up(self, context: Context, word: str) -> Outcome:
        found = self._finder.find(word, context.language)
        if found.term:
            return self._show(context, found.term)
        missed.note(context.tx, word, context.language, context.now)
        near = [name for name in found.near if (TERMS.name, name) not in context.hidden]
        choices = [self._choice(context, name) for name in near]
        text = context.say("glossary.near" if choices else "glossary.unknown", word=escape(word[:60]))
        browse = Choice(context.say("glossary.browse"), "/terms")
        return context.show(text, *choices, browse).counted(Count("word", "near" if choices else "none"))

    def _show(self, context: Context, name: str) -> Outcome:
        say, term = context.say, self._terms[context.language][name]
        if reason := context.hidden.get((TERMS.name, name)):
            text = say("glossary.withdrawn", name=escape(term.name), reason=escape(reason))
            return context.show(text, Choice(say("glossary.browse"), "/terms"))
        parts = [
            f"**{term.name[:1].upper()}{term.name[1:]}.** {term.definition}",
            *([say("glossary.example", example=term.example)] if term.example else []),
            *([say("glossary.instead", instead=term.instead)] if term.instead else []),
            say("glossary.elsewhere", names=self._elsewhere(context.language, name, term)),
            self._cited(context, term),
            f"*{provenance_line(say, term.provenance, context.language, say('provenance.text'))}*",
        ]
        choices = [self._choice(context, related) for related in term.related]
        return context.show("\n\n".join(parts), *choices, link=f"/term {name}").counted(Count("term", name))

    def _elsewhere(self, language: str, name: str, term: Term) -> str:
        own = {code: self._terms[code][name].name for code in self._languages if code != language}
        return " · ".join(f"{code} *{word}*" for code, word in {**own, **term.names}.items() if code != language)

    def _cited(self, context: Context, term: Term) -> str:
        if not term.sources:
            return context.say("glossary.no_source")
        cited = (self._sources[name] for name in term.sources)
        links = " · ".join(f"[{source.title}]({source.url})" for source in cited)
        return context.say("glossary.sources", sources=links)

    def _choice(self, context: Context, name: str) -> Choice:
        return Choice(self._terms[context.language][name].name, f"/term {name}")
