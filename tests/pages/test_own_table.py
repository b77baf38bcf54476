"""A table of one's own on the Train page and in the lessons: brought, mended, picked, kept, removed."""

import gc
import json
import re

import numpy as np
import pytest
from lesson_page import LessonPage
from train_page import Lab

from gd_core.cli.commands import main
from gd_core.export import record_file
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pins
from gd_core.settings.task import Result, Task
from gd_core.tables import holder
from gd_core.tables.table import Table as ValuesOf
from gd_core.tables.table import find, keep
from pages.ui.look import session
from pages.ui.player import run_summaries
from pages.ui.player.live_runs import Runs
from pages.ui.settings.form import EveryPage
from pages.ui.train import own_table
from pages.ui.train.own_table import OwnTables
from pages.ui.train.pins import Pinned
from pages.ui.train.task import NEEDS_A_FILE, Handed

CARS = {"dataset": "table", "table": "cars", "target": "distance (ft)", "features": "speed (mph)"}
GOOD = "size,rooms,price\n50,2,210\n72,3,295\n90,4,400\n101,4,410\n60,2,230\n"
BAD = "size,rooms,price\n50,2,210\nn/a,3,295\n90,,400\n101,4,410\n60,2,230\n"


class Table(Lab):
    """The Train page with a table."""

    def look_at(self, text):
        """Paste rows, and look at how they are read."""
        self.at.text_area("pasted").set_value(text)
        return self.press("use_pasted")

    def paste(self, text):
        """Paste rows, and take them where that is asked and nothing else is."""
        self.look_at(text)
        open_ = [button for button in self.at.button if button.key == "use_table" and not button.disabled]
        return self.press("use_table") if open_ else self

    @property
    def html(self):
        return " ".join(element.proto.body for element in self.at.get("html"))

    @property
    def said(self):
        return " ".join(element.value for element in [*self.at.sidebar.markdown, *self.at.sidebar.caption])


def opened(**query):
    return Table(**(CARS | {"learning_rate": "0.00188", "epochs": "20"} | query))


def test_the_data_set_opens_with_an_example_that_trains():
    """Chosen from the list, it is the stopping distances, with a rate that settles; Train works at once."""
    lab = Table().choose("dataset", "table")
    assert lab.experiment == Experiment.default("table")
    lab.press("train")
    take = lab.at.session_state[session.key(Runs)].live_run
    assert take.recording.diverged_at is None
    assert take.recording.loss[-1] < take.recording.loss[0] / 5


def test_pasted_rows_become_the_data():
    """The target is guessed and said, the features scaled, the rate is the best for its epochs: one step on a line."""
    lab = opened().paste(GOOD)
    experiment = lab.experiment
    assert (experiment.target, experiment.features, experiment.points) == ("price", ("size",), 5)
    assert find(experiment.table)["rooms"].tolist() == [2, 3, 4, 4, 2]
    assert "price is predicted, by its name" in lab.html
    size = np.array([50, 72, 90, 101, 60.0])
    features = np.column_stack([size, np.ones(5)])
    curvatures = np.linalg.eigvalsh(2 / 5 * features.T @ features)
    assert f"As they are, κ = {float(f'{curvatures[1] / curvatures[0]:.3g}'):,.0f}," in lab.said.replace(
        "\\", ""
    )
    assert experiment.scale_features
    assert experiment.learning_rate == 0.5  # both curvatures of scaled features are 2
    assert "η is the best for 1,000 epochs of these rows" in lab.said.replace("\\", "")
    lab.press("unscale")
    assert not lab.experiment.scale_features
    assert lab.experiment.learning_rate == pytest.approx(1 / curvatures[1], rel=0.005)
    assert "half the limit" in lab.said


def test_rows_go_into_the_link_when_their_owner_says_so():
    """Before, the address holds a fingerprint and no row; after the press it is the table."""
    lab = opened().paste(GOOD)
    assert lab.query["table"].startswith("sha256:")
    assert "Its rows are not in the link" in lab.said
    lab.press("into_link")
    assert lab.query["table"].startswith("z.")
    assert "into_link" not in [button.key for button in lab.at.button]
    again = Table(**lab.query)
    assert again.experiment == lab.experiment
    lab.press("remove_table")
    assert lab.experiment.table == "cars"


