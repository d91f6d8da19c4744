"""Whatever is said arrives as it was meant: nothing typed becomes markup, nothing is too long, no pair is cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import markup
from bot.core.fit import fit
from bot.core.message import Choice, Image, Reply
from bot.platforms.limits import TELEGRAM
from bot.platforms.telegram import draw
from bot.talk.words import clean
from tests.platforms.telegram.spec import units

FAMILY = "👨‍👩‍👧‍👦"
PIECES = st.sampled_from(
    ("*", "**", "***", "[", "](", "/help)", "](https://a.example/b)", "[words](/term racism)", "\n", "\n\n", "> ")
) | st.sampled_from(("- ", "1. ", "  - ", "\\", "`", "<b>", "&amp;", "_", " ", "word", "шум", "מילה", "😀", FAMILY))
STEADY = settings(deadline=None, derandomize=True, max_examples=100)
MARKDOWN = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=30).map("".join)


def opens(command: str) -> str:
    return f"https://t.me/HearsayTestBot?start={command[1:5]}"


def stays(_: str) -> None:
    return None


def shows(source: str, sort: str, door: draw.Door = opens) -> list[str]:
    """Return the words that are of one sort."""
    text, entities = draw.text(source, door)
    whole = text.encode("utf-16-le")
    spans = [(entity.offset * 2, (entity.offset + entity.length) * 2) for entity in entities if entity.type == sort]
    return [whole[start:end].decode("utf-16-le") for start, end in spans]


def edges(text: str) -> set[int]:
    return {units(text[:place]) for place in range(len(text) + 1)}


def assert_sound(text: str, entities: list[draw.Entity]) -> None:
    between = edges(text)
    assert all(entity.length > 0 for entity in entities)
    assert all({entity.offset, entity.offset + entity.length} <= between for entity in entities)


@STEADY
@given(st.text(max_size=80))
def test_what_somebody_typed_is_shown_as_typed_and_never_as_markup(typed: str) -> None:
    words = clean(typed)
    text, entities = draw.text(markup.escape(words), stays)
    assert (text.split(), entities) == (words.split(), [])


@STEADY
@given(MARKDOWN)
def test_what_somebody_typed_in_markdown_is_shown_as_typed(typed: str) -> None:
    words = clean(typed)
    text, entities = draw.text(f"I don't have “{markup.escape(words)}”.", stays)
    assert (text, entities) == (f"I don't have “{words}”.", [])


@STEADY
@given(MARKDOWN)
def test_entities_lie_in_the_text_and_cut_no_character(source: str) -> None:
    for door in (opens, stays):
        assert_sound(*draw.text(source, door))


@STEADY
@given(MARKDOWN)
def test_the_text_is_exactly_the_words(source: str) -> None:
    text, _ = draw.text(source, opens)
    assert text == markup.plain(markup.parse(source))


CHOICES = st.builds(
    Choice,
    st.text(min_size=1, max_size=50),
    st.text(min_size=1, max_size=48).filter(lambda say: len(say.encode()) <= 48),
)
REPLIES = st.builds(
    Reply,
    st.builds(lambda source, times: source * times, MARKDOWN, st.sampled_from((1, 20, 100))),
    st.lists(CHOICES, max_size=60).map(tuple),
    prompt=st.none() | st.text(min_size=1, max_size=90),
    image=st.none() | st.builds(Image, st.text(min_size=1).map(lambda alt: alt * 30), data=st.just(b"x")),
)


@settings(STEADY, max_examples=25)
@given(REPLIES, st.none() | st.integers(1, 10**9 - 1))
def test_what_fits_is_never_too_long_once_it_is_drawn(reply: Reply, turn: int | None) -> None:
    for part in fit(reply, TELEGRAM):
        text, entities = draw.text(part.text, stays)
        assert_sound(text, entities)
        assert units(text) <= 4096
        assert text.strip() or not markup.plain(markup.parse(reply.text)).strip() or part.image
        assert units(draw.text(draw.caption(Reply("", image=part.image)), stays)[0]) <= 1024
        keys = draw.keyboard(part.choices, turn, stays)
        assert keys is None or sizes(keys) <= (24, 64)
        form = draw.form(part)
        assert form is None or 1 <= units(form["input_field_placeholder"]) <= 64


def sizes(keys: draw.Raw) -> tuple[int, int]:
    """Return how many buttons there are, and the bytes of the longest."""
    buttons = [button for row in keys["inline_keyboard"] for button in row]
    return len(buttons), max(len(str(button["callback_data"]).encode()) for button in buttons)


@STEADY
@given(st.integers(1, 10**9 - 1), st.text(max_size=48).filter(lambda say: not say.startswith("/")))
def test_a_press_says_what_its_button_said(turn: int, say: str) -> None:
    assert draw.pressed(draw.data(Choice("x", say), turn)) == (turn, say)


@STEADY
@given(st.text(max_size=47).map("/".__add__), st.none() | st.integers(1, 99))
def test_a_command_is_true_for_ever(say: str, turn: int | None) -> None:
    assert draw.pressed(draw.data(Choice("x", say), turn)) == (None, say)


@STEADY
@given(st.text(max_size=64))
def test_a_forged_press_answers_no_question_that_was_not_asked(sent: str) -> None:
    turn, say = draw.pressed(sent)
    assert turn is None if sent.startswith("/") else turn is not None
    assert say in sent


@pytest.mark.parametrize("sent", ["yes", "|yes", "-1|yes", "²|yes", "9999999999|yes", "1e3|yes", ""])
def test_what_no_button_sends_answers_a_question_that_was_never_asked(sent: str) -> None:
    assert draw.pressed(sent)[0] == 0


def test_styles_are_entities() -> None:
    source = f"{FAMILY} **bold** *leaning* [link](https://a.example)\n\n> quoted **too**\n>\n> twice\n\nafter"
    assert shows(source, "bold") == ["bold", "too"]
    assert shows(source, "italic") == ["leaning"]
    assert shows(source, "text_link") == ["link"]
    assert shows(source, "blockquote") == ["quoted too\n\ntwice"]


def test_a_command_that_no_link_may_say_stands_beside_its_words() -> None:
    assert draw.text("Choose a [language](/language).", stays) == ("Choose a language (/language).", [])


def test_a_command_is_not_spelt_out_where_there_is_no_room() -> None:
    whole = "x" * (4096 - 8) + " "
    assert draw.text(f"{whole}[privacy](/privacy)", stays) == (f"{whole}privacy", [])


def test_lists_keep_their_markers() -> None:
    assert draw.text("1. one\n2. two\n   - deep", stays)[0] == "1. one\n2. two\n  • deep"


def test_what_reads_from_right_to_left_stays_whole() -> None:
    source = "**שלום** عليكم *🙂سلام*"
    assert draw.text(source, stays)[0] == "שלום عليكم 🙂سلام"
    assert shows(source, "italic") == ["🙂سلام"]


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (list("ABCDEFGH"), [6, 2]),
        (["More facts", "The feeling", "Sources"], [2, 1]),
        (["a label as long as a row is wide, yes", "b"], [1, 1]),
        (["x"], [1]),
    ],
)
def test_buttons_share_a_row_where_they_can_be_read(labels: list[str], rows: list[int]) -> None:
    keys = draw.keyboard([Choice(label, "/help") for label in labels], None, stays)
    assert keys
    assert [len(row) for row in keys["inline_keyboard"]] == rows


@STEADY
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=24))
def test_rows_keep_all_buttons_in_their_order(labels: list[str]) -> None:
    keys = draw.keyboard([Choice(label, "/help") for label in labels], None, stays)
    assert keys
    assert [button["text"] for row in keys["inline_keyboard"] for button in row] == labels


def test_a_door_replaces_a_press() -> None:
    keys = draw.keyboard([Choice("Go", "/help"), Choice("Yes", "yes")], 3, opens)
    assert keys
    go, yes = keys["inline_keyboard"][0]
    assert go == {"text": "Go", "url": "https://t.me/HearsayTestBot?start=help"}
    assert yes == {"text": "Yes", "callback_data": "3|yes"}


def test_what_a_picture_shows_comes_first_under_it() -> None:
    image = Image("A *map*\nof town", data=b"x")
    assert draw.text(draw.caption(Reply("Look.", image=image)), stays)[0] == "A *map* of town\n\nLook."
    assert draw.caption(Reply("Look.")) == "Look."


@STEADY
@given(st.text(max_size=300))
def test_a_toast_has_at_most_200_units(words: str) -> None:
    assert units(draw.toast(Reply(markup.escape(clean(words)) * 3))) <= 200


def test_no_pair_is_cut_where_words_are_cut() -> None:
    assert draw.toast(Reply("x" + "😀" * 100)) == "x" + "😀" * 99


@STEADY
@given(MARKDOWN)
def test_entities_of_one_sort_do_not_overlap(source: str) -> None:
    _, entities = draw.text(source, opens)
    for sort in {entity.type for entity in entities}:
        ends = [(entity.offset, entity.offset + entity.length) for entity in entities if entity.type == sort]
        assert all(before[1] <= after[0] for before, after in pairwise(ends))
