"""Commands are found by every name they have, links say only what links may, menus and searches what fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.app import Content, repertoire
from bot.core.message import Choice
from bot.talk.repertoire import LINK, Repertoire
from bot.talk.words import call

LINKABLE = ["/help", "/rumours", "/techniques", "/privacy", "/support", "/tip", "/rumour", "/term", "/start youth"]
UNLINKABLE = [
    "/forget",
    "/stop",
    "/language",
    "/quiet",
    "/bye",
    "/not x",
    "/joined",
    "/channel",
    "/door rumour",
    "/nope",
]


@pytest.fixture(scope="module")
def known(content: Content) -> Repertoire:
    return repertoire(content)


def test_every_command_is_found_by_its_name_in_every_language(known: Repertoire) -> None:
    for language in known.languages:
        for command in known.commands.values():
            if not command.hidden:
                assert known.command(known.say_in(language)(f"name.{command.name}")) is command


def test_no_two_commands_share_a_name_in_any_language(known: Repertoire) -> None:
    owners: dict[str, set[str]] = {}
    for language in known.languages:
        for command in known.menu(shared=True):
            owners.setdefault(known.say_in(language)(f"name.{command.name}"), set()).add(command.name)
    assert {name: whose for name, whose in owners.items() if len(whose) > 1} == {}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ayuda", "help"),
        ("AYUDA", "help"),
        ("t\u00e9rmino", "term"),
        ("adi\u00f3s", "bye"),
        ("Help", "help"),
        ("nope", None),
    ],
)
def test_names_are_found_without_regard_to_case_and_accents(known: Repertoire, typed: str, name: str | None) -> None:
    found = known.command(typed)
    assert (found and found.name) == name


def test_hidden_commands_have_no_other_names(known: Repertoire) -> None:
    assert known.command("joined") is known.commands["joined"]
    assert {command.name for command in known.menu(shared=True)}.isdisjoint({"not", "joined", "channel", "door"})


def test_menus_of_private_chats_leave_out_what_is_for_groups(known: Repertoire) -> None:
    shared, private = ({command.name for command in known.menu(shared=shared)} for shared in (True, False))
    assert shared - private == {"quiet", "bye", "votes", "decide"}
    assert private < shared


@pytest.mark.parametrize(
    ("say", "private"),
    [("/rumour", True), ("/rumour jobs", True), ("/rumor jobs", True), ("/tip", True), ("/help", False), ("/x", False)],
)
def test_private_commands_are_known_by_any_of_their_names(known: Repertoire, say: str, private: bool) -> None:
    assert known.is_private(say) is private


@pytest.mark.parametrize("say", LINKABLE)
def test_what_a_link_may_say_comes_back_from_it(known: Repertoire, say: str) -> None:
    payload = known.payload(say)
    assert payload is not None
    assert LINK.fullmatch(payload)
    assert known.linked(payload) == say


@pytest.mark.parametrize("say", UNLINKABLE)
def test_what_no_link_may_say_has_no_payload(known: Repertoire, say: str) -> None:
    assert known.payload(say) is None
    assert known.linked(say.removeprefix("/").replace(" ", "_")) is None


@pytest.mark.parametrize("payload", ["forget", "FORGET", "olvidar", "Olvidar", "forget_", "forget_me", "f\u00f3rget"])
def test_no_link_makes_anybody_forget(known: Repertoire, payload: str) -> None:
    assert known.linked(payload) is None


@given(some.text(some.sampled_from("forgetolvidar_-FORG \u00e9\u0301/@"), max_size=20) | some.text(max_size=40))
def test_whatever_a_link_says_it_leads_to_a_linkable_command_or_nowhere(known: Repertoire, payload: str) -> None:
    if (say := known.linked(payload)) is None:
        return
    called = call(say)
    assert called
    command = known.commands[called.name]
    assert command.linkable
    assert command.linkable(called.argument)
    assert command.name != "forget"


@given(some.data())
def test_every_suggestion_of_every_linkable_command_survives_a_link(known: Repertoire, data: some.DataObject) -> None:
    command = data.draw(some.sampled_from([c for c in known.commands.values() if c.suggest and c.linkable]))
    language = data.draw(some.sampled_from(list(known.languages)))
    for choice in (
        command.suggest(data.draw(some.sampled_from("abcdefghilmnoprstu")), language) if command.suggest else ()
    ):
        say = f"/{command.name} {choice.say}"
        payload = known.payload(say)
        assert payload is None or known.linked(payload) == say


def test_a_search_finds_names_that_begin_so_first(known: Repertoire) -> None:
    found = known.search("ste", "en", 12)
    assert found
    assert found[0].label.casefold().startswith("ste")
    assert all(isinstance(choice, Choice) and choice.say.startswith("/") for choice in found)


def test_a_search_returns_no_more_than_asked_for(known: Repertoire) -> None:
    assert len(known.search("a", "en", 3)) == 3
    assert known.search("zzqqx", "en", 12) == []


def test_whatever_a_search_finds_leads_somewhere(known: Repertoire) -> None:
    for language in known.languages:
        for choice in known.search("e", language, 50):
            called = call(choice.say)
            assert called
            command = known.commands[called.name]
            assert command.linkable
            assert command.linkable(called.argument)


@pytest.mark.parametrize(("wanted", "spoken"), [("es-MX", "es"), ("ES", "es"), ("xx", "en"), (None, "en"), ("", "en")])
def test_a_hint_is_heeded_where_the_pack_speaks_it(known: Repertoire, wanted: str | None, spoken: str) -> None:
    assert known.spoken(wanted) == spoken
