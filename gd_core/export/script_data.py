"""The data, the model and the start of a script: each as the tutorials have it, and to the bit what the lab trains on."""

import re
from typing import TYPE_CHECKING

from gd_core.export.script_table import filled, table_part
from gd_core.export.script_text import WIDTH, Part, listed
from gd_core.settings.catalog import DATASET_INFO, MANY_ROWS, OFFERED, model_info
from gd_core.settings.experiment import Experiment
from gd_core.settings.table_fields import DATASET, is_always_scaled

if TYPE_CHECKING:
    from gd_core.datasets import Dataset

MANY = 4  # numbers, more than which are not written out one by one


def parts(experiment: Experiment) -> list[Part]:
    """Loss, rows, model and start: `loss_of`, `x` [N, D], `y` [N], `columns` [N, P] and `theta` [P].

    Of held-out rows, K of them, also `judge` [K] and `unseen` [K, P], their targets and columns.
    """
    data = _data(experiment)
    if experiment.holdout:
        data = data._replace(code=f"{data.code}\n{_split(experiment)}")
    return [
        _loss(experiment),
        *_penalty(experiment),
        *_prediction(experiment),
        data,
        _model(experiment),
        _start(experiment),
    ]


def _data(experiment: Experiment) -> Part:
    if experiment.dataset == DATASET:
        return table_part(experiment)
    info = DATASET_INFO[experiment.info.rows or experiment.dataset]
    if not info.code:
        raise ValueError(f"dataset must be one whose rows a script can make. Got {experiment.dataset}.")
    knobs = {name: getattr(experiment, name) for name in ("points", "noise", "data_seed")}
    noisy = info.noise_code.format(**knobs) if experiment.noise else ""
    words = f"The data: {info.about}. Source: {experiment.info.source}."
    return Part(words, info.code.format(noisy=noisy, **knobs))


def _split(experiment: Experiment) -> str:
    """Which rows are trained on and which only judge. They part once the model has its columns."""
    kept = experiment.held_out_rows
    lines = [
        f"order = torch.randperm(len(x), generator=torch.Generator().manual_seed({experiment.split_seed}))",
        f"held_out, training = order[:{kept}].sort().values, order[{kept}:].sort().values  # the former only judge",
    ]
    return "\n".join([*lines, *filled(experiment)])


PARTED = "unseen, judge, columns, y = columns[held_out], y[held_out], columns[training], y[training]"


def _model(experiment: Experiment) -> Part:
    info, weights = model_info(experiment.info.model), experiment.info.weights
    columns, how = info.columns(weights), "a column for each parameter, so that " if info.linear else ""
    what = "logit" if experiment.loss_info.yes_no else "prediction"
    words = f"The model {info.plain(weights)}: {how}a {what} is {predicted(experiment, 'columns')}."
    parted = [*([PARTED] if experiment.holdout else []), *_target(experiment)]
    if not experiment.scale_features:
        return Part(words, "\n".join([columns, *parted, *_to_raw(experiment)]))
    scaling = info.scaling
    assert scaling is not None  # or the experiment would have been refused
    moments = [scaling.moments]
    if scaling.constant and _has_a_constant(experiment):
        moments.append(scaling.constant)
    lines = [
        *(_of_training(line) if experiment.holdout else line for line in moments),
        f"x = (x - mu) / sigma  # to {'mean 0 and deviation' if experiment.intercept else 'a mean square of'} 1",
        columns,
        *parted,
        scaling.to_raw(weights) + "  # to_raw @ theta is the same curve in the data's units",
        *_to_raw(experiment),
    ]
    return Part(words, "\n".join(lines))


def _target(experiment: Experiment) -> list[str]:
    """The lines that scale the target of the training rows; `centre` and `unit` are what is subtracted and divided by."""
    if not experiment.scale_target:
        return []
    moments = "centre, unit = y.mean().item(), y.std(correction=0).item()"
    if not experiment.intercept:
        moments = "centre, unit = 0.0, y.square().mean().sqrt().item()  # no intercept would take up a shift"
    constant = _dataset(experiment).target_deviation.item() == 1.0
    return [
        moments,
        *(["unit = 1.0  # the deviation of a constant target"] if constant else []),
        "y = (y - centre) / unit  # the loss is that of the scaled target; RMSE is told in the data's units",
        *(["judge = (judge - centre) / unit"] if experiment.holdout else []),
    ]


def _to_raw(experiment: Experiment) -> list[str]:
    """The lines that undo the scaling of the target: `to_raw @ theta + offset` is then the curve in the data's units."""
    if not experiment.scale_target:
        return []
    size = len(experiment.info.parameters)
    features = "to_raw" if experiment.scale_features else f"torch.eye({size}, dtype=torch.float64)"
    of_target = model_info(experiment.info.model).of_target
    by, units = "unit", []
    if of_target:  # the others have no part in y
        flags = ", ".join("unit" if one else "1.0" for one in of_target)
        by, units = "units", [f"units = torch.tensor([{flags}], dtype=torch.float64).unsqueeze(1)"]
    return [
        *units,
        f"to_raw = {by} * {features}",
        f"offset = torch.tensor([{'0.0, ' * (size - 1)}centre], dtype=torch.float64)"
        if size <= MANY
        else f"offset = torch.tensor({size - 1} * [0.0] + [centre], dtype=torch.float64)",
    ]


def in_units(experiment: Experiment, root: str) -> str:
    """The root of a mean square of the fitted target as an error in the units of the data."""
    return f"unit * {root}" if experiment.scale_target else root


def predicted(experiment: Experiment, columns: str) -> str:
    """ŷ of some rows, whose columns have this name."""
    by_hand = model_info(experiment.info.model).prediction
    return f"{columns} @ theta" if by_hand is None else f"predict({columns})"


