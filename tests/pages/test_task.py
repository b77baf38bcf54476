"""The dialog "Prepare a task", the student's page and the result, without a browser."""

import re
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
import segno
from streamlit.testing.v1 import AppTest
from train_page import Lab as TrainPage

from gd_core import drawing
from gd_core.recorder import record
from gd_core.settings.examples import OPENING
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.table_fields import TABLE_FIELDS, usual_fields
from gd_core.settings.task import CONTROLS, PRESETS, THEORY, Result, Target, Task
from pages.ui.look import session
from pages.ui.takeaway import share
from pages.ui.train.panels import Live
from pages.ui.train.task import Handed

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(2)) $x$ :red[y] **z**\nsecond line\nمرحبا 🎓"
EXPERIMENT = replace(OPENING.experiment, epochs=40)
RATE = PRESETS["rate"]
TASK = Task(
    experiment=EXPERIMENT,
    free=RATE.free,
    locked=RATE.locked,
    text=HOSTILE,
    question="Why?",
    target=Target(2.0, 30),
)


class Lab(TrainPage):
    """One visitor's Train page, with its boxes and its dialog."""

    @property
    def line(self):
        """The line that says whether the target is reached, without its tags."""
        lines = re.findall(r'<p class="task-line" role="status">(.*?)</p>', self.html)
        return re.sub("<[^>]+>", "", lines[0]).strip() if lines else ""

    @property
    def link(self):
        """The link in the open dialog, as a query; empty if there is none."""
        return dict(parse_qsl(element.value.partition("?")[2])[0] for element in self.at.code)

    @property
    def settings(self):
        """Every control in the side bar ↦ whether it can be changed."""
        widgets = [*self.at.sidebar.text_input, *self.at.sidebar.selectbox, *self.at.sidebar.toggle]
        return {widget.key.removeprefix("w_"): not widget.disabled for widget in widgets}

    def prepare(self):
        """Open the dialog, and in it "Details"."""
        self.press("prepare")
        self.at.session_state["draft details"] = True
        return self.run()

    def fill(self, **texts):
        for name, text in texts.items():
            kind = self.at.text_area if name in ("text", "question") else self.at.text_input
            kind(f"draft {name}").set_value(text)
        return self.run()

    def preset(self, name):
        self.at.segmented_control("draft preset").set_value(name)
        return self.run()


def student(task=TASK, **values):
    return Lab(task=task.to_text(), **values)


# ---------------------------------------------------------------------------------------------------- the dialog


def test_the_dialog_is_one_view():
    """Preset, words, target, link and code at once; what a control by itself may do waits behind Details."""
    lab = Lab().press("prepare")
    rows = [str(row.key) for row in lab.at.segmented_control]
    assert "draft preset" in rows
    assert not [key for key in rows if key.endswith(" access")]
    assert {field.key for field in lab.at.text_area} == {"draft text", "draft question"}
    assert lab.link.keys() == {"task"}
    assert [one.proto.label for one in lab.at.get("download_button")] == ["Download the code (SVG)"]
    assert not lab.at.tabs


