"""A run as a value, and the link that says it."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_fields import BOUNDS, CHOICES
from rules import is_refused

from gd_core.settings.catalog import DATASET_INFO, why_no_parabola, why_not_scaled
from gd_core.settings.experiment import MAX_PHASES, Experiment, defaults, held_out_of, problem_with
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS, MAX_UPDATES, NAMED_STARTS, Phase
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import fixed
from gd_core.settings.table_fields import info_of
from gd_core.tables.table import find

TABLES = (  # what can be picked from the tables that come with the app
    {"table": "cars", "target": "distance (ft)", "features": ("speed (mph)",), "points": 50},
    {"table": "trees", "target": "volume (ft³)", "features": ("girth (in)", "height (ft)"), "points": 31},
    {"table": "anscombe", "target": "y2", "features": ("x",), "degree": 4, "points": 11},
    {"table": "anscombe", "target": "x", "features": ("y2",), "degree": 1, "points": 11},
    {"table": find("anscombe").key, "target": "x4", "features": ("y4", "y1", "x"), "points": 11},
)
WHOLE = ("points", "data_seed", "split_seed", "epochs", "batch_size", "seed", "warmup", "patience")
SCHEDULED = ("constant", "step:3:0.5", "inverse-time:0.1", "cosine:0:0.0")
NUMBERS = tuple(BOUNDS)


def in_bounds(name):
    low, high = BOUNDS[name].low, BOUNDS[name].high
    return st.integers(int(low), int(high)) if name in WHOLE else st.floats(low, high)


@st.composite
def experiments(draw):
    """Any valid experiment, continued ones included."""
    values = defaults(draw(st.sampled_from(CHOICES["dataset"])), draw(st.sampled_from(CHOICES["optimizer"])))
    if values["dataset"] == "table":
        values |= draw(st.sampled_from(TABLES))
    info = info_of(values)
    fixed = {"points", "noise", "data_seed"} - set(info.knobs)
    for name in ("learning_rate", "seed", "points", "noise", "data_seed", *HYPERPARAMETERS):
        if name not in fixed and draw(st.booleans()):
            values[name] = draw(in_bounds(name))
    fitting = [
        loss
        for loss in CHOICES["loss"]
        if problem_with("loss", loss, values | {"optimizer": "gradient-descent"}) is None
    ]
    values["loss"] = draw(st.sampled_from(fitting))
    values["schedule"] = draw(st.sampled_from(SCHEDULED))
    values |= {"warmup": draw(st.integers(0, 9)), "counted_in": draw(st.sampled_from(CHOICES["counted_in"]))}
    if not info.is_a_single_row and draw(st.booleans()):
        values |= {"holdout": draw(in_bounds("holdout")), "split_seed": draw(in_bounds("split_seed"))}
        values["patience"] = draw(in_bounds("patience")) if values["holdout"] else 0
    values |= {
        "penalty": draw(in_bounds("penalty")),
        "penalised": draw(st.sampled_from(CHOICES["penalised"])),
    }
    rows = values["points"] - held_out_of(values["points"], values["holdout"])
    values["batch_size"] = draw(st.integers(0, rows))
    values["scale_features"] = why_not_scaled(info) is None and draw(st.booleans())
    number = st.floats(-1e9, 1e9)
    count = len(info.parameters)
    values["start"] = draw(st.sampled_from(NAMED_STARTS) | st.tuples(*[number] * count))
    rules = CHOICES["optimizer"]
    if values["batch_size"] or why_no_parabola(info.model, values["loss"]):  # where Newton's step is refused
        rules = [rule for rule in rules if not OPTIMIZER_INFO[rule].over_curvature]
        values["optimizer"] = values["optimizer"] if values["optimizer"] in rules else "adam"
    updates_per_epoch = -(-rows // (values["batch_size"] or rows))
    room = MAX_UPDATES // updates_per_epoch
    values["epochs"] = draw(st.integers(1, room))
    experiment = Experiment(**values)
    for _ in range(draw(st.integers(0, 3))):
        if experiment.total_epochs >= room:
            break
        epoch = draw(st.integers(1, experiment.total_epochs))
        experiment = experiment.continued(
            epoch,
            optimizer=draw(st.sampled_from(rules)),
            learning_rate=draw(in_bounds("learning_rate")),
            momentum=draw(in_bounds("momentum")),
            epsilon=draw(in_bounds("epsilon")),
            epochs=draw(st.integers(1, room - epoch)),
        )
    return experiment


# ------------------------------------------------------------------------------------------------ links and back


@given(experiments())
def test_a_link_gives_the_same_experiment_back(experiment):
    """Every valid experiment survives its link exactly, without a complaint."""
    query = experiment.to_query()
    assert Experiment.from_query(query) == (experiment, [])
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in query.items())


@given(experiments())
def test_an_experiment_is_a_value(experiment):
    """Equal ones are equal, hash alike and can be dictionary keys."""
    same = replace(experiment)
    assert same == experiment
    assert {experiment: "seen"}[same] == "seen"


def test_a_plain_link_is_short():
    """Data set, rate and epochs always stand in it; the rest only where it differs."""
    assert Experiment.default("two-features").to_query() == {
        "dataset": "two-features",
        "learning_rate": "0.001",
        "epochs": "1000",
    }
    query = Experiment.default("two-features", "adagrad").to_query()
    assert query["optimizer"] == "adagrad"
    assert "epsilon" not in query  # AdaGrad's own, not the general one


def test_a_link_of_a_continued_run_can_be_read():
    """Phases are epochs, rule, rate and the settings which that rule has."""
    experiment = (
        Experiment.default(optimizer="momentum")
        .continued(250, optimizer="adam", learning_rate=0.1)
        .continued(260, optimizer="gradient-descent", learning_rate=1e-5)
    )
    assert experiment.to_query()["before"] == "250,momentum,1e-05,0.9;10,adam,0.1,0.9,0.999,1e-08"


def test_an_empty_link_is_the_default():
    """Nothing asked for, nothing wrong."""
    assert Experiment.from_query({}) == (Experiment(), [])
    assert Experiment.default() == Experiment()


def test_unknown_keys_are_ignored():
    """A link may carry what is not about the run."""
    assert Experiment.from_query({"utm_source": "mail", "epochs": "7"}) == (
        replace(Experiment(), epochs=7),
        [],
    )


# ------------------------------------------------------------------------------------------------- bad values


@pytest.mark.parametrize("name", FIELDS)
def test_a_text_longer_than_any_setting_is_not_taken_apart(name, monkeypatch):
    """A million characters in a link get the sentence about their number, and no field's reader sees them."""
    monkeypatch.setattr(type(FIELDS[name]), "parse", lambda *_: pytest.fail("it was read"))
    _, sentences = Experiment.from_query({name: "1," * 500_000})
    assert sentences == [f"{name} must be at most 10,000 characters. Got 1,000,000."]


