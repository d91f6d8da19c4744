"""Rumours: found from a person's own words, answered with something to say, a question, a fact."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.rumours import replies, warn
from bot.features.rumours.entry import RUMOURS, Rumour
from bot.features.rumours.find import Finder, Finding, Rumours
from bot.library.common import SOURCES, THEMES
from bot.library.load import Library
from bot.library.support import Routes
from bot.matching.index import Phrasing
from bot.matching.learnt import Recall, learn_anew
from bot.matching.semantic import Voice
from bot.matching.tongue import Tongue
from bot.storage import sessions, unmatched
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome
from bot.talk.words import begins, folded

KINDS = (RUMOURS,)
NAME = "rumours"
OFFERED = 3
BLOCKED = 0.99  # so sure is a card found by dehumanising words: above care, which has no card to offer
Find = Callable[[str], Finding]
Keepable = Callable[[str], bool]
Learn = Callable[[Sequence[Phrasing]], Voice | None]
NEVER_SURE = 0.05  # the floor that lets any other feature that recognises the words come first
LONGEST_SAY = 48  # bytes of what a choice says


def feature(
    library: Library,
    find: Find,
    techniques: Mapping[str, Mapping[str, tuple[str, bool]]],
    routes: Routes,
    keepable: Keepable | None = None,
) -> Feature:
    """Return the feature for `library`; `techniques` gives language → id → (name, safe for high sensitivity).

    `keepable` says of words that nobody knows whether they may be kept, pure and in memory; None keeps nothing.
    """
    return _Rumours(library, find, techniques, routes, keepable).feature()


def finder(
    shared: Library,
    tongues: Mapping[str, Tongue],
    cities: Mapping[str, Library],
    recall: Recall = learn_anew,
    learn: Learn | None = None,
) -> Finder:
    """Return what finds the rumours of the shared library and of every city's.

    `recall` keeps what is learnt from them; `learn` makes what judges by meaning.
    """
    own = {city: _rumours(library) for city, library in cities.items()}
    voice = learn(_said(_rumours(shared), own)) if learn else None
    return Finder(_rumours(shared), tongues, own, recall, voice)


def _said(shared: Rumours, own: Mapping[str, Rumours]) -> list[Phrasing]:
    """Return how every rumour is said, in all languages; what a city says otherwise stands as `city/id`."""
    plain = _ways(shared, "")
    known = set(plain)
    theirs = {city: [way for way in _ways(rumours, "") if way not in known] for city, rumours in own.items()}
    changed = {city: {way.entry for way in ways} for city, ways in theirs.items()}
    whole = [way for city, rumours in own.items() for way in _ways(rumours, city, changed[city])]
    return plain + whole


def _ways(rumours: Rumours, city: str, only: Collection[str] | None = None) -> list[Phrasing]:
    return [
        Phrasing(f"{city}/{name}" if city else name, text)
        for by_id in rumours.values()
        for name, rumour in by_id.items()
        if only is None or name in only
        for text in (rumour.claim, *rumour.heard_as)
    ]


def phrasing_warnings(library: Library, tongues: Mapping[str, Tongue], recall: Recall, *, every: bool) -> Iterator[str]:
    """Yield what editors may mend in the ways of saying rumours."""
    return warn.phrasing_warnings(_rumours(library), tongues, recall, every=every)


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
        self,
        library: Library,
        find: Find,
        techniques: Mapping[str, Mapping[str, tuple[str, bool]]],
        routes: Routes,
        keepable: Keepable | None,
    ) -> None:
        self._library = library
        self._find = find
        self._routes = routes
        self._keepable = keepable
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
                Command("none", self.none_of_these, hidden=True),
                Command("switch", self.switch, admin=True, hidden=True),
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
        lost = found.decision == "none" and self._keepable is not None and self._keepable(text)
        return Heard(max(found.confidence, least), lambda context: self._found(context, found, text if lost else ""))

    def resume(self, text: str) -> Answer:
        """Take the words that `/rumour` asked for."""
        heard = self.listen(text)

        def answer(context: Context) -> Outcome:
            left = replace(context, session=context.session.leave(NAME))
            outcome = heard.answer(left)
            return outcome if outcome.session else outcome.then(left.session)

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
        first, _, rest = argument.partition(" ")
        tried, others = self._named(first), self._named(rest)

        def answer(context: Context) -> Outcome:
            if not tried:
                return self._none(context)
            theme = self._library.folders[RUMOURS.name, tried[0]]
            near = dict.fromkeys(others + self._of_theme(theme))
            near = dict.fromkeys(name for name in near if name not in tried and not is_hidden(context, name))
            # What is offered for its theme alone was not found for these words: refusing it says nothing about it.
            refused = self._none_of_these(context, [name for name in others if name in near])
            choices = [*self._cards(context, list(near)[: OFFERED + 1]), refused]
            shown = context.show(context.say("rumours.sorry_not_it"), *choices)
            return shown.counted(*_misses(context, "not-it", tried))

        return answer

    def none_of_these(self, argument: str) -> Answer:
        """`/none jobs wages`: these cards were offered, and none was meant."""
        offered = self._named(argument)
        return lambda context: self._none(context).counted(*_misses(context, "none-of-these", offered))

    def switch(self, argument: str) -> Answer:
        """`/switch es jobs`: from now on in that language, and the same card, or the same offer, once more in it."""
        code, _, rest = argument.partition(" ")
        names = self._named(rest)

        def answer(context: Context) -> Outcome:
            if code not in self._rumours:
                return context.show(context.say("language.unknown"), Choice(context.say("menu.help"), "/help"))
            session = replace(context.session, language=code, switched=True)
            told = replace(context, session=session, language=code, say=context.say_in(code))
            again = self._again(told, names)
            chosen = Reply(told.say("language.chosen"))
            return Outcome((chosen, *again.replies), session, counts=again.counts)

        return answer

    def _again(self, context: Context, names: Sequence[str]) -> Outcome:
        """Show what was found once more, in another language; without it, the themes."""
        shown = [name for name in names if not is_hidden(context, name)]
        if len(names) == 1:
            return self._card(context, names[0], "")
        return self._offer(context, shown) if shown else self.browse("")(context)

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

    def _found(self, context: Context, found: Finding, lost: str) -> Outcome:
        """Word what was found; `lost` are words that led nowhere and may be kept."""
        names = list(dict.fromkeys(match.entry for match in found.candidates))
        word = {"offer": self._offered, "service": self._service, "opposite": self._opposite}.get(found.decision)
        if word:
            return word(context, found, [name for name in names if not is_hidden(context, name)][:OFFERED])
        if found.decision == "none":
            return self._unknown(context, lost).counted(Count("search", "none"))
        if found.blocked:
            return self._blocked(context, names[0]).counted(Count("search", "found"))
        if is_hidden(context, names[0]):
            return self._withdrawn(context, names[0])
        return self._answered(context, found, names)

    def _answered(self, context: Context, found: Finding, names: Sequence[str]) -> Outcome:
        """Show the card that was found, with the way out where another was meant."""
        shown = self._card(context, names[0], "")
        (card,) = shown.replies
        switch = self._switch(context, found.language, names[:1])
        not_it = Choice(card.choices[-1].label, self._say("not", names[:2]))
        answer = context.show(card.text, *switch, *card.choices[:-1], not_it, link=card.link)
        return _once(context, answer.counted(*shown.counts, Count("search", "found")), switch)

    def _offered(self, context: Context, found: Finding, names: Sequence[str]) -> Outcome:
        """Ask which of a few cards is meant."""
        if not names:
            return self._none(context)
        switch = self._switch(context, found.language, names)
        return _once(context, self._offer(context, names, switch).counted(Count("search", "offered")), switch)

    def _offer(self, context: Context, names: Sequence[str], switch: Sequence[Choice] = ()) -> Outcome:
        ways = self._none_of_these(context, names), self._happened(context)
        return context.show(context.say("rumours.did_you_mean"), *switch, *self._cards(context, names), *ways)

    def _service(self, context: Context, found: Finding, names: Sequence[str]) -> Outcome:
        """A question about a service: say who may know, and what is here for when something is said about it."""
        help_ = Choice(context.say("care.where_help_is"), "/support")
        themes = Choice(context.say("rumours.see_themes"), "/rumours")
        shown = self._taken_for(context, context.say("rumours.service"), found, names[:1], help_, themes)
        return shown.counted(Count("search", "service"))

    def _opposite(self, context: Context, found: Finding, names: Sequence[str]) -> Outcome:
        """Somebody who contradicts a rumour: name what it seems to be about, and offer what is known."""
        if not names:
            return self._none(context).counted(Count("search", "none"))
        tip = Choice(context.say("rumours.get_tip"), "/tip")
        not_it = Choice(context.say("rumours.not_it"), self._say("not", names[:2]))
        shown = self._taken_for(context, context.say("rumours.opposite"), found, names[:1], tip, not_it)
        return shown.counted(Count("search", "opposite"))

    def _taken_for(self, context: Context, what: str, found: Finding, names: Sequence[str], *ways: Choice) -> Outcome:
        """Say `what` the words seem to be, and what they were taken to be about, with the card one press away."""
        switch = self._switch(context, found.language, names)
        text = "\n\n".join([what, *(self._about(context, name) for name in names)])
        cards = [Choice(context.say("rumours.show_card"), f"/rumour {name}") for name in names]
        return _once(context, context.show(text, *switch, *cards, *ways), switch)

    def _about(self, context: Context, name: str) -> str:
        """Name what the words were taken for, so that a misunderstanding is seen."""
        return context.say("rumours.taken_for", name=self._rumours[context.language][name].name)

    def _blocked(self, context: Context, name: str) -> Outcome:
        """Dehumanising words: not repeated, not debated; support, a way to stop, the term."""
        say = context.say
        if is_hidden(context, name):
            return context.show(say("rumours.blocked"), Choice(say("rumours.get_support"), "/support"))
        return context.show(
            f"{say('rumours.blocked')}\n\n{self._about(context, name)}",
            Choice(say("rumours.get_support"), f"/rumour {name} support"),
            Choice(say("rumours.stay_safe"), f"/rumour {name} talk"),
            Choice(say("rumours.show_card"), f"/rumour {name}"),
        )

    def _unknown(self, context: Context, lost: str) -> Outcome:
        """Say that nobody knows these words; keep them where the city wants that, and say so."""
        where, now = context.session.where, context.now
        kept = bool(lost) and unmatched.keep(
            context.tx, where, lost, city=context.city, language=context.language, now=now
        )
        return self._none(context, *([context.say("rumours.kept")] if kept else []))

    def _none(self, context: Context, *more: str) -> Outcome:
        say = context.say
        return context.show(
            "\n\n".join((say("rumours.none"), *more)),
            Choice(say("rumours.see_themes"), "/rumours"),
            Choice(say("rumours.get_tip"), "/tip"),
            Choice(say("rumours.leave_it"), "/report"),
            self._happened(context),
        )

    def _happened(self, context: Context) -> Choice:
        """Return the way to help for somebody who was hurt, and whose words were not recognised."""
        return Choice(context.say("rumours.happened"), "/support")

    def _none_of_these(self, context: Context, offered: Sequence[str]) -> Choice:
        return Choice(context.say("rumours.none_of_these"), self._say("none", offered))

    def _switch(self, context: Context, spoken: str, names: Sequence[str]) -> list[Choice]:
        """Return the way to the language that was `spoken`, where it is another one, once in a conversation.

        In a shared chat those who run it choose the language.
        """
        if spoken == context.language or spoken not in self._rumours or context.session.switched or context.shared:
            return []
        return [Choice(context.say_in(spoken)("language.switch"), self._say(f"switch {spoken}", names))]

    def _say(self, command: str, names: Sequence[str]) -> str:
        """Return `/command` with the ids `names`, cut to their beginnings where a choice could not say them whole."""
        whole = " ".join([f"/{command}", *names])
        if len(whole) <= LONGEST_SAY:
            return whole
        room = (LONGEST_SAY - len(command) - 1) // len(names) - 1
        return " ".join([f"/{command}", *(name[:room] for name in names)])

    def _named(self, said: str) -> list[str]:
        """Return the ids that `_say` wrote; a beginning that several have names none."""
        words = said.split()[: 2 * OFFERED]
        begun = {word: [name for name in self._ids if name.startswith(word)] for word in words}
        found = (word if word in self._ids else names[0] if len(names) == 1 else "" for word, names in begun.items())
        return list(dict.fromkeys(filter(None, found)))

    def _cards(self, context: Context, names: Sequence[str]) -> list[Choice]:
        rumours = self._rumours[context.language]
        return [Choice(rumours[name].name, f"/rumour {name}") for name in names]

    def _of_theme(self, theme: str) -> list[str]:
        return [name for name in self._ids if self._library.folders[RUMOURS.name, name] == theme]


def _once(context: Context, outcome: Outcome, switch: Sequence[Choice]) -> Outcome:
    """Remember that another language was offered, so that it is not again."""
    return outcome.then(replace(context.session, switched=True)) if switch else outcome


def _misses(context: Context, what: str, names: Sequence[str]) -> list[Count]:
    """Return the counts for cards that were wrongly offered, each once in a conversation and day.

    What knows that is a key in `seen`, gone after two days, and with `/forget` at once.
    """
    tx, where, day = context.tx, context.session.where, f"{context.now:%Y-%m-%d}"
    new = [name for name in names if sessions.first_time(tx, where, f"{what}/{day}/{name}", context.now)]
    return [Count(what, name) for name in new]


def is_hidden(context: Context, name: str) -> bool:
    """Say whether editors have withdrawn a card."""
    return (RUMOURS.name, name) in context.hidden
