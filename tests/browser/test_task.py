"""A task from the teacher's dialog to the student's run and back; what axe-core finds; a telephone."""

from urllib.parse import urlsplit

import pytest
import segno
from playwright.sync_api import expect

from gd_core.examples import OPENING
from gd_core.task import PRESETS, Result, Target, Task
from lab import Lab
from test_navigation import heading, menu

WORDS = "Bring the RMSE below 2.\n<script>alert(1)</script> مرحبا 🎓"
TASK = Task(
    experiment=OPENING.experiment,
    free=PRESETS["rate"].free,
    locked=PRESETS["rate"].locked,
    text=WORDS,
    question="Why not 0.5?",
    target=Target(2.0, 60),
)


def path_of(link: str) -> str:
    return urlsplit(link)._replace(scheme="", netloc="").geturl()


def drawn_modules(lab: Lab, size: int) -> list[list[bool]]:
    """The QR code as it is on the screen: for each module whether its middle is dark."""
    return lab.page.get_by_alt_text("QR code of the link").evaluate(
        """(picture, size) => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 10 * size, height: 10 * size });
            const paper = canvas.getContext('2d');
            paper.drawImage(picture, 0, 0, 10 * size, 10 * size);
            const dark = (x, y) => paper.getImageData(10 * x + 5, 10 * y + 5, 1, 1).data[0] < 128;
            return [...Array(size).keys()].map((y) => [...Array(size).keys()].map((x) => dark(x, y)));
        }""",
        size,
    )


def test_a_task_goes_to_the_student_and_comes_back_as_a_result(lab: Lab, visit):
    """Teacher: dialog, link, code. Student: locked rate of epochs, free rate, target reached, result. Teacher: the replay."""
    lab.open_page()
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Prepare a task").click()
    dialog = lab.page.get_by_role("dialog", name="Prepare a task")
    assert lab.serious_faults() == []
    dialog.get_by_role("tab", name="Words and target").click()
    for label, text in {
        "What to do": WORDS,
        "A question": "Why not 0.5?",
        "Target: RMSE below": "2",
        "within so many epochs": "60",
    }.items():
        dialog.get_by_role("textbox", name=label, exact=True).fill(text)
    dialog.get_by_role("tab", name="Link and QR code").click()
    address = f"{lab.url}/?task={TASK.to_text()}"
    expect(dialog.locator("code")).to_have_text(address)
    picture = dialog.get_by_alt_text("QR code of the link")
    matrix = [list(row) for row in segno.make(address, error="l", micro=False).matrix_iter(border=4)]
    picture.evaluate("picture => picture.decode()")
    assert drawn_modules(lab, len(matrix)) == [[bool(module) for module in row] for row in matrix]
    assert picture.bounding_box()["width"] >= 500
    assert lab.serious_faults() == []

    student: Lab = visit().open_page(path_of(address))
    line = student.page.locator(".task-line")
    expect(student.page.locator(".task-text").first).to_have_text(WORDS)
    expect(student.field("Epochs")).to_be_disabled()
    expect(student.field("Seed")).to_have_count(0)
    expect(student.sidebar.get_by_role("button", name="Examples")).to_have_count(0)
    student.train().to_end()
    expect(line).to_contain_text("Not reached within 60 epochs")
    student.type("Learning rate η", "0.3")
    student.wait_for_query(learning_rate="0.3", task=TASK.to_text())
    student.train().to_end()
    expect(line.get_by_text("Reached at epoch")).to_be_visible()
    reached = line.inner_text()
    student.seek(1)
    expect(line.get_by_text("Reached at epoch")).to_be_hidden()
    student.to_end()
    student.page.get_by_role("textbox", name="Your answer").fill("It jumps over the valley.")
    with student.rerun():
        student.page.get_by_role("button", name="Hand in").click()
    dialog = student.page.get_by_role("dialog", name="Your result")
    link = dialog.locator("code").inner_text()
    assert student.serious_faults() == []
    student.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    teacher: Lab = visit().open_page(path_of(link))
    expect(teacher.page.get_by_role("heading", name="Result of a task")).to_be_visible()
    teacher.to_end()
    assert teacher.live() == student.live()
    expect(teacher.page.get_by_text("It jumps over the valley.")).to_be_visible()
    expect(teacher.field("Learning rate η")).to_have_value("0.3")
    expect(teacher.field("Learning rate η")).to_be_disabled()
    assert teacher.page.locator(".task-line[role=status]").inner_text() == reached
    assert teacher.serious_faults() == []