YEARS = "year,y\n" + "\n".join(f"{1990 + n},{0.3 * n + (n * 7 % 5)}" for n in range(12))


def test_a_rate_that_takes_for_ever_is_not_said_to_settle():
    """Years of 1990 on, unscaled: no direction grows at half the limit, but the slowest takes ages; scaled, it is the best."""
    lab = opened().paste(YEARS).press("unscale")
    said = lab.said.replace("\\", "")
    assert "year is 1996 on average and spreads by 3.45, so w₁ and b pull on the same thing: κ = 1" in said
    assert "no direction grows, but the slowest takes more than a trillion epochs." in said
    assert "settles" not in said
    lab.press("scale_offer")
    assert "η is the best for 1,000 epochs of these rows" in lab.said.replace("\\", "")


def test_incomplete_rows_are_left_out_and_told():
    """How many, in which column, and each bad cell; one press fills them instead, and one leaves them out again."""
    lab = opened().paste(BAD)
    assert (lab.experiment.missing, lab.experiment.points) == ("drop", 4)
    assert "1 row is left out of 5, for want of a number: size in 1." in lab.said.replace("\\", "")
    assert "row 3, column size: ‘n/a’ is not a number" in lab.said.replace("\\", "")
    assert "rooms" not in " ".join(caption.value for caption in lab.at.sidebar.caption)
    lab.press("fill_rows")
    assert (lab.experiment.missing, lab.experiment.points) == ("mean", 5)
    assert "1 missing number is the mean of its column" in lab.said
    lab.press("drop_rows")
    assert (lab.experiment.missing, lab.experiment.points) == ("drop", 4)


HOMES = "size,brick,region,sold,price\n" + "\n".join(
    f'{50 + i},{["No", "Yes"][i % 2]},{["north", "south", "west"][i % 3]},{1 + i}/{2 + i}/2020,"${200_000 + 900 * i:,}"'
    for i in range(9)
)


def test_a_file_is_looked_at_before_it_is_taken():
    """Column → read as, with what is asked first; until it is taken no other file's run is on the page."""
    lab = opened().press("train").paste(HOMES)
    said = " ".join(element.value for element in lab.at.main.markdown).replace("\\", "")
    assert "brick" in said
    assert "No = 0, Yes = 1" in said
    assert "sold holds dates such as 1/2/2020. Does the day come first, or the month?" in said
    assert lab.at.button("use_table").disabled
    assert not lab.charts
    assert lab.experiment.table == "cars"
    (asked,) = [box for box in lab.at.selectbox if box.key.endswith("_sold")]
    asked.set_value("month first")
    lab.run()
    lab.press("use_table")
    table = find(lab.experiment.table)
    assert table.names == (
        "size",
        "brick",
        "region = south",
        "region = west",
        "sold (days since 2020-01-02)",
        "price",
    )
    assert (lab.experiment.target, lab.experiment.features) == ("price", ("size",))
    assert "brick: No = 0, Yes = 1" in lab.html
    lab.at.multiselect("w_features").set_value(["size", "brick", "region"])
    lab.run()
    assert lab.experiment.features == ("size", "brick", "region = south", "region = west")
    assert lab.at.multiselect("w_features").value == ["size", "brick", "region"]
    lab.press("read_otherwise")
    (box,) = [box for box in lab.at.selectbox if box.key.endswith("_brick")]
    box.set_value("left out")
    lab.run()
    lab.press("use_table")
    assert "brick" not in find(lab.experiment.table).names
    assert not lab.at.exception


ZIPS = "zip,size,price\n" + "\n".join(
    f"{[10115, 20095, 80331][i % 3]},{50 + i},{210 + i * i}" for i in range(9)
)


