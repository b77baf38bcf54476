"""From an `Experiment`, which is words and numbers, to the tensors and functions that are trained."""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from gd_core.datasets import DATASETS, Dataset, from_table
from gd_core.models import MODELS, Model
from gd_core.objective import LinearObjective, Objective, as_parabola, loss_of, objective_of
from gd_core.optimizers import OPTIMIZERS, UpdateRule, at_rate, in_turn
from gd_core.penalty import Penalty
from gd_core.settings.catalog import LOSS_INFO, OFFERED, model_info
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import rate_of
from gd_core.settings.table_fields import DATASET, needs_its_file
from gd_core.tables.table import find


@dataclass(frozen=True, eq=False)
class Problem:
    """What is trained, and the way back to raw units.

    Attributes:
        dataset: The rows that are trained on, in raw units.
        objective: The loss, on standardised features and of a standardised target if the experiment asks for it.
        start: θ₀ in the coordinates that are trained, [P].
        to_raw: Matrix [P, P]; θ in raw units is `to_raw @ theta + offset`. The identity without scaling.
        rule: The update rule, with its phases.
        held_out: The rows kept from training, in raw units, or None.
        validation: The same loss on the held-out rows, scaled by the training rows' mean and deviation, or None.
        offset: The mean of a scaled target, as an intercept, [P]; else 0, [1].
        units: By what the parameters that have the unit of y are multiplied on the way back from a scaled one, [P]; else 1, [1].
    """

    dataset: Dataset
    objective: Objective
    start: Tensor
    to_raw: Tensor
    rule: UpdateRule
    held_out: Dataset | None = None
    validation: Objective | None = None
    offset: Tensor = field(default_factory=lambda: torch.zeros(1, dtype=torch.float64))
    units: Tensor = field(default_factory=lambda: torch.ones(1, dtype=torch.float64))

    @property
    def linear(self) -> LinearObjective:
        """The objective as one of a model that is linear in its parameters.

        Raises:
            ValueError: If the model is none.
        """
        if not isinstance(self.objective, LinearObjective):
            kind = type(self.objective.model).__name__
            raise ValueError(f"model must be linear in its parameters here. Got {kind}.")
        return self.objective

    def raw(self, theta: Tensor) -> Tensor:
        """Coefficients of the data as they are, [..., P] → [..., P]. The same curve in other numbers."""
        return theta @ self.to_raw.T + self.offset

    def scaled(self, raw: Tensor) -> Tensor:
        """The inverse of `raw`."""
        return torch.linalg.solve(self.to_raw, (raw - self.offset).unsqueeze(-1)).squeeze(-1)

    def predicted(self, theta: Tensor) -> Tensor:
        """ŷ of each row that is trained on, in the data's units, [P] → [N]."""
        return (
            self.objective.dataset.unit * self.objective.shown(self.objective.predict(theta))
            + self.offset[-1]
        )

    def centred(self, theta: Tensor) -> Tensor:
        """Coefficients of (x − mean) / deviation for the target as it is, [..., P] → [..., P], to draw the curve with.

        Not by way of the raw ones: of a tenth power of calendar years these have too few digits to hold a curve.
        """
        if self.objective.dataset.x is not self.dataset.x:
            return self.units * theta + self.offset
        mean, deviation = self.dataset.mean, self.dataset.deviation
        return self.raw(theta) @ self.linear.model.to_raw(-mean / deviation, 1 / deviation).T


def build(experiment: Experiment, like: Problem | None = None) -> Problem:
    """Data, objective, start and update rule of an experiment.

    A start is always given in raw units: with scaled features the same curve is started from. Rows that are held out
    have no part in anything but `held_out` and `validation`.

    Args:
        experiment: What is trained.
        like: The problem of an experiment with the same data, scaling and loss, which are then shared.
    """
    if like is not None:
        return replace(like, start=_trained_start(experiment, like), rule=rule_of(experiment, like.objective))
    dataset, model, held_out = dataset_of(experiment), model_of(experiment), None
    if experiment.holdout:
        training, kept = _sides(experiment)
        dataset, held_out = dataset.rows(training), dataset.rows(kept)
    standardised = partial(
        Dataset.standardised, by=dataset, features=experiment.scale_features, target=experiment.scale_target
    )
    trained = standardised(dataset)
    to_raw = torch.eye(len(dataset.start), dtype=torch.float64)
    offset, units = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    if experiment.scale_features:
        to_raw = model.to_raw(dataset.mean, dataset.deviation)
    if experiment.scale_target:
        of_target = model_info(experiment.info.model).of_target or (True,) * len(to_raw)
        units = to_raw.new_tensor([trained.unit if one else 1.0 for one in of_target])
        to_raw = units[:, None] * to_raw
        offset = torch.cat([torch.zeros_like(dataset.start[:-1]), dataset.target_mean])
    loss = loss_of(experiment.loss, **LOSS_INFO[experiment.loss].own(experiment))
    validation = None
    if held_out:
        validation = objective_of(model, standardised(held_out), loss)
    objective = objective_of(model, trained, loss, penalty_of(experiment))
    problem = Problem(
        dataset,
        objective,
        dataset.start,
        to_raw,
        rule_of(experiment, objective),
        held_out,
        validation,
        offset,
        units,
    )
    return replace(problem, start=_trained_start(experiment, problem))


