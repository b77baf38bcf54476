"""The page that a teacher takes along says what was counted, escapes every text, and loads nothing."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from gd_core.classroom.after import Past
from gd_core.classroom.board import NotPlaced, Placed
from gd_core.classroom.kept import HandedIn
from gd_core.classroom.rooms import Judgement, Question
from pages.ui.classroom import take_along

NOW = datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \"&'"
QUESTION = Question(
    title=f"Rate {HOSTILE}", text=f"What happens? {HOSTILE}", answers=(f"a {HOSTILE}", "b"), address="variants?a=1&b=2", number=1
)  # fmt: skip
PAST = [
    Past(QUESTION, Judgement(right=(1,), sentence=f"It is b. {HOSTILE}"), ((6, 2), (3, 9))),
    Past(Question(title="t", text="u", answers=("c", "d"), number=2), None, ((1, 0),)),
]
BOARD = [
    Placed(
        handed_in=HandedIn(1, 1, HOSTILE[:20], "abc"), learning_rate=0.05, rmse=0.123456, epoch=7, reached=7, in_time=True,
        end_rmse=0.2, diverged=False, on_curve=True,
    ),
    NotPlaced(handed_in=HandedIn(2, 2, "", "def"), sentence="Too long."),
]  # fmt: skip


class Seen(HTMLParser):
    """The texts, tags and links of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.words = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.words += f" {data}"


def test_the_page_says_what_was_counted():
    """2 of 8 right, then 9 of 12: gain (0.75 − 0.25) / 0.75."""
    page = take_along.html(PAST, NOW, 13, "https://lab.example/app/", BOARD)
    seen = Seen(page)
    words = re.sub(r"\s+", " ", seen.words)
    for said in (
        "9 March 2026, 13 students, 2 questions.",
        "25 % were right before the talk and 75 % after it. Gain 0.67",
        "6 (75 %) 3 (25 %)",
        "✓ right: b 2 (25 %) 9 (75 %)",
        "25 % right in round 1, 75 % right in round 2. Gain 0.67",
        "It was not run.",
        "η = 0.05: RMSE 0.1235 at epoch 7, target reached at epoch 7.",
        "Student 2",
        "Too long.",
    ):
        assert said in words
    assert words.count(HOSTILE) == 4
    assert "script" not in seen.tags
    assert seen.links == [
        "https://lab.example/app/variants?a=1&b=2", "https://lab.example/app/?result=abc", "https://lab.example/app/?result=def",
    ]  # fmt: skip
    assert "default-src 'none'" in page


def test_what_was_learned_stands_in_it():
    """Where it was asked for: 1 of 4, then 3 of 4."""
    asked = [
        Past(
            replace(QUESTION, paper=paper, kind="One step"),
            Judgement(right=(0,), sentence="a."),
            ((right, 4 - right),),
        )
        for paper, right in ((1, 1), (2, 3))
    ]
    words = re.sub(r"\s+", " ", Seen(take_along.html(asked, NOW, 4, "https://lab.example")).words)
    assert "What was learned" in words
    assert "One step 25 % 75 % 0.67 All 25 % 75 % 0.67" in words
    assert "What was learned" not in take_along.html(PAST, NOW, 4, "https://lab.example")


def test_a_class_without_a_second_round_has_no_gain():
    """Nor one that was asked nothing."""
    for past in (PAST[1:], []):
        assert "no gain to tell" in take_along.html(past, NOW, 1, "http://localhost:8501")
