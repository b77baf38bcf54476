"""The side bar: widgets ⇄ Experiment ⇄ address. No torch here: the controls appear before it is loaded.

The address is the save file. When it is not what this module last wrote, someone followed a link, went back or
reloaded: then the widgets take their values from it. Afterwards the address follows the widgets.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import streamlit as st

from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, why_not_scaled
from gd_core.settings.engines import AUTO, LOOP, SPECTRUM
from gd_core.settings.examples import EXAMPLES, OPENING, Example
from gd_core.settings.experiment import BOUNDS, CHOICES, Experiment, defaults
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.settings.fields import written
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import DATASET, info_of, needs_its_file
from pages.ui.look import map_axes, navigation, projector, session
from pages.ui.look.look import plain
from pages.ui.train import form, own_table, pins, task

NUMBERS = "numbers"
HELD_OUT = ("holdout", "split_seed")
STARTS = {"published": "As published", "random": "Random, from the seed", NUMBERS: "My own numbers"}
STATE = st.session_state


class Controls(NamedTuple):
    """What the side bar holds after it is drawn.

    Attributes:
        experiment: What the widgets say; a field with a bad value keeps its last good one.
        menu: The closed menu of examples, for `examples` to fill; None in a task.
        under_rate: The place under the learning rate, for the strip that needs theory.
        under_table: The place under the table, for what theory says of it.
    """

    experiment: Experiment
    menu: Any
    under_rate: Any
    under_table: Any


@dataclass
class SideBar:
    """What the session keeps from one run of the page to the next.

    Attributes:
        address: What was last written to the address.
        followed: Whether this run has taken its settings from an address that someone else wrote.
        widgets: What the widgets held when they were last read, by field.
        pressed: The button that acts when the side bar has been read.
        changed: Whether something in the live part has changed what the side bar shows.
        coming: What some widgets are to hold in the next run, by field.
        said: What is to be said above the controls in the next run.
        sentences: What was wrong with the address that was followed.
    """

    address: dict[str, str] | None = None
    followed: bool = False
    widgets: dict[str, Any] | None = None
    pressed: str | None = None
    changed: bool = False
    coming: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


def bar() -> SideBar:
    """The visitor's own."""
    return session.held(SideBar)


def side_bar() -> Controls:
    """Draw the side bar and read it. First thing on the page."""
    navigation.enter()
    _follow_the_address()
    coming, bar().coming = bar().coming, {}
    for name, value in coming.items():
        form.put(name, value)
    _keys_asked()
    _hold_to_the_task()
    notes: dict[str, Any] = {}
    menu = None
    with st.sidebar:
        elsewhere = st.container()
        said, bar().said = bar().said, []
        for sentence in said:
            elsewhere.markdown(f":orange[:material/error:] {plain(sentence)}")
        if task.current() is None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key="openers"):
                menu = st.popover(
                    "Examples",
                    icon=":material/menu_book:",
                    width="stretch",
                    key="examples",
                    on_change="rerun",
                )
                task.prepare_button()
        dataset = _select("dataset", "Data set", DATASET_INFO, on_change=_dataset_changed)
        if dataset == DATASET:
            own_table.panel(load)
        under_table = st.container(key="under_table", gap="small")
        info = info_of(
            {"dataset": dataset} | (own_table.effective(form.held().good) if dataset == DATASET else {})
        )
        if info.knobs:
            _row(info.knobs, notes)
        if not info.is_a_single_row and not all(map(task.hidden, HELD_OUT)):
            _hold_out(notes)
        _row(("learning_rate",), notes)
        under_rate = st.container(key="under_rate")
        _row(("epochs", "batch_size"), notes)
        optimizer = _select("optimizer", "Update rule", OPTIMIZER_INFO, on_change=_optimizer_changed)
        _row(tuple(OPTIMIZER_INFO[optimizer].hyperparameters), notes)
        not_scaled = why_not_scaled(info)
        help_text = "Shift each feature to mean 0 and scale it to deviation 1 before training. The curve stays the same curve."
        if info.is_a_single_row:
            help_text = "A single row has no spread, so there is nothing to scale."
        elif not_scaled:
            help_text = f"Cannot be scaled: {not_scaled}."
        _draw(st.toggle, "scale_features", "Scale features", disabled=not_scaled is not None, help=help_text)
        _select("loss", "Loss", LOSS_INFO)
        _draw(
            st.selectbox, "start", "Start", options=list(STARTS),
            format_func=lambda name: "All zeros" if (dataset, name) == (DATASET, "published") else STARTS[name],
            on_change=_own_numbers,
            help="The parameters before the first step. A click on the landscape sets them too.",
        )  # fmt: skip
        if form.value("start") == NUMBERS and not task.hidden("start"):
            names = ", ".join(info.parameters)
            st.text_input(
                f"Start at {names}", key=form.key("numbers"), help="One number for each, with commas between.",
                disabled=task.locked("start"),
            )  # fmt: skip
        _row(("seed",), notes)
        notes["before"] = st.empty()
        engine = st.container(key="engine")
    experiment = _read(notes, elsewhere)
    _earlier_phases(experiment, notes["before"])
    with engine:
        _engine(experiment)
    _write_address(experiment, axes(info.parameters))
    bar().widgets = form.values()
    own_table.remember(experiment)
    projector.show(
        rate=written(experiment.learning_rate) if task.free("learning_rate") else None,
        following=EXAMPLES[_next_example(experiment)].title,
    )
    return Controls(experiment, menu, under_rate, under_table)