def test_plain_numbers_are_looked_at_too():
    """Each column with its least and its largest number and its gaps, and no chart before the press; zip codes become words."""
    lab = opened().press("train").look_at(ZIPS.replace("\n10115,50,", "\n10115,,"))
    before = lab.query
    said = " ".join(element.value for element in lab.at.main.markdown).replace("\\", "")
    for line in (
        "**zip**  \nnumbers from 10,115 to 80,331",
        "**size**  \nnumbers from 51 to 58; 1 cell without a value",
        "**price**  \nnumbers from 210 to 274",
    ):
        assert line in said
    assert not lab.charts
    assert "train" not in [button.key for button in lab.at.button]
    assert lab.experiment.table == "cars"
    assert lab.query == before
    (box,) = [box for box in lab.at.selectbox if box.key.endswith("_zip")]
    box.set_value("words")
    lab.run().press("use_table")
    assert find(lab.experiment.table).names == ("zip = 20095", "zip = 80331", "size", "price")
    assert lab.charts
    assert not lab.at.exception


def test_a_table_of_the_labs_own_is_there_at_once():
    """Its columns are known: an example and a table that travels in its link are drawn without a question."""
    lab = opened().press("example_table_trees")
    assert lab.experiment.table == "trees"
    assert "use_table" not in [button.key for button in lab.at.button]
    link = lab.paste(GOOD).press("into_link").query
    again = Table(**link)
    assert again.query == link
    assert "use_table" not in [button.key for button in again.at.button]


def test_a_link_to_a_table_that_was_answered_for_opens_with_its_file():
    """Whoever brings the file answers the same, and has the link's settings; the file as it was read else is another."""

    def taken(lab, order):
        (asked,) = [box for box in lab.paste(HOMES).at.selectbox if box.key.endswith("_sold")]
        asked.set_value(order)
        lab.run()
        return lab.press("use_table")

    lab = taken(opened(), "month first")
    link = lab.query | {"epochs": "77"}
    lab.press("remove_table")
    del lab
    gc.collect()
    other = Table(**link)
    assert "this link needs the file" in other.said
    taken(other, "month first")
    assert other.query == link
    assert other.experiment.epochs == 77


def test_a_file_that_is_looked_at_can_be_left():
    """Then everything is as it was, the run too."""
    lab = opened().press("train")
    before, take = lab.query, lab.at.session_state[session.key(Runs)].live_run
    lab.paste(HOMES).press("leave_table")
    assert lab.query == before
    assert lab.at.session_state[session.key(Runs)].live_run is take


def test_the_rows_go_into_the_link_and_the_run_stays():
    """Only the key of the table changes: what was trained is still on the page, and goes into the address as it is."""
    lab = (
        opened()
        .paste("size,rooms,price\n" + "\n".join(f"{50 + i},{i % 4},{200 + 7 * i}" for i in range(9)))
        .press("train")
    )
    take = lab.at.session_state[session.key(Runs)].live_run
    assert lab.query["table"].startswith("sha256:")
    lab.press("into_link")
    assert lab.query["table"].startswith("z.")
    now = lab.at.session_state[session.key(Runs)].live_run
    assert (now.number, now.recording) == (take.number, take.recording)
    assert now.experiment == lab.experiment
    assert not lab.at.exception


def test_a_pinned_run_goes_with_its_rows_into_the_link(monkeypatch):
    """It stays the pinned run on the page, trained as it is, and its link opens it for somebody who has no file."""
    lab = opened().paste(GOOD).press("train").press("pin")
    with monkeypatch.context() as patch:
        patch.setattr(run_summaries, "keep", None)  # which what is trained anew is put on the shelf by
        lab.press("into_link")
    pins = lab.at.session_state[session.key(Pinned)].pins
    assert [pin.experiment for pin in pins.pins] == [lab.experiment]
    assert lab.experiment.table.startswith("z.")
    assert lab.at.button("pin").label == "Unpin this run"
    assert Pins.from_query(pins.to_query()) == (pins, [])
    lab.paste(GOOD).press("train").press("pin").press("into_link")  # the same file and run again
    assert len(lab.at.session_state[session.key(Pinned)].pins.pins) == 1
    assert not lab.at.exception


