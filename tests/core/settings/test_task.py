"""A task and a result: their links, what tampering does to them, and what a student may not change."""

import json
import string
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_fields import BOUNDS, CHOICES

from gd_core.recorder import record
from gd_core.settings import checked_link
from gd_core.settings.examples import EXAMPLES, OPENING
from gd_core.settings.experiment import Experiment, problem_with
from gd_core.settings.experiment_fields import FIELDS, titled
from gd_core.settings.fields import ParameterError, to_text
from gd_core.settings.task import (
    CONTROLS,
    IN_WORDS,
    LONGEST_QUESTION,
    LONGEST_TEXT,
    PRESETS,
    Access,
    Result,
    Target,
    Task,
    ending_at,
    open_address,
)
from gd_core.task_target import in_words, judge, verdict

LETTERS = string.ascii_letters + string.digits + "-_"
RATE = PRESETS["rate"]
TASK = Task(
    experiment=OPENING.experiment,
    free=RATE.free,
    locked=RATE.locked,
    text="Find a rate.\nمرحبا 🎓 <script>alert(1)</script>",
    question="Why does 0.5 diverge?",
    target=Target(2.0, 40),
)
RESULT = Result(task=TASK, experiment=replace(OPENING.experiment, learning_rate=0.3), answer="It jumps.")


def queries():
    """What a link may say about some fields: good values and bad ones."""
    numbers = st.one_of(
        st.sampled_from(["0", "1", "2", "0.5", "100", "1e-5", "-1", "nan", "many", ""]),
        st.integers(0, 5000).map(str),
    )
    values = dict.fromkeys(BOUNDS, numbers)
    values |= {name: st.sampled_from([*choices, "none"]) for name, choices in CHOICES.items()}
    values |= {
        "scale_features": st.sampled_from(["true", "false", "perhaps"]),
        "table": st.sampled_from(["", "x,y\n1,2\n2,3\n3,5", "nothing"]),
        "start": st.sampled_from(["published", "random", "1.0", "1,2,3", "x"]),
        "before": st.sampled_from(["", "5,gradient-descent,0.01", "5,momentum,0.5,0.9", "x"]),
    }
    return st.fixed_dictionaries({}, optional={name: values.get(name, st.just("x")) for name in FIELDS})


experiments = queries().map(lambda query: Experiment.from_query(query)[0])
words = st.text(max_size=80)


