"""The path through the lessons: where to begin, what is done, what was predicted; and what a link tells of its page."""

import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from lab import Lab, claim
from pages.ui.look.described import DESCRIPTIONS
from pages.ui.look.navigation import LESSONS

DONE = """(page) => getComputedStyle(
    [...document.querySelectorAll('[role=menuitem]')].find((one) => one.href.endsWith(page)), '::after').content"""


def done(lab: Lab, page: str) -> str:
    """The mark of a lesson in the menu."""
    lab.page.get_by_test_id("stTopNavSection").filter(has_text="Lessons").click()
    lab.page.get_by_role("menuitem", name="The gradient").wait_for()
    mark = lab.page.evaluate(DONE, page)
    lab.page.keyboard.press("Escape")
    return mark


def test_who_is_new_is_led_through_and_what_was_predicted_is_kept(lab: Lab):
    """Train says where to begin. A judged answer marks its lesson in the menu and is kept, the first of each run; Train then
    says no more. The last page lists it, right and wrong, also after a reload, and gives it as a file; forgotten, it is gone.
    The judgement comes at the end of the run and stays when one goes back in it."""
    start = lab.page.locator(".st-key-start_here")
    lab.open_page("/")
    with claim("who is new is told where to begin"):
        expect(start.get_by_role("link")).to_be_visible()
        with lab.rerun():
            start.get_by_role("link").click()
    with claim("the judgement comes with the end, and stays"):
        lab.speed("¼×").answer("It comes closer from one side")
        expect(lab.page.locator(".judged:not(.lit)")).to_have_count(1)
        expect(lab.page.get_by_text("What happened")).to_be_hidden()
        expect(lab.page.locator(".st-key-notice ul")).to_be_hidden()
        lab.to_end()
        assert lab.judged().startswith(
            "You said: it comes closer from one side. What happened: it jumps across"
        )
        expect(lab.page.locator(".judged li.right .mark")).to_be_visible()
        expect(lab.page.locator(".st-key-notice ul")).to_be_visible()
        lab.seek(3)
        expect(lab.judgement).to_be_visible()
    with claim("the first answer to a run is the one that counts"):
        lab.answer("Ask again").answer("It jumps across and comes closer").to_end()
        assert lab.judged().startswith("You were right")
    with claim("the menu marks what is done, and Train says no more where to begin"):
        lab.page.wait_for_function(
            "() => localStorage.getItem('gradient-descent-lab.predicted')?.includes('across')"
        )
        assert "✓" in done(lab, "/one_parameter")
        assert "✓" not in done(lab, "/gradient")
        lab.follow("Next: lesson 2, Four steps")
        lab.answer("It is far from the best: above 2 × its RMSE").to_end()
        lab.page.wait_for_function(
            "() => localStorage.getItem('gradient-descent-lab.predicted').includes('four_steps')"
        )
        lab.open_page("/")
        expect(start).to_be_hidden()
    with claim("the last page lists it, and gives it as a file"):
        lab.page.goto(f"{lab.url}/glossary")
        lab.at_rest()
        path = lab.page.get_by_role("region", name="What you predicted")
        expect(path).to_contain_text("1 of 2 right.")
        assert path.get_by_role("listitem").filter(has_text=re.compile("^[✓✗]")).all_inner_texts() == [
            "✗ What will the point do with this rate? You said: it comes closer from one side. What happened: it jumps "
            "across and comes closer.",
            "✓ The article’s RMSE ends at 18.0382, 18.0379, and it calls that stable. How good is this curve? You said: "
            "it is far from the best: above 2 × its RMSE. So it was.",
        ]
        with lab.page.expect_download() as download:
            path.get_by_role("button", name="Take it along").click()
        text = download.value.path().read_text(encoding="utf-8")
        assert "1. One parameter, one slope\n   ✗ What will the point do" in text
    with claim("forgotten, it is gone"):
        path.get_by_role("button", name="Forget it").click()
        expect(path).to_contain_text("No prediction yet.")
        lab.page.reload()
        lab.at_rest()
        expect(path).to_contain_text("No prediction yet.")


@pytest.mark.parametrize("page", ["", "compare", *LESSONS])
def test_a_link_tells_of_its_page_without_a_script(lab: Lab, page: str):
    """The HTML that is sent first has the page's own title and description: all that a preview of a link reads."""
    with urlopen(f"{lab.url}/{page}", timeout=60) as answer:
        html = answer.read().decode()
    (title,) = re.findall("<title>(.*?)</title>", html)
    assert title.startswith(
        LESSONS.get(page, {"": "Gradient Descent Lab", "compare": "Compare"}.get(page, ""))
    )
    assert f'<meta name="description" content="{DESCRIPTIONS[page]}">' in html
    assert html.rstrip().endswith("</html>")
