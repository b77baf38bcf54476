"""What a server does before its first visitor comes."""

import asyncio

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.ui.train import startup


def message(kind, text="", place=(), fragment=""):
    """One of Streamlit's: the start of a run or its end, or a text that is drawn in a place."""
    one = ForwardMsg()
    if kind == "delta":
        one.metadata.delta_path[:] = place
        one.delta.new_element.text.body = text
        one.delta.fragment_id = fragment
    elif kind == "new_session":
        one.new_session.name = text
    else:
        one.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return one


def test_a_page_is_sent_whole_though_its_fragment_runs_again_before(monkeypatch):
    """Else the browser takes a fragment that it hears nothing of for gone, and draws it over what stands behind it."""
    for work in ("load", "open_browser"):
        monkeypatch.setattr(startup, work, lambda: None)
    monkeypatch.setattr(startup.connection, "at_start", lambda: None)
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # as it was, after this test

    async def serve():
        async with startup.lifespan(None):
            return

    asyncio.run(serve())
    page = [
        message("new_session", "page"),
        message("delta", "looks each second", (0, 0), "fragment"),
        message("delta", "stands behind it", (0, 1)),
        message("script_finished"),
    ]
    again = [
        message("new_session", "fragment"),
        message("delta", "looked again", (0, 0), "fragment"),
        message("script_finished"),
    ]
    queue = ForwardMsgQueue()
    for one in page:
        queue.enqueue(one)
    queue.clear(
        retain_lifecycle_msgs=True, fragment_ids_this_run=["fragment"]
    )  # as Streamlit does when a run begins
    for one in again:
        queue.enqueue(one)
    assert queue.flush() == page + again

    for one in page:
        queue.enqueue(one)
    queue.clear(
        retain_lifecycle_msgs=True
    )  # of a page that is asked for anew nothing need be sent that waits
    assert [one.WhichOneof("type") for one in queue.flush()] == ["new_session", "script_finished"]