@st.composite
def tasks(draw):
    access = draw(st.fixed_dictionaries({name: st.sampled_from(Access) for name in CONTROLS}))
    target = draw(st.none() | st.builds(Target, st.floats(1e-6, 1e6), st.none() | st.integers(1, 1_000_000)))
    return Task.with_access(
        access, experiment=draw(experiments), text=draw(words), question=draw(words), target=target,
        lab=draw(st.booleans()),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ links


@given(tasks())
def test_a_task_comes_back_from_its_link(task):
    """Whatever is free, locked and hidden, whatever the words: the link is the task."""
    text = task.to_text()
    assert set(text) <= set(LETTERS)
    assert Task.from_text(text) == task


@given(tasks(), queries(), words, st.integers(1, 10**6))
def test_a_result_comes_back_from_its_link(task, query, answer, stopped):
    """With whatever the student changed, answered, and stopped."""
    experiment, _ = task.opened(query)
    result = Result(
        task=task,
        experiment=experiment,
        answer=answer if task.question else "",
        stopped_at=stopped if stopped <= experiment.total_epochs else None,
    )
    assert Result.from_text(result.to_text()) == result


@pytest.mark.parametrize("link", [TASK, RESULT], ids=["task", "result"])
def test_any_changed_character_is_noticed(link):
    """Each character of a link, put in another case, replaced or left out; the message says so in one sentence."""
    text = link.to_text()
    for i, character in enumerate(text):
        others = {character.swapcase(), LETTERS[(LETTERS.index(character) + 1) % 64], "", "A", "!", "é"}
        for other in others - {character}:
            with pytest.raises(ParameterError, match=r"its checksum does not fit.*Got \S+\.$"):
                type(link).from_text(text[:i] + other + text[i + 1 :])


@pytest.mark.parametrize(
    "text", ["", "1", "A" * 8, "A" * 30_000, "\ud800" * 20, "1AAA\x00AAAAAAAA", "é" * 40]
)
def test_what_is_no_link_at_all_gets_the_same_sentence(text):
    """Nothing, noise, too much of it, half characters."""
    for kind in (Task, Result):
        with pytest.raises(ParameterError, match="must be a whole link"):
            kind.from_text(text)


def test_a_result_is_not_a_task():
    """One does not open as the other, whole as they are."""
    with pytest.raises(ParameterError, match=r"^task must be a whole link"):
        Task.from_text(RESULT.to_text())
    with pytest.raises(ParameterError, match=r"^result must be a whole link"):
        Result.from_text(TASK.to_text())


def test_a_link_of_another_version_asks_for_a_new_one(monkeypatch):
    """Its checksum is right, and still it is not read."""
    monkeypatch.setattr(checked_link, "VERSION", "2")
    newer = TASK.to_text()
    monkeypatch.undo()
    with pytest.raises(
        ParameterError, match=r"^task must be a link of version 1: ask for a new one\. Got 2\.$"
    ):
        Task.from_text(newer)


USUAL = {"e": OPENING.experiment.to_query(), "f": "learning_rate"}
FORGED_TASKS = {
    "no settings": ({"e": []}, "task must hold names and texts"),
    "numbers for texts": ({"e": {"epochs": 3}}, "task must hold names and texts"),
    "bad settings": ({"e": {"epochs": "-3"}}, "task must hold settings as they are allowed: epochs must be"),
    "unknown control": ({"f": "learning_rate,magic"}, "free must hold names of controls. Got magic."),
    "twice": ({"f": "learning_rate,learning_rate"}, "free must name each control once"),
    "free and locked": ({"l": "learning_rate"}, "locked must not hold what is free. Got learning_rate."),
    "list for text": ({"t": ["x"]}, "text must be text"),
    "long text": ({"t": "x" * (LONGEST_TEXT + 1)}, "text must be at most 1,000 characters. Got 1,001."),
    "long question": ({"q": "x" * (LONGEST_QUESTION + 1)}, "question must be at most 300 characters. Got 301."),
    "half a character": ({"t": "\ud800"}, "text must be text"),
    "negative target": ({"r": -1}, "target must be an RMSE above 0"),
    "no number": ({"r": float("nan")}, "target must be an RMSE above 0"),
    "more digits than a float has": ({"r": int("9" * 400)}, "target must be an RMSE above 0"),
    "true": ({"r": True}, "target must be an RMSE above 0"),
    "text for a target": ({"r": "2"}, "target must be an RMSE above 0"),
    "too large for a float": ({"r": 10**400}, "target must be an RMSE above 0 and at most 1e+12. Got 1000000"),
    "too small for a float": ({"r": -(10**400)}, "target must be an RMSE above 0 and at most 1e+12. Got -100000"),
    "half a character for a control": ({"f": "\ud83c"}, "free must hold names of controls. Got ?."),
    "epochs beyond all": ({"r": 2, "n": 10**400}, "within must be a whole number of epochs between"),
    "no epochs": ({"r": 2, "n": 0}, "within must be a whole number of epochs between 1 and 1,000,000. Got 0."),
    "a word for a yes": ({"o": "yes"}, "lab must be true or false. Got yes."),
    "half an epoch": ({"r": 2, "n": 1.5}, "within must be a whole number"),
}  # fmt: skip


def forged(kind, data):
    """A link with a checksum that fits: anyone can compute it. Bytes or data."""
    plain = data if isinstance(data, bytes) else json.dumps(data).encode()
    deflate = zlib.compressobj(9, wbits=-15, zdict=checked_link._USUAL)
    body = checked_link.VERSION + checked_link._letters(deflate.compress(plain) + deflate.flush())
    return body + checked_link._checksum(kind, body)


@pytest.mark.parametrize("name", FORGED_TASKS)
def test_a_forged_task_gets_a_sentence(name):
    """A checksum that fits makes nothing allowed that is not."""
    changes, sentence = FORGED_TASKS[name]
    opened = open_address({"task": forged("task", USUAL | changes)})
    assert opened.task is None
    assert len(opened.sentences) == 1
    assert opened.sentences[0].startswith(sentence)
    assert titled(opened.sentences[0], IN_WORDS)[0].isupper()  # a page says no name of the code


@pytest.mark.parametrize(
    "plain", [b"[" * 50_000, b"1" * 5000, b"[]", b"null", b"\xff", b"{", b'{"e":{}}' + b" " * 300_000]
)
def test_what_unfolds_to_nonsense_gets_the_sentence_of_a_damaged_link(plain):
    """Deep nesting, endless numbers, no JSON, and more than a link may unfold to."""
    text = forged("task", plain)
    if plain.endswith(b" "):  # the blanks are cut off, and the rest is read
        assert Task.from_text(text).experiment == Experiment()
    else:
        with pytest.raises(ParameterError, match=r"^task must be a whole link"):
            Task.from_text(text)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "result must hold its task. Got None."),
        ({"c": {"epochs": "7"}}, "result must keep to its task: epochs is fixed in this task"),
        ({"c": {"learning_rate": "fast"}}, "result must keep to its task: learning_rate must be a number"),
        ({"c": [1]}, "result must hold names and texts"),
        ({"a": "x"}, "answer must be empty: the task has no question. Got x."),
        ({"s": 0}, "stopped_at must be a whole number between 1 and 1,000. Got 0."),
        ({"s": "5"}, "stopped_at must be a whole number"),
        ({"s": 1001}, "stopped_at must be a whole number between 1 and 1,000. Got 1001."),
    ],
)
def test_a_forged_result_gets_a_sentence(data, sentence):
    """It cannot claim settings that its task does not leave free, nor a run that could not have been."""
    whole = {"k": USUAL} | data if data else {}
    opened = open_address({"result": forged("result", whole)})
    assert opened.result is None
    assert [said.startswith(sentence) for said in opened.sentences] == [True], opened.sentences
    assert titled(opened.sentences[0], IN_WORDS)[0].isupper()


