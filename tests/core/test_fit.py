"""`fit` drops nothing: every part fits, every word is there, every choice stays reachable."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core import markup
from bot.core.fit import fit
from bot.core.message import Choice, Image, Reply
from bot.core.platform import Hears, Limits
from bot.platforms.limits import BY_NAME, DISCORD, TELEGRAM, TERMINAL, WEB

WORDS = st.text(st.sampled_from("ab é🙂\n.*_[]()<>-1 "), max_size=300)
LABELS = st.text(st.sampled_from("abc é🙂"), min_size=1, max_size=60).filter(str.strip)
CHOICES = st.lists(st.builds(Choice, LABELS, st.sampled_from([f"/say {n}" for n in range(40)])), max_size=40)
REPLIES = st.builds(
    Reply,
    WORDS,
    CHOICES.map(tuple),
    st.none() | LABELS,
    st.none() | st.builds(Image, LABELS),
    st.none() | st.just("card"),
    st.booleans(),
)
LIMITS = st.builds(
    Limits,
    text=st.integers(40, 400),
    choices=st.integers(0, 8),
    label=st.integers(2, 40),
    caption=st.integers(40, 100),
    images=st.booleans(),
    edits=st.booleans(),
    forms=st.booleans(),
    choices_with_prompt=st.booleans(),
    utf16=st.booleans(),
)


@given(REPLIES, LIMITS)
def test_every_part_fits(reply: Reply, limits: Limits) -> None:
    for part in fit(reply, limits):
        room = limits.caption if part.image else limits.text
        assert limits.length(markup.plain(markup.parse(part.text))) <= room
        assert len(part.choices) <= limits.choices
        assert all(limits.length(choice.label) <= limits.label for choice in part.choices)
        assert limits.images or part.image is None
        assert limits.forms or part.prompt is None
        assert limits.choices_with_prompt or not (part.prompt and part.choices)


@given(REPLIES, LIMITS)
def test_every_choice_stays_reachable(reply: Reply, limits: Limits) -> None:
    parts = fit(reply, limits)
    buttons = {choice.say for part in parts for choice in part.choices}
    wanted = {choice.say for choice in reply.choices}
    if limits.choices:
        assert buttons == wanted
    else:
        lines = "\n".join(markup.plain(markup.parse(part.text)) for part in parts)
        assert all(f"{number}." in lines for number in range(1, len(wanted) + 1))


@given(REPLIES, LIMITS)
def test_every_word_is_there(reply: Reply, limits: Limits) -> None:
    said = "".join(markup.plain(markup.parse(part.text)) for part in fit(reply, limits))
    letters = [c for c in markup.plain(markup.parse(reply.text)) if c.isalpha()]
    rest = iter(said)
    assert all(letter in rest for letter in letters)


def test_a_reply_that_fits_is_left_alone() -> None:
    reply = Reply("**Hello.** Pick one:", (Choice("One", "/one"), Choice("Two", "/two")), prompt="Your word")
    for limits in (WEB, TERMINAL, DISCORD):
        assert fit(reply, limits) == [reply]


def test_a_long_text_is_cut_where_reading_pauses() -> None:
    limits = Limits(text=40, choices=3, label=20)
    parts = fit(Reply("First sentence here. Second sentence here.\n\nThird one.", (Choice("Go", "/go"),)), limits)
    assert [part.text for part in parts] == ["First sentence here. ", "Second sentence here.\n\nThird one."]
    assert [len(part.choices) for part in parts] == [0, 1]


def test_bold_goes_on_after_a_cut() -> None:
    parts = fit(Reply("**one two three four five six**"), Limits(text=15, choices=1, label=9))
    assert [part.text.strip() for part in parts] == ["**one two three**", "**four five six**"]


def test_a_long_label_becomes_a_numbered_line() -> None:
    reply = Reply("Which?", (Choice("A label that is far too long for a phone", "/a"), Choice("B", "/b")))
    (part,) = fit(reply, TELEGRAM)
    assert part.text == "Which?\n\n1. A label that is far too long for a phone\n2. B"
    assert part.choices == (Choice("1", "/a"), Choice("2", "/b"))


def test_telegram_asks_beside_its_buttons() -> None:
    parts = fit(Reply("Which?", (Choice("A", "a"),), prompt="Your word"), TELEGRAM)
    assert [(bool(part.choices), part.prompt) for part in parts] == [(True, None), (False, "Your word")]


def test_an_image_is_its_words_where_there_are_none() -> None:
    (part,) = fit(Reply("Look.", image=Image("A door with three locks")), TERMINAL)
    assert part.text == "*A door with three locks*\n\nLook."


def test_choices_that_say_the_same_are_one() -> None:
    (part,) = fit(Reply("?", (Choice("A", "/a"), Choice("B", "/b"), Choice("A again", "/a"))), WEB)
    assert part.choices == (Choice("A", "/a"), Choice("B", "/b"))


def test_every_platform_says_what_it_hears() -> None:
    assert BY_NAME["discord"].hears is Hears.ADDRESSED
    assert BY_NAME["web"].hears is Hears.EVERYTHING