def examples(menu: Any) -> None:
    """Fill the menu. Last on the page: it is closed, and what can be seen comes sooner without it."""
    if menu is None:
        return
    with menu:
        for group in dict.fromkeys(example.group for example in EXAMPLES):
            st.markdown(f"**{group}**")
            for number, example in enumerate(EXAMPLES):
                if example.group == group:
                    st.button(
                        f"{example.title}  \n:small[:gray[{example.reason}]]",
                        key=f"example_{number}",
                        on_click=_load_example,
                        args=(example,),
                        width="stretch",
                        type="tertiary",
                    )


def load(experiment: Experiment) -> None:
    """Set every widget to an experiment. For callbacks."""
    for name in FIELDS:
        form.put(name, getattr(experiment, name))
    form.put("features", list(experiment.features))
    for name in BOUNDS:
        form.put(name, written(getattr(experiment, name)))
    named = isinstance(experiment.start, str)
    form.put("start", experiment.start if named else NUMBERS)
    if not named:
        form.put("numbers", ", ".join(map(written, experiment.start)))
    form.held().good = experiment


def set_rate(rate: float) -> None:
    """Set the learning rate. For callbacks."""
    form.put("learning_rate", written(float(rate)))


def set_start(numbers: tuple[float, ...]) -> None:
    """Start at these numbers, in raw units. For callbacks."""
    form.put("start", NUMBERS)
    form.put("numbers", ", ".join(f"{number:.7g}" for number in numbers))


def new_start() -> None:
    """Start at random, from the next seed. For callbacks."""
    good = form.held().good
    seed = (good.seed + 1) % (int(BOUNDS["seed"].high) + 1)
    form.put("start", "random")
    form.put("seed", written(seed))


def continue_as(experiment: Experiment) -> None:
    """Take over a continued run in the next run of the page: its earlier phases, and the order of its rows."""
    rows = {name: written(getattr(experiment, name)) for name in ("batch_size", "seed")}
    bar().coming = rows | {"before": experiment.before}


def tell(sentence: str) -> None:
    """Say something above the controls in the next run of the page. For callbacks."""
    bar().said.append(sentence)


def axes_control(parameters: tuple[str, ...], on_change: Callable[[], None]) -> None:
    """The choice of the landscape's two parameters, where there is a choice."""

    def pick(pair: map_axes.Axes) -> None:
        form.held().axes = pair
        on_change()

    map_axes.control("axes", parameters, axes(parameters), pick)


def _follow_the_address() -> None:
    address = st.query_params.to_dict()
    at_the_keys = projector.pressed()
    entered = navigation.come_to("train")  # from a lesson, or for the first time: the widgets are gone
    if entered and projector.bare(address):
        # the navigation drops the settings: they are as they were left, but runs may have been pinned elsewhere
        address = {name: text for name, text in (bar().address or {}).items() if name != "pins"}
    someone = at_the_keys or _someone_is_at_the_controls()
    bar().followed = entered or (address != bar().address and not someone)
    if not bar().followed:
        if _someone_is_at_the_controls():
            task.forget_the_sentences()
        form.keep_alive()
        return
    experiment, sentences = task.follow(address), []
    if waits_for := task.waits_for():
        experiment, address = Experiment.default(DATASET), address | {"table": waits_for}
    if experiment is None:  # no task, or a broken one: the address says the settings themselves
        address = {name: text for name, text in address.items() if name not in ("task", "result")}
        bare = projector.bare(address)
        experiment, sentences = (OPENING.experiment, []) if bare else Experiment.from_query(address)
    own_table.want(None)
    if experiment.dataset == DATASET and needs_its_file(address.get("table", "")):
        own_table.want(dict(address), experiment)
        sentences = []  # the table's own stands until the file is there
    load(experiment)
    sentences += pins.follow(address, bar().address or {}, entered=entered)
    bar().sentences = [*sentences, *projector.follow(st.query_params.to_dict(), entered=entered)]
    parameters = experiment.info.parameters
    names = address.get("axes", "").split(",")
    pair = [parameters.index(name) for name in names] if set(names) <= set(parameters) else []
    first = (0, min(1, len(parameters) - 1))
    form.held().axes = (pair[0], pair[1]) if map_axes.fits(pair, len(parameters)) else first


