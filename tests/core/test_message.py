"""Addresses, replies and sessions come back from text as they went."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.message import Address, Choice, Image, Reply, pack, unpack
from bot.core.session import Question, Scene, Session

NAMES = st.text(st.characters(exclude_characters="@:", categories=["L", "N"]), min_size=1)
ADDRESSES = st.builds(Address, NAMES, NAMES, st.none() | NAMES)
CHOICES = st.lists(st.builds(Choice, st.text(), st.text()), max_size=4).map(tuple)
IMAGES = st.none() | st.builds(Image, st.text(min_size=1), data=st.none() | st.binary(min_size=1))
REPLIES = st.builds(
    Reply,
    st.text(),
    CHOICES,
    st.none() | st.text(min_size=1),
    IMAGES,
    st.none() | st.text(min_size=1),
    st.booleans(),
    st.none() | st.just("/rumour jobs"),
)


@given(ADDRESSES)
def test_addresses(address: Address) -> None:
    assert Address.parse(str(address)) == address


@given(REPLIES)
def test_replies(reply: Reply) -> None:
    assert unpack(pack(reply)) == reply


@given(ADDRESSES, CHOICES, REPLIES, st.integers(1, 9), st.booleans())
def test_sessions(where: Address, listed: tuple[Choice, ...], reply: Reply, turns: int, met: bool) -> None:
    session = Session(where, "es", "town", met, turns, Question(turns, reply), listed, (Scene("quizzes", "7"),))
    assert Session.from_json(where, session.to_json()) == session


def test_a_scene_lies_on_top_of_another_and_gives_it_back() -> None:
    session = Session(Address("web", "a")).enter("quizzes", "7").enter("rumours")
    assert session.top == Scene("rumours")
    assert session.leave("rumours").top == Scene("quizzes", "7")
    assert session.enter("quizzes", "8").scenes == (Scene("rumours"), Scene("quizzes", "8"))
