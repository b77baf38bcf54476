"""Train opens with few controls; the rest is one press away, and opens by itself where it is used."""

from dataclasses import replace

import pytest
from train_page import Lab
from visit import Visit, app

from gd_core.settings.examples import EXAMPLES, OPENING
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import PRESETS, Task
from pages.ui.train.train_settings import uses_more

FEW = {"dataset", "learning_rate", "epochs"}
# what the side bar of the noisy quadratic holds when all is open
ALL = FEW | {
    "points", "noise", "data_seed", "holdout", "split_seed", "batch_size", "tolerance", "optimizer", "scale_features",
    "loss", "penalty", "start", "seed", "engine", "schedule", "warmup",
}  # fmt: skip


def controls(page: Visit) -> set[str]:
    """The controls in the side bar, by the name of their setting."""
    bar = page.at.sidebar
    widgets = [*bar.text_input, *bar.selectbox, *bar.toggle, *bar.segmented_control]
    return {str(widget.key).removeprefix("w_") for widget in widgets}


def toggle(page: Visit, *, more: bool) -> Visit:
    """Open or close it, as a press does."""
    page.at.session_state["settings"] = more
    return page.run()


def test_a_first_visit_has_few_controls():
    """Data set, learning rate and epochs; the menu of examples is closed, and nothing of it is sent."""
    page = Visit(app())
    assert controls(page) == FEW
    assert not [button for button in page.at.button if str(button.key).startswith("example_")]
    assert page.query == {}


def test_nothing_is_lost_behind_it():
    """One press, and all is there that was there; one more, and the address is bare again."""
    page = toggle(Visit(app()), more=True)
    assert controls(page) == ALL
    assert page.query == {"settings": "open"}
    page = toggle(page, more=False)
    assert controls(page) == FEW
    assert page.query == {}


def test_a_link_can_open_with_it():
    """A bare one, and one with settings; another word in its place opens nothing and changes nothing."""
    page = Visit(app(), settings="open")
    assert controls(page) == ALL
    assert page.query == {"settings": "open"}
    assert controls(Visit(app(), more="open")) == ALL  # as older links have it
    settings = OPENING.experiment.to_query() | {"learning_rate": "0.2"}
    assert controls(Visit(app(), settings="open", **settings)) == ALL
    assert controls(Visit(app(), settings="shut", **settings)) == FEW


def test_it_stays_as_it_was_left():
    """Over another data set, and over a visit to another page."""
    page = toggle(Visit(app()), more=True)
    page.at.selectbox("w_dataset").set_value("two-features")
    assert "seed" in controls(page.run())
    page.at.switch_page("pages/gradient.py")
    page.follow({})
    page.at.switch_page("pages/train.py")
    page.follow({})
    assert "seed" in controls(page)
    assert page.query["settings"] == "open"


def test_a_lessons_more_is_not_trains():
    """Come back to the landscape by a link that says its starts alone: they are followed, and nothing opens on Train."""
    page = Visit(app())
    for address in ({"learning_rate": "2e-05"}, {"more": "1, 2, 3"}):
        page.at.switch_page("pages/landscape.py")
        page.follow(address)
        assert address.items() <= page.query.items()
        page.at.switch_page("pages/train.py")
        page.follow({})
        assert controls(page) == FEW


@pytest.mark.parametrize("name", ["train", "landscape"])
def test_what_a_link_says_wrongly_is_told_where_no_side_bar_is_open(name):
    """Also beside the page, once: a phone and a projector have the side bar closed."""
    page = Visit(app())
    page.at.switch_page(f"pages/{name}.py")
    page.follow({"dataset": "foo"})
    (toast,) = page.at.toast
    assert "dataset must be one of" in toast.value
    assert "Got foo" in toast.value
    assert not page.run().at.toast


@pytest.mark.parametrize(
    "changes", [{"seed": "3"}, {"optimizer": "adam"}, {"scale_features": "false"}, {"holdout": "0.2"}]
)
def test_it_opens_by_itself_for_what_a_link_sets_there(changes):
    """A setting that stands in it and is not as the page opens; the address says that already, and says no more."""
    page = Visit(app(), **(OPENING.experiment.to_query() | changes))
    assert controls(page) >= ALL - {"engine"}
    assert "settings" not in page.query
    assert not controls(Visit(app(), **(OPENING.experiment.to_query() | {"epochs": "40"}))) - FEW


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_shows_what_it_is_about(number):
    """A rule, a loss, a batch or a start of its own is in sight; what only has another rate leaves it closed."""
    example = EXAMPLES[number].experiment
    usual = (
        OPENING.experiment
        if example.dataset == OPENING.experiment.dataset
        else Experiment.default(example.dataset)
    )
    behind = (
        "degree",
        "batch_size",
        "tolerance",
        "patience",
        "optimizer",
        "schedule",
        "scale_features",
        "holdout",
        "loss",
        "penalty",
        "start",
        "seed",
        "noise",
        "points",
    )
    of_a_table = ("points", "scale_features") if example.dataset == "table" else ()  # as its rows ask for
    page = Visit(app(), **example.to_query())
    own = any(getattr(example, name) != getattr(usual, name) for name in behind if name not in of_a_table)
    assert ("seed" in controls(page)) == own == uses_more(example)


def test_a_task_opens_it_where_it_leaves_something_in_it_free():
    """Only the rate: closed, and what is locked is a press away. Everything: open. Hidden altogether: not there."""
    for name, opened in {"rate": False, "everything": True}.items():
        task = Task(experiment=OPENING.experiment, free=PRESETS[name].free, locked=PRESETS[name].locked)
        page = Visit(app(), task=task.to_text())
        assert ("optimizer" in controls(page)) == opened
    assert "optimizer" in controls(
        toggle(
            Visit(
                app(),
                task=Task(
                    experiment=OPENING.experiment, free=("learning_rate",), locked=("optimizer",)
                ).to_text(),
            ),
            more=True,
        )
    )
    alone = Task(experiment=OPENING.experiment, free=("learning_rate",), locked=("epochs",))
    assert not Visit(app(), task=alone.to_text()).at.sidebar.expander


def test_a_schedule_is_chosen_and_its_numbers_are_typed():
    """Each kind brings its own fields; a bad number stays in its field with a sentence; the address has all of it."""
    lab = Lab(settings="open").choose("schedule", "step")
    assert lab.query["schedule"] == "step:10:0.5"
    lab.type(**{"schedule.0": "25", "schedule.1": "1/10", "warmup": "3"})
    assert lab.experiment == replace(OPENING.experiment, schedule="step:25:0.1", warmup=3)
    lab.type(**{"schedule.1": "7"})
    assert lab.text("schedule.1") == "7"
    assert lab.complaints == ["Rate schedule must have factor as a number between 1e-06 and 1. Got 7.0."]
    assert lab.experiment.schedule == "step:25:0.1"
    lab.choose("schedule", "cosine")
    assert (lab.complaints, lab.query["schedule"]) == ([], "cosine:0:0.01")
    assert [lab.text(f"schedule.{place}") for place in (0, 1)] == ["0", "0.01"]
    assert lab.choose("schedule", "constant").type(warmup="0").experiment == OPENING.experiment