def test_a_record_says_how_its_file_was_read(tmp_path, capsys):
    """What was chosen in the preview is in it, so the command makes the run again from the file without a flag."""
    lab = opened().look_at(ZIPS)
    (box,) = [box for box in lab.at.selectbox if box.key.endswith("_zip")]
    box.set_value("words")
    lab.run().press("use_table").press("train")
    recording = lab.at.session_state[session.key(Runs)].live_run.recording
    text = record_file.to_json(lab.experiment, recording)
    told = json.loads(text)["table"]
    assert (told["file"], told["read_as"], told["read_with"]) == (None, {"zip": "words"}, {})
    record, file = tmp_path / "run.json", tmp_path / "zips.csv"
    record.write_text(text)
    file.write_text(ZIPS)
    assert main(["train", "--from", str(record), "--table", str(file)]) == 0
    assert "the same" in capsys.readouterr().out


def test_every_column_is_said_beside_the_name():
    """Of a table of plain numbers, too, it stands there what is predicted; looked at again, it is the same."""
    lab = opened().paste(
        "size,rooms,price\n" + "\n".join(f"{50 + i},{i % 4},{200 + 7 * i}" for i in range(9))
    )
    for line in (
        "price is predicted, by its name",
        "from size alone: add others",
        "size, rooms, price: numbers",
    ):
        assert line in lab.html
    lab.press("read_otherwise").press("leave_table")
    assert lab.experiment.target == "price"


def test_a_hostile_file_leaves_everything_as_it_was():
    """One sentence above the columns; the run, the address and the pick stay."""
    lab = opened().press("train")
    before, take = lab.query, lab.at.session_state[session.key(Runs)].live_run
    for text, sentence in (
        ("", "The table is empty: there is nothing in it."),
        ("a\n1\n2", "The table has one column"),
        ("PK\x03\x04", "The table has one column"),
        ("<b>,b\nx,1\n*y*,2\nz,3", "<b>: another word in every row"),
    ):
        lab.paste(text)
        assert sentence in lab.said.replace("\\", "")
        assert lab.query == before
        assert lab.at.session_state[session.key(Runs)].live_run is take


def test_columns_are_picked_and_the_rate_follows():
    """Several features make a plane; a target that was a feature changes places with the old one; degrees make curves."""
    lab = opened(table="trees", target="volume (ft³)", features="girth (in),height (ft)")
    assert lab.experiment.info.parameters == ("w₁", "w₂", "b")
    lab.at.selectbox("w_target").set_value("height (ft)")
    lab.run()
    assert (lab.experiment.target, lab.experiment.features) == ("height (ft)", ("girth (in)",))
    lab.at.select_slider("w_degree").set_value(3)
    lab.run()
    assert lab.experiment.degree == 3
    assert lab.experiment.scale_features
    assert lab.experiment.info.parameters == ("w₁", "w₂", "w₃", "b")
    lab.at.multiselect("w_features").set_value([])
    lab.run()
    assert "Columns to predict from must be 1 to 20 columns" in lab.said
    assert lab.experiment.features == ("girth (in)",)


def test_scaling_is_offered_not_forced():
    """κ is named; one press scales and sets the rate; then the offer is gone."""
    lab = opened(
        table="trees", target="volume (ft³)", features="girth (in),height (ft)", learning_rate="8.34e-5"
    )
    assert "κ = 920,000" in lab.said.replace("\\", "")
    assert not lab.experiment.scale_features
    lab.press("scale_offer")
    assert lab.experiment.scale_features
    steepest, flattest = 3.0388, 0.9612  # 2 (1 ± 0.5193), by the correlation of girth and height; and 2 of b
    assert lab.experiment.learning_rate == pytest.approx(2 / (steepest + flattest), rel=0.03)
    assert "As they are, κ = 920,000," in lab.said
    assert "unscale" in [button.key for button in lab.at.button]
    assert "scale_offer" not in [button.key for button in lab.at.button]