def test_a_student_goes_away_and_comes_back(lab: Lab):
    """Reload keeps task, setting and answer's place; a lesson from the menu and Back too; the link out leads to the whole lab."""
    lab.open_page(f"/?task={TASK.to_text()}")
    lab.type("Learning rate η", "0.2")
    lab.wait_for_query(learning_rate="0.2")
    lab.page.reload()
    lab.settled()
    expect(lab.field("Learning rate η")).to_have_value("0.2")
    expect(lab.field("Epochs")).to_be_disabled()
    menu(lab, "Lessons", "4. Learning rate")
    heading(lab, "Learning rate")
    lab.settled()
    expect(lab.page.locator(".st-key-task")).to_have_count(0)
    lab.page.go_back()
    lab.wait_for_query(task=TASK.to_text())
    expect(lab.field("Learning rate η")).to_have_value("0.2")
    expect(lab.field("Epochs")).to_be_disabled()
    lab.settled()
    with lab.rerun():
        lab.page.get_by_role("button", name="Open the whole lab with these settings").click()
    lab.wait_for_query(learning_rate="0.2")
    expect(lab.field("Epochs")).to_be_enabled()
    assert "task" not in lab.query
    with lab.rerun():
        lab.page.go_back()
    expect(lab.field("Epochs")).to_be_disabled()


def test_an_address_with_more_in_it_and_a_damaged_one(lab: Lab):
    """What the task has locked is not taken from the address, and said; a changed character opens the plain page."""
    text = TASK.to_text()
    lab.open_page(f"/?task={text}&epochs=5")
    expect(lab.page.get_by_text("epochs is locked in this task")).to_be_visible()
    expect(lab.field("Epochs")).to_have_value("1000")
    lab.wait_for_query(task=text)
    lab.open_page(f"/?task={text[:-1]}{'A' if text[-1] != 'A' else 'B'}")
    expect(lab.page.get_by_text("its checksum does not fit")).to_be_visible()
    expect(lab.page.get_by_role("heading", name="Train")).to_be_visible()
    expect(lab.field("Epochs")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_a_task_and_its_dialogs_fit(visit, scheme):
    """At 390 × 844 nothing scrolls sideways: the task, the result's link, the result, the teacher's dialog."""
    lab: Lab = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    lab.open_page(f"/?task={TASK.to_text()}").train().to_end()
    with lab.rerun():
        lab.page.get_by_role("button", name="Hand in").click()
    fits(lab)
    assert lab.serious_faults() == []
    result = Result(task=TASK, experiment=TASK.experiment, answer="x" * 200)
    fits(lab.open_page(f"/?result={result.to_text()}"))
    lab.open_page()
    lab.page.get_by_test_id("stExpandSidebarButton").click()
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Prepare a task").click()
    for tab in ("Words and target", "Link and QR code", "What students see"):
        lab.page.get_by_role("tab", name=tab).click()
        fits(lab)


def fits(lab: Lab) -> None:
    """Nothing on the page or in a dialog is wider than the screen."""
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("stMain", "stDialog"):
        for found in lab.page.get_by_test_id(part).all():
            assert found.evaluate("part => part.scrollWidth <= part.clientWidth")
    for box in lab.page.get_by_role("dialog").locator("button, input, textarea, pre, img").all():
        if box.is_visible():
            place = box.bounding_box()
            assert place["x"] >= 0
            assert place["x"] + place["width"] <= 390
