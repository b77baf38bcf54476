"""A task from the teacher's dialog to the student's run and back; what axe-core finds; a telephone. What a task's address
must not change, and what a damaged one opens: `tests/pages/test_task.py`."""

from urllib.parse import urlsplit

import segno
from playwright.sync_api import expect

from gd_core.settings.examples import OPENING
from gd_core.settings.task import PRESETS, Target, Task
from lab import VIEWPORT, Lab, claim

PHONE = {"width": 390, "height": 844}
WORDS = "Bring the RMSE below 2.\n<script>alert(1)</script> مرحبا 🎓"
# What is wider than the screen: the page, its main part, a dialog, or something in a dialog.
TOO_WIDE = """(width) => {
    const boxes = [...document.querySelectorAll('[data-testid=stMain], [data-testid=stDialog]')];
    const parts = [...document.querySelectorAll('[role=dialog] :is(button, input, textarea, pre, img)')];
    const outside = ({ left, right, height }) => height > 0 && (left < 0 || right > width);
    return [
        ...[document.documentElement].filter((page) => page.scrollWidth > width),
        ...boxes.filter((box) => box.scrollWidth > box.clientWidth),
        ...parts.filter((part) => part.checkVisibility() && outside(part.getBoundingClientRect())),
    ];
}"""
ANSWER = "It jumps over the valley. " + "x" * 200
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
    """Teacher: dialog, link, code. Student: locked rate of epochs, free rate; a reload, a lesson and Back keep the task; target
    reached, result; no link out to the whole lab. Teacher: the replay. axe-core finds no serious fault in the dialogs
    and the result. At 390 × 844 nothing scrolls sideways in either theme: the teacher's dialog, the task and the result's
    link, the result."""
    lab.open_page()
    with claim(
        "the dialog makes a link and its QR code from what is typed, without a fault that axe-core finds"
    ):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Prepare a task").click()
        dialog = lab.page.get_by_role("dialog", name="Prepare a task")
        assert lab.serious_faults() == []
        for label, text in {
            "What to do": WORDS,
            "A question": "Why not 0.5?",
            "Target: RMSE below": "2",
            "within so many epochs": "60",
        }.items():
            dialog.get_by_role("textbox", name=label, exact=True).fill(text)
        lab.page.keyboard.press("Tab")  # whoever leaves a field has typed it
        address = f"{lab.url}/?task={TASK.to_text()}"
        expect(dialog.locator("code")).to_have_text(address)
        picture = dialog.get_by_alt_text("QR code of the link")
        matrix = [list(row) for row in segno.make(address, error="l", micro=False).matrix_iter(border=4)]
        picture.evaluate("picture => picture.decode()")
        assert drawn_modules(lab, len(matrix)) == [[bool(module) for module in row] for row in matrix]
        assert picture.bounding_box()["width"] >= 500
        assert lab.serious_faults() == []
    with claim("the teacher's dialog fits a phone"):
        lab.page.set_viewport_size(PHONE)
        fits_in_both_themes(lab)
        dialog.get_by_text("Details: each control by itself").click()
        expect(dialog.get_by_text("Update rule: Gradient descent")).to_be_visible()
        fits_in_both_themes(lab)
    lab.page.close()

    student: Lab = visit().open_page(path_of(address))
    line = student.page.locator(".task-line")
    with claim("the student sees the words, what is locked, and no examples"):
        expect(student.page.locator(".task-text").first).to_have_text(WORDS)
        expect(student.field("Epochs")).to_be_disabled()
        expect(student.sidebar.get_by_role("textbox", name="Seed", exact=True)).to_have_count(0)
        expect(student.sidebar.get_by_role("button", name="Examples")).to_have_count(0)
    with claim("trained as it is, the target is not reached"):
        student.train().to_end()
        expect(line).to_contain_text("Not reached within 60 epochs")
    with claim("a reload keeps task and setting"):
        student.type("Learning rate η", "0.3")
        student.wait_for_query(learning_rate="0.3", task=TASK.to_text())
        student.page.reload()
        student.settled()
        expect(student.field("Learning rate η")).to_have_value("0.3")
        expect(student.field("Epochs")).to_be_disabled()
    with claim("a lesson from the menu, and Back, keep them too"):
        student.page.get_by_test_id("stTopNavSection").filter(has_text="Lessons").click()
        student.page.get_by_role("menuitem", name="4. Learning rate").click()
        expect(student.page.get_by_role("heading", level=1)).to_have_text("Learning rate")
        student.settled()
        expect(student.page.locator(".st-key-task")).to_have_count(0)
        student.page.go_back()
        student.wait_for_query(task=TASK.to_text())
        expect(student.field("Learning rate η")).to_have_value("0.3")
        expect(student.field("Epochs")).to_be_disabled()
        student.settled()
    with claim("with a rate that reaches the target, its line says at which epoch, from that epoch on"):
        student.train().to_end()
        expect(line.get_by_text("Reached at epoch")).to_be_visible()
        reached = line.inner_text()
        student.seek(1)
        expect(line.get_by_text("Reached at epoch")).to_be_hidden()
        student.to_end()
        numbers = student.live()
    with claim("Hand in makes the result's link, without a fault that axe-core finds"):
        student.page.get_by_role("textbox", name="Your answer").fill(ANSWER)
        link = handed_in(student)
        assert student.serious_faults() == []
    with claim("the task and its result's link fit a phone; in the dark, too, axe-core finds no fault"):
        student.page.set_viewport_size(PHONE)
        fits_in_both_themes(student)
        put_away(student)
        student.in_theme("dark")
        assert handed_in(student) == link
        assert student.serious_faults() == []
        put_away(student)
        student.page.set_viewport_size(VIEWPORT)
    with claim("no button leads round what the teacher has locked"):
        expect(
            student.page.get_by_role("button", name="Open the whole lab with these settings")
        ).to_have_count(0)
    student.page.close()

    teacher: Lab = visit().open_page(path_of(link))
    with claim("the teacher sees the student's run, answer and settings, all locked, and its target judged"):
        expect(teacher.page.get_by_role("heading", name="Result of a task")).to_be_visible()
        teacher.to_end()
        assert teacher.live() == numbers
        expect(teacher.page.get_by_text(ANSWER)).to_be_visible()
        expect(teacher.field("Learning rate η")).to_have_value("0.3")
        expect(teacher.field("Learning rate η")).to_be_disabled()
        assert teacher.page.locator(".task-line[role=status]").inner_text() == reached
        assert teacher.serious_faults() == []


def handed_in(student: Lab) -> str:
    """The link in the dialog that Hand in opens."""
    with student.rerun():
        student.page.get_by_role("button", name="Hand in").click()
    return student.page.get_by_role("dialog", name="Your result").locator("code").inner_text()


def put_away(student: Lab) -> None:
    """Close that dialog."""
    student.page.keyboard.press("Escape")
    expect(student.page.get_by_role("dialog")).to_have_count(0)


def fits_in_both_themes(lab: Lab) -> None:
    """The same in the dark and in the light; a dialog that is open keeps the page from running once more for it."""
    for theme in ("dark", "light"):
        lab.page.emulate_media(color_scheme=theme)
        expect(lab.page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
        fits(lab)


def fits(lab: Lab) -> None:
    """Nothing on the page or in a dialog is wider than the screen, once the charts have followed it."""
    lab.page.wait_for_function(f"(width) => ({TOO_WIDE})(width).length === 0", arg=PHONE["width"])
