"""Holds the figures to account: no small number is shown, none can be reckoned, no cell is a formula."""

import csv
import io
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot import figures
from bot.desk import span
from bot.figures import LEAST, Group, as_csv, as_lines, as_svg, groups, hidden, written
from bot.settings import SettingsError
from bot.storage.counts import Sum

LABELS: Mapping[str, str] = defaultdict(lambda: "A name & <more>")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("parts", "shown", "total"),
    [
        ({"a": 5, "b": 90}, {"b": 90, "a": 5}, 95),
        ({"a": 4, "b": 90}, {"b": 90, "a": None}, None),
        ({"a": 1}, {"a": None}, None),
        ({"a": 2, "b": 2, "c": 90}, {"c": 90, "a": None, "b": None}, None),
        ({"a": 4, "b": 4, "c": 90}, {"c": 90, "a": None, "b": None}, None),
        ({"a": 1, "b": 4, "c": 90}, {"c": 90, "a": None, "b": None}, 95),
        ({}, {}, 0),
    ],
)
def test_small_numbers_are_hidden_and_sums_that_would_tell_them(
    parts: dict[str, int], shown: dict[str, int | None], total: int | None
) -> None:
    found = hidden("card", parts)
    assert (list(found.parts.items()), found.total) == (list(shown.items()), total)


@given(some.dictionaries(some.text("abcdef", min_size=1), some.integers(1, 12), max_size=6))
def test_no_hidden_number_can_be_reckoned_from_what_is_shown(parts: dict[str, int]) -> None:
    found = hidden("card", parts)
    assert all(n is None or n >= LEAST for n in found.parts.values())
    secret = [part for part, n in found.parts.items() if n is None]
    if found.total is not None and secret:
        left = found.total - sum(n for n in found.parts.values() if n is not None)
        assert len(secret) > 1
        assert left >= LEAST
        assert len(secret) < left < len(secret) * (LEAST - 1), "each could be more than one number"
    assert secret == sorted(secret), "their order tells nothing"


def test_each_group_is_cut_one_way_only() -> None:
    sums = [
        Sum("card", "jobs", "en", 4),
        Sum("card", "jobs", "es", 4),
        Sum("begun", "", "es", 7),
        Sum("odd", "", "", 9),
    ]
    assert groups(sums) == [Group("begun", {"es": 7}, 7), Group("card", {"jobs": 8}, 8)]


def test_a_hidden_sum_is_never_less_than_what_is_shown() -> None:
    found = [hidden("card", {"a": 90, "b": 1}), hidden("tip", {"a": 1}), hidden("term", {"a": 1, "b": 1})]
    lines = [line.split()[0] for line in as_lines(found, LABELS) if line.startswith("  ")]
    assert lines == ["90", "<5", ">90", "<5", "<5", "<5", "<5", "…"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    evil = f"{start}HYPERLINK(1,2)"
    (row,) = csv.reader(io.StringIO(written([(evil, "calm", 3, None)]), newline=""))
    assert row == [f"'{evil}", "calm", "3", ""]


def test_the_csv_has_a_row_for_each_part_and_one_for_the_sum() -> None:
    rows = list(csv.reader(io.StringIO(as_csv([hidden("card", {"jobs": 8, "rents": 1})], LABELS), newline="")))
    assert [row[2:] for row in rows] == [["part", "number"], ["jobs", "8"], ["rents", "<5"], ["", ">8"]]


def test_the_chart_is_told_to_screen_readers_and_holds_no_script_and_no_hidden_length() -> None:
    found = [hidden("card", {"jobs": 80}), hidden("tip", {"a": 40, "b": 1}), hidden("term", {"a": 4})]
    drawn = as_svg(found, LABELS, "Figures <of> us", "Below 5 is not told.")
    tree = ET.fromstring(drawn)
    assert tree.get("aria-labelledby") == "title desc"
    assert tree.findtext(f"{SVG}title") == "Figures <of> us"
    assert "80" in (tree.findtext(f"{SVG}desc") or "")
    assert [bar.get("width") for bar in tree.iter(f"{SVG}rect")] == ["100%", "300", "150", "0"]
    assert {element.tag for element in tree.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "text")
    }
    assert "script" not in drawn
    ET.fromstring(as_svg([], LABELS, "None", "Nothing."))


def test_every_group_is_there_once() -> None:
    assert len(set(figures.GROUPS)) == len(figures.GROUPS)


TODAY = date(2026, 11, 20)


def test_without_days_the_last_thirty_are_meant() -> None:
    assert span(None, None, TODAY) == (date(2026, 10, 22), TODAY)
    assert span("2026-11-20", None, TODAY) == (TODAY, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-21", None, "--from 2026-11-21 is in the future"),
        (None, "2030-01-01", "--to 2030-01-01 is in the future"),
        ("2026-11-02", "2026-11-01", "--from 2026-11-02 is after --to 2026-11-01"),
        ("yesterday", None, "--from yesterday is no day"),
        (None, "2026-02-30", "--to 2026-02-30 is no day"),
        ("0001-01-01", "0000-00-00", "--to 0000-00-00 is no day"),
    ],
)
def test_days_that_make_no_sense_are_named(first: str | None, last: str | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        span(first, last, TODAY)
