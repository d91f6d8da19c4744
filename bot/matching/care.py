"""Somebody who is hurt or in danger, recognised by patterns that a volunteer can write, in linear time.

All patterns of a language run side by side as the bits of one number: a word moves every pattern on at once, whatever
the text is made of.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.library.check import Found
from bot.library.load import Kind
from bot.library.problem import did_you_mean
from bot.library.shape import Entry, Phrase, Words
from bot.matching.spelled import END, spelled
from bot.matching.told import Ear

Sign = Literal["danger", "hurt", "attack", "insult"]
SIGNS: tuple[Sign, ...] = ("danger", "hurt", "attack", "insult")
"""The gravest first: it is the one that is answered."""

NEEDS: tuple[Sign, ...] = ("danger", "hurt")
SURE = 1.0  # heard so clearly, it is care whatever rumour is like it
PERHAPS = -0.2  # heard so clearly, it is care unless it is an attack or surely a rumour
PATTERN = 1.5  # what a pattern that is found adds

GAP = 3  # how many words `…` stands for at most
MOST_FORMS = 256  # how many ways of saying it one pattern may stand for
SetName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]

_TAKEN = ""  # a word that `unless` has claimed
_EITHER = r"(?:\{[^{}]*\}|[^\s{}\[\]^$…]+)"
_MARKS = re.compile(rf"(…|\.\.\.)|([\[\]^$])|({_EITHER}+)|(\S)")
_SET = re.compile(r"\{([^{}]*)\}")


class Signs(Entry):
    """`care/<language>.yaml`: how people say they were hurt or are in danger, attack others, or insult a machine."""

    light: Annotated[str, Words(typed=True)] = Field("", description="Words that never make a pattern on their own")
    words: dict[SetName, list[Phrase]] = Field({}, description="Named sets of words, for {name} in patterns and sets")
    danger: list[Phrase] = Field([], description="Patterns of danger and of disclosures: they lead to /safe")
    hurt: list[Phrase] = Field([], description="Patterns of somebody to whom something was done: they get support")
    attack: list[Phrase] = Field([], description="Patterns of dehumanising people or wishing them dead: not debated")
    insult: list[Phrase] = Field([], description="Patterns of insults at Hearsay itself: one calm line, then silence")
    unless: list[Phrase] = Field([], description="Idioms and rumours that only sound so; they win over the others")


@dataclass(frozen=True, slots=True)
class Step:
    """One word of a pattern: these words, or any that begin so, or any at all; a word that may be skipped."""

    words: frozenset[str] = frozenset()
    begins: frozenset[str] = frozenset()
    is_any: bool = False
    may_skip: bool = False

    def takes(self, word: str) -> bool:
        """Say whether `word` may stand here."""
        return self.is_any or word in self.words or any(map(word.startswith, self.begins))


@dataclass(frozen=True, slots=True)
class Form:
    """One way of saying a pattern: its steps; whether it begins the sentence, whether it ends it."""

    steps: tuple[Step, ...]
    first: bool = False
    last: bool = False


class PatternError(Exception):
    """A pattern that cannot be read: what is wrong, and how to mend it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


