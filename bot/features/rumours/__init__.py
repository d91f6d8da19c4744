"""Rumours: found from a person's own words, answered with something to say, a question, a fact."""

from collections.abc import Callable, Mapping

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.rumours import replies
from bot.features.rumours.entry import RUMOURS, Rumour
from bot.features.rumours.find import Finder, Finding
from bot.library.common import SOURCES, THEMES
from bot.library.load import Library
from bot.library.support import Routes
from bot.matching.tongue import Tongue
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome
from bot.talk.words import begins, folded

KINDS = (RUMOURS,)
NAME = "rumours"
OFFERED = 3
BLOCKED = 0.99  # so sure is a card found by dehumanising words: above care, which has no card to offer
Find = Callable[[str], Finding]
NEVER_SURE = 0.05  # the floor that lets any other feature that recognises the words come first


def feature(
    library: Library, find: Find, techniques: Mapping[str, Mapping[str, tuple[str, bool]]], routes: Routes
) -> Feature:
    """Return the feature for `library`; `techniques` gives language → id → (name, safe for high sensitivity)."""
    return _Rumours(library, find, techniques, routes).feature()


def finder(shared: Library, tongues: Mapping[str, Tongue], cities: Mapping[str, Library]) -> Finder:
    """Return what finds the rumours of the shared library and of every city's."""
    return Finder(_rumours(shared), tongues, {city: _rumours(library) for city, library in cities.items()})


def _rumours(library: Library) -> Mapping[str, Mapping[str, Rumour]]:
    return {language: library.all(RUMOURS, language) for language in library.pack.languages}


def names(library: Library) -> dict[str, dict[str, str]]:
    """Return language → id → neutral name, for features that point to cards."""
    return {
        language: {name: entry.name for name, entry in library.all(RUMOURS, language).items()}
        for language in library.pack.languages
    }