BAD = [  # field, text in a link, words that the sentence must hold
    (
        "dataset",
        "iris",
        ("noisy-quadratic, two-features, one-parameter, tide, sea, dose, pass-or-fail, table", "iris"),
    ),
    ("table", "cars", ("empty for noisy-quadratic", "cars")),
    ("features", "a,b", ("empty", "a")),
    ("features", '"a', ("names of columns", '"a')),
    ("degree", "2", ("1 for noisy-quadratic", "2")),
    ("degree", "two", ("whole number", "two")),
    ("missing", "drop", ("refuse for noisy-quadratic", "drop")),
    ("loss", "mae", ("mse, mse-broadcast", "mae")),
    ("optimizer", "lbfgs", ("gradient-descent", "adam", "lbfgs")),
    ("points", "2", ("whole number", "3", "10,000", "2")),
    ("points", "10001", ("whole number", "10,000", "10001")),
    ("points", "twenty", ("whole number", "twenty")),
    ("points", "7.5", ("whole number", "7.5")),
    ("noise", "-1", ("0", "1,000", "-1")),
    ("noise", "nan", ("0", "1,000", "nan")),
    ("holdout", "-0.1", ("0", "0.5", "-0.1")),
    ("holdout", "0.51", ("0", "0.5", "0.51")),
    ("holdout", "20%", ("a number", "20%")),
    ("split_seed", "-1", ("0", "4,294,967,295", "-1")),
    ("data_seed", "-1", ("0", "4,294,967,295", "-1")),
    ("learning_rate", "0", ("1e-18", "1,000,000", "0")),
    ("learning_rate", "-0.1", ("1e-18", "1,000,000", "-0.1")),
    ("learning_rate", "inf", ("1e-18", "inf")),
    ("learning_rate", "1e400", ("1e-18", "1e400")),
    ("learning_rate", "fast", ("a number", "fast")),
    ("learning_rate", "", ("a number", "nothing")),
    ("learning_rate", "0,1", ("a number", "0,1")),
    ("momentum", "1", ("0", "0.9999", "1")),
    ("alpha", "1", ("0.99999", "1")),
    ("beta1", "1.5", ("0.99999", "1.5")),
    ("beta2", "-0.5", ("0.999999", "-0.5")),
    ("epsilon", "0", ("1e-16", "0")),
    ("batch_size", "-1", ("0", "10,000", "-1")),
    ("batch_size", "21", ("at most the 20 rows", "21")),
    ("scale_features", "yes", ("true, false", "yes")),
    ("start", "1,2", ("3 numbers", "a, b, c", "2")),
    ("start", "1,2,x", ("published, random or numbers", "1,2,x")),
    ("start", "1,nan,2", ("−1e9 and 1e9", "b = nan")),
    ("start", "2e9,0,0", ("−1e9 and 1e9", "a = 2000000000.0")),
    ("seed", "4294967296", ("4,294,967,295", "4294967296")),
    ("before", "250", ("phases like", "250")),
    ("before", "250,lbfgs,0.1", ("phases like", "lbfgs")),
    ("before", "250,momentum,0.1", ("phases like", "250,momentum,0.1")),  # its β is missing
    ("before", "250,momentum,0.1,2", ("momentum", "0.9999", "2.0")),
    ("before", "0,gradient-descent,0.1", ("epochs", "1", "0")),
    ("before", ";".join(["1,gradient-descent,0.1"] * 9), ("at most 8 phases", "9")),
    ("before", "1000000,gradient-descent,0.1", ("leave room", "1,000,000")),
    ("epochs", "0", ("whole number", "1", "1,000,000", "0")),
    ("epochs", "1000001", ("1,000,000", "1000001")),
    ("epochs", "1e3", ("whole number", "1e3")),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD)