class Reader:
    """Reads the patterns of one file."""

    def __init__(self, signs: Signs) -> None:
        self._sets = signs.words
        self._light = frozenset(spelled(signs.light))
        self._read: dict[str, tuple[tuple[Step, ...], ...]] = {}
        self._open: list[str] = []

    def pattern(self, text: str) -> list[Form]:
        """Return the ways of saying `text`. Raises `PatternError`."""
        marks = _split(text)
        first, last = marks[:1] == ["^"], marks[-1:] == ["$"]
        forms = self._forms(marks[first : len(marks) - last])
        if any(not self._says_something(steps) for steps in forms):
            raise PatternError("would be found in nearly every text", "add a word that says what happened")
        if any(steps[0].is_any or steps[-1].is_any for steps in forms):
            raise PatternError("begins or ends with …", "take it away; whatever stands around a pattern is passed over")
        return [Form(steps, first, last) for steps in forms]

    def words_of(self, name: str) -> tuple[tuple[Step, ...], ...]:
        """Return the ways of saying the set `name`, its single words as one. Raises `PatternError`."""
        if name not in self._sets:
            raise PatternError(f"no set of words is called '{name}'", did_you_mean(name, self._sets) or "add it")
        if name in self._open:
            raise PatternError(f"the set '{name}' holds itself", f"take {{{name}}} out of it")
        if name not in self._read:
            self._open.append(name)
            try:
                self._read[name] = _merged([form for item in self._sets[name] for form in self.item(item)])
            finally:
                self._open.remove(name)
        return self._read[name]

    def item(self, text: str) -> list[tuple[Step, ...]]:
        """Return the ways of saying one item of a set. Raises `PatternError`."""
        forms = self._forms(_split(text))
        if any(all(step.may_skip for step in steps) for steps in forms):
            raise PatternError("needs no word at all", "write at least one word outside of […]")
        return forms

    def _forms(self, marks: Sequence[str]) -> list[tuple[Step, ...]]:
        """Return every way through `marks`."""
        parts: list[Sequence[tuple[Step, ...]]] = []
        rest = list(marks)
        while rest:
            mark = rest.pop(0)
            parts.append(self._optional(rest) if mark == "[" else self._part(mark))
        forms = [sum(ways, ()) for ways in _product(parts)]
        if not all(forms):
            raise PatternError("holds no word", "write a word, or {the name of a set}")
        return forms

    def _optional(self, rest: list[str]) -> Sequence[tuple[Step, ...]]:
        """Take what stands up to the closing bracket; return it with the way of leaving it out."""
        if "]" not in rest:
            raise PatternError("a bracket is left open", "close it: [word]")
        inside = rest[: rest.index("]")]
        del rest[: len(inside) + 1]
        forms = self._forms(inside)
        if len(forms) == 1 and len(forms[0]) == 1:
            return [(replace(forms[0][0], may_skip=True),)]
        return [(), *forms]

    def _part(self, mark: str) -> Sequence[tuple[Step, ...]]:
        if mark == "…":
            return [(Step(is_any=True, may_skip=True),) * GAP]
        if mark in ("]", "^", "$"):
            fix = "write ^ first and $ last, and [ before ]"
            raise PatternError(f"'{mark}' stands where it means nothing", fix)
        return _merged([form for part in mark.split("/") for form in self._either(part)])

    def _either(self, part: str) -> Sequence[tuple[Step, ...]]:
        """Return the ways of saying what stands between slashes: a set, or a word."""
        if named := _SET.fullmatch(part):
            return self.words_of(named[1].strip())
        return [(_step(part),)]

    def _says_something(self, steps: Sequence[Step]) -> bool:
        needed = [step for step in steps if not step.may_skip]
        return any(step.begins or step.words - self._light for step in needed)


def _split(text: str) -> list[str]:
    """Return the marks of a pattern. Raises `PatternError`."""
    marks: list[str] = []
    for gap, sign, either, odd in _MARKS.findall(text):
        if odd:
            raise PatternError(f"'{odd}' stands alone", "write {the name of a set} in one pair of braces")
        marks.append("…" if gap else sign or either)
    return marks


def _step(word: str) -> Step:
    stem = spelled(word.rstrip("*"))
    if len(stem) != 1:
        raise PatternError(f"'{word}' is not one word", "write letters, / between two words for either, * at the end")
    only = frozenset(stem)
    return Step(begins=only) if word.endswith("*") else Step(words=only)


def _one_of(steps: Sequence[Step]) -> tuple[Step, ...]:
    words = frozenset[str]().union(*(step.words for step in steps))
    return (Step(words, frozenset[str]().union(*(step.begins for step in steps))),)


def _merged(forms: list[tuple[Step, ...]]) -> tuple[tuple[Step, ...], ...]:
    """Return `forms` with all that are one plain word as one step."""
    single = [form[0] for form in forms if len(form) == 1 and not form[0].may_skip]
    longer = [form for form in forms if len(form) > 1 or form[0].may_skip]
    return ((_one_of(single), *longer) if single else tuple(longer)) or ((),)


