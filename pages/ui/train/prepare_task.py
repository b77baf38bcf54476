"""The dialog "Prepare a task": what students may change, the words, the target, the link and its code, in one view."""

from collections.abc import Iterator

import streamlit as st

from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS, titled
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import DATASET as TABLE
from gd_core.settings.table_fields import TABLE_FIELDS
from gd_core.settings.task import (
    IN_WORDS,
    LONGEST_QUESTION,
    LONGEST_TEXT,
    PRESETS,
    THEORY,
    Access,
    Target,
    Task,
)
from gd_core.tables.table import find
from gd_core.task_target import in_words, judge, verdict
from gd_core.words import floor_of
from pages.ui.classroom import class_board, teaching
from pages.ui.look.look import plain
from pages.ui.player import live_runs
from pages.ui.takeaway import share
from pages.ui.train import task
from pages.ui.train.train_settings import has_switch

DRAFT = "draft "  # what the keys of the dialog's widgets begin with
COLUMNS = 3
CONVENTIONS = ("intercept", "scale_target")
WITH_THE_TABLE = ("table", "missing")  # as free or locked as the data set that they belong to
KNOBS = {knob for info in DATASET_INFO.values() for knob in info.knobs}  # what shapes the data
STATE = st.session_state


def show(experiment: Experiment, live_run: live_runs.TrainRun | None) -> None:
    """The dialog, if it is open."""
    if task.dialog() == task.PREPARE and task.current() is None:
        _dialog(experiment, live_run)


def _close() -> None:
    task.open_dialog(None)


@st.dialog("Prepare a task", width="large", on_dismiss=_close)
def _dialog(experiment: Experiment, live_run: live_runs.TrainRun | None) -> None:
    task.keep(DRAFT)
    if f"{DRAFT}preset" not in STATE:
        STATE[f"{DRAFT}preset"] = "rate"
        _preset_chosen()
    st.markdown("A task starts with the settings that are on the page now. Students may change what is free.")
    st.segmented_control(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key=f"{DRAFT}preset",
        on_change=_preset_chosen,
    )
    details = st.expander("Details: each control by itself", key=f"{DRAFT}details", on_change="rerun")
    if details.open:
        with details:
            _controls(experiment)
    left, right = st.columns([2, 3], gap="large")
    with left:
        made = _link(experiment, _words(experiment, live_run))
    if made:
        with right:
            share.code(_address(made), "task")
        teaching.without_question("")
        class_board.show(made)


# ------------------------------------------------------------------------------------------- what students see


def _controls(experiment: Experiment) -> None:
    shown = list(_shown(experiment))
    # Row by row: as it is read, also by keyboard and on a telephone.
    for first in range(0, len(shown), COLUMNS):
        for name, column in zip(
            shown[first : first + COLUMNS], st.columns(COLUMNS, gap="medium"), strict=False
        ):
            with column:
                _choice(experiment, name)
    st.toggle(
        "Students may open the whole lab",
        key=f"{DRAFT}lab",
        help="A button on their page, behind which nothing is locked or hidden.",
    )
    st.caption(
        "The page gives the best rate away where its zones are shown: hide them when it is to be found."
    )


def _choice(experiment: Experiment, name: str) -> None:
    words = {Access.FREE: "Free", Access.LOCKED: "Locked", Access.HIDDEN: "Hidden"}
    label = task.title(name)
    if name == THEORY:
        words = {Access.FREE: "Shown", Access.HIDDEN: "Hidden"}
    elif name == "before":
        words = {Access.FREE: "Allowed", Access.HIDDEN: "Not allowed"}
    else:
        label += f": {task.value(experiment, name)}"
    st.segmented_control(
        plain(label), list(words), format_func=words.__getitem__, key=_key(name), required=True,
        on_change=_one_chosen,
    )  # fmt: skip


def _shown(experiment: Experiment) -> Iterator[str]:
    """The controls that the page can show, given which data sets and rules it can show."""
    knobs = DATASET_INFO[experiment.dataset].knobs
    own = OPTIMIZER_INFO[experiment.optimizer].hyperparameters
    for name in FIELDS:
        if name in WITH_THE_TABLE or (name in TABLE_FIELDS and experiment.dataset != TABLE):
            continue
        if name in KNOBS and name not in knobs and STATE[_key("dataset")] is not Access.FREE:
            continue
        if name in HYPERPARAMETERS and name not in own and STATE[_key("optimizer")] is not Access.FREE:
            continue
        if (
            name in CONVENTIONS
            and STATE[_key("dataset")] is not Access.FREE
            and not has_switch(name, experiment)
        ):
            continue
        may_be_long = experiment.has_a_choice_of_engine or STATE[_key("epochs")] is Access.FREE
        if name == "engine" and not may_be_long:
            continue
        in_batches = experiment.updates_per_epoch > 1 or STATE[_key("batch_size")] is Access.FREE
        if name == "shuffle" and not in_batches:
            continue
        if name != "before":
            yield name
    yield from ("before", THEORY)


def _key(name: str) -> str:
    return f"{DRAFT}{name} access"