def _trained_start(experiment: Experiment, problem: Problem) -> Tensor:
    """θ₀ in the coordinates that are trained, [P]. A model that has its own start for a table has it in these."""
    start = start_of(experiment, problem.dataset)
    own = OFFERED[experiment.model].start if experiment.dataset == DATASET else ()
    if own and not isinstance(experiment.start, tuple):
        return start if experiment.start == "random" else start.new_tensor(own)
    return problem.scaled(start) if experiment.is_rescaled else start


def dataset_of(experiment: Experiment) -> Dataset:
    """The rows of an experiment, in raw units.

    Raises:
        ParameterError: If they stand in a table that is known by its fingerprint only, and is not here.
    """
    return replace(_rows(experiment), centred=experiment.intercept)


def _rows(experiment: Experiment) -> Dataset:
    if experiment.dataset != DATASET:
        return _published(experiment)
    if sentence := needs_its_file(experiment.table):
        raise ParameterError("table", sentence)
    fills = experiment.missing == "mean" and experiment.holdout > 0
    return from_table(
        find(experiment.table),
        experiment.target,
        experiment.features,
        experiment.missing,
        parameters=len(experiment.info.parameters),
        training=_sides(experiment)[0] if fills else None,
    )


def _published(experiment: Experiment) -> Dataset:
    """Rows that a function makes: the data set's own, or another's with a title and a start of its own."""
    info = experiment.info
    made = DATASETS[info.rows or experiment.dataset](
        experiment.points, noise=experiment.noise, data_seed=experiment.data_seed
    )
    if info.rows:
        made = replace(made, title=info.title)
    if info.start is not None:
        return replace(made, start=torch.tensor(info.start, dtype=torch.float64))
    return made if experiment.intercept else replace(made, start=made.start[:-1])


def _sides(experiment: Experiment) -> tuple[Tensor, Tensor]:
    """Numbers of the rows that are trained on and of those that are held out."""
    return split(experiment.points, experiment.held_out_rows, experiment.split_seed)


def split(num_rows: int, held_out: int, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of the training rows [N − K] and of the held-out rows [K], each in the data's own order.

    Args:
        num_rows: N.
        held_out: K. The first K of a random order of all rows are held out.
        seed: Seeds a private generator, so that the same seed holds out the same rows.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(num_rows, generator=generator)
    return order[held_out:].sort().values, order[:held_out].sort().values


def model_of(experiment: Experiment) -> Model:
    """What is fitted. A model of a table has as many weights as there are features or powers."""
    make = MODELS[experiment.info.model]
    return make(experiment.info.weights) if experiment.dataset == DATASET else make()


def penalty_of(experiment: Experiment) -> Penalty | None:
    """λ of each parameter as it is trained, by the kind of the penalty; None without one."""
    if not experiment.penalty:
        return None
    return Penalty(experiment.penalty * torch.tensor(experiment.penalty_factors, dtype=torch.float64))


def start_of(experiment: Experiment, dataset: Dataset) -> Tensor:
    """θ₀ in raw units, [P]: the published one, standard normal from the experiment's seed, or the given numbers."""
    if experiment.start == "published":
        return dataset.start
    if experiment.start == "random":
        generator = torch.Generator().manual_seed(experiment.seed)
        return torch.randn(len(dataset.start), generator=generator, dtype=torch.float64)
    return torch.tensor(experiment.start, dtype=torch.float64)


def rule_of(experiment: Experiment, objective: Objective | None = None) -> UpdateRule:
    """The update rule with its settings; the rules of all phases in turn if the run was continued."""
    stride = experiment.updates_per_epoch
    return in_turn(
        *((phase.epochs * stride, rule_of_phase(phase, stride, objective)) for phase in experiment.phases)
    )


def rule_of_phase(phase: Phase, updates_per_epoch: int = 1, objective: Objective | None = None) -> UpdateRule:
    """One rule with its settings, at its rate. One that divides by the curvature takes it from the objective.

    Raises:
        ValueError: If that has no curvature of its own.
    """
    own = OPTIMIZER_INFO[phase.optimizer].own(phase)
    rule = partial(OPTIMIZERS[phase.optimizer], **own)
    if OPTIMIZER_INFO[phase.optimizer].over_curvature:
        parabola = as_parabola(objective) if objective else None
        if parabola is None:
            raise ValueError(
                f"objective must be a parabola for {phase.optimizer}, which divides by its curvature."
            )
        rule = partial(rule, inverse=parabola.inverse_hessian)
    return at_rate(rule, rate_of(phase, updates_per_epoch))
