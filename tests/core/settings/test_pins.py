"""Runs in one link: what is packed is what is read, and a broken link opens what is left of it."""

import base64
import json
import zlib
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules import is_refused

from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.differing import differing, effective
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import ParameterError
from gd_core.settings.pins import LONGEST_NAME, MOST, VERSION, Pin, Pins, named, packed, unpacked, usual_name
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.tables.table import Table, keep

BASE = Experiment.default()
RATES = [replace(BASE, learning_rate=rate * 1e-6) for rate in range(1, MOST + 2)]

FITTING = [  # Newton's step needs a parabola
    (dataset, rule)
    for dataset in sorted(DATASET_INFO)
    for rule in sorted(OPTIMIZER_INFO)
    if not is_refused(dataset, rule)
]
experiments = st.builds(
    lambda both, rate, epochs, seed: replace(
        Experiment.default(*both), learning_rate=rate, epochs=epochs, seed=seed
    ),
    st.sampled_from(FITTING),
    st.floats(1e-18, 1e6),
    st.integers(1, 100_000),
    st.integers(0, 2**32 - 1),
)
several = st.lists(experiments, min_size=1, max_size=MOST, unique=True)


@settings(max_examples=60, deadline=None)
@given(several, st.lists(st.text(), min_size=MOST, max_size=MOST))
def test_what_is_packed_is_what_is_read(runs, names):
    """Runs and names of any kind come back from a link as they were pinned, in order, and without a sentence."""
    pins = Pins()
    for run, name in zip(runs, names, strict=False):
        pins = pins.with_one(run, name)
    assert Pins.from_query(pins.to_query()) == (pins, [])


def test_a_link_is_json_by_lines_that_any_program_can_read():
    """zlib and base64url, a line a run, each its name and what its own link says: no reader of ours is needed."""
    code = packed([Pin("η “größer”", RATES[0]), Pin("b", RATES[1])]).removeprefix(f"{VERSION}.")
    text = zlib.decompress(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))).decode()
    first, second = map(json.loads, text.splitlines())
    assert first == ["η “größer”", RATES[0].to_query()]
    assert second == ["b", RATES[1].to_query()]


def test_a_run_whose_table_is_not_here_is_left_out():
    """A link cannot hold a large table: its run is missing, in one sentence, and the others are there."""
    table = {"dataset": "table", "table": "sha256:0123456789abcdef", "target": "y", "features": "x"}
    lines = [json.dumps(["mine", table]), json.dumps(["other", RATES[0].to_query()])]
    code = base64.urlsafe_b64encode(zlib.compress(("\n".join(lines) + "\n").encode())).decode()
    pins, (sentence,) = unpacked(f"{VERSION}.{code}")
    assert pins == (Pin("other", RATES[0]),)
    assert "mine: table: this link needs the file with the fingerprint 0123456789abcdef" in sentence


def test_four_usual_runs_fit_into_a_short_link():
    """Four runs that differ in data, rule and rate, with names as long as they may be, take far less than 2,000 characters."""
    runs = [
        replace(BASE, optimizer="adam", learning_rate=0.123456789012345, start=(0.1234567, -7.654321, 1e-9)),
        replace(BASE, optimizer="rmsprop", learning_rate=1 / 3, batch_size=5, seed=4_000_000_000),
        Experiment.default("two-features", "nesterov"),
        BASE.continued(250, optimizer="momentum", learning_rate=1 / 7, epochs=100),
    ]
    names = [f"run {number} that someone gave quite a long name" for number in range(4)]
    assert all(len(name) >= LONGEST_NAME for name in names)
    pins = Pins()
    for run, name in zip(runs, names, strict=True):
        pins = pins.with_one(run, name)
    assert len(pins.to_query()["pins"]) < 1000