def _someone_is_at_the_controls() -> bool:
    """Whether a widget or a button made this run. Its address may then be the one before last, still on its way."""
    return have_changed() or bar().pressed is not None or bar().changed


def have_changed() -> bool:
    """Whether a widget holds something else than when the side bar was last read."""
    return bar().widgets is not None and bar().widgets != form.values()


def _hold_to_the_task() -> None:
    """Set what the task does not leave free as the teacher did, whatever a callback has made of it."""
    if (now := task.current()) is None:
        return
    choices = {name: form.value(name) for name in CHOICES}
    values = form.values()
    free = {name: values[name] for name in now.free if name in values}
    if "start" in now.free:
        free |= {"numbers": form.value_or("numbers", "")}
    good = form.held().good
    load(now.opened({name: choice for name, choice in choices.items() if name in now.free})[0])
    for name, value in free.items():
        form.put(name, value)
    form.held().good = good


def _write_address(experiment: Experiment, axes: tuple[int, int]) -> None:
    parameters = experiment.info.parameters
    query = task.query(experiment)
    if axes not in ((0, 0), (0, 1)):
        query["axes"] = ",".join(parameters[i] for i in axes)
    if task.current() is None:
        query |= pins.on_train()
    address = st.query_params.to_dict()
    if projector.bare(address) and query == OPENING.experiment.to_query():
        query = {}  # a bare address opens just this; writing it down would cost a press of Back
    if own_table.waits(experiment):
        query = address  # the link stays as it is until its file is there
    query = query | projector.query()
    if query != address:
        st.query_params.from_dict(query)
    bar().address = query


def axes(parameters: tuple[str, ...]) -> tuple[int, int]:
    """The landscape's two parameters, by number; twice 0 if there is only one."""
    axes = form.held().axes
    if not map_axes.fits(axes, len(parameters)):
        axes = (0, min(1, len(parameters) - 1))
        form.held().axes = axes
    return axes


def _read(notes: dict[str, Any], elsewhere: Any) -> Experiment:
    """The experiment that the widgets say, and the sentences about bad fields, shown under them."""
    good = form.held().good
    dataset = form.value("dataset")
    texts = {name: form.value(name) for name in ("dataset", "loss", "optimizer")}
    hidden = {*HYPERPARAMETERS, "points", "noise", "data_seed", *HELD_OUT}
    if dataset == DATASET:
        texts |= {name: FIELDS[name].write(value) for name, value in own_table.effective(good).items()}
    shown = {*DATASET_INFO[dataset].knobs, *OPTIMIZER_INFO[texts["optimizer"]].hyperparameters}
    shown |= set() if DATASET_INFO[dataset].is_a_single_row else set(HELD_OUT)
    texts |= {name: str(form.value(name)).strip() for name in BOUNDS if name not in hidden or name in shown}
    texts["scale_features"] = str(bool(form.value("scale_features"))).lower()
    start = form.value("start")
    texts["start"] = form.value_or("numbers", "") if start == NUMBERS else start
    # said also when it is empty: what is left out is taken from the last good experiment
    texts["engine"] = form.value_or("engine", AUTO)
    texts["before"] = (
        FIELDS["before"].write(form.value_or("before", ()) or ()) if good.dataset == dataset else ""
    )
    experiment, sentences = Experiment.from_query(texts, fallback=_same_rule(good, texts["optimizer"]))
    of_the_address, bar().sentences = bar().sentences, []
    for sentence in [*sentences, *of_the_address]:
        name = next((field for field in FIELDS if sentence.startswith(field)), "")
        used = getattr(experiment, name, None)
        kept = f" Using {written(used)} instead." if name in BOUNDS else ""
        (notes[name] if name in BOUNDS and name in notes else elsewhere).markdown(
            f":orange[:material/error:] {plain(sentence + kept)}"
        )
    form.held().good = experiment
    # an engine that does not fit is told once: it may have no control
    form.put("engine", experiment.engine)
    return experiment


def _same_rule(good: Experiment, optimizer: str) -> Experiment:
    """The last good experiment, with the usual settings of another rule if that was changed."""
    if good.optimizer == optimizer:
        return good
    usual = defaults(good.dataset, optimizer)
    fields = {name: getattr(good, name) for name in FIELDS}
    return Experiment(**(fields | {name: usual[name] for name in ("optimizer", *HYPERPARAMETERS, "engine")}))


