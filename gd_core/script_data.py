"""The data, the model and the start of a script: each as the tutorials have it, and to the bit what the lab trains on."""

import re
from collections.abc import Callable, Mapping

from gd_core.experiment import Experiment
from gd_core.script_text import Part, listed

LITERAL_TABLE = 1000  # rows up to which the N × N table of the shape mistake is really made: 8 MB


def parts(experiment: Experiment) -> list[Part]:
    """Loss, rows, model and start: `loss_of`, `x` [N, D], `y` [N], `columns` [N, P] and `theta` [P].

    Of held-out rows, K of them, also `judge` [K] and `unseen` [K, P], their targets and columns.
    """
    data = [DATA[experiment.dataset](experiment), *_held_out(experiment)]
    return [_loss(experiment), *data, _model(experiment), _start(experiment)]


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


def _held_out(experiment: Experiment) -> list[Part]:
    if not experiment.holdout:
        return []
    kept = experiment.held_out_rows
    code = f"""order = torch.randperm(len(x), generator=torch.Generator().manual_seed({experiment.split_seed}))
held_out, training = order[:{kept}].sort().values, order[{kept}:].sort().values
unseen, judge, x, y = x[held_out], y[held_out], x[training], y[training]"""
    return [Part("Rows held out: they only judge. Everything below is trained on the others.", code)]


DATA: Mapping[str, Callable[[Experiment], Part]] = {
    "noisy-quadratic": _noisy_quadratic,
    "two-features": _two_features,
    "one-parameter": _one_parameter,
}

# Φ(x), one column for each parameter; and the matrix that turns coefficients of scaled features into raw ones.
COLUMNS: Mapping[str, str] = {
    "quadratic": "columns = torch.cat([x**2, x, torch.ones_like(x)], 1)",
    "linear": "columns = torch.cat([x, torch.ones_like(x[:, :1])], 1)",
    "proportional": "columns = x",
}
FORMULA: Mapping[str, str] = {
    "quadratic": "a·t² + b·t + c",
    "linear": "w1·x1 + w2·x2 + b",
    "proportional": "A·x",
}
MOMENTS: Mapping[str, str] = {
    "quadratic": """m, s = x.mean().item(), x.std(correction=0).item()
x = (x - m) / s""",
    "linear": """mean, deviation = x.mean(0), x.std(0, correction=0)
x = (x - mean) / deviation""",
}
TO_RAW: Mapping[str, str] = {
    "quadratic": """powers = [[1 / s**2, 0, 0], [-2 * m / s**2, 1 / s, 0], [m**2 / s**2, -m / s, 1]]
to_raw = torch.tensor(powers, dtype=torch.float64)""",
    "linear": """to_raw = torch.diag(torch.cat([1 / deviation, torch.ones(1, dtype=torch.float64)]))
to_raw[-1, :-1] = -mean / deviation""",
}


def _model(experiment: Experiment) -> Part:
    model = experiment.info.model
    words = (
        f"The model {FORMULA[model]}: a column for each parameter, so that a prediction is columns @ theta."
    )
    columns, shift = COLUMNS[model], MOMENTS.get(model, "")
    if experiment.holdout:  # the held-out rows in the same way, with the training rows' mean and deviation
        moments, _, scaled = shift.partition("\n")
        shift = "\n".join([moments, _of_unseen(scaled), scaled])
        columns = f"{columns}\n{_of_unseen(columns)}"
    if not experiment.scale_features:
        return Part(words, columns)
    code = f"""{shift}  # to mean 0 and deviation 1
{columns}
{TO_RAW[model]}  # to_raw @ theta is the same curve in the data's units"""
    return Part(words, code)


def _of_unseen(code: str) -> str:
    """A line about the training rows as one about the held-out rows."""
    return re.sub(r"\b(x|columns)\b", "unseen", code)


def _start(experiment: Experiment) -> Part:
    names = ", ".join(experiment.info.parameters)
    units = ", in the units of the data" if experiment.scale_features else ""
    if experiment.start == "random":
        size = len(experiment.info.parameters)
        words = f"The start: {names} at random, from a seed of its own{units}."
        code = f"""generator = torch.Generator().manual_seed({experiment.seed})
start = torch.randn({size}, generator=generator, dtype=torch.float64)"""
    else:
        published = "" if isinstance(experiment.start, tuple) else " as published"
        words = f"The start: {names}{published}{units}."
        numbers = experiment.start if isinstance(experiment.start, tuple) else _published_start(experiment)
        text = listed(numbers)
        code = f"start = torch.tensor({text}, dtype=torch.float64)"
        if "\n" in text:
            code = f"start = {text}\nstart = torch.tensor(start, dtype=torch.float64)"
    theta = "torch.linalg.solve(to_raw, start)" if experiment.scale_features else "start"
    return Part(words, f"{code}\ntheta = {theta}.requires_grad_()")


def _published_start(experiment: Experiment) -> list[float]:
    from gd_core.problem import build

    return build(experiment).dataset.start.tolist()


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