def test_a_cut_link_opens_the_runs_before_the_cut():
    """The longer the rest of a link, the more of its runs are read, never another run; and it is said in one sentence."""
    pins = [Pin(f"run {number}", run) for number, run in enumerate(RATES[:MOST])]
    text = packed(pins)
    assert unpacked(text) == (tuple(pins), [])
    counts = []
    for length in range(2, len(text)):
        found, sentences = unpacked(text[:length])
        assert list(found) == pins[: len(found)]
        assert len(sentences) == 1
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert MOST // 2 in counts


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_link_says_so(data):
    """A character changed anywhere behind the version gives one sentence, unless it changes nothing that is read."""
    whole = tuple(Pin(f"run {number}", run) for number, run in enumerate(RATES[:4]))
    text = packed(whole)
    at = data.draw(st.integers(2, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[at]))
    found, sentences = unpacked(text[:at] + other + text[at + 1 :])
    if not sentences:  # some bits of zlib's last byte and of the last character mean nothing
        assert found == whole
        return
    assert len(sentences) == 1
    assert "cut or changed" in sentences[0]
    assert len(found) <= MOST


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(), st.text().map(lambda s: f"{VERSION}.{s}"), st.binary().map(
    lambda b: f"{VERSION}.{base64.urlsafe_b64encode(zlib.compress(b)).decode()}")))  # fmt: skip
def test_no_text_makes_it_raise(text):
    """Whatever stands in the link, the answer is some runs and at most one sentence."""
    found, sentences = unpacked(text)
    assert len(found) <= MOST
    assert len(sentences) <= 1


def link_of(*lines: object) -> str:
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return f"{VERSION}." + base64.urlsafe_b64encode(zlib.compress(text)).decode()


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (["x", {"learning_rate": "-1"}], "x: learning_rate must be a number between"),
        (["<b>x</b>", {"epochs": "many"}], "<b>x</b>: epochs must be a whole number"),
        ({"name": "x"}, "must be a name and its settings"),
        (["x"], "must be a name and its settings"),
        (["x", {"start": [1, 2]}], "must be a name and its settings"),
    ],
)
def test_a_bad_value_costs_that_value_alone(line, part):
    """A link made by hand: the bad field takes its default, the other runs are as they were, one sentence says which."""
    found, (sentence,) = unpacked(link_of(["good", RATES[0].to_query()], line))
    assert part in sentence
    assert found[0] == Pin("good", RATES[0])


def test_a_link_with_too_many_runs_opens_eight():
    """The ninth is left out, and said."""
    lines = [[str(number), run.to_query()] for number, run in enumerate(RATES)]
    found, (sentence,) = unpacked(link_of(*lines))
    assert [pin.experiment for pin in found] == RATES[:MOST]
    assert "at most 8 runs. Got 9." in sentence


def test_a_link_made_to_burst_is_read_no_further():
    """A hundred megabytes of blanks in a short link are refused, not unpacked."""
    code = base64.urlsafe_b64encode(zlib.compress(b" " * 100_000_000)).decode()
    found, (sentence,) = unpacked(f"{VERSION}.{code}")
    assert not found
    assert "cut or changed" in sentence


def test_no_link_makes_the_server_read_more_than_eight_runs(monkeypatch):
    """The same line 300 times is one run, of 4,000 others eight are read; what each costs does not grow with the link."""
    reads = []
    read = Experiment.from_query
    monkeypatch.setattr(Experiment, "from_query", lambda query: reads.append(query) or read(query))
    line = ["a", {"dataset": "table", "table": "z.AAAA", "target": "y", "features": "x"}]
    assert unpacked(link_of(*[line] * 300))[1][0].startswith("pins: a: table must be")
    assert len(reads) == 1
    reads.clear()
    found, (sentence,) = unpacked(
        link_of(*([str(number), {"learning_rate": str(number)}] for number in range(1, 4001)))
    )
    assert len(found) == len(reads) == MOST
    assert "at most 8 runs. Got 4,000." in sentence


