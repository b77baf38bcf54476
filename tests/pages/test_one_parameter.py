"""The lesson of one parameter, as a visitor without a browser finds it."""

import io
import re
import zipfile

import pytest
from lesson_page import LessonPage

from gd_core.settings.experiment import Experiment

EIGHTEENTH, NINTH = 1 / 18, 1 / 9
LESSON = "one_parameter"


@pytest.fixture(scope="module")
def bare():
    """The page as it opens. For tests that only look."""
    return LessonPage(LESSON)


def experiment(page):
    found, sentences = Experiment.from_query({"dataset": "one-parameter", **page.query})
    assert not sentences
    return found


def rows(page):
    """The cells of the spreadsheet on the page, with all their digits."""
    (sheet,) = [e.proto.body for e in page.at.get("html") if 'class="sheet"' in e.proto.body]
    body = sheet.partition("<tbody>")[2]
    cells = r'<t[hd](?: title="([^"]*)"|[^>]*)>([^<]*)</t[hd]>'
    return [[full or text for full, text in re.findall(cells, row)] for row in body.split("</tr>")[:-1]]


# --------------------------------------------------------------------------------------- before and after the answer


def test_it_opens_with_a_start(bare):
    """The start at 2 in numbers, its slope and loss; no step, no factor, no run."""
    assert bare.text("start") == "2"
    assert bare.text("learning_rate") == "0.1"
    assert rows(bare) == [["0", "2.00000", "54.0000", "?", "?", "81.0000"]]
    assert "−0.8" not in bare.words
    assert "= 1 − 18 × 0.1 =</small> <b>?</b>" in bare.words
    assert bare.table(0, "run").to_pydict()["a"] == [2.0]
    assert bare.at.get("download_button")[0].proto.disabled


def test_names_that_give_the_answer_away_come_after_it(bare):
    """The rates to try are numbers until their run was seen."""
    labels = [button.label for button in bare.at.button if button.label.startswith("η")]
    assert labels == ["η = 0.01", "η = 1/18", "η = 0.1", "η = 1/9", "η = 0.12"]


def test_after_the_answer_all_numbers_are_there():
    """A row for each of 40 epochs, the factor, and the name of the rate that was tried."""
    page = LessonPage(LESSON).answer("across")
    assert page.player["last"] == 40
    assert len(rows(page)) == 41
    assert rows(page)[0] == ["0", "2.00000", "54.0000", "5.40000", "−3.40000", "81.0000"]
    assert "<b>−0.8</b>" in page.words
    assert any(button.label == "η = 0.1: overshoots" for button in page.at.button)


def test_an_example_sets_the_rate_and_asks_again():
    """Also when it is the rate that is already set."""
    page = LessonPage(LESSON).answer("across").press("rate overshoots")
    assert not page.player["trained"]
    page.press("rate one step")
    assert experiment(page).learning_rate == EIGHTEENTH
    assert page.text("learning_rate") == "1/18"
    assert not page.player["trained"]


def test_a_diverged_run_says_where_it_ended():
    """At 0.12 the loss passes a million times 81 at epoch 47; the epochs below it are kept."""
    page = LessonPage(LESSON, learning_rate="0.12", epochs="60", ask="false")
    assert page.player["last"] == 46
    assert page.player["summary"].startswith(
        "Diverged at epoch 47: the loss passed 1,000,000 times its first value."
    )
    assert rows(page)[-1][0] == "46"


# ---------------------------------------------------------------------------------------------- numbers and addresses


@pytest.mark.parametrize(
    ("typed", "rate", "shown"),
    [("1/18", EIGHTEENTH, "1/18"), ("1/9", NINTH, "1/9"), ("2/18", NINTH, "1/9"), ("0.1111", 0.1111, "0.1111"),
     ("1e-3", 0.001, "0.001")],
)  # fmt: skip
def test_fractions_are_read_kept_and_shown(typed, rate, shown):
    """1/18 may be typed; the address holds every digit of it; the field of who opens that link says 1/18."""
    page = LessonPage(LESSON).type(learning_rate=typed)
    assert experiment(page).learning_rate == rate
    again = LessonPage(LESSON, **page.query)
    assert experiment(again).learning_rate == rate
    assert again.text("learning_rate") == shown


def test_a_negative_start_may_be_copied_from_the_page():
    """With the long minus with which the page writes it."""
    page = LessonPage(LESSON).type(start="−3.40000")
    assert experiment(page).start == (-3.4,)
    assert page.complaints == []


# ------------------------------------------------------------------------------------------------- table, file, links


def test_the_table_is_the_recording():
    """A row an epoch: A, L′(A) = 18 (A + 1), η times that, the next A, the loss; by arithmetic."""
    page = LessonPage(LESSON, learning_rate="0.01", ask="false", epochs="5")
    a = 2.0
    for epoch, row in enumerate(rows(page)):
        slope, following = 18 * (a + 1), a - 0.18 * (a + 1)
        expected = [epoch, a, slope, 0.01 * slope, following, (3 + 3 * a) ** 2]
        for text, value in zip(row, expected, strict=True):
            if text or epoch < 5:
                assert float(text.replace("−", "-")) == pytest.approx(value, rel=2e-5)
        a = following
    assert rows(page)[-1][4] == ""  # after the last epoch there is no next A


def test_the_player_knows_the_next_step():
    """Its table holds the next A and the loss there for every epoch but the last."""
    table = LessonPage(LESSON, ask="false").player["table"]
    assert table["next_a"].iloc[0] == pytest.approx(-3.4)
    assert table["next_loss"].iloc[0] == pytest.approx(51.84)
    assert table["next_a"].isna().tolist() == [False] * 40 + [True]


def test_the_file_is_a_spreadsheet_of_this_run():
    """Made when asked for, with this η and this start in it."""
    from pages.ui.lessons.one_parameter import workbook

    file = workbook(experiment(LessonPage(LESSON, learning_rate="0.25", start="-7.5", epochs="3")))
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>0.25</v>" in sheet
    assert "<v>-7.5</v>" in sheet


def test_its_links_lead_where_they_say():
    """A run just above the limit, exactly this one on the Train page, and then the next lesson."""
    page = LessonPage(LESSON, learning_rate="0.1", start="3.5", epochs="25")
    again, train, following = page.links
    assert again[1] == LESSON
    assert float(again[2]["learning_rate"]) == 0.112
    assert again[2]["epochs"] == "100"
    assert again[2]["start"] == "3.5"
    assert Experiment.from_query(train[2]) == (experiment(page), [])
    assert train[1] in ("train", "")
    assert following[1:] == ("four_steps", {})
