"""Short answers to what students ask, each with an experiment that shows it. No torch.

A number in an answer is a number of this app's own data; a test computes each of them anew.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from gd_core.lessons.deep_networks.network import Network
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.pins import Pin, packed

LONGEST_SEARCH = 60  # characters


class Entry(NamedTuple):
    """A word or a question, its answer, and where it can be seen.

    Attributes:
        group: The heading it stands under.
        term: The word, or the question.
        answer: Two or three sentences.
        label: What the link promises.
        page: The page behind the link.
        settings: What is opened there; None for what the page opens with by itself.
        options: More of the link, as text.
        also: Other words that should find it.
    """

    group: str
    term: str
    answer: str
    label: str
    page: str
    settings: Experiment | Network | None = None
    options: Mapping[str, str] = {}
    also: str = ""


def _experiment(dataset: str, optimizer: str = "gradient-descent", **fields: Any) -> Experiment:
    return Experiment(**(defaults(dataset, optimizer) | fields))


POINT = _experiment("one-parameter", start=(2.0,))
CURVE = _experiment("noisy-quadratic", epochs=10)
SCALED = _experiment("noisy-quadratic", scale_features=True, learning_rate=0.3, epochs=40)
PLANE = _experiment("two-features", learning_rate=0.5, epochs=20)
WAVE = _experiment("tide", start=(9.0, 0.0))
TABLE = _experiment("two-features", loss="mse-broadcast", learning_rate=1e-3, epochs=1000)
BY_ADAM = _experiment("noisy-quadratic", "adam", scale_features=True, learning_rate=0.5, epochs=500)
PENALISED = replace(BY_ADAM, penalty=0.25)  # torch's weight decay is twice that
DECAYED = replace(BY_ADAM, optimizer="adamw", weight_decay=0.5)
TOO_FAST = replace(CURVE, learning_rate=5e-5, epochs=1000)

PIECES = "The pieces"
GOOD = "How good is it?"
RUNS = "How a run goes"
SHAPE = "The shape of the loss"
STEPS = "Other ways to step"
CODE = "Networks, code and numbers"

ENTRIES: tuple[Entry, ...] = (
    Entry(
        PIECES,
        "Parameter",
        "A number that training may change. The curve a·t² + b·t + c has three: a, b and c.",
        "See three parameters find a curve",
        "train",
        SCALED,
        also="weight bias coefficient theta θ w",
    ),
    Entry(
        PIECES,
        "θ, ŷ, ∇L, Φ: the signs",
        "θ: all parameters; ŷ: what the model predicts. ∇L: the slopes of the loss. Φ: the features, a row for each row of data. "
        "A prime, as in a′: with scaled features.",
        "See them with their numbers",
        "train",
        SCALED,
        also="symbols theta hat nabla phi prime formula sign",
    ),
    Entry(
        PIECES,
        "Loss",
        "One number for how wrong the parameters are: here the mean of the squared errors. "
        "The loss (3 + 3A)² is 81 at A = 2 and 0 at A = −1.",
        "See the loss as a curve",
        "one_parameter",
        POINT,
        also="cost objective error J L mse mean squared",
    ),
    Entry(
        PIECES,
        "Gradient",
        "The slopes of the loss, one for each parameter. They point uphill, so a step goes the other way. "
        "For (3 + 3A)² the slope at A = 2 is 54.",
        "See each row pull at each slope",
        "gradient",
        also="slope derivative partial ∂L/∂w ∂J/∂w nabla ∇",
    ),
    Entry(
        PIECES,
        "Learning rate η",
        "How far to go: a step is η times the slope. With η = 0.1 and a slope of 54 the step is 5.4, from A = 2 to −3.4.",
        "See this step",
        "one_parameter",
        replace(POINT, learning_rate=0.1),
        also="lr alpha eta step size",
    ),
    Entry(
        PIECES,
        "Update",
        "One change of the parameters: θ ← θ − η∇L. Initialise, compute the loss, step, stop: the whole method is this loop.",
        "See the loop step by step",
        "four_steps",
        also="iteration step rule loop",
    ),
    Entry(
        PIECES,
        "Epoch",
        "One pass through all the rows. With 20 rows in batches of 5, an epoch has 4 updates. With all rows at once it has one.",
        "See four updates an epoch",
        "train",
        replace(SCALED, learning_rate=0.05, batch_size=5, epochs=100),
        also="iteration pass",
    ),
    Entry(
        PIECES,
        "Batch and mini-batch",
        "The rows that one update looks at. Few rows are quick, but each batch points a little elsewhere. "
        "With single rows at η = 0.05 this run ends at RMSE 1.479 and never rests at the floor, 1.467.",
        "See single rows hover",
        "train",
        replace(SCALED, learning_rate=0.05, batch_size=1, epochs=100),
        also="stochastic sgd minibatch full batch shuffle hover",
    ),
    Entry(
        PIECES,
        "Initialisation",
        "Where the parameters begin. A bowl forgets it: from any start this run ends at a = 0.808. "
        "A deep network does not forget.",
        "Start somewhere else",
        "train",
        replace(SCALED, start="random", seed=1, epochs=60),
        also="start random init weights",
    ),
    Entry(
        PIECES,
        "Seed",
        "The number that a random generator starts from. The same seed gives the same numbers: "
        "data seed 2021 gives the published rows, whose start has RMSE 74.96.",
        "See the same rows with data seed 7",
        "train",
        replace(SCALED, data_seed=7),
        also="random generator reproducible",
    ),
    Entry(
        GOOD,
        "Why RMSE and not MSE?",
        "RMSE is the root of the MSE, so it has the unit of y. At best it is 1.467 m/s; the MSE is 2.153 (m/s)². "
        "Both are lowest at the same parameters.",
        "See the RMSE by epoch",
        "train",
        SCALED,
        also="root mean squared error metric unit",
    ),
    Entry(
        GOOD,
        "What is the floor?",
        "The error at the best parameters. No training gets below it: the noise is in the data. "
        "No curve a·t² + b·t + c through these 20 rows has an RMSE below 1.467.",
        "See a run reach the floor",
        "train",
        SCALED,
        also="optimum minimum noise irreducible lowest best",
    ),
    Entry(
        GOOD,
        "When should I stop?",
        "When more epochs no longer change what you need. A flat curve is not enough: the article stopped at RMSE 18.04, "
        "and 1.467 was possible.",
        "See the article’s stop",
        "four_steps",
        also="stopping criterion early epochs enough plateau stable",
    ),
    Entry(
        GOOD,
        "Is a lower loss always better?",
        "Only if it is the right loss. With the shape mistake the loss falls in every epoch, "
        "yet the error never gets below 1.578. With matching shapes it goes to 0.",
        "See the wrong loss fall",
        "broadcasting",
        TABLE,
        also="bug wrong loss",
    ),
    Entry(
        GOOD,
        "Why not solve it at once?",
        "Here one can: where the gradient is 0 there are three linear equations (the normal equation), "
        "with a = 0.808, b = −12.12, c = 48.50. A network has no such formula, and descent needs none.",
        "See descent find the same numbers",
        "train",
        SCALED,
        also="normal equation closed form least squares linear algebra exact",
    ),
    Entry(
        GOOD,
        "Gradient descent or the normal equation?",
        "Newton’s step θ − H⁻¹∇L solves it at once, whatever κ. It costs as much as some 30 epochs for 1,000 parameters and 4,000 rows, "
        "and descent needs some κ of them. It grows with P³: no way for a network.",
        "See one step land",
        "train",
        _experiment("noisy-quadratic", "newton", learning_rate=1.0, epochs=5),
        also="newton hessian second order inverse solve cost",
    ),
    Entry(
        RUNS,
        "Convergence",
        "The run comes so close that the rest no longer matters. At η = 0.5 the plane needs 3 epochs until less than a "
        "millionth of the gap is left in every direction.",
        "See it arrive in 3 epochs",
        "train",
        PLANE,
        also="converge arrive done",
    ),
    Entry(
        RUNS,
        "Overshooting",
        "The step jumps across the lowest point. For (3 + 3A)² at η = 0.1 the distance to −1 is multiplied by −0.8: "
        "the other side, but closer.",
        "See it jump across",
        "one_parameter",
        replace(POINT, learning_rate=0.1),
        also="oscillate zigzag swing bounce",
    ),
    Entry(
        RUNS,
        "Divergence",
        "Each step lands farther away than the last. It begins at the limit 2/λ: here 3.54e−5. "
        "At 5e−5 the error grows × 1.825 an epoch along the steepest direction.",
        "See it grow",
        "train",
        TOO_FAST,
        also="diverge unstable limit stability blow up",
    ),
    Entry(
        RUNS,
        "Why did my run explode?",
        "The rate is above the limit. 5e−5 is 1.41 × the limit 3.54e−5. Take a smaller rate, or scale the features: "
        "then the limit is 0.404.",
        "Try rates around the limit",
        "learning_rate",
        replace(CURVE, epochs=15),
        also="nan inf infinity not a number diverge overflow too large",
    ),
    Entry(
        RUNS,
        "Why is my run so slow?",
        "Often one direction is nearly flat. At η = 1e−5 it takes about 387,000 epochs to get a factor e closer along it. "
        "Scaled features do it in 40 epochs.",
        "See the direction that crawls",
        "landscape",
        _experiment("noisy-quadratic", epochs=100),
        also="stuck plateau crawl crawls ill-conditioned flat improve",
    ),
    Entry(
        RUNS,
        "What is a good learning rate?",
        "As large as the steepest direction allows: well below 2/λ. With one parameter the best is 1/λ. "
        "For (3 + 3A)², λ is 18, and η = 1/18 lands in one step.",
        "See one step suffice",
        "one_parameter",
        replace(POINT, learning_rate=1 / 18),
        also="choose tune best rate lr",
    ),
    Entry(
        SHAPE,
        "Eigenvalue and direction",
        "Along each direction, an eigenvector of the Hessian, the loss bends by an eigenvalue λ, and the error is "
        "multiplied by 1 − ηλ an epoch. "
        "For the noisy quadratic λ goes from 0.259 to 56,499.",
        "See flat and steep directions",
        "landscape",
        _experiment("noisy-quadratic", epochs=100),
        also="curvature hessian eigenvector λ lambda bend",
    ),
    Entry(
        SHAPE,
        "Condition number κ",
        "The largest λ over the smallest: how narrow the valley is. It is 218,451 for the noisy quadratic, "
        "7.70 once time is scaled, and 1.14 for two features.",
        "See a round valley",
        "landscape",
        _experiment("two-features", learning_rate=0.1, epochs=40),
        also="kappa ill-conditioned narrow valley ratio",
    ),
    Entry(
        SHAPE,
        "Standardise",
        "Shift each feature to mean 0 and divide it by its deviation. κ falls from 218,451 to 7.70, "
        "so 40 epochs at η = 0.3 reach RMSE 1.467.",
        "See scaled time",
        "train",
        SCALED,
        also="scale scaling normalise normalize features z-score deviation",
    ),
    Entry(
        SHAPE,
        "Are there local minima?",
        "Not for curves and planes: their loss is convex, a bowl, and every λ is above 0. The wave’s loss has several: "
        "this run ends at RMSE 1.542, and 0.1544 is known. A network’s has, too.",
        "See a run end in a higher valley",
        "hills",
        WAVE,
        also="convex non-convex global minimum stuck trapped bowl valley restart",
    ),
    Entry(
        SHAPE,
        "Saddle",
        "A place where the slope is 0 and the loss falls off on a side; on a top it does so on every side. A run "
        "stays there, but from a hair beside the top, RMSE 2.531, this one leaves for 0.1544.",
        "See a run leave the top",
        "hills",
        replace(WAVE, start=(11.92, -2.33)),
        also="plateau top maximum stationary critical point negative curvature",
    ),
    Entry(
        STEPS,
        "Momentum",
        "The step keeps a share β of its velocity, like a rolling ball. On the scaled curve at η = 0.02 and β = 0.9 "
        "it arrives at epoch 130. Plain descent needs 403.",
        "See it swing and arrive",
        "train",
        _experiment("noisy-quadratic", "momentum", scale_features=True, learning_rate=0.02, epochs=200),
        also="velocity heavy ball beta nesterov",
    ),
    Entry(
        STEPS,
        "Adam",
        "Each parameter has its own step, about as long as η however steep it is. On the scaled curve the slopes are "
        "−165, −77 and −116, and the first step is η = 0.5 in each.",
        "See equal first steps",
        "train",
        _experiment("noisy-quadratic", "adam", scale_features=True, learning_rate=0.5, epochs=100),
        also="rmsprop adagrad adaptive optimizer optimiser",
    ),
    Entry(
        STEPS,
        "Weight decay: L2 or AdamW?",
        "Adam divides the slope of an L2 penalty by its size, AdamW leaves its decay whole. With torch’s weight decay 0.5 the "
        "scaled curve ends at a = 0.615 with L2, at 0.0597 by AdamW. Without: 0.808.",
        "See the two side by side",
        "compare",
        options={"pins": packed((Pin("Adam with L2", PENALISED), Pin("AdamW", DECAYED)))},
        also="ridge regularisation regularization penalty decoupled shrink",
    ),
    Entry(
        STEPS,
        "Which update rule is the best?",
        "It depends on what you count: epochs, updates or rows seen. At one epoch, all rows at once make 1 update, "
        "batches of 5 make 4, single rows 20.",
        "Let them race",
        "variants",
        also="optimizer optimiser compare race sgd",
    ),
    Entry(
        CODE,
        "Vanishing gradient",
        "A deep network’s gradient is a product with a factor for each layer. A sigmoid’s slope is at most ¼: "
        "ten of them make at most 1/1,048,576. The first layers hardly learn.",
        "See it vanish",
        "deep_networks",
        Network(activation="sigmoid", initialisation="xavier", learning_rate=0.02),
        also="deep network sigmoid layers vanish",
    ),
    Entry(
        CODE,
        "Exploding gradient",
        "The same product with factors above 1. A factor 1.5 in each of 20 layers is 3,325: "
        "one step goes far too far.",
        "See it explode",
        "deep_networks",
        Network(activation="tanh", initialisation="large", learning_rate=0.02),
        also="deep network layers explode weights clip",
    ),
    Entry(
        CODE,
        "Broadcasting",
        "PyTorch stretches shapes that do not match. Prediction (1000, 1) minus target (1000,) is a table of "
        "1,000,000 differences, not 1,000. Nothing warns in a loss written by hand.",
        "See the table",
        "broadcasting",
        TABLE,
        also="shape bug table tensor (N, 1) (N,)",
    ),
    Entry(
        CODE,
        "Autograd",
        "PyTorch follows the operations of the loss back and multiplies their slopes, so it needs no step size. "
        "For (3 + 3A)² at A = 2 it gives 54, as the formula does.",
        "Compare three ways",
        "gradient",
        replace(POINT, learning_rate=0.05, epochs=20),
        {"further": "true"},
        also="automatic differentiation backward backpropagation chain rule",
    ),
    Entry(
        CODE,
        "Finite difference",
        "A slope from two losses: (L(A + h) − L(A)) / h. At A = 2 with h = 1e−5 it is 54.00009. "
        "With h = 1e−16 it is 0, because A + h is A again in 16 digits.",
        "Try h = 1e−16",
        "gradient",
        replace(POINT, learning_rate=0.05, epochs=20),
        {"h": "1e-16", "further": "true"},
        also="numerical derivative step size h rounding float",
    ),
)


# how the words stand in a sentence, the longer ones first
SPOKEN = {
    r"learning rates?": "Learning rate η",
    r"mini-batch(?:es)?|batch(?:es)?": "Batch and mini-batch",
    r"gradients?(?! descent)": "Gradient",  # the method has no card of its own
    r"loss": "Loss",
    r"parameters?": "Parameter",
    r"updates?": "Update",
    r"epochs?": "Epoch",
    r"RMSE": "Why RMSE and not MSE?",
    r"floor": "What is the floor?",
    r"diverges?|diverged": "Divergence",
    r"Momentum": "Momentum",
    r"Autograd": "Autograd",
    r"limit": "Why did my run explode?",
}


def spoken(text: str, seen: set[str]) -> list[tuple[int, int, str]]:
    """Where words of the glossary stand in a text for the first time: start, end, and the entry's term.

    Args:
        text: A sentence or several.
        seen: Terms that have stood before; the new ones are added.
    """
    places = []
    for pattern, term in SPOKEN.items():
        if term not in seen and (place := re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)):
            seen.add(term)
            places.append((*place.span(), term))
    return sorted(places)


def found(wanted: str) -> tuple[Entry, ...]:
    """The entries that hold every word of a search, anywhere in them, in any case; all for an empty one."""
    words = _plain(wanted).split()
    return tuple(
        entry
        for entry in ENTRIES
        if all(word in _plain(f"{entry.group} {entry.term} {entry.answer} {entry.also}") for word in words)
    )


def _plain(text: str) -> str:
    """For comparing: lower case, and a hyphen like a space."""
    return re.sub(r"[\s\-‐]+", " ", text.casefold().replace("’", "'")).strip()