def test_the_dialog_is_closed_until_it_is_asked_for():
    """The page as it opens has a button for it and nothing of it."""
    lab = Lab()
    assert not lab.at.code
    assert [button.label for button in lab.at.sidebar.button if button.key == "prepare"] == ["Prepare a task"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_is_free_and_what_is_locked(name):
    """The link of each preset holds just that, and the settings of the page."""
    lab = Lab(**EXPERIMENT.to_query()).prepare().preset(name)
    task = Task.from_text(lab.link["task"])
    assert (task.free, set(task.locked)) == (PRESETS[name].free, set(PRESETS[name].locked))
    assert task.experiment == EXPERIMENT


def test_each_control_can_be_chosen_for_itself():
    """A control set free by hand is free in the link, and the preset is no longer marked."""
    lab = Lab().prepare()
    lab.at.segmented_control("draft epochs access").set_value("free")
    lab.run()
    assert Task.from_text(lab.link["task"]).free == ("learning_rate", "epochs")
    assert lab.at.segmented_control("draft preset").value is None


def test_the_whole_lab_opens_where_the_teacher_allows_it():
    """Not unless the dialog's switch says so; and behind a result, which the teacher looks at."""
    lab = Lab(**EXPERIMENT.to_query()).prepare()
    assert not Task.from_text(lab.link["task"]).lab
    lab.at.toggle("draft lab").set_value(True)
    assert Task.from_text(lab.run().link["task"]).lab
    assert "leave_task" not in [button.key for button in student().at.button]
    result = Result(task=TASK, experiment=EXPERIMENT)
    assert "leave_task" in [button.key for button in Lab(result=result.to_text()).at.button]


def test_a_link_that_works_here_only_says_so(monkeypatch):
    """Of this computer's own addresses no phone can open the code; of another nothing is said."""
    for url, here_only in (
        ("http://localhost:8501/", True),
        ("http://127.0.0.1/", True),
        ("https://x.org/", False),
    ):
        monkeypatch.setattr(share, "address", lambda query, url=url: f"{url}?{share.urlencode(query)}")
        said = [one.value for one in Lab().press("prepare").at.caption]
        assert any("no phone can open them" in one for one in said) is here_only


def test_controls_that_no_student_can_see_are_not_offered():
    """The hyper-parameters of other rules, the knobs of other data sets, how long runs train: until those may be chosen."""
    lab = Lab(dataset="one-parameter").prepare()
    offered = {control.key for control in lab.at.segmented_control}
    assert "draft momentum access" not in offered
    assert "draft points access" not in offered
    assert "draft engine access" not in offered
    assert "draft shuffle access" not in offered
    lab.at.segmented_control("draft epochs access").set_value("free")
    lab.at.segmented_control("draft batch_size access").set_value("free")
    lab.at.segmented_control("draft optimizer access").set_value("free")
    lab.at.segmented_control("draft dataset access").set_value("free")
    offered = {control.key for control in lab.run().at.segmented_control}
    assert {f"draft {name} access" for name in CONTROLS if name not in TABLE_FIELDS} <= offered


def test_words_and_target_travel_in_the_link():
    """Whatever is typed, blanks around it aside."""
    lab = Lab().prepare().fill(text=f" {HOSTILE} ", question="Why?", rmse="1.5", within="40")
    task = Task.from_text(lab.link["task"])
    assert (task.text, task.question, task.target) == (HOSTILE, "Why?", Target(1.5, 40))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"text": "x" * 1001}, "What to do must be at most 1,000 characters. Got 1,001."),
        ({"question": "x" * 301}, "The question must be at most 300 characters. Got 301."),
        ({"rmse": "low"}, "The target must be a number, such as 1.5. Got low."),
        ({"rmse": "-1"}, "The target must be an RMSE above 0 and at most 1e+12. Got -1.0."),
        ({"rmse": "nan"}, "The target must be an RMSE above 0 and at most 1e+12. Got nan."),
        ({"rmse": "2", "within": "soon"}, "Its number of epochs must be a whole number of epochs. Got soon."),
        ({"rmse": "2", "within": "0"}, "Its number of epochs must be a whole number of epochs between 1 and 1,000,000. Got 0."),
        ({"within": "5"}, "The target must say an RMSE, or no epochs either. Got 5 epochs."),
    ],
)  # fmt: skip
def test_bad_words_and_targets_get_a_sentence_and_no_link(typed, sentence):
    """The sentence names rule and value; what was typed stays, and the next good value brings the link back."""
    lab = Lab().prepare().fill(**typed)
    assert lab.link == {}
    assert [said.startswith(sentence) for said in lab.complaints] == [True], lab.complaints
    name = next(iter(typed))
    kind = lab.at.text_area if name in ("text", "question") else lab.at.text_input
    assert kind(f"draft {name}").value == typed[name]
    assert lab.fill(**dict.fromkeys(typed, "")).link


