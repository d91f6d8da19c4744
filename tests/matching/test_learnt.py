"""What is learnt from examples tells them apart, the same each time, and is kept."""

import pytest

from bot.matching.learnt import Classes, Odds, Pace, chance, fitted, likelihoods, name_of

ROWS = [{0: 1.0}, {1: 1.0}, {0: 0.7, 2: 0.7}, {1: 0.7, 2: 0.7}]
ANSWERS = [0, 1, 0, 1]
PACE = Pace(4, 6.0, 0.3)


def learn() -> Classes:
    return Classes.learnt(ROWS, ANSWERS, 2, 3, PACE)


def test_what_was_learnt_tells_apart_and_is_the_same_each_time() -> None:
    for row, answer in zip(ROWS, ANSWERS, strict=True):
        found = learn().weigh(row)
        assert found.index(max(found)) == answer
        assert found == learn().weigh(row)


def test_a_row_without_features_speaks_for_nothing() -> None:
    assert Classes.learnt([{}, *ROWS], [0, *ANSWERS], 2, 3, PACE).weigh({}) == [0.0, 0.0]


def test_what_was_learnt_is_recalled_and_a_broken_file_is_learnt_anew() -> None:
    shelf: dict[str, bytes] = {}
    first = Classes.recalled(lambda name, make: shelf.setdefault(name, make()), "one", 2, 3, learn)
    again = Classes.recalled(lambda name, _: shelf[name], "one", 2, 3, lambda: pytest.fail("was kept"))
    broken = Classes.recalled(lambda *_: b"no floats", "one", 2, 3, learn)
    assert first.weigh(ROWS[0]) == again.weigh(ROWS[0]) == broken.weigh(ROWS[0])


def test_a_name_changes_with_what_goes_in() -> None:
    assert name_of(1, ["a"]) == name_of(1, ["a"]) != name_of(1, ["b"])


def test_likelihoods_add_up_and_never_overflow() -> None:
    assert sum(likelihoods([1.0, 2.0, -3000.0, 4000.0])) == pytest.approx(1)
    assert chance(-1e9) < 1e-12 < 1 - 1e-12 < chance(1e9)


def test_odds_fit_what_they_were_shown() -> None:
    signs = [(float(n), 5.0) for n in range(20)]  # the second says nothing
    odds = fitted(signs, [sign[0] >= 10 for sign in signs], [1.0] * 20)
    assert odds.of((2.0, 5.0)) < 0.2
    assert odds.of((18.0, 5.0)) > 0.8
    assert odds.weights[1] == pytest.approx(0)


def test_odds_say_what_each_sign_adds() -> None:
    assert Odds(0.0, (2.0, -1.0)).parts((1.0, 3.0)) == [2.0, -3.0]