def test_an_intercept_that_comes_back_scales_nothing():
    """Through the origin κ is 1, with b 2,572: scaling is offered, and the rate settles on the features as they are."""
    lab = opened(intercept="false")
    lab.at.toggle("w_intercept").set_value(True)
    lab.run()
    speed = find("cars")["speed (mph)"]
    features = np.column_stack([speed, np.ones(50)])
    steepest = np.linalg.eigvalsh(2 / 50 * features.T @ features)[-1]
    assert (lab.experiment.intercept, lab.experiment.scale_features) == (True, False)
    assert lab.experiment.learning_rate == pytest.approx(1 / steepest, rel=0.005)
    assert "scale_offer" in [button.key for button in lab.at.button]


def test_what_is_wrong_with_columns_is_told():
    """A constant column, one that is there twice, and fewer rows than parameters, each with what to do."""
    lab = opened().paste("one,x,twin,y\n1,1,1,2\n1,2,2,3\n1,4,4,5\n")
    lab.at.multiselect("w_features").set_value(["one", "x", "twin"])
    lab.run()
    said = lab.said.replace("\\", "")
    assert "one is the same in every row, as the intercept b is: leave it out." in said
    assert "x and twin hold the same numbers: one of them is enough." in said
    assert "3 rows for 4 parameters" in said
    lab.press("train")


def test_going_away_and_back_loses_nothing():
    """Another data set and back: the same table, columns and rate."""
    lab = opened().paste(GOOD)
    before = lab.experiment
    lab.choose("dataset", "two-features").choose("dataset", "table")
    assert lab.experiment == before


def test_names_stay_text():
    """Markup in a name is neither Markdown nor HTML anywhere in the side bar or on the page."""
    name = "<script>alert(1)</script>*b*"
    lab = opened().paste(f"{name},z,y\n1,2,3\n2,3,5\n3,7,8\n").press("train")
    lab.at.multiselect("w_features").set_value([name, "z"])
    lab.run()
    for element in lab.at.get("html"):
        assert "<script>alert" not in element.proto.body


def test_a_large_table_needs_its_file():
    """Its link says so with the fingerprint, in another session once it is gone; the file brings the link's settings back."""
    generator = np.random.default_rng(3)
    rows = "\n".join(f"{a!r},{b!r}" for a, b in generator.random((400, 2)).tolist())
    lab = opened().paste(f"x,y\n{rows}")
    link = lab.query
    assert link["table"].startswith("sha256:")
    assert "Too large for a link" in lab.said
    lab.press("remove_table")
    assert lab.experiment.table == "cars"
    del lab
    gc.collect()
    other = Table(**link | {"epochs": "77"})
    mark = link["table"].removeprefix("sha256:")
    assert f"this link needs the file with the fingerprint {mark}. Upload it." in other.said.replace("\\", "")
    assert other.query == link | {"epochs": "77"}  # a reload asks again
    other.paste(GOOD)
    assert "fingerprint" in other.said
    other.paste(f"x,y\n{rows}")
    assert other.query == link | {"epochs": "77"}
    assert other.experiment.epochs == 77
    assert "this link needs" not in other.said


def visits(who, monkeypatch):
    """From now on this visitor looks."""
    monkeypatch.setattr(holder, "who", lambda: who)


def test_a_large_table_is_its_owners_alone(monkeypatch):
    """While its owner has it on the page, whoever follows the address sees neither name nor number of it."""
    rows = "\n".join(f"{a!r},{b!r}" for a, b in np.random.default_rng(11).random((400, 2)).tolist())
    visits("owner", monkeypatch)
    lab = opened().paste(f"shoe,debt\n{rows}").press("train")
    link = lab.query
    visits("stranger", monkeypatch)
    other = Table(**link)
    assert "this link needs the file with the fingerprint" in other.said
    assert other.query == link
    page = " ".join(
        [
            other.html,
            other.said,
            *(chart.SerializeToString().decode(errors="replace") for chart in other.charts),
        ]
    )
    assert "distance (ft)" in page
    assert "shoe" not in page
    assert "debt" not in page
    other.paste(f"shoe,debt\n{rows}")
    assert other.experiment.target == "debt"
    visits("owner", monkeypatch)
    assert lab.run().experiment.target == "debt"