def test_a_bad_value_in_a_link_gives_one_sentence(name, text, words):
    """It names parameter, rule and value; that field alone takes its default, every other is kept."""
    others = {"learning_rate": "0.25", "epochs": "77", "seed": "5", "noise": "2.5"}
    good, none = Experiment.from_query({key: value for key, value in others.items() if key != name})
    assert none == []
    experiment, sentences = Experiment.from_query(others | {name: text})
    assert experiment == good
    (sentence,) = sentences
    assert sentence.startswith(f"{name}: " if ": " in sentence.split(" must ")[0] else f"{name} must ")
    assert sentence.endswith(".")
    assert sentence.count(" Got ") == 1
    rule, value = sentence.split(" Got ")
    for word in words[:-1]:
        assert word in rule or word in value
    assert words[-1] in value
    assert ".0" not in value or name in ("start", "before")  # a number as it was typed


VALUES = [  # the same in Python, with values that no link can hold
    ("points", True, "Got true"),
    ("points", 20.0, "Got 20.0"),
    ("points", "20", "Got 20"),
    ("learning_rate", None, "Got None"),
    ("learning_rate", "0.1", "Got 0.1"),
    ("learning_rate", math.nan, "Got nan"),
    ("learning_rate", -0.1, r"learning_rate must be a number between 1e-18 and 1,000,000\. Got -0\.1\."),
    ("scale_features", 1, "Got 1"),
    ("start", 5.0, "Got 5.0"),
    ("start", [1.0, 2.0, 3.0], "Got "),  # a list could not be hashed
    ("start", "zero", "Got zero"),
    ("start", (), "Got 0"),
    ("epochs", 10**7, "Got 10000000"),
    ("optimizer", None, "Got None"),
]


