"""The side bar: which widgets, in which order. No torch here."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, how_scaled, why_not_scaled
from gd_core.settings.engines import AUTO, LOOP, SPECTRUM
from gd_core.settings.examples import EXAMPLES, FAILS, PUBLISHED, WORKS
from gd_core.settings.experiment import Experiment, going_together, problem_with
from gd_core.settings.penalties import PENALTIES
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import COUNTED_IN, SCHEDULES, is_constant
from gd_core.settings.table_fields import DATASET, is_always_scaled, needs_its_file
from gd_core.words import short
from pages.ui.look import projector
from pages.ui.train import own_table, task
from pages.ui.train.train_settings import MENU, MORE, MORE_KEY, NUMBERS, OF_SCHEDULE, has_switch, page

HELD_OUT = ("holdout", "split_seed")
LABELS = {"holdout": "Held out"}  # where a field's own title would not say enough
STARTS = {"published": "As published", "random": "Random, from the seed", NUMBERS: "My own numbers"}


class Controls(NamedTuple):
    """What the side bar holds.

    Attributes:
        experiment: What it says; a field with a bad value keeps its last good one.
    """

    experiment: Experiment


def read_address() -> Controls:
    """Read the address. First thing on the page."""
    experiment = page.open().settings
    own_table.remember(experiment)
    return Controls(experiment)


def slim() -> bool:
    """Whether this is a run in the frame of another page: with the rate above its charts, and no side bar.

    A task has controls of its teacher's choice, and a table that is missing has to be brought: both need the side bar.
    """
    alone = task.current() is None and page.held.wanted is None and not own_table.asked()
    return bool(st.context.is_embedded) and alone and not projector.on()


def rate_row(place: Any, held: Controls, under_rate: Callable[[Experiment], None]) -> None:
    """All that can be set in a slim view: the rate, and its strip beside it."""
    with place:
        with st.container(width=150):
            _fields("learning_rate")
        with st.container(key="under_rate"):
            under_rate(held.experiment)
    page.say()


def side_bar(
    held: Controls, under_rate: Callable[[Experiment], None], under_table: Callable[[Experiment], None]
) -> None:
    """Draw the side bar. What theory says has its place under the rate and under the table, and others draw it there."""
    experiment = held.experiment
    dataset = experiment.dataset
    with st.sidebar:
        elsewhere = st.container()
        if task.current() is None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key="openers"):
                menu = st.popover(
                    "Examples", icon=":material/menu_book:", width="stretch", key=MENU, on_change="rerun"
                )
                task.prepare_button()
            if menu.open:
                with menu:
                    _examples()
        _select("dataset", "Data set", DATASET_INFO, then=_dataset_chosen)
        if dataset == DATASET:
            own_table.panel()
            if own_table.asked():  # all that follows is about the table before
                with elsewhere:
                    page.say()
                return
            with st.container(key="under_table", gap="small"):
                under_table(experiment)
        _fields("learning_rate")
        with st.container(key="under_rate"):
            page.say("learning_rate")
            under_rate(experiment)
        _fields("epochs")
        page.say("epochs")
        _earlier_phases(experiment)
        if not all(map(task.hidden, MORE)):
            st.session_state[MORE_KEY] = page.held.more
            more = st.expander("More settings", key=MORE_KEY, on_change="rerun", icon=":material/tune:")
            if more.open:
                with more:
                    _more(experiment)
        with elsewhere:
            page.say()


def _more(experiment: Experiment) -> None:
    """All that a first run does not need. What is closed is neither computed nor sent."""
    dataset, info = experiment.dataset, experiment.info
    _schedule(experiment)
    if info.knobs:
        _row(*info.knobs)
    if not info.is_a_single_row:
        _row(*HELD_OUT)
    if experiment.holdout:
        _row("patience")
    _row("batch_size", "tolerance")
    if experiment.updates_per_epoch > 1:
        page.switch("shuffle")
    _select("optimizer", "Update rule", OPTIMIZER_INFO)
    _row(*OPTIMIZER_INFO[experiment.optimizer].hyperparameters)
    not_scaled = why_not_scaled(info)
    help_text = f"{how_scaled(info)}, before training. The curve stays the same curve."
    if info.is_a_single_row:
        help_text = "A single row has no spread, so there is nothing to scale."
    elif not_scaled:
        help_text = f"Cannot be scaled: {not_scaled}."
    always = is_always_scaled(vars(experiment))
    if always:
        help_text = "This model has its start and its map in scaled units."
    page.switch("scale_features", disabled=always or not_scaled is not None, help=help_text)
    if has_switch("scale_target", experiment):
        page.switch("scale_target", disabled=always)
    if dataset != DATASET and has_switch("intercept", experiment):  # a table's stands beside its degree
        page.switch("intercept")
    fitting = {
        name: one for name, one in LOSS_INFO.items() if problem_with("loss", name, vars(experiment)) is None
    }
    _select("loss", "Loss", fitting)
    _row(*LOSS_INFO[experiment.loss].hyperparameters)
    _row("penalty")
    if experiment.has_a_choice_of_penalty:
        _select("penalised", "Penalised", PENALTIES)
    starts = STARTS | (
        {"published": "As the model begins" if always else "All zeros"} if dataset == DATASET else {}
    )
    page.choose(
        "start", starts, label="Start",
        help="The parameters before the first step. A press on the landscape sets them too.",
    )  # fmt: skip
    if page.field("start") == NUMBERS and not task.hidden("start"):
        names = ", ".join(info.parameters)
        page.draw(
            st.text_input, NUMBERS, f"Start at {names}", help="One number for each, with commas between.",
            then=partial(page.type, "start"), disabled=task.locked("start"),
        )  # fmt: skip
    _row("seed")
    with st.container(key="engine"):
        _engine(experiment)


def _schedule(experiment: Experiment) -> None:
    """How the rate changes: which schedule, a field for each of its numbers, warm-up, and what they count."""
    page.choose(
        "schedule", {kind: info.title for kind, info in SCHEDULES.items()}, label="Rate schedule",
        help="  \n".join(f"**{info.title}**: {info.help}" for info in SCHEDULES.values())
        + "  \nη is the first and largest rate; a continued run begins its schedule anew.",
    )  # fmt: skip
    numbers = SCHEDULES[page.field("schedule")].numbers
    if not task.hidden("schedule"):
        fields = [f"{OF_SCHEDULE}{place}" for place in range(len(numbers))]
        columns = st.columns(len(numbers), gap="small") if numbers else ()
        for name, number, column in zip(fields, numbers.values(), columns, strict=True):
            with column:
                page.draw(
                    st.text_input, name, number.title, then=partial(page.type, name), disabled=task.locked("schedule"),
                    help=f"{number.help} Between {short(number.low, 12)} and {short(number.high, 12)}.",
                )  # fmt: skip
        page.say("schedule")
    _row("warmup")
    if experiment.updates_per_epoch > 1 and not is_constant(experiment):
        page.choose("counted_in", COUNTED_IN.choices, label=COUNTED_IN.title, help=COUNTED_IN.help)


def _examples() -> None:
    for group in (FAILS, WORKS, PUBLISHED):  # first what a teacher opens it for
        st.markdown(f"**{group}**")
        for number, example in enumerate(EXAMPLES):
            if example.group == group:
                st.button(
                    f"{example.title}  \n:small[:gray[{example.reason}]]",
                    key=f"example_{number}",
                    on_click=page.load_example,
                    args=(example,),
                    width="stretch",
                    type="tertiary",
                )


def _dataset_chosen(dataset: str) -> None:
    """The last table again, or a data set with its usual settings."""
    page.held.wanted = None
    last = own_table.last()
    back = dataset == DATASET and last is not None and not needs_its_file(last.table)
    usual, refused = going_together(dataset, page.settings.optimizer)
    page.load(last if back and last else Experiment(**usual))
    if refused:
        page.tell(f"{refused} The update rule is gradient descent again.")
    page.held.axes = None


def _select(name: str, label: str, infos: Any, then: Any = None) -> None:
    titles = {choice: info.title for choice, info in infos.items()}
    help_text = "  \n".join(f"**{info.title}**: {info.help}" for info in infos.values())
    page.choose(name, titles, label=label, help=help_text, then=then)


def _row(*names: str) -> None:
    """Fields for numbers side by side, and under them what is wrong."""
    if names := _fields(*names):
        with st.container():
            page.say(*names)


def _fields(*names: str) -> tuple[str, ...]:
    """Those of them that a task does not hide, which it returns."""
    names = tuple(name for name in names if not task.hidden(name))
    columns = st.columns(len(names), gap="small") if len(names) > 1 else [nullcontext()] * len(names)
    for name, column in zip(names, columns, strict=True):
        with column:
            page.text(name, label=LABELS.get(name, ""))
    return names


def _engine(experiment: Experiment) -> None:
    """How the run is worked out, where there is a choice."""
    if experiment.has_a_choice_of_engine:
        # where there is a choice they mean the same
        at_once = SPECTRUM if experiment.engine == SPECTRUM else AUTO
        page.draw(
            st.segmented_control, "engine", "Worked out", options=[at_once, LOOP], required=True,
            format_func={at_once: "At once", LOOP: "Epoch by epoch"}.__getitem__,
            help="**At once**: along the eigenvectors of the loss, where an epoch multiplies the error by a number. "
            "The numbers are those of the loop to 1e-9.  \n"
            "**Epoch by epoch**: the loop of the textbook, with the gradient worked out anew in every epoch. "
            "You can watch a long run train.",
        )  # fmt: skip


def _earlier_phases(experiment: Experiment) -> None:
    if not experiment.before:
        return
    parts = [phase.in_words for phase in experiment.before]
    st.caption(f"Goes on after {', then '.join(parts)}.")
    if task.free("before"):
        st.button("Forget the earlier part", on_click=page.set, kwargs={"before": ()})
