"""What is drawn for Discord: markup that only we can write, buttons, menus, refusals."""

import re
from collections.abc import Iterator
from dataclasses import replace

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import markup
from bot.core.fit import fit
from bot.core.message import Choice, Image, Reply
from bot.platforms.discord import draw, invite_link, menu
from bot.platforms.discord.invite import invitation
from bot.platforms.discord.speak import nonce
from bot.platforms.limits import DISCORD
from bot.talk.repertoire import Repertoire
from tests.platforms.discord.spec import ABSENT, Api

PING = re.compile(r"@(everyone|here)|<@[!&]?\d+>|<#\d+>", re.IGNORECASE)
TOKEN = re.compile(
    r"\\(?P<escaped>[^0-9A-Za-z\s])|`(?P<code>[^`]*)`|\[(?P<open>)|\]\(<(?P<url>[^<>\s]*)>\)|(?P<mark>\*{1,3})|(?P<plain>.)",
    re.DOTALL,
)
LEAD = re.compile(r"^(> )? *(- |\d+[.)] )?", re.MULTILINE)
MARKDOWN = st.text(
    st.one_of(st.sampled_from(list("*_~|`<>[]()#@-+.:/!&\\ \n19a")), st.characters(exclude_categories=["Cs"])),
    max_size=80,
)
TYPED = st.one_of(
    MARKDOWN,
    st.sampled_from(
        ["@everyone", "@HERE", "<@1>", "<@&2>", "<#3>", "</bye:4>", "<:a:5>", "-# small", "# big", "> quote", ">>> all"]
    ),
)


def shown(content: str) -> str:
    """Return the words that Discord shows, by a model of its Markdown that knows no more than we draw."""
    return "".join(words(LEAD.sub("", content))).replace("\u200b", "")


def words(content: str) -> Iterator[str]:
    for token in TOKEN.finditer(content):
        kind, text = token.lastgroup, token[token.lastgroup or 0]
        if kind == "plain":
            assert text not in "_~|#[]<>@", f"{text!r} is not escaped in {content!r}"
        if kind in ("escaped", "plain", "code"):
            yield text


def folded(text: str) -> str:
    """Return `text` without what is layout: white space, our own bullets and numbers."""
    return re.sub(r"\s|\u200b|^ *(•|\d+[.)]) ", "", text, flags=re.MULTILINE)


@given(TYPED, TYPED)
def test_what_people_typed_is_shown_as_typed_and_pings_nobody(before: str, after: str) -> None:
    typed = f"{before} {after}"
    for text in (typed, f"\n{typed}", f"a\n{typed}"):
        drawn = draw.escape(text)
        assert not PING.search(drawn)
        assert "".join(words(drawn)).replace("\u200b", "") == text.replace("\u200b", "")
        assert not re.search(r"^\s*([-+>#*]|\d+\.)", drawn, re.MULTILINE)


@given(st.lists(TYPED, min_size=1, max_size=4), st.booleans())
def test_typed_words_among_our_own_markup_stay_words(parts: list[str], quoted: bool) -> None:
    said = [" ".join(markup.escape(part).split()) for part in parts]
    text = "\n\n".join(f"{'> ' if quoted else ''}**{part}** and *{part}* {part}" for part in said)
    for page in draw.pages(text):
        assert not PING.search(page)
        list(words(LEAD.sub("", page)))