def _next_example(now: Experiment) -> int:
    """The number of the example after the one that the settings are, or of the first."""
    numbers = [number for number, example in enumerate(EXAMPLES) if example.experiment == now]
    return (numbers[0] + 1) % len(EXAMPLES) if numbers else 0


def _keys_asked() -> None:
    """Do what a key of the projector mode asked for."""
    if factor := projector.taken("factor"):
        rate, bounds = factor * form.held().good.learning_rate, BOUNDS["learning_rate"]
        if bounds.low <= rate <= bounds.high:
            set_rate(rate)
        else:
            st.toast(f"The learning rate must be between {bounds.low:,.12g} and {bounds.high:,.12g}.")
    if projector.taken("on") and task.current() is None:
        example = EXAMPLES[_next_example(form.held().good)]
        _load_example(example)
        st.toast(f"**{example.title}**: {example.reason}")


def _load_example(example: Example) -> None:
    load(example.experiment)
    STATE["examples"] = False  # or the menu would cover Train
    form.held().axes = (0, min(1, len(example.experiment.info.parameters) - 1))


def _dataset_changed() -> None:
    dataset, optimizer = form.value("dataset"), form.value("optimizer")
    own_table.want(None)
    last = own_table.last()
    back = dataset == DATASET and last is not None and not needs_its_file(last.table)
    load(last if back and last else Experiment(**defaults(dataset, optimizer)))
    form.held().axes = (0, min(1, len(form.held().good.info.parameters) - 1))


def _own_numbers() -> None:
    if not form.value_or("numbers", ""):
        form.put("numbers", ", ".join("0" for _ in form.held().good.info.parameters))


def _optimizer_changed() -> None:
    for name, value in OPTIMIZER_INFO[form.value("optimizer")].hyperparameters.items():
        form.put(name, written(value))


def _select(
    name: str, label: str, infos: Mapping[str, Any], on_change: Callable[[], None] | None = None
) -> str:
    _draw(
        st.selectbox,
        name,
        label,
        options=list(infos),
        format_func=lambda choice: infos[choice].title,
        help="  \n".join(f"**{info.title}**: {info.help}" for info in infos.values()),
        on_change=on_change,
    )
    return form.value(name)


def _draw(widget: Callable[..., Any], name: str, label: str, **arguments: Any) -> None:
    """Draw a setting's widget. Every control goes through here: a task may lock it, or leave it out."""
    if task.hidden(name):
        return
    if task.locked(name):
        arguments |= {"disabled": True, "help": f"{task.LOCKED} {arguments.get('help') or ''}"}
    widget(label, key=form.key(name), **arguments)


def _row(names: tuple[str, ...], notes: dict[str, Any]) -> None:
    names = tuple(name for name in names if not task.hidden(name))
    if not names:
        return
    columns = st.columns(len(names), gap="small") if len(names) > 1 else [nullcontext()]
    for name, column in zip(names, columns, strict=True):
        with column:
            bounds = BOUNDS[name]
            hint = f"{bounds.help} Between {bounds.low:,.12g} and {bounds.high:,.12g}."
            _draw(st.text_input, name, bounds.title, help=hint)
    notes |= dict.fromkeys(names, st.container())


def _hold_out(notes: dict[str, Any]) -> None:
    """Folded away until rows are held out; what is wrong is said outside, where it is seen."""
    with st.expander("Hold out rows", expanded=form.held().good.holdout > 0, icon=":material/call_split:"):
        _row(HELD_OUT, notes)
    notes |= dict.fromkeys(HELD_OUT, st.container())


def _engine(experiment: Experiment) -> None:
    """How the run is worked out, where there is a choice."""
    if experiment.has_a_choice_of_engine:
        # where there is a choice they mean the same
        at_once = SPECTRUM if experiment.engine == SPECTRUM else AUTO
        _draw(
            st.segmented_control, "engine", "Worked out", options=[at_once, LOOP], required=True,
            format_func={at_once: "At once", LOOP: "Epoch by epoch"}.__getitem__,
            help="**At once**: along the eigenvectors of the loss, where an epoch multiplies the error by a number. "
            "The numbers are those of the loop to 1e-9.  \n"
            "**Epoch by epoch**: the loop of the textbook, with the gradient worked out anew in every epoch. "
            "You can watch a long run train.",
        )  # fmt: skip


def _earlier_phases(experiment: Experiment, place: Any) -> None:
    if not experiment.before:
        return
    parts = [
        f"{phase.epochs:,} epochs of {OPTIMIZER_INFO[phase.optimizer].title.lower()} at {written(phase.learning_rate)}"
        for phase in experiment.before
    ]
    with place.container():
        st.caption(f"Goes on after {', then '.join(parts)}.")
        if task.free("before"):
            st.button("Forget the earlier part", on_click=form.put, args=("before", ()))
