"""What the server's headers and refusals mean in a browser."""

from playwright.sync_api import expect

from lab import Lab

# Each would be a way for a text that got past the page's own care to do something. None is answered to.
ATTEMPTS = """async () => {
    window.done = [];
    const inline = document.createElement('script');
    inline.textContent = "window.done.push('a script in the page')";
    document.body.append(inline);
    document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.done.push(\\'a handler\\')">');
    // later: what the debugger evaluates itself may do so
    setTimeout(() => { try { new Function("window.done.push('a text as a program')")() } catch { } });
    try { await fetch('http://127.0.0.1:9/') } catch (one) { }
    await new Promise((ready) => setTimeout(ready, 300));
    return window.done;
}"""


def test_nothing_but_streamlits_own_scripts_runs(lab: Lab):
    """A script, a handler and a text as a program are refused, and so is a request to another server; the page works on."""
    lab.open_page("/?epochs=30")
    assert lab.errors == []
    assert lab.page.evaluate(ATTEMPTS) == []
    refused = [error for error in lab.errors if "Content Security Policy" in error]
    assert len(refused) >= 3
    lab.errors[:] = [error for error in lab.errors if error not in refused and "Failed to load" not in error]
    lab.train().to_end()


def test_an_address_below_a_page_leads_on(lab: Lab):
    """Not a blank page for ever: a sentence, and the way to Train."""
    lab.page.goto(f"{lab.url}/variants/more")
    expect(lab.page.get_by_role("heading", name="There is no page here")).to_be_visible()
    assert lab.serious_faults() == []
    lab.page.get_by_role("link", name="Begin at Train").click()
    assert lab.settled().page.url.rstrip("/") == lab.url
    # Chromium says it of the page itself.
    lab.errors[:] = [error for error in lab.errors if "404" not in error]