def test_a_target_below_the_floor_is_told():
    """No run gets there; the link is still the teacher's to give."""
    lab = Lab().prepare().fill(rmse="1.4")
    assert lab.complaints == [
        "No training on these data gets below RMSE 1.46727: this target cannot be reached."
    ]
    assert lab.link
    assert lab.fill(rmse="1.5").complaints == []


def test_what_was_typed_outlives_the_dialog():
    """Closed and opened again, also after a run of the page without it."""
    lab = Lab().prepare().fill(text="Find it.", rmse="1.5")
    lab.at.session_state[session.key(Handed)].dialog = None
    assert lab.run().link == {}
    lab.prepare()
    assert (lab.at.text_area("draft text").value, lab.at.text_input("draft rmse").value) == (
        "Find it.",
        "1.5",
    )


def test_a_code_is_drawn_while_it_can_be_scanned():
    """The picture is the matrix of the link; a longer link gets a sentence instead, and is still there."""
    lab = Lab().prepare()
    assert len(lab.at.get("download_button")) == 1
    long = "".join(chr(0x4E00 + 7 * i % 20_000) for i in range(1000))
    lab.fill(text=long)
    assert not lab.at.get("download_button")
    assert any("too many for a QR code" in element.value for element in lab.at.markdown)
    assert Task.from_text(lab.link["task"]).text == long


def test_the_picture_is_the_code_of_the_link():
    """Dark modules drawn line by line, as segno's own matrix has them."""
    link = f"https://example.org/?task={TASK.to_text()}"
    picture = share.qr(link)
    matrix = [list(row) for row in segno.make(link, error="l", micro=False).matrix_iter(border=4)]
    size = len(matrix)
    assert f'viewBox="0 0 {size} {size}"' in picture.replace(f"{size * 10} {size * 10}", f"{size} {size}")
    assert share.qr("x" * 1300) is None
    assert share.qr("x" * 10_000) is None


# --------------------------------------------------------------------------------------------- the student's page


def test_the_student_sees_what_the_task_shows():
    """The free rate, three locked settings, no other control, no examples, no zones, no tabs, no way on."""
    lab = student()
    assert lab.settings == {"dataset": False, "learning_rate": True, "epochs": False, "optimizer": False}
    assert lab.buttons == ["Hand in", "Train", "Reset"]
    assert not [button for button in lab.at.button if button.key.startswith("example_")]
    assert not lab.at.get("page_link")
    assert not lab.looks_closer
    assert "rate" not in [c.proto.component_name for c in lab.at.get("bidi_component")]
    assert lab.complaints == []


def test_everything_free_is_the_whole_page():
    """All controls, the zones, the tabs and New start are there, and can be used."""
    preset = PRESETS["everything"]
    lab = student(Task(experiment=EXPERIMENT, free=preset.free, locked=preset.locked))
    assert all(lab.settings.values())
    assert set(Lab(**EXPERIMENT.to_query()).settings) == set(lab.settings)
    assert "New start" in lab.buttons
    assert lab.looks_closer
    lab.choose("dataset", "one-parameter").press("train")
    assert lab.player["trained"]


def test_look_do_not_touch():
    """Every control is there and none can be changed; the run can be watched."""
    preset = PRESETS["look"]
    lab = student(Task(experiment=EXPERIMENT, free=preset.free, locked=preset.locked))
    assert lab.settings
    assert not any(lab.settings.values())
    lab.press("train")
    assert lab.player["last"] == 40


def test_a_tasks_drawing_stays_as_it_is():
    """No paper to draw on: the chart of the fit, and the page says whose points they are."""
    given = student(Task(experiment=drawing.opening(), free=("learning_rate",), locked=("epochs",)))
    assert "the points are the task’s" in given.html
    assert len(given.charts) == 3


def test_words_are_text():
    """Nothing in a task's words is HTML or Markdown; its lines stay lines."""
    lab = student()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in lab.html
    assert "<script>alert" not in lab.html
    assert "**z**\nsecond line\nمرحبا 🎓" in lab.html
    assert not any("second line" in element.value for element in lab.at.markdown)


