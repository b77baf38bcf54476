"""The data, the model and the start of a script: each as the tutorials have it, and to the bit what the lab trains on."""

import re
from collections.abc import Callable, Mapping

from gd_core.export.script_table import filled, table_part
from gd_core.export.script_text import Part, listed
from gd_core.settings.experiment import Experiment

LITERAL_TABLE = 1000  # rows up to which the N × N table of the shape mistake is really made: 8 MB


def parts(experiment: Experiment) -> list[Part]:
    """Loss, rows, model and start: `loss_of`, `x` [N, D], `y` [N], `columns` [N, P] and `theta` [P].

    Of held-out rows, K of them, also `judge` [K] and `unseen` [K, P], their targets and columns.
    """
    data = DATA[experiment.dataset](experiment)
    if experiment.holdout:
        data = data._replace(code=f"{data.code}\n{_split(experiment)}")
    return [_loss(experiment), data, _model(experiment), _start(experiment)]


def _noisy_quadratic(experiment: Experiment) -> Part:
    points = experiment.points
    code = f"""generator = torch.Generator().manual_seed({experiment.data_seed})
t = torch.arange({points}).float()  # seconds
y = torch.rand({points}, generator=generator) * {experiment.noise!r} + 0.8 * (t - 7.5) ** 2 + 1  # m/s
x, y = t.double().unsqueeze(1), y.double()  # from here on with 16 digits"""
    words = f"The data: speed of an object after t seconds, with noise. Source: {experiment.info.source}."
    return Part(words, code)


def _two_features(experiment: Experiment) -> Part:
    points = experiment.points
    code = f"""generator = torch.Generator().manual_seed({experiment.data_seed})
x = torch.randn({points}, 2, generator=generator)
y = x @ torch.tensor([1.3, -1.0]) - 3.5"""
    if experiment.noise:
        code += f" + {experiment.noise!r} * torch.randn({points}, generator=generator)"
    code += "\nx, y = x.double(), y.double()  # from here on with 16 digits"
    return Part(f"The data: random rows of a plane. Source: {experiment.info.source}.", code)


def _one_parameter(experiment: Experiment) -> Part:
    code = """x = torch.tensor([[3.0]], dtype=torch.float64)
y = torch.tensor([-3.0], dtype=torch.float64)"""
    return Part(f"The data: a single row. Source: {experiment.info.source}.", code)


def _split(experiment: Experiment) -> str:
    """Which rows are trained on and which only judge. They part once the model has its columns."""
    kept = experiment.held_out_rows
    lines = [
        f"order = torch.randperm(len(x), generator=torch.Generator().manual_seed({experiment.split_seed}))",
        f"held_out, training = order[:{kept}].sort().values, order[{kept}:].sort().values  # the former only judge",
    ]
    return "\n".join([*lines, *filled(experiment)])


PARTED = "unseen, judge, columns, y = columns[held_out], y[held_out], columns[training], y[training]"


DATA: Mapping[str, Callable[[Experiment], Part]] = {
    "noisy-quadratic": _noisy_quadratic,
    "two-features": _two_features,
    "one-parameter": _one_parameter,
    "table": table_part,
}

# Φ(x), one column for each parameter.
COLUMNS: Mapping[str, str] = {
    "quadratic": "columns = torch.cat([x**2, x, torch.ones_like(x)], 1)",
    "linear": "columns = torch.cat([x, torch.ones_like(x[:, :1])], 1)",
    "polynomial": "columns = torch.cat([*(x**k for k in range(1, {end})), torch.ones_like(x)], 1)",
    "proportional": "columns = x",
}
# Mean and deviation of the features; and the matrix that turns coefficients of (x − μ) / σ into coefficients of x.
MOMENTS: Mapping[str, str] = {
    "quadratic": "mu, sigma = x.mean().item(), x.std(correction=0).item()",
    "linear": "mu, sigma = x.mean(0), x.std(0, correction=0)",
    "polynomial": "mu, sigma = x.mean().item(), x.std(correction=0).item()",
}
CONSTANT: Mapping[str, str] = {
    "linear": "sigma[sigma <= 1e-12 * x.abs().amax(0)] = 1.0  # the deviation of a constant column",
    "polynomial": "sigma = 1.0  # the deviation of a constant column",
}
TO_RAW: Mapping[str, str] = {
    "quadratic": """rows = [[1 / sigma**2, 0, 0], [-2 * mu / sigma**2, 1 / sigma, 0], [mu**2 / sigma**2, -mu / sigma, 1]]
to_raw = torch.tensor(rows, dtype=torch.float64)""",
    "linear": """to_raw = torch.diag(torch.cat([1 / sigma, torch.ones(1, dtype=torch.float64)]))
to_raw[-1, :-1] = -mu / sigma""",
    "polynomial": """powers = {powers}  # ((x - mu) / sigma)^k, multiplied out
rows = [[math.comb(k, j) * (-mu) ** (k - j) / sigma**k if j <= k else 0 for k in powers] for j in powers]
to_raw = torch.tensor(rows, dtype=torch.float64)""",
}