class _Rumours:
    def __init__(
        self, library: Library, find: Find, techniques: Mapping[str, Mapping[str, tuple[str, bool]]], routes: Routes
    ) -> None:
        self._library = library
        self._find = find
        self._routes = routes
        self._rumours = _rumours(library)
        self._sources = library.only(SOURCES, next(iter(library.pack.languages))).sources
        self._techniques = techniques
        self._ids = next(iter(self._rumours.values())).keys()
        self._drawn_cards: dict[tuple[str, str], Reply] = {}

    def feature(self) -> Feature:
        return Feature(
            NAME,
            (
                Command(
                    "rumour",
                    self.read,
                    self.suggest,
                    argument=True,
                    private=True,
                    linkable=lambda a: not a or self.leads_somewhere(a),
                    shows=lambda a: (RUMOURS.name, a.partition(" ")[0]),
                ),
                Command("rumours", self.browse, argument=True, linkable=self._leads_on),
                Command("not", self.not_it, hidden=True),
            ),
            listen=self.listen,
            resume=self.resume,
            ask=self.ask,
        )

    def read(self, argument: str) -> Answer:
        """`/rumour`: a card or a part of one by id, else whatever the words mean; without words, ask for them."""
        name, _, section = argument.partition(" ")
        if self.leads_somewhere(argument):
            return lambda context: self._card(context, name, section)
        if not argument:
            return self._prompt
        return self.listen(argument).answer

    def listen(self, text: str) -> Heard:
        """Judge free text: surely one rumour, perhaps one of a few, or none we know."""
        found = self._find(text)
        least = BLOCKED if found.blocked and found.decision == "answer" else NEVER_SURE
        return Heard(max(found.confidence, least), lambda context: self._found(context, found))

    def resume(self, text: str) -> Answer:
        """Take the words that `/rumour` asked for."""
        heard = self.listen(text)

        def answer(context: Context) -> Outcome:
            return heard.answer(context).then(context.session.leave(NAME))

        return answer

    def ask(self, context: Context) -> Reply:
        """Ask what was heard."""
        return Reply(context.say("rumours.what_heard"), prompt=context.say("rumours.your_words"))

    def leads_somewhere(self, argument: str) -> bool:
        """Say whether `argument` is the id of a card, or of a part of one."""
        name, _, section = argument.partition(" ")
        return name in self._ids and section in ("", *replies.SECTIONS)

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete neutral names and ids; where none begins so, offer what the words may mean."""
        rumours = self._rumours[language]
        names = [name for name, rumour in rumours.items() if begins(typed, name, rumour.name)]
        return [Choice(rumours[name].name, name) for name in names or self._meant(typed)]

    def _meant(self, typed: str) -> list[str]:
        found = self._find(typed)
        return [] if found.decision == "none" else list(dict.fromkeys(match.entry for match in found.candidates))

    def _leads_on(self, argument: str) -> bool:
        return argument == "" or argument in self._library.all(THEMES, next(iter(self._rumours)))

    def browse(self, argument: str) -> Answer:
        """`/rumours`: the themes; `/rumours work`: the cards of one."""

        def answer(context: Context) -> Outcome:
            themes = self._library.all(THEMES, context.language)
            if argument in themes:
                return context.show(f"**{themes[argument].name}**", *self._cards(context, self._of_theme(argument)))
            named = sorted(themes.items(), key=lambda item: folded(item[1].name))
            choices = [Choice(theme.name, f"/rumours {name}") for name, theme in named]
            return context.show(context.say("rumours.themes"), *choices)

        return answer

    def not_it(self, argument: str) -> Answer:
        """`/not jobs wages`: that card was not meant; offer the runner-up, then its neighbours."""
        tried = argument.split()

        def answer(context: Context) -> Outcome:
            if not tried or tried[0] not in self._ids:
                return self._none(context)
            theme = self._library.folders[RUMOURS.name, tried[0]]
            near = dict.fromkeys([name for name in tried[1:] if name in self._ids] + self._of_theme(theme))
            near = dict.fromkeys(name for name in near if name != tried[0] and not is_hidden(context, name))
            choices = [*self._cards(context, list(near)[: OFFERED + 1]), self._none_of_these(context)]
            return context.show(context.say("rumours.sorry_not_it"), *choices)

        return answer

    def _prompt(self, context: Context) -> Outcome:
        return Outcome((self.ask(context),), context.session.enter(NAME))

    def _card(self, context: Context, name: str, section: str) -> Outcome:
        rumour = self._rumours[context.language][name]
        if is_hidden(context, name):
            return self._withdrawn(context, name)
        if not section:
            return Outcome((self._drawn(context, name, rumour),), counts=(Count("card", name),))
        text = {
            "facts": lambda: replies.facts(context, rumour, self._sources),
            "feeling": lambda: replies.feeling(context, rumour),
            "talk": lambda: context.say("rumours.safe_talk" if rumour.sensitivity == "high" else "rumours.talk"),
            "caution": lambda: replies.caution(context, rumour),
            "sources": lambda: replies.source_lines(context, rumour, self._sources),
            "town": lambda: replies.town(context, rumour, self._sources, self._library.pack),
            "support": lambda: replies.support(context, rumour, self._routes),
        }[section]()
        more = self._ways(context, rumour) if section == "talk" else []
        return context.show(text, *more, Choice(context.say("rumours.back"), f"/rumour {name}"))

    def _drawn(self, context: Context, name: str, rumour: Rumour) -> Reply:
        """Return the card, worded once in each language: it says the same to everybody."""
        known = (context.language, name)
        if known not in self._drawn_cards:
            self._drawn_cards[known] = replies.card(context, name, rumour, self._sources, self._library.pack)
        return self._drawn_cards[known]

    def _withdrawn(self, context: Context, name: str) -> Outcome:
        """Say that a card is withdrawn for now, and why; offer its theme, and what helps without it."""
        say, theme = context.say, self._library.folders[RUMOURS.name, name]
        text = say(
            "rumours.withdrawn",
            name=self._rumours[context.language][name].name,
            reason=escape(context.hidden[RUMOURS.name, name]),
        )
        heading = self._library.all(THEMES, context.language)[theme].name
        return context.show(
            text,
            Choice(heading, f"/rumours {theme}"),
            Choice(say("rumours.get_tip"), "/tip"),
            Choice(say("rumours.get_support"), "/support"),
        )

    def _ways(self, context: Context, rumour: Rumour) -> list[Choice]:
        """Return the techniques that suit; where dignity is attacked, only those that keep everybody safe."""
        known = self._techniques[context.language]
        careful = rumour.sensitivity == "high"
        return [
            Choice(known[name][0], f"/technique {name}") for name in rumour.techniques if known[name][1] or not careful
        ]

    def _found(self, context: Context, found: Finding) -> Outcome:
        if found.decision == "none":
            return self._none(context).counted(Count("search", "none"))
        names = list(dict.fromkeys(match.entry for match in found.candidates))
        if found.decision == "offer":
            names = [name for name in names if not is_hidden(context, name)]
            if not names:
                return self._none(context)
            choices = [*self._cards(context, names[:OFFERED]), self._none_of_these(context), self._happened(context)]
            return context.show(context.say("rumours.did_you_mean"), *choices).counted(Count("search", "offered"))
        if found.blocked:
            return self._blocked(context, names[0]).counted(Count("search", "found"))
        if is_hidden(context, names[0]):
            return self._withdrawn(context, names[0])
        shown = self._card(context, names[0], "")
        (card,) = shown.replies
        runner_up = names[1] if len(names) > 1 else ""
        not_it = Choice(card.choices[-1].label, f"/not {names[0]} {runner_up}".strip())
        answer = context.show(card.text, *card.choices[:-1], not_it, link=card.link)
        return answer.counted(*shown.counts, Count("search", "found"))

    def _blocked(self, context: Context, name: str) -> Outcome:
        """Dehumanising words: not repeated, not debated; support, a way to stop, the term."""
        say = context.say
        if is_hidden(context, name):
            return context.show(say("rumours.blocked"), Choice(say("rumours.get_support"), "/support"))
        return context.show(
            say("rumours.blocked"),
            Choice(say("rumours.get_support"), f"/rumour {name} support"),
            Choice(say("rumours.stay_safe"), f"/rumour {name} talk"),
            Choice(say("rumours.show_card"), f"/rumour {name}"),
        )

    def _none(self, context: Context) -> Outcome:
        say = context.say
        return context.show(
            say("rumours.none"),
            Choice(say("rumours.see_themes"), "/rumours"),
            Choice(say("rumours.get_tip"), "/tip"),
            Choice(say("rumours.leave_it"), "/report"),
            self._happened(context),
        )

    def _happened(self, context: Context) -> Choice:
        """Return the way to help for somebody who was hurt, and whose words were not recognised."""
        return Choice(context.say("rumours.happened"), "/support")

    def _none_of_these(self, context: Context) -> Choice:
        return Choice(context.say("rumours.none_of_these"), "/not")

    def _cards(self, context: Context, names: list[str]) -> list[Choice]:
        rumours = self._rumours[context.language]
        return [Choice(rumours[name].name, f"/rumour {name}") for name in names]

    def _of_theme(self, theme: str) -> list[str]:
        return [name for name in self._ids if self._library.folders[RUMOURS.name, name] == theme]


def is_hidden(context: Context, name: str) -> bool:
    """Say whether editors have withdrawn a card."""
    return (RUMOURS.name, name) in context.hidden