@pytest.mark.parametrize(("name", "value", "got"), VALUES)
def test_a_bad_value_is_refused_with_its_name(name, value, got):
    """The error knows which field it is about."""
    with pytest.raises(ParameterError, match=got) as error:
        replace(Experiment(), **{name: value})
    assert error.value.parameter == name
    assert str(error.value).startswith(f"{name} must ")


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_allowed_and_what_is_beyond_is_not(name):
    """Both ends of a range are in it; the next number beyond is refused."""
    low, high = BOUNDS[name].low, BOUNDS[name].high
    step = 1 if name in WHOLE else None
    kind = int if name in WHOLE else float
    others = defaults("noisy-quadratic", "gradient-descent") | {"points": 10_000, "before": ()}
    if name == "patience":  # which watches held-out rows
        others |= {"holdout": 0.1}
    for inside in (kind(low), kind(high)):
        assert problem_with(name, inside, others) is None
    beyond = (
        (kind(low) - step, kind(high) + step)
        if step
        else (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
    )
    for outside in beyond:
        sentence = problem_with(name, outside, others)
        assert sentence
        assert sentence.startswith(f"{name} must be ")


@pytest.mark.parametrize(
    ("name", "value"), [("points", 5), ("noise", 1.0), ("data_seed", 3), ("points", True)]
)
def test_the_single_row_cannot_be_changed(name, value):
    """What does not shape one-parameter's row is refused, instead of being ignored."""
    with pytest.raises(ParameterError, match=f"^{name} must be .* for one-parameter. Got"):
        replace(Experiment.default("one-parameter"), **{name: value})


def test_a_single_row_cannot_be_scaled():
    """It has no spread."""
    with pytest.raises(ParameterError, match=r"^scale_features must be false for one-parameter"):
        replace(Experiment.default("one-parameter"), scale_features=True)


@given(st.integers(3, 10_000), st.integers(0, 10_000), st.integers(1, MAX_UPDATES))
def test_no_experiment_has_more_than_a_million_updates(points, batch_size, epochs):
    """Either it is refused, in a sentence about batch_size or epochs, or it keeps to the limit."""
    allowed = MAX_UPDATES // -(-points // (batch_size or points))
    values = {"points": points, "batch_size": batch_size, "epochs": epochs}
    if batch_size <= points and epochs <= allowed:
        experiment = Experiment(**values)
        assert experiment.total_epochs * experiment.updates_per_epoch <= MAX_UPDATES
    else:
        with pytest.raises(ParameterError) as error:
            Experiment(**values)
        assert error.value.parameter == ("batch_size" if batch_size > points else "epochs")


# ---------------------------------------------------------------------------------------------- hostile links

hostile_text = (
    st.text(max_size=60)
    | st.sampled_from(
        [
            "nan", "-nan", "inf", "-inf", "1e400", "-1e400", "1e-400", "0x10", "1_000", " 5 ", "5\n", "+5",
            "٣", "½", "²", "９", "−1", "None", "true", "True", "[]", "1,2,3", "1,2,3,", ",,", ";", ";;", ",",
            "9" * 5000, "1" + "0" * 400, "-" + "9" * 400, "0." + "0" * 400 + "1", "a" * 100_000,
            "\x00", "\ud800", "‮", "<script>alert(1)</script>", "**bold** [x](javascript:1)", "%00", "${7*7}",
            "1,gradient-descent,0.1", "1,gradient-descent,nan", "-5,adam,0.1,0.9,0.999,1e-8",
            "999999,gradient-descent,1e-5", "500000,gradient-descent,1e-5;500000,gradient-descent,1e-5",
            ";".join(["1,momentum,0.1,0.9"] * 500), "1,momentum,0.1,0.9;", "1e3,adagrad,0.1,1e-10",
            "cars", "anscombe", "sha256:0123456789abcdef", "z.", "z.AAAA", find("cars").key, "x", "x4", "speed (mph)", "distance (ft)", "y1", "x,y2", '"x', "drop",
            *CHOICES["dataset"], *CHOICES["optimizer"], *CHOICES["loss"], *NAMED_STARTS,
            "0", "1", "3", "20", "10000", "1000000", "4294967295",
        ]
    )
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(list(FIELDS)), hostile_text))
def test_no_link_can_break_it(query):
    """Whatever a link brings along, there is a valid experiment, and short sentences on one line about the rest."""
    experiment, sentences = Experiment.from_query(query)
    assert Experiment.from_query(experiment.to_query()) == (experiment, [])
    assert experiment.total_epochs * experiment.updates_per_epoch <= MAX_UPDATES
    assert len(experiment.before) <= MAX_PHASES
    assert len(sentences) <= len(FIELDS)
    for sentence in sentences:
        assert len(sentence) < 300
        assert sentence.splitlines() == [sentence]
        assert re.match(rf"({'|'.join(FIELDS)})(:| must )", sentence)


