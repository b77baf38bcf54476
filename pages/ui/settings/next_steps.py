"""Where to go from a run on the Train page: the lesson that shows what has just been seen. No Streamlit here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gd_core.lessons.variants.racers import RACERS
from gd_core.outcome import Outcome
from gd_core.reasons.phrases import ILL_CONDITIONED
from gd_core.settings.catalog import model_info
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.fields import in_a_word
from gd_core.settings.table_fields import TABLE_FIELDS
from gd_core.theory import Forecast
from pages.ui.settings import lesson_data

PROBLEM = (
    *TABLE_FIELDS,
    "points",
    "noise",
    "data_seed",
    "holdout",
    "split_seed",
    "scale_features",
    "start",
    "seed",
    "learning_rate",
)


class Link(NamedTuple):
    """A way on: to a page, with exactly these settings."""

    label: str
    page: str = "train"
    settings: Any = None  # anything with to_query
    options: Mapping[str, str] = {}  # more of the address, as text


def ways_on(experiment: Experiment, forecast: Forecast | None, outcome: Outcome) -> tuple[Link, ...]:
    """Two or three links, the one that fits this run best first. Lessons about the parabola only where there is one."""
    found = []
    if experiment.loss == "mse-broadcast":
        found.append(Link("The loss falls. Is the model right?", "broadcasting"))
    if experiment.dataset == "one-parameter":
        start = experiment.start if isinstance(experiment.start, tuple) else (2.0,)
        run = plain(experiment, epochs=min(experiment.epochs, 200), start=start)
        found.append(Link("The same point with its slope and its step", "one_parameter", run))
    if experiment.dataset in lesson_data.HILLS:
        start = experiment.start if isinstance(experiment.start, tuple) else (9.0, 0.0)
        run = plain(
            experiment, epochs=min(experiment.epochs, 1000), points=min(experiment.points, 200), start=start
        )
        found.append(Link("In which valley does it end, and why? Hills and saddles", "hills", run))
    elif not model_info(experiment.info.model).linear:
        found.append(Link("Valleys, tops and saddles, on another model: Hills and saddles", "hills"))
    table = experiment.dataset == "table"
    gone = outcome in (Outcome.DIVERGED, Outcome.GROWING, Outcome.OVERSHOOTING)
    if (
        gone
        and experiment.intercept  # a lesson has one
        and experiment.dataset in lesson_data.LEARNING_RATE
        and not (table and (experiment.points > 10_000 or experiment.info.shown))
    ):
        run = plain(experiment, epochs=min(experiment.epochs, 1000))
        found.append(Link("Four rates on this problem, and where the limit is", "learning_rate", run))
    fits = (
        experiment.intercept
        and experiment.dataset in lesson_data.LANDSCAPE
        and (not table or (experiment.points <= 1000 and len(experiment.info.parameters) == 3))
    )
    if forecast and forecast.condition_number > ILL_CONDITIONED and experiment.loss == "mse" and fits:
        run = plain(experiment, epochs=min(experiment.epochs, 2000), points=min(experiment.points, 1000))
        found.append(Link("Which direction lags? The landscape of this problem", "landscape", run))
    if experiment.optimizer != "gradient-descent" or experiment.updates_per_epoch > 1:
        found.append(Link(f"{in_a_word(len(RACERS))} variants race from one start", "variants"))
    found.append(Link("Lesson 1: one parameter, one slope", "one_parameter"))
    found.append(Link("Lesson 2: the four steps of training", "four_steps"))
    return tuple(found[:3])


def plain(experiment: Experiment, **changes: Any) -> Experiment:
    """The same problem, start and rate, for gradient descent on all rows."""
    kept = {name: getattr(experiment, name) for name in PROBLEM}
    return Experiment(**(defaults(experiment.dataset, "gradient-descent") | kept | changes))