def fitted(experiment: Experiment, columns: str) -> str:
    """ŷ as it is compared with y: of the log loss the probability, whose logit is predicted."""
    prediction = predicted(experiment, columns)
    return f"torch.sigmoid({prediction})" if experiment.loss_info.yes_no else prediction


def _prediction(experiment: Experiment) -> list[Part]:
    """The function that predicts, where that is no product with θ."""
    info, weights = model_info(experiment.info.model), experiment.info.weights
    if info.prediction is None:
        return []
    code = f'def predict(columns):\n    """{info.plain(weights)}"""\n    return {info.prediction}'
    return [Part("", code, defines=True)]


def _has_a_constant(experiment: Experiment) -> bool:
    """Whether a feature of the training rows has no deviation to be divided by."""
    data = _dataset(experiment)
    found = data.x.std(0, correction=0) if data.centred else data.x.square().mean(0).sqrt()
    return not data.deviation.equal(found)


def _dataset(experiment: Experiment) -> "Dataset":
    """The training rows."""
    from gd_core.problem import build

    return build(experiment).dataset


def _of_training(code: str) -> str:
    """A line about all rows as one about the training rows: the others have no part in what is trained."""
    return re.sub(r"\bx\b", "x[training]", code)


def _start(experiment: Experiment) -> Part:
    names, size = ", ".join(experiment.info.parameters), len(experiment.info.parameters)
    own, at_random = _own_start(experiment), experiment.start == "random"
    at_zero = not own and experiment.start == "published" and experiment.dataset == DATASET
    as_trained = bool(own) or (at_random and is_always_scaled(vars(experiment)))
    # 0 is 0 in any units
    same = as_trained or not experiment.is_rescaled or (at_zero and not experiment.scale_target)
    units = ", for the scaled rows" if as_trained else "" if same else ", in the units of the data"
    if at_random:
        how = " at random, from a seed of its own"
        code = f"""generator = torch.Generator().manual_seed({experiment.seed})
start = torch.randn({size}, generator=generator, dtype=torch.float64)"""
    elif at_zero:
        how, code = " at 0", f"start = torch.zeros({size}, dtype=torch.float64)"
    else:
        how = "" if own or isinstance(experiment.start, tuple) else " as published"
        text = listed(map(repr, own or map(float, _numbers(experiment))))
        if "\n" in text:
            code = f"start = {text}\nstart = torch.tensor(start, dtype=torch.float64)"
        else:
            code = f"start = torch.tensor({text}, dtype=torch.float64)"
    words = f"The start: {names}{how}{units}."
    start = "start - offset" if experiment.scale_target else "start"
    theta = "start" if same else f"torch.linalg.solve(to_raw, {start})"
    before, _, made = code.rpartition("start = ")
    at_once = f"theta = {made}.requires_grad_()"
    if same and len(at_once) <= WIDTH:
        return Part(words, before + at_once)
    return Part(words, f"{code}\ntheta = {theta}.requires_grad_()")


def _own_start(experiment: Experiment) -> tuple[float, ...]:
    """θ₀ that the model of a table comes with, if that is where the run starts."""
    is_own = experiment.dataset == DATASET and experiment.start == "published"
    return OFFERED[experiment.model].start if is_own else ()


def _numbers(experiment: Experiment) -> tuple[float, ...]:
    """θ₀ as numbers: the given ones, or the published ones."""
    if isinstance(experiment.start, tuple):
        return experiment.start
    from gd_core.problem import dataset_of

    return tuple(dataset_of(experiment).start.tolist())


def loss_of(experiment: Experiment, columns: str, target: str) -> str:
    """The loss of some rows at θ, with the penalty beside it if there is one."""
    of_rows = f"loss_of({predicted(experiment, columns)}, {target})"
    return f"{of_rows} + penalty_of(theta)" if experiment.penalty else of_rows


def _penalty(experiment: Experiment) -> list[Part]:
    """The function that is added to the loss: λ times each square times its factor."""
    if not experiment.penalty:
        return []
    some, factors = _penalised(experiment)
    lines = [
        "def penalty_of(theta):",
        f'    """{experiment.penalty!r} times {experiment.penalised_in_words}."""',
        *([f"    factors = torch.tensor({factors}, dtype=torch.float64)"] if factors else []),
        f"    return {experiment.penalty!r} * ({'factors * ' if factors else ''}theta{some} ** 2).sum()  # half a weight_decay of torch.optim",
    ]
    return [Part("", "\n".join(lines), defines=True)]


def below_of(experiment: Experiment) -> str:
    """The rows that say the penalty as least squares, over √(Nλ), in a script."""
    some, factors = _penalised(experiment)
    if factors:
        return f"torch.tensor({factors}, dtype=torch.float64).sqrt().diag()"
    return f"torch.eye({len(experiment.info.parameters)}, dtype=torch.float64){some}"


def _penalised(experiment: Experiment) -> tuple[str, str]:
    """Which of the parameters are penalised alike, as a slice; and the factor of each, "" where that says it all."""
    factors = experiment.penalty_factors
    if set(factors[:-1]) <= {1.0} and factors[-1] in (0.0, 1.0) and any(factors):
        return "" if factors[-1] else "[:-1]", ""
    return "", str([*factors])


def _loss(experiment: Experiment) -> Part:
    info = experiment.loss_info
    says, value = (experiment.training_rows > MANY_ROWS and info.lines_of_many) or info.lines
    value = value.format(**info.own(experiment))
    return Part("", f'def loss_of(prediction, target):\n    """{says}"""\n    return {value}', defines=True)