def test_links_are_short():
    """The default task, with words, a question and a target, stays below 200 characters."""
    english = replace(TASK, text="Find a learning rate that brings the RMSE below 2 within 40 epochs.")
    assert len(english.to_text()) < 200
    assert len(replace(english, free=CONTROLS, locked=()).to_text()) < 200
    assert len(Result(task=english, experiment=RESULT.experiment, answer="It jumps.").to_text()) < 250


# ----------------------------------------------------------------------------------------------- what is fixed


@given(tasks(), queries())
def test_only_what_is_free_can_be_changed(task, query):
    """Whatever an address says, every other field is the teacher's, or what the data set allows in its place."""
    experiment, sentences = task.opened(query)
    for name in FIELDS:
        if name not in task.free:
            fixed = getattr(task.experiment, name)
            if getattr(experiment, name) != fixed:  # it breaks a rule beside what the student chose
                assert problem_with(name, fixed, vars(experiment))
            assert (name in query) == any(sentence.startswith(f"{name} is ") for sentence in sentences)
    assert task.bound(experiment) == experiment
    assert task.opened(task.changes(experiment)) == (experiment, [])


def test_an_extra_field_in_the_address_is_not_used():
    """Each gets a sentence with its value; the free one is taken."""
    opened = open_address(
        {"task": TASK.to_text(), "learning_rate": "0.2", "epochs": "5", "seed": "9", "axes": "a,b"}
    )
    assert opened.experiment == replace(OPENING.experiment, learning_rate=0.2)
    assert opened.sentences == (
        "seed is fixed in this task: the value in the address is not used. Got 9.",
        "epochs is locked in this task: the value in the address is not used. Got 5.",
    )


def test_an_earlier_part_of_a_run_cannot_bring_a_locked_setting():
    """Where a run may be continued and the rate is locked, no phase with another rate comes in by the address."""
    task = Task(experiment=OPENING.experiment, free=("before",))
    good, sentences = task.opened({"before": "10,gradient-descent,0.01"})
    assert (len(good.before), sentences) == (1, [])
    bad, sentences = task.opened({"before": "10,gradient-descent,0.3"})
    assert bad == OPENING.experiment
    assert sentences == ["before must keep learning_rate at 0.01 in this task. Got 0.3."]


def test_a_locked_value_that_does_not_fit_a_free_data_set_gives_way():
    """Twenty points and three starting numbers mean nothing to a single row: it opens with its own, and no complaint."""
    task = Task(
        experiment=Experiment(start=(1.0, 2.0, 3.0), learning_rate=0.07),
        free=("dataset",),
        locked=("points",),
    )
    experiment, sentences = task.opened({"dataset": "one-parameter"})
    assert (experiment.dataset, experiment.points, experiment.start) == ("one-parameter", 1, "published")
    assert experiment.learning_rate == 0.07
    assert sentences == []