def _formula(experiment: Experiment) -> str:
    weights = len(experiment.info.parameters) - 1
    if experiment.info.model == "linear":
        some = range(1, weights + 1) if weights < 4 else (1, 2)
        terms = [f"w{k}·x{k}" if weights > 1 else "w1·x" for k in some]
        return " + ".join([*terms, *([f"… + w{weights}·x{weights}"] if weights > 3 else []), "b"])
    if experiment.info.model == "polynomial":
        return " + ".join([*(f"w{k}·x^{k}" if k > 1 else "w1·x" for k in range(1, weights + 1)), "b"])
    return {"quadratic": "a·t² + b·t + c", "proportional": "A·x"}[experiment.info.model]


def _model(experiment: Experiment) -> Part:
    model, weights = experiment.info.model, len(experiment.info.parameters) - 1
    words = f"The model {_formula(experiment)}: a column for each parameter, so that a prediction is columns @ theta."
    scaled, columns = "x = (x - mu) / sigma", COLUMNS[model].format(end=weights + 1)
    parted = [PARTED] if experiment.holdout else []
    if not experiment.scale_features:
        return Part(words, "\n".join([columns, *parted]))
    moments = [MOMENTS[model]]
    if model in CONSTANT and _has_a_constant(experiment):
        moments.append(CONSTANT[model])
    lines = [
        *(_of_training(line) if experiment.holdout else line for line in moments),
        f"{scaled}  # to mean 0 and deviation 1",
        columns,
        *parted,
        TO_RAW[model].format(powers=[*range(1, weights + 1), 0])
        + "  # to_raw @ theta is the same curve in the data's units",
    ]
    return Part(words, "\n".join(lines))


def _has_a_constant(experiment: Experiment) -> bool:
    """Whether a feature of the training rows has no deviation to be divided by."""
    from gd_core.problem import build

    data = build(experiment).dataset
    return not data.deviation.equal(data.x.std(0, correction=0))


def _of_training(code: str) -> str:
    """A line about all rows as one about the training rows: the others have no part in what is trained."""
    return re.sub(r"\bx\b", "x[training]", code)


def _start(experiment: Experiment) -> Part:
    names = ", ".join(experiment.info.parameters)
    size = len(experiment.info.parameters)
    units = ", in the units of the data" if experiment.scale_features else ""
    if experiment.start == "random":
        words = f"The start: {names} at random, from a seed of its own{units}."
        code = f"""generator = torch.Generator().manual_seed({experiment.seed})
start = torch.randn({size}, generator=generator, dtype=torch.float64)"""
    elif experiment.start == "published" and experiment.dataset == "table":
        code = f"theta = torch.zeros({size}, dtype=torch.float64).requires_grad_()"
        return Part(f"The start: {names} at 0.", code)
    else:
        published = "" if isinstance(experiment.start, tuple) else " as published"
        words = f"The start: {names}{published}{units}."
        text = listed(map(repr, map(float, _numbers(experiment))))
        if "\n" in text:
            code = f"start = {text}\nstart = torch.tensor(start, dtype=torch.float64)"
        else:
            code = f"start = torch.tensor({text}, dtype=torch.float64)"
    theta = "torch.linalg.solve(to_raw, start)" if experiment.scale_features else "start"
    return Part(words, f"{code}\ntheta = {theta}.requires_grad_()")


def _numbers(experiment: Experiment) -> tuple[float, ...]:
    """θ₀ as numbers: the given ones, or the published ones."""
    if isinstance(experiment.start, tuple):
        return experiment.start
    from gd_core.problem import dataset_of

    return tuple(dataset_of(experiment).start.tolist())


def _loss(experiment: Experiment) -> Part:
    if experiment.loss == "mse":
        says = "The mean of the squared errors."
        value = "((prediction - target) ** 2).mean()"
    elif experiment.training_rows <= LITERAL_TABLE:
        says = "The mistake of the article: (N, 1) minus (N,) is a table, every prediction with every target."
        value = "((prediction.unsqueeze(1) - target) ** 2).mean()"
    else:
        says = "The mean of an N by N table, every prediction with every target, without making it."
        value = "prediction.var(correction=0) + target.var(correction=0) + (prediction.mean() - target.mean()) ** 2"
    return Part("", f'def loss_of(prediction, target):\n    """{says}"""\n    return {value}', defines=True)