def _product(parts: Sequence[Sequence[tuple[Step, ...]]]) -> list[tuple[tuple[Step, ...], ...]]:
    size = 1
    for part in parts:
        size *= len(part)
        if size > MOST_FORMS:
            fix = "write two patterns, or fewer items of several words in its sets"
            raise PatternError(f"stands for more than {MOST_FORMS} ways of saying it", fix)
    return list(product(*parts))


def check(signs: Signs) -> Iterator[Found]:
    """Yield sets that are empty, and what cannot be read in sets and patterns; a broken set is said once."""
    reader = Reader(signs)
    broken: set[str] = set()
    for name, items in signs.words.items():
        found = list(_set_problems(reader, name, items, broken))
        yield from found
        broken |= {name} if found else set()
    for kind in (*SIGNS, "unless"):
        for number, pattern in enumerate(getattr(signs, kind)):
            if not broken & _named(pattern) and (trouble := _trouble(reader.pattern, pattern)):
                yield (kind, number), *trouble


def _set_problems(reader: Reader, name: str, items: Sequence[str], broken: Set[str]) -> Iterator[Found]:
    if not items:
        yield ("words", name), f"the set '{name}' is empty", "write at least one word, or remove the line"
    for number, item in enumerate(items):
        if not broken & _named(item) and (trouble := _trouble(reader.item, item)):
            yield ("words", name, number), *trouble


def _trouble(read: Callable[[str], object], text: str) -> tuple[str, str] | None:
    try:
        read(text)
    except PatternError as error:
        return error.what, error.fix
    return None


def _named(text: str) -> set[str]:
    """Return the sets that `text` names."""
    return {name.strip() for name in _SET.findall(text)}


CARE = Kind("care", "care", Signs, check, translated=False)