@pytest.mark.parametrize("epoch", [1, 10, 11, 29, 30, 31, 60])
def test_a_stopped_run_is_the_beginning_of_the_whole_one(epoch):
    """Ended in any phase, a run has the same losses up to there, and then no more."""
    first = replace(OPENING.experiment, epochs=10)
    second = first.continued(10, optimizer="momentum", epochs=20)
    third = second.continued(30, optimizer="adam", learning_rate=0.2, epochs=30)
    ended = record(ending_at(third, epoch))
    assert ended.epochs == epoch
    assert ended.epoch_loss.equal(record(third).epoch_loss[: epoch + 1])


def test_a_run_cannot_end_after_its_end():
    with pytest.raises(ParameterError, match=r"epoch must be at most the 1,000 of the run\. Got 1,001\."):
        ending_at(OPENING.experiment, 1001)


# -------------------------------------------------------------------------------------------------- the target


@given(st.sampled_from(EXAMPLES), st.floats(1e-3, 100), st.none() | st.integers(1, 50))
@settings(max_examples=30)
def test_a_target_is_reached_at_the_first_epoch_below_it(example, rmse, within):
    """Looked for by hand, epoch after epoch, from the first one that was trained."""
    experiment = replace(example.experiment, epochs=min(example.experiment.epochs, 30))
    recording = record(experiment)
    values = recording.epoch_rmse.tolist()
    judgement = judge(Target(rmse, within), recording)
    if len(values) == 1:
        assert judgement is None
        return
    first = next((k for k in range(1, len(values)) if values[k] < rmse), None)
    allowed = values[1:] if within is None else values[1 : within + 1]
    assert judgement.reached == first
    assert judgement.in_time == (first is not None and first <= len(allowed))
    assert (judgement.best, judgement.epochs) == (min(allowed), len(allowed))
    assert values[judgement.best_epoch] == judgement.best
    said = verdict(Target(rmse, within), judgement)
    assert said.startswith("Reached at epoch" if judgement.in_time else "Not reached")


def test_the_three_verdicts():
    """Reached, reached too late, not reached: with the epoch or the best."""
    recording = record(replace(OPENING.experiment, learning_rate=0.3, epochs=40))
    values = recording.epoch_rmse.tolist()
    first = next(k for k, value in enumerate(values) if value < 2)
    said = [
        verdict(target, judge(target, recording))
        for target in (Target(2.0), Target(2.0, first - 1), Target(1.0, 40))
    ]
    assert said[0] == f"Reached at epoch {first}."
    assert said[1].startswith(
        f"Not reached within {first - 1} epochs: it took until epoch {first}. The best was RMSE"
    )
    assert said[2].startswith("Not reached in 40 epochs. The best was RMSE 1.467")
    assert in_words(Target(1.5)) == "RMSE below 1.5"
    assert in_words(Target(1.5, 1)) == "RMSE below 1.5 within 1 epoch"


def test_the_start_does_not_count():
    """A target that the start already meets is judged by what was trained."""
    recording = record(replace(OPENING.experiment, epochs=3))
    assert judge(Target(1e6), recording).reached == 1


def test_texts_are_those_of_fields():
    """What is written for the student's changes is what a plain link would say."""
    assert TASK.changes(RESULT.experiment) == {"learning_rate": to_text(0.3)}


@pytest.mark.parametrize(
    ("sentence", "on_a_page"),
    [
        ("learning_rate must be above 0. Got -1.", "Learning rate η must be above 0. Got -1."),
        ("result must keep to its task: epochs is locked.", "The result must keep to its task: Epochs is locked."),
        ("within must be a whole number.", "Its number of epochs must be a whole number."),
        ("target must be an RMSE above 0. Got text.", "The target must be an RMSE above 0. Got text."),
        ("magic must be text.", "magic must be text."),
        ("Nothing is locked: seed, epochs.", "Nothing is locked: seed, epochs."),
    ],
)  # fmt: skip
def test_a_page_names_what_a_sentence_is_about_by_its_title(sentence, on_a_page):
    """At its head and at that of what it quotes; nothing else is touched, nor what has no title."""
    assert titled(sentence, IN_WORDS) == on_a_page
