"""AdamW on the pages: trained as any rule, with its reason where a limit would be; nobody in the race to the lowest loss."""

from lesson_page import LessonPage
from train_page import Lab

LINK = {"optimizer": "adamw", "learning_rate": "0.1", "scale_features": "true", "epochs": "40"}


def test_train_tells_why_it_has_no_limit():
    """The landscape and the floor are those of the loss; after Adam the page has the numbers of this rule."""
    lab = Lab(**LINK | {"optimizer": "adam"}).press("train").follow(LINK).press("train")
    assert lab.complaints == []
    assert float(lab.text("weight_decay")) == 0.01
    assert lab.player["summary"].startswith("Still descending after 40 epochs")
    assert "its weight decay shrinks every parameter at the lowest point too" in lab.html
    assert "dashed" in lab.charts[-1].alt


def test_the_rates_of_a_lesson_are_its_own():
    """Four rates and their ends are those of AdamW, with its usual decay."""
    page = LessonPage("learning_rate", **LINK)
    assert page.complaints == []
    assert page.at.selectbox("learning_rate.optimizer").value == "adamw"