def _preset_chosen() -> None:
    preset = PRESETS.get(STATE[f"{DRAFT}preset"])
    if preset is None:  # pressed twice
        return
    for name in (*FIELDS, THEORY):
        STATE[_key(name)] = (
            Access.FREE if name in preset.free else Access.LOCKED if name in preset.locked else Access.HIDDEN
        )


def _one_chosen() -> None:
    STATE[f"{DRAFT}preset"] = None


# -------------------------------------------------------------------------------------------- words and target


def _words(experiment: Experiment, live_run: live_runs.TrainRun | None) -> Target | str | None:
    """The fields for words, and the target, or the sentence about what is wrong with it."""
    st.text_area(
        "What to do", key=f"{DRAFT}text", height=120, help=f"At most {LONGEST_TEXT:,} characters. Plain text."
    )
    st.text_area(
        "A question", key=f"{DRAFT}question", height=68,
        help=f"Students answer it in words, and the answer comes with their result. At most {LONGEST_QUESTION:,} characters.",
    )  # fmt: skip
    left, right = st.columns(2, gap="medium")
    with left:
        st.text_input(
            "Target: RMSE below", key=f"{DRAFT}rmse", help="Leave it empty for a task without a target."
        )
    with right:
        st.text_input(
            "within so many epochs", key=f"{DRAFT}within", help="Empty: within the epochs of the run."
        )
    try:
        target = _target()
        if target:
            Task(experiment=experiment, target=target)
    except ParameterError as error:
        return str(error)  # said where the link would be
    if target:
        _advise(target, experiment, live_run)
    return target


def _target() -> Target | None:
    rmse, within = (str(STATE[f"{DRAFT}{name}"]).strip() for name in ("rmse", "within"))
    if not rmse:
        if within:
            raise ParameterError(
                "target", f"target must say an RMSE, or no epochs either. Got {quoted(within)} epochs."
            )
        return None
    try:
        number = float(rmse)
    except ValueError:
        raise ParameterError("target", f"target must be a number, such as 1.5. Got {quoted(rmse)}.") from None
    try:
        return Target(number, int(within) if within else None)
    except ValueError:
        raise ParameterError(
            "within", f"within must be a whole number of epochs. Got {quoted(within)}."
        ) from None


def _advise(target: Target, experiment: Experiment, live_run: live_runs.TrainRun | None) -> None:
    """Whether the target can be reached, as far as can be told."""
    fixed = all(STATE[_key(name)] is not Access.FREE for name in ("dataset", *KNOBS))
    forecast = live_runs.known(experiment)[2]
    if fixed and forecast and forecast.curvature.bounds_rmse and target.rmse <= forecast.floor_rmse:
        _say(
            f"No training on these data gets below RMSE {floor_of(forecast)}: this target cannot be reached."
        )
    if live_run and live_run.recording.complete and (judgement := judge(target, live_run.recording)):
        st.caption(f"The run on the page: {plain(verdict(target, judgement))}")


# --------------------------------------------------------------------------------------------------- the link


def _address(made: Task) -> str:
    return share.address({"task": made.to_text()})


def _link(experiment: Experiment, target: Target | str | None) -> Task | None:
    """The task with its link, and what it says in words; None, and a sentence, where there is none."""
    try:
        if isinstance(target, str):
            raise ParameterError("target", target)
        access = {name: STATE[_key(name)] for name in (*FIELDS, THEORY)}
        if experiment.dataset == TABLE or access["dataset"] is Access.FREE:
            access |= dict.fromkeys(WITH_THE_TABLE, access["dataset"])
        made = Task.with_access(
            access,
            experiment=experiment,
            text=str(STATE[f"{DRAFT}text"]).strip(),
            question=str(STATE[f"{DRAFT}question"]).strip(),
            target=target,
            lab=bool(STATE.get(f"{DRAFT}lab")),
        )
    except ParameterError as error:
        _say(f"{error} There is no link until that is mended.")
        return None
    link = _address(made)
    st.markdown(plain(_summary(made, list(_shown(experiment)))))
    share.field(link)
    if experiment.dataset == TABLE and find(experiment.table).mark == experiment.table:
        st.markdown("The table’s rows are not in the link: hand out its file as well. The page asks for it.")
    st.link_button("Open it as a student", link, icon=":material/open_in_new:", type="tertiary")
    st.caption(
        "The link holds the whole task; nothing is kept on the server. A link that was changed on its way says so. "
        "That is for honest people, not a secret: anyone can read a link, or make another one."
    )
    return made


def _summary(made: Task, shown: list[str]) -> str:
    parts = {"Free": made.free, "Locked": made.locked}
    said = [
        f"{word}: {', '.join(task.title(name) for name in names if name in shown)}."
        for word, names in parts.items()
        if any(name in shown for name in names)
    ]
    said = said or ["Nothing can be changed."]
    if made.target:
        said.append(f"Target: {in_words(made.target)}.")
    return " ".join(said)


def _say(sentence: str) -> None:
    st.markdown(f":orange[:material/error:] {plain(titled(sentence, IN_WORDS))}")
