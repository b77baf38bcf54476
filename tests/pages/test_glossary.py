"""The page of words and questions: all of them, those that a search finds, and where their links lead."""

import re
from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage

from gd_core.lessons.glossary import ENTRIES, found
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pins
from pages.ui.lessons.glossary import Search
from pages.ui.look.navigation import LESSONS


def terms(page):
    return re.findall(r"<h3>(.*?)</h3>", page.words)


def test_all_answers_are_there():
    """Every term, its answer and its link stand on the page, under six headings; there is no player."""
    page = LessonPage("glossary")
    assert terms(page) == [entry.term for entry in ENTRIES]
    for entry in ENTRIES:
        assert entry.answer in page.words
    assert page.words.count('<h2 class="word-group">') == 6
    assert "player" not in [part.proto.component_name for part in page.at.get("bidi_component")]
    assert page.query == {}
    assert "36 short answers" in page.words


def test_every_link_is_the_entry_s():
    """Page, label and settings of each link are those of its entry; then an open task, and the last leads on to Train."""
    page = LessonPage("glossary")
    links = page.links
    assert len(links) == len(ENTRIES) + 2
    label, target, query = links[-2]
    assert (label, target or "train", query["dataset"]) == ("Open the task", "train", "noisy-quadratic")
    for (label, target, query), entry in zip(links, ENTRIES, strict=False):
        assert (label, target or "train") == (entry.label, entry.page)
        assert entry.page in ("train", "compare", *LESSONS)
        assert Pins.from_query(query)[1] == []
        settings = entry.settings.to_query() if entry.settings else {}
        assert query == settings | dict(entry.options)
        if entry.settings:
            assert type(entry.settings).from_query(query) == (entry.settings, [])
    assert links[-1][1] in ("", "train")


def test_a_search_filters_and_stands_in_the_address():
    """Typed words leave the answers that hold them, and the address says so; "Show all" takes them back."""
    page = LessonPage("glossary").type(q="  Mini   batch ")
    assert terms(page) == ["Batch and mini-batch"]
    assert page.query == {"q": "Mini batch"}
    assert "1 of 36 answers holds “Mini batch”" in page.words.replace("\\", "")
    page.press("show_all")
    assert terms(page) == [entry.term for entry in ENTRIES]
    assert page.query == {}
    assert page.text("q") == ""


def test_an_address_searches():
    """A link with ?q= opens filtered, with the words in the field."""
    page = LessonPage("glossary", q="momentum")
    assert terms(page) == [entry.term for entry in found("momentum")]
    assert page.text("q") == "momentum"


def test_nothing_found_is_said():
    """A sentence names what was looked for and says what to try; nothing breaks."""
    page = LessonPage("glossary").type(q="zebra")
    assert terms(page) == []
    assert "None of the 36 answers holds “zebra”" in page.words.replace("\\", "")
    assert LessonPage("glossary", q="slope").words.count("<h3>") >= 1


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "[a](http://example.org)", "$x$", "**", "`rate`", "\\", ":material/close:"]
)
def test_what_was_typed_is_shown_as_it_is(text):
    """Nothing in a search is Markdown or HTML."""
    page = LessonPage("glossary", q=text)
    said = next(one.value for one in page.at.markdown if "answers hold" in one.value)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", said).find(f"“{text}”") > 0
    assert re.search(r"(?<!\\)[<\[$*`]", said) is None


def test_a_long_search_is_refused():
    """What was shown before stays: all words, or those that a shorter one has found."""
    assert len(terms(LessonPage("glossary", q="x" * 61))) == len(ENTRIES)
    page = LessonPage("glossary", q="seed").type(q="y" * 100)
    assert terms(page) == [entry.term for entry in found("seed")]


@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_an_empty_search_shows_all(text):
    """As if nothing had been typed."""
    page = LessonPage("glossary", q="seed").type(q=text)
    assert len(terms(page)) == len(ENTRIES)
    assert page.query == {}


def test_what_another_page_says_is_left_out():
    """A link with settings of a run opens all the words."""
    page = LessonPage("glossary", dataset="noisy-quadratic", learning_rate="0.1")
    assert len(terms(page)) == len(ENTRIES)


def test_a_search_is_its_link():
    """From words to the address and back."""
    for text in ("", "rate", "learning rate"):
        assert Search.from_query(Search(text).to_query()) == (Search(text), [])


def test_the_open_task_is_hard_as_it_stands_and_can_be_done():
    """Over a million epochs at the usual rate, by the errors along singular vectors; forty with time scaled."""
    usual = Experiment.default("noisy-quadratic")

    def epochs_to(experiment, rmse):
        """The first of many epochs with a lower RMSE, in closed form."""
        problem = build(experiment)
        features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
        _, sizes, vectors = np.linalg.svd(features, full_matrices=False)
        best = np.linalg.lstsq(features, target, rcond=None)[0]
        values, floor = 2 / len(target) * sizes**2, np.mean((features @ best - target) ** 2)
        first = 0.5 * values * (vectors @ (problem.start.numpy() - best)) ** 2
        factors = abs(1 - experiment.learning_rate * values)
        epochs = np.unique(np.geomspace(1, 1e8, 4000).round())
        left = (first * factors ** (2 * epochs[:, None])).sum(1)
        return epochs[np.sqrt(floor + left) < rmse][0]

    words = LessonPage("glossary").words
    assert "needs more than a million epochs to an RMSE below 1.5" in words
    assert epochs_to(usual, 1.5) > 1_000_000
    assert epochs_to(replace(usual, scale_features=True, learning_rate=0.3), 1.5) <= 40
