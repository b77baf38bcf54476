"""The board of a task: what a class has handed in, trained again. A link says which run it was, and nothing about how it went."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context

from gd_core.classroom.kept import HandedIn
from gd_core.classroom.rules import NAMES
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, titled
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import LARGEST_RMSE, Result, Target, Task
from gd_core.task_target import Judgement, judge
from gd_core.training import Epochs
from gd_core.words import counted

_SIX_UP = Context(prec=6, rounding=ROUND_CEILING)
MOST_UPDATES = 20_000  # of a run that is trained again: about a second


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A result on the board, as its own run has it.

    Attributes:
        handed_in: Whose it is, and its link's text.
        learning_rate: η of the last part of the run.
        rmse: The lowest within the target's epochs, or of the run where there is no target.
        epoch: That of it.
        reached: The first epoch below the target; None if there is none, or no target.
        in_time: Whether that was within the target's epochs.
        end_rmse: At the last epoch; what the sweep over the rates has.
        diverged: Whether the run ended because its loss grew too large.
        on_curve: Whether it differs from the task's settings in nothing but the rate: then it lies on the task's sweep.
    """

    handed_in: HandedIn
    learning_rate: float
    rmse: float
    epoch: int
    reached: int | None
    in_time: bool
    end_rmse: float
    diverged: bool
    on_curve: bool


@dataclass(frozen=True, kw_only=True)
class NotPlaced:
    """A result that the board cannot train.

    Attributes:
        handed_in: Whose it is, and its link's text.
        sentence: Why.
    """

    handed_in: HandedIn
    sentence: str


def challenge(experiment: Experiment, rmse: float, text: str) -> Task:
    """The Goldilocks challenge as a task: only the rate is free, the target that of the lesson."""
    locked = ("dataset", "optimizer", "epochs")
    # in as many digits as are said, and above it: who is at it to rounding has reached it
    told = float(_SIX_UP.create_decimal(rmse * (1 + 1e-12)))
    target = Target(told, experiment.total_epochs)
    names = {"free": ("learning_rate",), "locked": tuple(name for name in FIELDS if name in locked)}
    return Task(experiment=experiment, text=text, target=target, **names)


def board(
    results: Iterable[HandedIn], train: Callable[[Experiment], Epochs] = record
) -> list[Placed | NotPlaced]:
    """Train each result again, and put the best first: who reached the target soonest, then who came nearest.

    Args:
        results: As the store has them.
        train: Gives the recording of an experiment; a page hands over one that remembers.
    """
    return ranked(place(one, train) for one in results)


def ranked(placed: Iterable[Placed | NotPlaced]) -> list[Placed | NotPlaced]:
    """The best first."""
    return sorted(placed, key=_rank)


def place(handed_in: HandedIn, train: Callable[[Experiment], Epochs] = record) -> Placed | NotPlaced:
    """Train one result again."""
    try:
        result = Result.from_text(handed_in.result)
        ran = result.ran
        if ran.total_epochs * ran.updates_per_epoch > MOST_UPDATES:
            sentence = (
                f"More than {counted(MOST_UPDATES, 'update')}: too long for the board. Its link opens it."
            )
            return NotPlaced(handed_in=handed_in, sentence=sentence)
        recording = train(ran)
    except ParameterError as error:  # such as a table that is not at hand here
        return NotPlaced(handed_in=handed_in, sentence=titled(str(error), NAMES))
    target = result.task.target
    judged = judge(target or Target(LARGEST_RMSE), recording)
    if judged is None:
        return NotPlaced(handed_in=handed_in, sentence="The run has no epoch.")
    return _placed(handed_in, result, recording, judged)


def _placed(handed_in: HandedIn, result: Result, recording: Epochs, judged: Judgement) -> Placed:
    target, ran = result.task.target, result.ran
    others = [name for name in FIELDS if getattr(ran, name) != getattr(result.task.experiment, name)]
    return Placed(
        handed_in=handed_in,
        learning_rate=ran.learning_rate,
        rmse=judged.best,
        epoch=judged.best_epoch,
        reached=judged.reached if target else None,
        in_time=judged.in_time and target is not None,
        end_rmse=float(recording.epoch_rmse[-1]),
        diverged=recording.diverged_at is not None,
        on_curve=set(others) <= {"learning_rate"},
    )


def _rank(one: Placed | NotPlaced) -> tuple[float, ...]:
    if isinstance(one, NotPlaced):
        return (2, 0, 0, one.handed_in.number)
    if one.in_time and one.reached is not None:
        return (0, one.reached, one.rmse, one.handed_in.number)
    return (1, one.rmse, one.epoch, one.handed_in.number)