def test_the_longest_link_of_the_app_is_read_whole():
    """Eight runs, each on a table of its own with as many long names as a link takes, and a name that does not shrink."""
    shuffled = Random(0)
    word = lambda length: "".join(chr(shuffled.randrange(0x4E00, 0x9FA0)) for _ in range(length))  # noqa: E731
    pins = Pins()
    for _ in range(MOST):
        table = keep(Table.of({word(30): [place, place + 1.0, 1.0] for place in range(20)}))
        assert table.travels
        query = {"dataset": "table", "table": table.key, "target": table.names[0]}
        query["features"] = FIELDS["features"].write(table.names[1:])
        run, sentences = Experiment.from_query(query)
        assert not sentences
        pins = pins.with_one(run, word(LONGEST_NAME))
    assert len(pins.to_query()["pins"]) > 30_000
    assert Pins.from_query(pins.to_query()) == (pins, [])


def test_a_later_version_is_not_guessed_at():
    """A link of another version says what it should begin with."""
    found, (sentence,) = unpacked("2.abc")
    assert not found
    assert sentence == "pins must begin with 1. as the links of this app do. Got 2.abc."


def test_the_ninth_run_is_refused_in_one_sentence():
    """Eight fit; the ninth, and one that is there already, are refused."""
    pins = Pins()
    for run in RATES[:MOST]:
        pins = pins.with_one(run)
    with pytest.raises(ParameterError, match=r"^pins must be at most 8 runs\. Remove one"):
        pins.with_one(RATES[MOST])
    with pytest.raises(ParameterError, match="only once"):
        Pins(pins=(Pin("a", BASE), Pin("b", BASE)))


def test_runs_are_moved_renamed_and_removed():
    """Order, names and number change as asked, and nothing else; at either end a run stays where it is."""
    pins = Pins(pins=tuple(Pin(name, run) for name, run in zip("abcd", RATES, strict=False)))
    names = lambda them: "".join(pin.name for pin in them.pins)  # noqa: E731
    assert names(pins.moved(0, 1)) == "bacd"
    assert names(pins.moved(3, -1)) == "abdc"
    assert names(pins.moved(0, -1)) == names(pins.moved(3, 1)) == "abcd"
    assert names(pins.without(1)) == "acd"
    assert names(pins.renamed(2, " x\ny\u202e ")) == "abx yd"
    assert pins.renamed(2, "").pins[2].name == "Gradient descent 3e-6"
    assert pins.place_of(RATES[2]) == 2
    assert pins.place_of(RATES[5]) is None


def test_names_are_one_short_line():
    """Control characters, line ends and what turns text round are gone; a name that is taken gets a number."""
    assert named("a\x00b\t\n c" + "d" * 100) == "a b c" + "d" * 35
    assert usual_name(BASE) == "Gradient descent 1e-5"
    assert usual_name(BASE, ["Gradient descent 1e-5"]) == "Gradient descent 1e-5 (2)"


def test_only_what_changes_something_differs():
    """A momentum of gradient descent, a seed that nothing draws from and a batch of all rows are no difference."""
    others = [
        replace(BASE, momentum=0.5),
        replace(BASE, seed=7),
        replace(BASE, batch_size=BASE.points),
        replace(BASE, split_seed=7),
    ]
    assert all(differing([BASE, other]) == () for other in others)
    assert differing([BASE, replace(BASE, start="random"), replace(BASE, start="random", seed=7)]) == (
        "start",
        "seed",
    )
    momentum = Experiment.default(optimizer="momentum")
    assert differing([BASE, momentum]) == ("optimizer", "momentum")
    assert effective(BASE, "momentum") is None


@settings(max_examples=60, deadline=None)
@given(experiments, experiments)
def test_runs_differ_where_their_links_do(one, other):
    """A field that differs stands in one of the two links with another text, whatever fields there are."""
    texts = one.to_query(), other.to_query()
    for name in differing([one, other]):
        if name in texts[0] and name in texts[1]:
            assert texts[0][name] != texts[1][name] or effective(one, name) != effective(other, name)
        assert name in FIELDS
        assert getattr(one, name) != getattr(other, name) or None in (
            effective(one, name),
            effective(other, name),
        )
    assert differing([one, one]) == ()