@given(experiments(), st.dictionaries(st.sampled_from(list(FIELDS)), hostile_text))
def test_the_last_good_experiment_is_fallen_back_on(good, query):
    """Fields that a link leaves out or spoils are the last good ones, or the defaults where those no longer fit."""
    query = query | {"dataset": good.dataset, "optimizer": good.optimizer}
    experiment, sentences = Experiment.from_query(query, fallback=good)
    usual = defaults(good.dataset, good.optimizer)
    for name in FIELDS:
        value = getattr(experiment, name)
        if name not in query:
            assert value in (getattr(good, name), usual[name]) or name == "epochs"
    assert sentences or set(query) != {"dataset", "optimizer"} or experiment == good
    assert Experiment.from_query({}, fallback=good) == (good, [])


def test_a_loss_that_was_chosen_for_a_rule_is_kept():
    """Newton's step on the square of a yes or no is fallen back on, although the data set opens with a loss that it cannot have."""
    good = Experiment.from_query({"dataset": "pass-or-fail", "optimizer": "newton", "loss": "mse"})[0]
    assert (good.optimizer, good.loss) == ("newton", "mse")
    assert Experiment.from_query({"epochs": "7"}, fallback=good) == (replace(good, epochs=7), [])
    other = Experiment.from_query(
        {"dataset": "pass-or-fail"}, fallback=replace(Experiment.default(), optimizer="newton")
    )[0]
    assert (other.optimizer, other.loss) == ("gradient-descent", "log")


def test_fewer_points_than_the_last_batch_had():
    """A batch of ten rows was good until five points were typed: then all rows are taken, with a sentence."""
    good = replace(Experiment(), batch_size=10, learning_rate=0.25)
    experiment, sentences = Experiment.from_query({"points": "5", "batch_size": "10"}, fallback=good)
    assert (experiment.points, experiment.batch_size, experiment.learning_rate) == (5, 0, 0.25)
    assert sentences == ["batch_size must be at most the 5 rows of the data, or 0 for all. Got 10."]


def test_a_batch_is_at_most_the_training_rows():
    """Of 20 rows 6 are held out: 14 fit in a batch, 15 do not, and the sentence says which rows it means."""
    assert Experiment(holdout=0.3, batch_size=14).updates_per_epoch == 1
    _, sentences = Experiment.from_query({"holdout": "0.3", "batch_size": "15"})
    assert sentences == ["batch_size must be at most the 14 training rows, or 0 for all. Got 15."]


@pytest.mark.parametrize(
    ("points", "holdout", "held_out"),
    [
        (20, 0.0, 0),
        (20, 0.3, 6),
        (20, 0.5, 10),
        (3, 0.5, 1),
        (3, 1e-9, 1),
        (10, 0.24, 2),
        (10_000, 0.1, 1000),
    ],
)
def test_at_least_one_row_is_held_out_and_at_most_half(points, holdout, held_out):
    """The nearest number of rows; a share above nothing is never nothing, and half of three is one."""
    experiment = Experiment(points=points, holdout=holdout)
    assert (experiment.held_out_rows, experiment.training_rows) == (held_out, points - held_out)


def test_a_single_row_cannot_be_split():
    """It would leave nothing to train on."""
    with pytest.raises(ParameterError, match=r"^holdout must be 0 for one-parameter: .* Got 0\.2\."):
        replace(Experiment.default("one-parameter"), holdout=0.2)


def test_nothing_held_out_is_not_in_a_link():
    """The links that were there before hold-out are the same as ever."""
    assert not {"holdout", "split_seed"} & set(Experiment().to_query())
    assert Experiment(holdout=0.25).to_query()["holdout"] == "0.25"


