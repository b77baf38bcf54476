"""The same run gone on for longer, where that is soon done: what becomes of it, for labels are claims about that.

The rows come in the order in which the loop would see them, by the rule's own equations; only the gradient is the
formula's, where there is one, which takes a fifth of autograd's time.
"""

import math
from dataclasses import replace
from itertools import islice
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gd_core.autopsy import formula
from gd_core.objective import Objective, in_features, value_and_gradient
from gd_core.problem import Problem, rule_of
from gd_core.recorder import recorder_of
from gd_core.robust import lowest_of
from gd_core.settings.catalog import model_info
from gd_core.settings.engines import SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature
from gd_core.training import batches, diverged_above

LONGER = 10  # a label must hold when the run goes on for so many times its epochs
MOST = 10_000  # updates: a quarter of a second, about
ERRORS_AT_ONCE = 2**20  # residuals in memory together
PRODUCTS = 20_000  # in an update that take as long as all else in it
AUTOGRAD = 2  # of these updates for one whose gradient is no formula in Φ: it takes a sixth of a millisecond
LATEST = 4  # results kept of one problem: outcome and verdict ask for the same
_ends: WeakKeyDictionary[Problem, dict[Experiment, float]] = WeakKeyDictionary()
_gone_on: WeakKeyDictionary[Problem, dict[tuple[Experiment, Curvature | None, int, float], Tensor]] = (
    WeakKeyDictionary()
)


def soon_done(experiment: Experiment, epochs: int) -> bool:
    """Whether a run of so many epochs, earlier phases included, is trained again in about a quarter of a second."""
    return epochs <= epochs_in(experiment, MOST)


def far_enough(experiment: Experiment, before: int, done: int) -> int | None:
    """Epochs in all with which a run has gone on ten times as long, or as far as is soon done: twice at least, else None.

    Args:
        experiment: The run.
        before: Epochs of its earlier phases.
        done: Epochs of the last one so far.
    """
    longer = (before + times * done for times in (LONGER, LONGER // 2, 2))
    return next((epochs for epochs in longer if soon_done(experiment, epochs)), None)


def epochs_in(experiment: Experiment, updates: int) -> int:
    """Epochs that take as long as so many updates of small batches."""
    products = experiment.rows_per_update * len(experiment.info.parameters)
    slower = 1 if model_info(experiment.info.model).linear else AUTOGRAD
    return int(updates / (slower * experiment.updates_per_epoch * (1 + products / PRODUCTS)))


def gaps_gone_on(
    experiment: Experiment, problem: Problem, curvature: Curvature | None, epochs: int, times: float
) -> Tensor:
    """L − L* at the start of each epoch and at the end, infinite where the run has diverged, [E + 1]; L where no L* is known.

    The latest are kept as long as their problem is, and no longer: it may hold a visitor's own rows.

    Args:
        experiment: The run,
        problem: its problem,
        curvature: and the parabola that its loss is; None of another loss.
        epochs: In all, E: so many more or fewer are trained in its last phase.
        times: What its last learning rate is multiplied by.
    """
    kept, what = _gone_on.setdefault(problem, {}), (experiment, curvature, epochs, times)
    if (found := kept.get(what)) is None:
        found = kept[what] = _gaps_gone_on(experiment, problem, curvature, epochs, times)
        for oldest in list(kept)[:-LATEST]:
            kept.pop(oldest, None)
    return found


def held_out_at_the_end(experiment: Experiment, problem: Problem) -> float | None:
    """The held-out RMSE with which the same run ends without its patience, infinite where it diverges; None if that takes long.

    Kept as long as its problem, which the run shares.
    """
    on = replace(experiment, patience=0)
    if on.runs_on != SPECTRUM and not soon_done(on, on.total_epochs):
        return None
    kept = _ends.setdefault(problem, {})
    if on not in kept:
        recorder = recorder_of(on, problem)
        recorder.advance()
        run = recorder.recording()
        assert run.epoch_held_out_rmse is not None
        kept[on] = math.inf if run.diverged_at is not None else float(run.epoch_held_out_rmse[-1])
    return kept[on]


def kept_of(problem: Problem) -> list[Tensor]:
    """What is kept of a problem now."""
    return list(_gone_on.get(problem, {}).values())


def _gaps_gone_on(
    experiment: Experiment, problem: Problem, curvature: Curvature | None, epochs: int, times: float
) -> Tensor:
    objective = problem.objective
    in_formula, lowest = in_features(objective), lowest_of(objective)

    def gap(theta: Tensor) -> Tensor:  # [..., P] → [...]
        if curvature is not None:
            return curvature.gap(theta).sum(-1)
        return _losses(objective, theta) - (lowest.loss if lowest else 0.0)

    def gradient(theta: Tensor, rows: Tensor | None) -> Tensor:
        if in_formula is not None:
            return formula(in_formula, theta, rows)
        return value_and_gradient(objective.on(rows), theta)[1]

    rule = rule_of(replace(experiment, learning_rate=times * experiment.learning_rate), problem.objective)
    order = batches(experiment.training_rows, experiment.batch_size, experiment.seed, experiment.shuffle)
    stride = experiment.updates_per_epoch
    theta, state, points = problem.start, rule.initial(problem.start), [problem.start]
    bound, first, grows = diverged_above(float(objective(theta))), gap(theta), True
    for done, rows in enumerate(islice(order, epochs * stride), 1):
        # a single batch may pass the bound within an epoch, of a run that is far above its start
        if rows is not None and grows and not float(objective.on(rows)(theta)) <= bound:
            break
        theta, state = rule.update(theta, gradient(theta, rows), state)
        if done % stride == 0:
            points.append(theta)
            grows = rows is not None and bool(gap(theta) > first)
    found = torch.full((epochs + 1,), torch.inf, dtype=torch.float64)
    found[: len(points)] = gap(torch.stack(points))
    return torch.where((~(found <= bound)).cumsum(0) > 0, torch.inf, found)


def _losses(objective: Objective, theta: Tensor) -> Tensor:
    """The loss at one θ or at many, [..., P] → [...]; of many some at a time, as they are residuals of all rows."""
    if theta.dim() == 1:
        return objective(theta)
    some = theta.split(max(1, ERRORS_AT_ONCE // len(objective.target)))
    return torch.cat([objective.many(one) for one in some])
