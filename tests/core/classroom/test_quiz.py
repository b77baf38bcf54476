"""Each question of the quiz can be answered from its own text: here by closed forms, from the numbers that stand in it."""

import re

import numpy as np
import pytest

from gd_core.classroom import quiz as made
from gd_core.classroom.after import Learned, Past, learned
from gd_core.classroom.quiz import AFTER, BEFORE, KINDS, quiz
from gd_core.classroom.rooms import Judgement, Question

SEEDS = ("BCDFGH", "JKMNPQ", "RSTWXY", "ZZZBBB", "KDRWPM", "QQQQQQ")


@pytest.fixture(scope="module")
def papers():
    """Both of each seed."""
    return {(seed, paper): quiz(seed, paper) for seed in SEEDS for paper in (BEFORE, AFTER)}


def numbers(text):
    """Those in a text, behind the description of the bowl."""
    text = text.removeprefix(made.BOWL).replace("−", "-")
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def factor(rate):
    """What an epoch multiplies the distance from −1 by."""
    return 1 - 18 * rate


def one_step(text, answers):
    start, rate = numbers(text)
    return [numbers(one)[0] for one in answers].index(
        pytest.approx(start - rate * 18 * (start + 1), rel=5e-3)
    )


def motion(text, answers):
    _, rate = numbers(text)
    says = "flies away" if abs(factor(rate)) > 1 else "from one side" if factor(rate) > 0 else "jumps across"
    return next(number for number, answer in enumerate(answers) if says in answer)


def best_rate(text, answers):
    sizes = [abs(factor(numbers(one)[0])) for one in answers]
    return sizes.index(min(sizes))


def largest_rate(text, answers):
    fits = [numbers(one)[0] < 2 / 18 for one in answers]
    return max(number for number, one in enumerate(fits) if one)


def epochs_to_a_tenth(rate):
    size, epochs = abs(factor(rate)), 0
    while size < 1 and size**epochs > 0.1:
        epochs += 1
    return epochs if size < 1 else None


def another_rate(text, answers):
    _, first, told, second = numbers(text)
    one, other = epochs_to_a_tenth(first), epochs_to_a_tenth(second)
    assert one == told
    return 3 if other is None else (other > one) + (other >= one)


def lagging(text, answers):
    loss = re.search(r"½ \((\d*)a² \+ (\d*)b²\)", text)
    rate, _, epochs = numbers(text.partition("η =")[2])
    ends = [abs(1 - rate * float(loss[side] or 1)) ** epochs for side in (1, 2)]
    return ends.index(max(ends))


def which_valley(text, answers):
    """By the roots of the slope in NumPy: the valley on the start's side of the top, if 400 steps by hand do not leave."""
    sign, tilt, *_ = re.search(r"\(w² − 1\)² ([+−]) ([\d.]+)w", text).groups()
    tilt = float(tilt) if sign == "+" else -float(tilt)
    start, rate = numbers(text.partition("From w = ")[2])
    w = start
    for _ in range(400):
        w = w - rate * (4 * w**3 - 4 * w + tilt)
        if abs(w) > 100:
            return 3
    places = np.sort(np.roots([4, 0, -4, tilt]).real)
    at = int(np.abs(places - w).argmin())
    assert abs(places[at] - w) < 1e-2
    assert (at > 1) == (start > places[1])
    depths = (places**2 - 1) ** 2 + tilt * places
    valley, higher, top = (numbers(one)[0] for one in re.findall(r"near w = (−?\d+(?:\.\d+)?)", text))
    assert [valley, top, higher] == pytest.approx(
        [places[depths.argmin()], places[1], places[2 - depths.argmin()]], abs=0.06
    )
    return 0 if at == depths.argmin() else 1


ORACLES = dict(
    zip(KINDS, (one_step, motion, best_rate, largest_rate, another_rate, lagging, which_valley), strict=True)
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_answer_is_that_of_the_closed_form(papers, kind):
    """On both papers of every seed; and over the seeds it is not always the same one."""
    rights = set()
    for (_, paper), asked in papers.items():
        question, judgement = next(one for one in asked if one[0].kind == kind)
        assert judgement.right == (ORACLES[kind](question.text, question.answers),), question.text
        assert len(set(question.answers)) == len(question.answers)
        assert (question.paper, question.kind) == (paper, kind)
        rights |= set(judgement.right)
    assert len(rights) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_second_paper_has_the_same_kinds_with_other_numbers(papers, seed):
    """And the same seed always draws the same."""
    before, after = papers[seed, BEFORE], papers[seed, AFTER]
    assert [one.kind for one, _ in before] == [one.kind for one, _ in after] == [*KINDS]
    assert all(
        (one.text, one.answers) != (two.text, two.answers)
        for (one, _), (two, _) in zip(before, after, strict=True)
    )
    assert len(KINDS) == 7


def test_the_same_seed_draws_the_same(papers):
    """So that several processes need no table for it."""
    assert quiz(SEEDS[0], AFTER) == papers[SEEDS[0], AFTER]


def past(kind, paper, right, wrong):
    question = Question(title="t", text="?", answers=("a", "b"), kind=kind, paper=paper)
    return Past(question, Judgement(right=(0,), sentence="a."), ((right, wrong),))


def test_what_was_learned_is_told_by_kind():
    """Of those asked on both papers: 1 of 4 then 3 of 4 gain two thirds; together each kind counts as much as another."""
    told = learned([
        past("One step", 1, 1, 3), past("The best rate", 1, 5, 5), past("Another rate", 1, 2, 2), past("", 0, 9, 0),
        past("One step", 2, 3, 1), past("The best rate", 2, 9, 1), past("Another rate", 2, 0, 0),
    ])  # fmt: skip
    assert told == [
        Learned("One step", 0.25, 0.75),
        Learned("The best rate", 0.5, 0.9),
        Learned("All", 0.375, 0.825),
    ]
    assert [one.gain for one in told] == pytest.approx([2 / 3, 0.8, 0.72])
    assert learned([past("One step", 1, 1, 3)]) == []
