"""What is parsed is written again; what somebody typed never becomes markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.markup import Block, Span, escape, lift, links, parse, plain, write
from bot.talk.words import clean

TYPED = st.text(max_size=200).map(clean)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("plain", (Block((Span("plain"),)),)),
        ("**b** and *i*", (Block((Span("b", bold=True), Span(" and "), Span("i", italic=True))),)),
        ("- one\n- two", (Block((Span("one"),), "•"), Block((Span("two"),), "•"))),
        ("3. three", (Block((Span("three"),), "3."),)),
        ("> quoted", (Block((Span("quoted"),), quoted=True),)),
        ("[words](/term x y)", (Block((Span("words", link="/term x y"),)),)),
        ("<b>no html</b>", (Block((Span("<b>no html</b>"),)),)),
        ("# no heading", (Block((Span("# no heading"),)),)),
        ("[bad](javascript:alert(1))", (Block((Span("[bad](javascript:alert(1))"),)),)),
    ],
)
def test_our_markdown(text: str, blocks: tuple[Block, ...]) -> None:
    assert parse(text) == blocks


@given(TYPED)
def test_what_was_typed_is_shown_as_typed(text: str) -> None:
    blocks = parse(escape(text))
    assert plain(blocks) == text
    assert all(span == Span(span.text) for block in blocks for span in block.spans)


SPANS = st.builds(
    Span,
    st.text(st.sampled_from("ab c*_[]<é"), min_size=1).filter(lambda text: text == text.strip()),
    bold=st.booleans(),
    link=st.none() | st.just("/term x"),
)


@given(st.lists(SPANS.map(lambda span: Block((span,))), min_size=1, max_size=4))
def test_written_blocks_parse_to_themselves(blocks: list[Block]) -> None:
    assert parse(write(blocks)) == tuple(blocks)


def test_links_are_found() -> None:
    assert links("see [a](/term x) and [b](https://example.org)") == ["/term x", "https://example.org"]


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        ("Words.", "Words.", []),
        ("Words.\n\n[More](/rumour jobs)", "Words.", [("More", "/rumour jobs")]),
        ("Words.\n\n[One](/a)\n[Two](/b c)", "Words.", [("One", "/a"), ("Two", "/b c")]),
        ("First.\n\n[One](/a)\n\nLast.", "First.\n\nLast.", [("One", "/a")]),
        ("See [more](/rumour jobs).", "See [more](/rumour jobs).", []),
        ("- [more](/rumour jobs)", "- [more](/rumour jobs)", []),
        ("[Source](https://example.org)", "[Source](https://example.org)", []),
        ("[A](/a) [B](/b)", "[A](/a) [B](/b)", []),
        ("[Alone](/help)", "", [("Alone", "/help")]),
        (" trailing space ", " trailing space ", []),
    ],
)
def test_lines_that_are_only_a_link_to_a_command_are_lifted(text: str, left: str, found: list[tuple[str, str]]) -> None:
    assert lift(text) == (left, found)


@given(TYPED)
def test_nothing_that_was_typed_is_lifted(text: str) -> None:
    assert lift(escape(text)) == (escape(text), [])


LINES = st.sampled_from(["Words.", "", "[One](/a)", "[Two](/b c)", "- item", "[site](https://example.org)"])


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_lifting_leaves_nothing_to_lift_and_loses_no_link(text: str) -> None:
    left, found = lift(text)
    assert lift(left)[1] == []
    assert sorted(links(text)) == sorted([*links(left), *(command for _, command in found)])