@given(MARKDOWN.map(lambda text: text * 40), st.integers(1, 200))
def test_whatever_fits_discord_is_drawn_in_messages_that_discord_takes(text: str, times: int) -> None:
    for part in fit(Reply(text * (1 + times // 40)), DISCORD):
        pages = draw.pages(part.text)
        assert all(len(page) <= 2000 for page in pages)
        assert not any(PING.search(page) for page in pages)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("**Bold** and *leaning*", "**Bold** and *leaning*"),
        ("***both***", "***both***"),
        ("- one\n- two\n  - deep", "- one\n- two\n  - deep"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("> quoted\n> twice\n\nafter", "> quoted\n> twice\n\nafter"),
        ("[A source](https://example.org/a_b)", "[A source](<https://example.org/a_b>)"),
        ("[What I can do](/help)", "What I can do (`/help`)"),
        ("[bad](ftp://example.org)", "bad"),
        ("a\\_b https://example.org", "a\\_b https\\://example.org"),
        ("1984. A year", "1984. A year"),
        ("**two**\n**lines**", "**two**\n**lines**"),
    ],
)
def test_our_markdown_is_drawn_as_discords(text: str, drawn: str) -> None:
    assert draw.pages(text) == [drawn]


def test_a_wall_of_marks_is_split_rather_than_refused() -> None:
    pages = draw.pages(markup.escape("*_" * 900))
    assert len(pages) > 1
    assert "".join(map(shown, pages)) == "*_" * 900


async def test_a_card_has_a_button_for_each_choice_and_one_to_answer_in_own_words() -> None:
    reply = Reply("Which?", (Choice("One", "one"), Choice("Jobs", "/rumour jobs")), prompt="Your words")
    view = draw.view(reply, 7, "Pick one")
    assert view is not None
    (row,) = view.to_components()
    assert [(item["label"], item["custom_id"]) for item in row["components"]] == [
        ("One", "7|one"),
        ("Jobs", "|/rumour jobs"),
        ("Your words", "7?"),
    ]


async def test_even_the_most_that_fits_is_what_discord_takes(api: Api | None) -> None:
    choices = tuple(Choice(f"{number} {'x' * 35}", f"/rumour {'y' * 38}{number}") for number in range(25))
    (reply,) = fit(Reply("All", choices, prompt="p" * 300), DISCORD)
    view = draw.view(reply, 10**9, "Pick " * 50)
    assert view is not None
    if api is None:
        pytest.skip(ABSENT)
    body = {
        "content": "All",
        "components": view.to_components(),
        "allowed_mentions": {"parse": []},
        "nonce": nonce("1"),
        "enforce_nonce": True,
    }
    assert api.check_request("POST", "/channels/1/messages", {}, body) == []


def test_a_choice_that_no_button_can_carry_is_refused_when_it_is_drawn() -> None:
    with pytest.raises(ValueError, match="more than a button can carry"):
        draw.pressed(Choice("Long", "x" * 100), 1)


@given(st.integers(0, 10**9), st.text(min_size=1, max_size=48))
def test_what_a_button_carries_is_read_back(turn: int, say: str) -> None:
    assert draw.read_press(draw.pressed(Choice("x", say), turn)) == (say, None if say.startswith("/") else turn)
    assert draw.read_asked(draw.asked(turn)) == (turn,)


@pytest.mark.parametrize("carried", ["", "choose", "x|y", "7", "|", "vote:1", "7??"])
def test_what_other_buttons_carry_is_nothing_to_us(carried: str) -> None:
    assert draw.read_press(carried) is None
    assert draw.read_asked(carried) is None


def test_an_image_without_a_picture_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without a picture"):
        draw.picture(Image("nothing"))


# -------------------- the menu


def test_the_menu_is_in_every_language_its_own_included(whole: Repertoire) -> None:
    commands = {command["name"]: command for command in menu.payload(whole)}
    names = commands["rumour"]["name_localizations"]
    assert names == {"en-US": "rumour", "en-GB": "rumour", "es-ES": "rumor", "es-419": "rumor"}
    assert commands["Check this rumour"]["type"] == 3
    assert commands["Check this rumour"]["name_localizations"]["es-ES"] == "Comprobar este rumor"
    assert commands["language"]["default_member_permissions"] == 32
    assert commands["rumour"]["contexts"] == [0, 1, 2]
    assert commands["bye"]["contexts"] == [0]


def test_discord_takes_the_menu(whole: Repertoire, api: Api | None) -> None:
    if api is None:
        pytest.skip(ABSENT)
    assert api.check_request("PUT", "/applications/1/commands", {}, menu.payload(whole)) == []


def test_a_menu_is_known_again_in_discords_answer_and_not_when_a_word_changes(whole: Repertoire) -> None:
    ours = menu.payload(whole)
    answer = [{**command, "id": "1", "version": "2", "nsfw": False, "name_localized": None} for command in ours]
    for command in answer:
        command["default_member_permissions"] = "32" if "default_member_permissions" in command else None
    assert menu.digest(answer) == menu.digest(reversed(ours))
    assert menu.digest([{**answer[0], "description": "New"}, *answer[1:]]) != menu.digest(ours)
    assert menu.digest(answer[1:]) != menu.digest(ours)


def test_a_name_that_discord_does_not_take_stays_the_commands_own(whole: Repertoire) -> None:

    def say_in(language: str):  # type: ignore[no-untyped-def]  # a phrasebook with a bad name in it
        say = whole.say_in(language)
        return lambda key, **given: "Two Words" if key == "name.help" and language == "es" else say(key, **given)

    commands = {command["name"]: command for command in menu.payload(replace(whole, say_in=say_in))}
    assert commands["help"]["name_localizations"]["es-ES"] == "help"


# -------------------- the invitation


def test_the_invitation_asks_for_exactly_what_is_needed() -> None:
    link = invite_link("700000000000000001")
    assert link.startswith("https://discord.com/oauth2/authorize?client_id=700000000000000001&scope=bot+applications")
    rights = discord.Permissions(int(link.rpartition("=")[2]))
    assert {name for name, granted in rights if granted} == {
        "read_messages",  # which discord.py also calls view_channel
        "send_messages",
        "send_messages_in_threads",
        "create_public_threads",
        "attach_files",
        "read_message_history",
    }


async def test_the_application_is_read_from_the_token_itself() -> None:
    assert "client_id=700000000000000001&" in await invitation("NzAwMDAwMDAwMDAwMDAwMDAx.TEST-of-nobody.aaa")
