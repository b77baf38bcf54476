"""A deep network as a value, and the link that says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.lessons.deep_networks.network import (
    ACTIVATION_TITLES,
    INITIALISATION_TITLES,
    NETWORK_FIELDS,
    Network,
)
from gd_core.settings.fields import Choice, Number, ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO

NUMBERS = {name: field for name, field in NETWORK_FIELDS.items() if isinstance(field, Number)}
CHOICES = {name: tuple(field.choices) for name, field in NETWORK_FIELDS.items() if isinstance(field, Choice)}
WHOLE = ("depth", "width", "epochs", "seed")


def in_bounds(name):
    low, high = NUMBERS[name].low, NUMBERS[name].high
    return st.integers(int(low), int(high)) if name in WHOLE else st.floats(low, high)


networks = st.builds(
    Network,
    **{name: in_bounds(name) for name in NUMBERS},
    **{name: st.sampled_from(choices) for name, choices in CHOICES.items()},
    residual=st.booleans(),
    normalise=st.booleans(),
)


@given(networks)
def test_a_link_gives_the_same_network_back(network):
    """Every network survives its link exactly, without a complaint."""
    query = network.to_query()
    assert Network.from_query(query) == (network, [])
    assert all(isinstance(text, str) for text in query.values())


@given(st.dictionaries(st.sampled_from([*vars(Network()), "else"]), st.text(max_size=60)))
def test_no_link_can_break_it(query):
    """Whatever a link holds, there is a network, and one sentence for each bad value."""
    network, sentences = Network.from_query(query)
    assert isinstance(network, Network)
    for sentence in sentences:
        assert " must be " in sentence
        assert " Got " in sentence
        assert len(sentence) < 200


@given(networks, st.dictionaries(st.sampled_from(list(vars(Network()))), st.text(max_size=20), max_size=1))
def test_a_bad_value_changes_only_itself(network, query):
    """With a fallback, what the link does not say or says badly stays as it was."""
    read, sentences = Network.from_query(query, fallback=network)
    for name, value in vars(network).items():
        if name not in query or sentences:
            assert getattr(read, name) == value


HOSTILE = [
    ("depth", "0", "depth must be a whole number between 1 and 30. Got 0."),
    ("depth", "31", "depth must be a whole number between 1 and 30. Got 31."),
    ("depth", "2.5", "depth must be a whole number between 1 and 30. Got 2.5."),
    ("depth", "", "depth must be a whole number between 1 and 30. Got nothing."),
    ("width", "1", "width must be a whole number between 2 and 64. Got 1."),
    ("width", "1e3", "width must be a whole number between 2 and 64. Got 1e3."),
    ("learning_rate", "nan", "learning_rate must be a number between 1e-12 and 1,000. Got nan."),
    ("learning_rate", "-1", "learning_rate must be a number between 1e-12 and 1,000. Got -1."),
    ("learning_rate", "inf", "learning_rate must be a number between 1e-12 and 1,000. Got inf."),
    ("epochs", "2001", "epochs must be a whole number between 1 and 2,000. Got 2001."),
    ("seed", "-1", "seed must be a whole number between 0 and 4,294,967,295. Got -1."),
    (
        "activation",
        "softmax",
        "activation must be one of sigmoid, tanh, relu, gelu. Got softmax.",
    ),
    (
        "initialisation",
        "<b>zero</b>",
        "initialisation must be one of small, large, xavier, he. Got <b>zero</b>.",
    ),
    (
        "optimizer",
        "rmsprop",
        "optimizer must be one of gradient-descent, momentum, adam. Got rmsprop.",
    ),
    ("residual", "yes", "residual must be one of true, false. Got yes."),
    ("normalise", "1", "normalise must be one of true, false. Got 1."),
]


@pytest.mark.parametrize(("name", "text", "sentence"), HOSTILE)
def test_a_bad_value_is_said_in_one_sentence(name, text, sentence):
    """The sentence names the field, the rule and the value; the field takes the usual value."""
    assert Network.from_query({name: text}) == (Network(), [sentence])


@pytest.mark.parametrize(
    ("name", "value"),
    [("depth", True), ("depth", 2.0), ("residual", 1), ("residual", "true"), ("activation", None)],
)
def test_a_value_of_the_wrong_kind_is_refused(name, value):
    """True is no number and 1 is no yes."""
    with pytest.raises(ParameterError) as caught:
        Network(**{name: value})
    assert caught.value.parameter == name


def test_choices_have_titles():
    """Whatever can be chosen is called something on the page."""
    assert set(ACTIVATION_TITLES) == set(CHOICES["activation"])
    assert set(INITIALISATION_TITLES) == set(CHOICES["initialisation"])
    assert set(CHOICES["optimizer"]) <= set(OPTIMIZER_INFO)