def test_the_address_cannot_change_what_is_not_free():
    """Extra fields get a sentence each and are not used; the free one is."""
    lab = student(learning_rate="0.3", epochs="7", seed="4")
    assert lab.complaints == [
        "Seed is fixed in this task: the value in the address is not used. Got 4.",
        "Epochs is locked in this task: the value in the address is not used. Got 7.",
    ]
    assert (lab.text("learning_rate"), lab.text("epochs")) == ("0.3", "40")
    assert lab.query == {"task": TASK.to_text(), "learning_rate": "0.3"}
    assert len(lab.run().complaints) == 2
    assert lab.type(learning_rate="0.2").complaints == []


def test_a_bad_value_in_a_free_field_gets_its_sentence():
    """As everywhere."""
    lab = student().type(learning_rate="fast")
    assert lab.complaints == [
        "Learning rate η must be a number. Got fast. Train waits; the page stays at 0.01."
    ]


def test_a_callback_cannot_change_what_is_locked():
    """Another data set brings its own usual settings, but not for what is locked."""
    task = Task(experiment=EXPERIMENT, free=("dataset", "optimizer"), locked=("learning_rate", "epochs"))
    lab = student(task).choose("dataset", "two-features")
    assert (lab.text("learning_rate"), lab.text("epochs")) == ("0.01", "40")
    lab.choose("optimizer", "adam").press("train")
    assert lab.player["last"] == 40
    assert lab.query == {"task": task.to_text(), "dataset": "two-features", "optimizer": "adam"}


@pytest.mark.parametrize(
    ("rate", "said"),
    [("0.3", r"✓ Reached at epoch \d+\."), ("0.01", r"✗ Not reached in 30 epochs\. The best was RMSE \d")],
)
def test_the_target_is_judged_by_the_run(rate, said):
    """Not before it is trained; then with the epoch that the recording has."""
    lab = student()
    assert lab.line == "Target: RMSE below 2 within 30 epochs."
    lab.type(learning_rate=rate)
    assert lab.line == "Target: RMSE below 2 within 30 epochs."
    lab.press("train")
    assert re.fullmatch(rf"Target: RMSE below 2 within 30 epochs\. {said}.*", lab.line), lab.line
    values = record(replace(EXPERIMENT, learning_rate=float(rate))).epoch_rmse.tolist()
    first = next((k for k, value in enumerate(values) if value < 2), None)
    assert (f"epoch {first}." in lab.line) == (first is not None)
    lit = int(re.search(r'data-lit-from="(\d+)"', lab.html)[1])
    assert lit == (first or 40)


def test_a_long_run_is_judged_when_it_ends():
    """While it is trained nothing is judged and nothing can be handed in; stopped by hand, what there is counts."""
    long = replace(Experiment.default(), learning_rate=1e-5, epochs=1_000_000, engine="loop")
    lab = student(Task(experiment=long, target=Target(18.0, 500))).press("train")
    assert lab.line.endswith("It is judged when the run ends.")
    assert lab.at.button("hand_in").disabled
    lab.press("stop")
    assert "judged when" not in lab.line
    assert re.search(r"(✓ Reached|✗ Not reached)", lab.line)
    lab.press("hand_in")
    result = Result.from_text(lab.link["result"])
    assert result.stopped_at == lab.player["last"]
    assert result.ran.epochs == result.stopped_at


def test_a_run_from_before_the_task_does_not_count():
    """Trained on the plain page with what the task has locked, it is not on stage when the task is opened."""
    lab = Lab(**replace(EXPERIMENT, epochs=30, learning_rate=0.3).to_query()).press("train")
    assert lab.player["trained"]
    lab.follow({"task": TASK.to_text()})
    assert not lab.player["trained"]
    assert lab.line == "Target: RMSE below 2 within 30 epochs."


def test_leaving_the_task_opens_the_whole_lab():
    """With the settings as they are, in the address too; Back brings the task."""
    lab = Lab(task=replace(TASK, lab=True).to_text()).type(learning_rate="0.3").press("leave_task")
    assert lab.experiment == replace(EXPERIMENT, learning_rate=0.3)
    assert "task" not in lab.query
    assert "New start" in lab.buttons
    assert lab.line == ""
    lab.follow({"task": replace(TASK, lab=True).to_text(), "learning_rate": "0.3"})
    assert lab.line
    assert "New start" not in lab.buttons


