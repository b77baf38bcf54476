"""Newton's step on Train: the tab of the steps has the numbers by which it divides."""

import re

import numpy as np
import pytest
from train_page import Lab

from gd_core.problem import build

LINK = {"dataset": "noisy-quadratic", "optimizer": "newton", "learning_rate": "0.5", "epochs": "6"}


@pytest.mark.parametrize(
    "more", [{"scale_features": "true"}, {"scale_features": "true", "penalty": "0.2"}, {}]
)
def test_a_step_is_written_out_with_its_numbers(more):
    """H⁻¹∇L as a sum of H⁻¹ times each slope, and its value at each epoch, as NumPy solves it."""
    lab = Lab(**LINK | more)
    lab.at.session_state["tab"] = "Steps"
    lab.press("train")
    problem, table = build(lab.experiment), lab.player["table"]
    x = problem.linear.features.numpy()
    inverse = np.linalg.inv(2 / len(x) * x.T @ x + 2 * float(more.get("penalty", 0)) * np.diag([1, 1, 0]))
    lines = re.search('<div class="steps">(.*?)</div>', lab.html).group(1).split("<p>")[1:]
    assert len(lines) == 3
    for i, line in enumerate(lines):
        slopes = np.column_stack([table[f"g{j}"] for j in range(3)])
        assert table[f"d{i}"].to_numpy() == pytest.approx(slopes @ inverse[i], rel=1e-5, abs=1e-9)
        after = table[f"p{i}"].to_numpy() - 0.5 * table[f"d{i}"].to_numpy()
        assert table[f"p{i}"].to_numpy()[1:] == pytest.approx(after[:-1], rel=1e-5, abs=1e-5)
        said = re.sub(r"<output[^>]*>[^<]*</output>", "", line).partition("<br>")[0]
        terms = re.findall(r"([−+]?) ?(\d[\d.,e−]*) × \(\)", said)
        found = [
            float((sign.replace("+", "") + size).replace("−", "-").replace(",", "")) for sign, size in terms
        ]
        assert found == pytest.approx(inverse[i], rel=1e-5, abs=1e-12)


def test_a_long_sum_is_not_written_out():
    """Of six parameters only what it comes to."""
    lab = Lab(
        dataset="table",
        table="anscombe",
        features="x",
        target="y1",
        degree="5",
        scale_features="true",
        epochs="3",
        optimizer="newton",
        learning_rate="1",
    )
    lab.at.session_state["tab"] = "Steps"
    lab.press("train")
    lines = re.search('<div class="steps">(.*?)</div>', lab.html).group(1).split("<p>")[1:]
    assert len(lines) == 6
    assert all(line.startswith("H⁻¹∇L = <output") for line in lines)
