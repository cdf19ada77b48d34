"""The service on a port of its own, in a thread: what asks over HTTP is tested against it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from fastapi import FastAPI

from seealso.plugin.service.server import listen


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve an app in a thread, and return its address."""
    with listen("127.0.0.1", 0, open_to_all=True) as bound:
        bound.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