@pytest.mark.parametrize("kind", ["task", "result"])
def test_a_damaged_link_opens_the_plain_page(kind):
    """With one sentence, and everything free."""
    text = (TASK if kind == "task" else Result(task=TASK, experiment=EXPERIMENT)).to_text()
    lab = Lab(**{kind: text[:10] + ("A" if text[10] != "A" else "B") + text[11:]})
    assert len(lab.complaints) == 1
    assert lab.complaints[0].startswith(f"The {kind} must be a whole link: its checksum does not fit")
    assert lab.experiment == OPENING.experiment
    assert "New start" in lab.buttons
    assert set(lab.settings) == set(Lab().settings)
    assert all(lab.settings.values())


# ---------------------------------------------------------------------------------------------------- the result


def test_the_result_is_the_students_run():
    """Its settings, its answer and its numbers, all locked, under a heading that says what it is; judged anew."""
    lab = student().type(learning_rate="0.3").press("train")
    answer = next(area for area in lab.at.text_area if area.key.startswith("answer "))
    answer.set_value("<b>It jumps.</b>")
    lab.press("hand_in")
    link = lab.link
    there = Lab(**link)
    assert "<h1>Result of a task</h1>" in there.html
    assert there.player["trained"]
    assert there.player["summary"] == lab.player["summary"]
    assert there.player["table"].equals(lab.player["table"])
    assert there.line == lab.line
    assert "&lt;b&gt;It jumps.&lt;/b&gt;" in there.html
    assert "Changed: Learning rate η 0.3." in there.html
    assert there.settings
    assert not any(there.settings.values())
    assert there.text("learning_rate") == "0.3"
    assert there.query == link
    assert "Hand in" not in there.buttons


def test_the_dialog_of_the_result_says_what_is_missing():
    """No answer yet: a hint, and a link all the same. Too long an answer: a sentence and no link, and nothing lost."""
    lab = student().press("train").press("hand_in")
    assert any("no answer yet" in element.value for element in lab.at.markdown)
    assert lab.link
    answer = next(area for area in lab.at.text_area if area.key.startswith("answer "))
    answer.set_value("x" * 1001)
    lab.run()
    assert lab.link == {}
    assert any("Your answer must be at most 1,000 characters. Got 1,001." in said for said in lab.complaints)


def test_a_result_without_a_free_control_is_opened_too():
    """The theory is shown to whoever looks at a result."""
    task = Task(experiment=EXPERIMENT, free=(THEORY,))
    lab = Lab(result=Result(task=task, experiment=EXPERIMENT).to_text())
    assert lab.looks_closer
    assert "Nothing was changed." in lab.html


def test_columns_are_as_free_as_the_task_says():
    """On an example table: free columns can be picked, a locked target cannot, and no other table can be brought."""
    fields = {"table": "trees", "points": 31, "learning_rate": 1e-5, "epochs": 20} | usual_fields("trees")
    table = Experiment(**(defaults("table", "gradient-descent") | fields))
    first, second = table.features
    lab = student(Task(experiment=table, free=("features",), locked=("target",)))
    assert lab.at.selectbox("w_target").disabled
    assert "draw_your_own" not in [button.key for button in lab.at.button]
    lab.at.multiselect("w_features").set_value([second])
    lab.run().press("train")
    assert lab.complaints == []
    assert lab.player["trained"]
    assert lab.at.session_state[session.key(Live)].experiment.features == (second,)
    assert first not in lab.query.get("features", "")


def test_apptest_sees_dialogs():
    """The tests above look into dialogs: what they hold is on the page that AppTest has."""

    def page():
        import streamlit as st

        @st.dialog("A")
        def open_it():
            st.code("inside")

        open_it()

    assert [element.value for element in AppTest.from_function(page).run().code] == ["inside"]