def test_who_shows_the_word_of_a_visit_has_its_tables(monkeypatch):
    """A tab that was loaded anew has them by the word that it kept; by another word, or after the visit, nobody has."""
    rows = "\n".join(f"{a!r},{b!r}" for a, b in np.random.default_rng(12).random((400, 2)).tolist())
    visits("owner", monkeypatch)
    lab = opened().paste(f"shoe,debt\n{rows}")
    link, own = lab.query, lab.at.session_state[session.key(OwnTables)]
    word, own.as_it_is = own.word, link["table"]
    lab.look_at(HOMES)
    visits("after a reload", monkeypatch)
    monkeypatch.setattr(own_table, "_own", lambda: mine)
    mine = OwnTables()
    assert mine.word != word
    assert not own_table.take_over(mine.word)
    assert not own_table.take_over("")
    assert "needs the file" in " ".join(Experiment.from_query(link)[1])
    assert own_table.take_over(word)
    assert Experiment.from_query(link)[0].target == "debt"
    assert mine.asked is not None  # what was looked at is there too
    assert mine.asked.file.source == HOMES
    assert mine.as_it_is == link["table"]
    visits("later", monkeypatch)
    own.brought.clear()
    own.asked = None
    mine = OwnTables()
    assert not own_table.take_over(word)
    assert "needs the file" in " ".join(Experiment.from_query(link)[1])


def test_a_file_is_kept_only_where_something_can_be_undone(monkeypatch):
    """Of many plain numbers the table is all; of words the file stays, for the last one that was brought."""
    monkeypatch.setattr(own_table, "KEPT_PLAIN", 10)
    lab = opened().paste(GOOD)
    own = lab.at.session_state[session.key(OwnTables)]
    assert [held.file.source for held in own.brought.values()] == [""]
    lab.paste("brick,x,y\nNo,1,2\nYes,2,3\nNo,4,5\n")
    assert [bool(held.file.source) for held in own.brought.values()] == [False, True]
    lab.paste("rain,x,y\nNo,1,2\nYes,2,3\nNo,4,9\n")
    assert [bool(held.file.source) for held in own.brought.values()] == [False, False, True]


def test_another_encoding_can_be_said_after_the_table_is_taken():
    """Its columns are plain numbers, so nothing is said of them; what was chosen for its letters can be undone all the same."""
    file = own_table.File("cities.csv", "größe,preis\n1,2\n2,3\n3,5\n".encode("cp1252"), "", {})
    taken = own_table.OwnTables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_table, "_own", lambda: taken)
        patch.setattr(own_table, "_choose", lambda _: None)
        reading = own_table._read(file)
        assert len(reading.encodings) > 1
        own_table._accept(file, reading)
    (held,) = taken.brought.values()
    assert held.file.source == file.source


@pytest.mark.parametrize("kind", ["task", "result"])
def test_a_task_on_a_large_table_waits_for_its_file(kind):
    """The dialog says that the file goes with the link; the student's page asks for it, and then it is the task."""

    def words(page):  # not in the side bar alone
        return " ".join(e.value for e in [*page.at.markdown, *page.at.caption]).replace("\\", "")

    rows = "\n".join(f"{a!r},{b!r}" for a, b in np.random.default_rng(5).random((400, 2)).tolist())
    lab = opened().paste(f"x,y\n{rows}").press("prepare")
    assert "hand out its file as well" in words(lab)
    task = Task(
        experiment=lab.experiment, free=("learning_rate",), locked=("dataset", "table"), text="Try it."
    )
    text = (task if kind == "task" else Result(task=task, experiment=lab.experiment)).to_text()
    lab.press("remove_table")
    del lab
    gc.collect()
    other = Table(**{kind: text})
    assert other.query == {kind: text}
    assert NEEDS_A_FILE in words(other)
    assert other.at.session_state[session.key(EveryPage)].held["train"].settings == Experiment.default(
        "table"
    )
    other.paste(GOOD)
    assert "This file is another one" in words(other)
    other.paste(f"x,y\n{rows}")
    assert other.query == {kind: text}
    assert other.at.session_state[session.key(EveryPage)].held["train"].settings == task.experiment
    assert NEEDS_A_FILE not in words(other)
    assert other.at.session_state[session.key(Handed)].task.text == "Try it."
    assert not other.at.exception