class Automaton:
    """Many forms, run side by side: bit n is set while the n-th step of all is the last that was taken."""

    def __init__(self, forms: Sequence[tuple[Form, str]]) -> None:
        self._finals: dict[int, Form] = {}
        self._words: dict[str, int] = {}
        self._begins: dict[str, int] = {}
        self._any = self._skip = self._heads = 0
        self._starts = self._first_starts = 0
        self._last = self._whole = 0
        self.labels: dict[str, int] = {}
        bit = 0
        for form, label in forms:
            self._add(form, label, bit)
            bit += len(form.steps)
        self._longest = max(map(len, self._begins), default=0)

    def _add(self, form: Form, label: str, bit: int) -> None:
        self._heads |= 1 << bit
        self._start(form, bit)
        for step in form.steps:
            self._place(step, 1 << bit)
            bit += 1
        final = 1 << (bit - 1)
        self._finals[bit - 1] = form
        self.labels[label] = self.labels.get(label, 0) | final
        self._whole |= final
        self._last |= final if form.last else 0

    def _start(self, form: Form, bit: int) -> None:
        """Let the form begin with its first step, or with the next where that may be skipped."""
        begins = 0
        for step in form.steps:
            begins |= 1 << bit
            if not step.may_skip:
                break
            bit += 1
        self._first_starts |= begins
        self._starts |= 0 if form.first else begins

    def _place(self, step: Step, bit: int) -> None:
        for word in step.words:
            self._words[word] = self._words.get(word, 0) | bit
        for begin in step.begins:
            self._begins[begin] = self._begins.get(begin, 0) | bit
        self._any |= bit if step.is_any else 0
        self._skip |= bit if step.may_skip else 0

    def hits(self, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield (position, bits): where forms end, and which."""
        done, at_start = 0, True
        for position, token in enumerate(tokens):
            if token in (END, _TAKEN):
                done, at_start = 0, token == END
                continue
            begin = self._first_starts if at_start else self._starts
            done = self._closed(((done << 1 & ~self._heads) | begin) & self._taking(token))
            at_start = False
            ends = position + 1 == len(tokens) or tokens[position + 1] == END
            if found := done & (self._whole if ends else self._whole & ~self._last):
                yield position, found

    def _closed(self, done: int) -> int:
        """Return `done` with every step that may be skipped after it."""
        while (more := done | (done << 1 & self._skip & ~self._heads)) != done:
            done = more
        return done

    def _taking(self, word: str) -> int:
        bits = self._any | self._words.get(word, 0)
        for length in range(1, min(len(word), self._longest) + 1):
            bits |= self._begins.get(word[:length], 0)
        return bits

    def spans(self, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield the first and last position of whatever is found."""
        for end, found in self.hits(tokens):
            for bit in _bits(found):
                yield _start_of(self._finals[bit].steps, tokens, end), end


def _bits(number: int) -> Iterator[int]:
    """Yield which bits of `number` are set."""
    while number:
        bit = number.bit_length() - 1
        number ^= 1 << bit
        yield bit


def _start_of(steps: Sequence[Step], tokens: Sequence[str], end: int) -> int:
    """Return where the form that ends at `end` began; it looks back over its own length only."""
    wanted = _before({len(steps)}, steps)
    for position in range(end, -1, -1):
        wanted = _before({step for step in wanted if steps[step].takes(tokens[position])}, steps)
        if not wanted or -1 in wanted:
            return position
    return 0


def _before(taken: set[int], steps: Sequence[Step]) -> set[int]:
    """Return which steps may come before those in `taken`; -1 is the beginning."""
    found: set[int] = set()
    for step in taken:
        before = step - 1
        found.add(before)
        while before >= 0 and steps[before].may_skip:
            before -= 1
            found.add(before)
    return found


class _Language:
    """The patterns of one language."""

    def __init__(self, signs: Signs) -> None:
        reader = Reader(signs)
        said = [(form, sign) for sign in SIGNS for pattern in getattr(signs, sign) for form in reader.pattern(pattern)]
        self._said = Automaton(said)
        self._unless = Automaton([(form, "unless") for pattern in signs.unless for form in reader.pattern(pattern)])

    def signs(self, tokens: Sequence[str]) -> set[Sign]:
        """Return the signs whose patterns are found in `tokens`."""
        left = list(tokens)
        for start, end in self._unless.spans(tokens):
            left[start : end + 1] = [_TAKEN] * (end + 1 - start)
        found = 0
        for _, bits in self._said.hits(left):
            found |= bits
        return {sign for sign in SIGNS if found & self._said.labels.get(sign, 0)}


class Care:
    """Recognises who needs care, in every language of the pack, whatever the chat speaks. Pure; compiled once.

    `ear` has learnt it from sentences; a pattern adds to what it hears. What is heard less than surely may still be a
    rumour that is known: `is_rumour` says so. Without an ear the patterns decide alone.
    """

    def __init__(
        self,
        signs: Mapping[str, Signs],
        ear: Ear | None = None,
        is_rumour: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._signs = signs
        self._ear = ear
        self._is_rumour = is_rumour

    @cached_property
    def _languages(self) -> list[_Language]:
        return [_Language(signs) for signs in self._signs.values()]

    def recognise(self, text: str) -> Sign | None:
        """Return the gravest sign in `text`."""
        return self.judge(text)[0]

    def judge(self, text: str) -> tuple[Sign | None, bool]:
        """Return the gravest sign in `text`, and whether it is clear enough to leave whatever is open for it."""
        if not text:
            return None, False
        tokens = spelled(text)
        found = {sign for language in self._languages for sign in language.signs(tokens)}
        told, is_clear = self._told(text, found)
        return told or next((sign for sign in ("attack", "insult") if sign in found), None), is_clear

    def _told(self, text: str, found: Set[Sign]) -> tuple[Sign | None, bool]:
        """Return what somebody tells of themselves, by what is heard and the patterns `found`, and how clearly."""
        if self._ear is None:
            return next((sign for sign in NEEDS if sign in found), None), True
        heard, grave = self._ear.weigh(text)
        is_written = not found.isdisjoint(NEEDS)  # somebody wrote a pattern for just this
        heard += PATTERN if is_written else 0
        if heard <= PERHAPS or (heard <= SURE and ("attack" in found or self._is_rumour(text))):
            return None, False
        grave += PATTERN if "danger" in found else 0
        return ("danger" if grave > 0 else "hurt"), is_written or heard > SURE
