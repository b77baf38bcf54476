"""A table fitted by another model than a line: chosen in the side bar, trained, and told of as any loss with several valleys."""

from train_page import Lab

from gd_core.settings.catalog import OFFERED


def test_a_network_is_fitted_to_a_table():
    """Its own rate and epochs, always scaled; map, numbers here and where starts end; back on a line all is as it was."""
    lab = Lab(dataset="table", table="cars")
    line = lab.experiment
    lab.choose("model", "network")
    assert lab.experiment.epochs == OFFERED["network"].epochs
    assert lab.experiment.learning_rate == OFFERED["network"].learning_rate
    assert (lab.experiment.scale_features, lab.experiment.scale_target) == (True, True)
    assert not [one for one in lab.at.sidebar.select_slider if one.label == "Degree"]
    lab.press("train")
    assert lab.player["trained"]
    assert lab.complaints == []
    lab.at.session_state["tab"] = "In numbers"
    lab.run()
    assert "This place" in lab.html
    assert "RMSE of the best found" in lab.html
    lab.at.session_state["tab"] = "Where starts end"
    lab.run()
    assert "60 × 60 starts" in lab.html
    lab.choose("model", "linear")
    assert lab.experiment.model == line.model
    assert lab.experiment.degree == 1


def test_it_is_offered_for_one_column_only():
    """With two the choice is not there; a link that asks for it is told so, and opens with a plane."""
    assert "model" in {
        one.key.removeprefix("w_") for one in Lab(dataset="table", table="cars").at.sidebar.selectbox
    }
    two = {
        "dataset": "table",
        "table": "trees",
        "target": "volume (ft³)",
        "features": "girth (in),height (ft)",
    }
    lab = Lab(**two, model="network")
    assert lab.complaints == ["Model network needs one feature. Got 2."]
    assert "model" not in {one.key.removeprefix("w_") for one in lab.at.sidebar.selectbox}
    assert lab.experiment.model == "linear"