def test_a_pinned_run_keeps_its_table_and_goes_with_it():
    """While a run on a large table is pinned, its line stands beside runs on other data; without the table it is gone."""
    rows = "\n".join(f"{a!r},{b!r}" for a, b in np.random.default_rng(4).random((400, 2)).tolist())
    lab = opened().paste(f"x,y\n{rows}").press("train").press("pin")
    pinned = lab.experiment
    lab.paste(GOOD)
    gc.collect()
    assert [pin.experiment for pin in lab.at.session_state[session.key(Pinned)].pins.pins] == [pinned]
    assert "not on these charts: other data" in " ".join(e.proto.body for e in lab.at.get("html"))
    lab.paste(f"x,y\n{rows}")
    lab.press("remove_table")
    assert lab.at.session_state[session.key(Pinned)].pins.pins == ()
    assert not lab.at.exception


@pytest.mark.parametrize("name", ["landscape", "learning_rate", "variants"])
def test_a_lesson_takes_the_table(name):
    """Chosen in the lesson it is an example; a link brings one's own; what does not suit is said, in a sentence."""
    page = LessonPage(name).choose("dataset", "table")
    assert page.query["table"] == "trees"
    three = {
        "dataset": "table",
        "table": "anscombe",
        "target": "y1",
        "features": "x,y2",
        "learning_rate": "0.1",
    }
    page = LessonPage(name, **three | {"scale_features": "true", "epochs": "20"})
    assert page.complaints == []
    assert page.query["features"] == "x,y2"
    if name == "landscape":
        page = LessonPage(name, **three | {"features": "x"})
        assert "Table must be fitted with 3 parameters in this lesson" in page.complaints[0]


def facts_of(columns, **query):
    """What the tab of numbers says of a table of one's own."""
    table = keep(ValuesOf.of(columns))
    asked = {"dataset": "table", "table": table.key, "target": "y", "features": ",".join([*columns][:-1])}
    lab = Table(**asked | {"learning_rate": "1e-18", "epochs": "1"} | query)
    return " ".join(
        element.proto.body for element in lab.at.get("html") if 'class="live facts"' in element.proto.body
    )


def test_what_sixteen_digits_do_not_hold_is_said():
    """Of nearly equal features the known digits, of the fifth power of a year the curve’s blur; else nothing is said."""
    generator = np.random.default_rng(8)
    u, other, noise = generator.normal(size=(3, 30))
    years = np.linspace(2010.0, 2020.0, 30)
    twins = facts_of({"u": u, "v": u + 1e-11 * other, "y": other + noise})
    assert re.search(
        r"Digits that are known: \d of w₁ \(u\), \d of w₂ \(v\), \d of b; the rest is rounding\.", twins
    )
    fifth = facts_of({"year": years, "y": noise}, degree="5")
    assert re.search(
        r"Its terms nearly cancel, so 16 digits of each hold the curve to ±0\.\d+ only\. Scale the features\.",
        fifth,
    )
    for usual in (
        facts_of({"year": years, "y": noise}, degree="2"),
        facts_of({"year": years, "y": noise}, degree="5", scale_features="true"),
        facts_of({"u": u, "v": other, "y": u + other}),
    ):
        assert "The parameters with the lowest loss" in usual
        assert "digits" not in usual.lower()


def test_a_small_parameter_beside_a_large_one_is_no_zero():
    """Of a curve over powers of a large feature each parameter is written with its digits, however small."""
    x = np.linspace(150_000, 3_000_000, 20)
    facts = facts_of({"x": x, "y": 7e-4 + 7.3e-7 * x - 3.2e-15 * x**2}, degree="2")
    assert "w₁ (x) = 7.30000e−7, w₂ (x²) = −3.20000e−15, b = 0.000700000" in facts
