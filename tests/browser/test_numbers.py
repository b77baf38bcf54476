"""What the page shows at an epoch is what the core computes: numbers, sentences and the drawn lines themselves."""

import re

import pytest

from gd_core import verdict
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import curvature_of, forecast_of
from gd_core.words import at_sight
from lab import ERROR, FIT, MAP, Lab, claim, number, same_digits

NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?(?:e[−-]?\d+)?")
RUNS = {
    "plain": "/?dataset=noisy-quadratic&learning_rate=1e-05&epochs=10",
    "scaled": "/?dataset=noisy-quadratic&learning_rate=0.01&scale_features=true&epochs=1000",
    "momentum": "/?dataset=noisy-quadratic&optimizer=momentum&learning_rate=0.05&scale_features=true&epochs=200",
    "single rows": "/?dataset=noisy-quadratic&learning_rate=0.05&batch_size=1&scale_features=true&epochs=100",
    "adam": "/?dataset=two-features&optimizer=adam&learning_rate=0.05&epochs=300",
    "shape mistake": "/?dataset=two-features&loss=mse-broadcast&learning_rate=0.001&epochs=1000",
    "one parameter": "/?dataset=one-parameter&learning_rate=0.1&epochs=40",
    "growing": "/?dataset=noisy-quadratic&learning_rate=3.55e-05&epochs=1000",
}


def moments(epochs: int) -> list[int]:
    """The start, some epochs in between, and the end."""
    return sorted({0, 1, 2, epochs // 7, epochs // 2, epochs - 1, epochs})


def agrees_with_the_core(lab: Lab) -> None:
    """Numbers and sentences at several moments of the run on stage."""
    experiment = lab.experiment
    recording, problem = record(experiment), build(experiment)
    curve = curvature_of(problem.objective)
    forecast = forecast_of(experiment, problem, curve)
    steps = verdict.of_steps(recording, experiment, forecast)
    finding = outcome(recording, curve, Trained.of(experiment, problem))
    whole = verdict.of_run(recording, experiment, forecast, finding)
    assert lab.verdict() == at_sight(whole)
    assert (lab.summary.get_attribute("title") or lab.verdict()) == whole
    stride = recording.updates_per_epoch
    wrong = []
    for epoch in moments(recording.epochs):
        live = lab.seek(epoch).live()
        if epoch < recording.epochs:
            shown, expected = lab.verdict(), steps.sentence(epoch, recording)
            if not same_sentence(shown, expected):
                wrong.append((epoch, "verdict", shown, expected))
        theta, gradient = recording.epoch_theta[epoch], recording.gradient[epoch * stride]
        raw = problem.raw(theta)
        expected = {"rmse": recording.epoch_rmse[epoch], "loss": recording.epoch_loss[epoch]}
        for i in range(len(theta)):
            expected |= {f"p{i}": theta[i], f"g{i}": gradient[i]}
            if epoch < recording.epochs:
                expected[f"d{i}"] = recording.theta[epoch * stride + 1][i] - theta[i]
            if experiment.scale_features:
                expected[f"r{i}"] = raw[i]
        assert expected.keys() <= live.keys()
        wrong += [
            (epoch, column, live[column], float(value))
            for column, value in expected.items()
            if not same_digits(live[column], float(value))
        ]
    assert not wrong


def same_sentence(shown: str, expected: str) -> bool:
    """The same words, and the same numbers but for the last digit."""
    if NUMBER.sub("#", shown) != NUMBER.sub("#", expected):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(expected), strict=True)
    return all(a == b or same_digits(a, number(b), digits(b)) for a, b in pairs)


def digits(text: str) -> int:
    return len(re.sub(r"\D", "", text.partition("e")[0]).lstrip("0")) or 1


def head(lab: Lab, text: str) -> tuple[float, float]:
    """The last dot of a chart, in pixels of its plot."""
    dots = lab.chart(text).locator(".mark-symbol path[transform]")
    return dots.last.evaluate("dot => { const {e, f} = dot.transform.baseVal[0].matrix; return [e, f]; }")


def test_numbers_and_sentences_are_the_cores(lab: Lab):
    """At an epoch value, gradient, next step, raw value, RMSE and loss equal the recording's, to the digits shown.

    The sentence is `StepVerdicts.sentence`, and at the end that of the whole run. For eight kinds of run.
    """
    lab.open_page()
    for name, path in RUNS.items():
        with claim(f"{name}: numbers and sentences are the core’s"):
            lab.go(path).train().to_end()
            agrees_with_the_core(lab)


def test_the_drawn_lines_are_the_models(lab: Lab):
    """The fitted line runs through the model's predictions, and the dots on map and error stand where the run is.

    The dot on the error's line stands at this epoch's RMSE, and the dot on the map at this epoch's parameters. With scaled
    features the optimum that the run reaches is 0.808293 t² − 12.1217 t + 48.4960, in raw units.
    """
    lab.open_page(RUNS["scaled"]).train().to_end()
    recording, problem = record(lab.experiment), build(lab.experiment)
    with claim("the curve is the model’s"):
        across, up = lab.ticks(FIT, "X"), lab.ticks(FIT, "Y")
        for epoch in (30, 100, 1000):
            path = lab.seek(epoch).chart(FIT).locator(".mark-line path[stroke-width='3']").get_attribute("d")
            a, b, c = problem.raw(recording.epoch_theta[epoch]).tolist()
            drawn = [
                tuple(map(float, point.split(","))) for point in re.findall(r"[\d.-]+,[\d.-]+", path or "")
            ]
            assert len(drawn) == 101
            for x, y in drawn:
                t = across[0] * x + across[1]
                assert up[0] * y + up[1] == pytest.approx(a * t * t + b * t + c, abs=0.01 * 200)
    with claim("heads stand where the run is"):
        for epoch in (0, 60, 400):
            lab.seek(epoch)
            x, y = head(lab, MAP)
            theta = recording.epoch_theta[epoch]
            for pixel, axis, value in ((x, "X", theta[0]), (y, "Y", theta[2])):  # of a and c
                slope, zero = lab.ticks(MAP, axis)
                assert pixel == pytest.approx((float(value) - zero) / slope, abs=1)
            slope, zero = lab.ticks(ERROR, "X")
            assert head(lab, ERROR)[0] == pytest.approx((epoch - zero) / slope, abs=1)
    with claim("scaled runs are also told in raw units"):
        lab.type("Learning rate η", "0.3579")
        live = lab.train().to_end().live()
        assert [live[f"r{i}"] for i in range(3)] == ["0.808293", "−12.1217", "48.4960"]