def test_too_many_phases_leave_room_for_an_epoch():
    """Phases that fill the budget are dropped; ones that nearly do leave the default epochs cut to what fits."""
    full, complaints = Experiment.from_query({"before": "1000000,gradient-descent,1e-05"})
    assert full.before == ()
    assert len(complaints) == 1
    nearly, complaints = Experiment.from_query({"before": "999999,gradient-descent,1e-05"})
    assert nearly.epochs == 1
    assert len(complaints) == 1
    assert complaints[0].startswith("epochs must be at most 1 ")


def test_small_batches_leave_fewer_epochs():
    """10,000 rows one by one: a hundred epochs fit, and the default is cut to that."""
    experiment, complaints = Experiment.from_query({"points": "10000", "batch_size": "1"})
    assert experiment.epochs == 100
    assert len(complaints) == 1
    assert "at most 100 here" in complaints[0]


# -------------------------------------------------------------------------------------------- defaults, derived


@pytest.mark.parametrize("dataset", CHOICES["dataset"])
@pytest.mark.parametrize("optimizer", CHOICES["optimizer"])
def test_every_pair_has_valid_defaults(dataset, optimizer):
    """Each data set with each rule starts with its own rate, epochs and settings, or is refused in a sentence."""
    if is_refused(dataset, optimizer):
        with pytest.raises(ParameterError, match="loss must have one curvature everywhere"):
            Experiment.default(dataset, optimizer)
        return
    experiment = Experiment.default(dataset, optimizer)
    assert (experiment.dataset, experiment.optimizer) == (dataset, optimizer)
    assert experiment.learning_rate == DATASET_INFO[dataset].defaults["learning_rate"]
    for name, value in OPTIMIZER_INFO[optimizer].hyperparameters.items():
        assert getattr(experiment, name) == value
    written = {"dataset", "learning_rate", "epochs"} | (
        {"optimizer"} if optimizer != "gradient-descent" else set()
    )
    assert set(experiment.to_query()) == written | (
        {"table", "target", "features"} if dataset == "table" else set()
    )


@given(experiments())
def test_epochs_and_updates_add_up(experiment):
    """⌈N/B⌉ updates an epoch; phases in order, the last as the fields say."""
    rows = experiment.points - experiment.held_out_rows
    size = experiment.batch_size or rows
    assert experiment.rows_per_update == size
    assert experiment.updates_per_epoch == math.ceil(rows / size)
    assert experiment.total_epochs == sum(p.epochs for p in experiment.before) + experiment.epochs
    assert experiment.phases[-1].epochs == experiment.epochs
    assert experiment.phases[-1].learning_rate == experiment.learning_rate


@given(experiments(), st.data())
def test_a_continued_run_keeps_its_past(experiment, data):
    """Up to the epoch it is continued from, its phases are those of before, cut there."""
    epoch = data.draw(st.integers(1, experiment.total_epochs))

    def rules(phases):
        whole = [phase._replace(schedule=fixed(phase, experiment.updates_per_epoch)) for phase in phases]
        return [phase[1:] for phase in whole for _ in range(phase.epochs)][:epoch] if epoch < 2000 else []

    if epoch == MAX_UPDATES // experiment.updates_per_epoch:  # no epoch is left to go on with
        with pytest.raises(ParameterError, match=r"^before must leave room"):
            experiment.continued(epoch, epochs=1)
        return
    continued = experiment.continued(epoch, epochs=1)
    assert sum(phase.epochs for phase in continued.before) == epoch
    assert rules(continued.before) == rules(experiment.phases)
    assert continued.phase == experiment.phase._replace(epochs=1)


@pytest.mark.parametrize("epoch", [0, -1, 1001])
def test_a_run_cannot_be_continued_from_where_it_never_was(epoch):
    """The sentence says which epochs there are."""
    with pytest.raises(ParameterError, match=rf"between 1 and 1000\. Got {epoch}"):
        Experiment().continued(epoch)


def test_a_phase_forgets_what_its_rule_does_not_have():
    """β of a run with Adam means nothing, and makes no two phases differ."""
    assert replace(Experiment(), optimizer="adam", momentum=0.1).phase == Phase(
        1000, "adam", 1e-5, 0.9, 0.99, 0.9, 0.999, 1e-8
    )
