"""The clients of the benchmark of the service: what is an answer to them, and what an error."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

import pytest

from benchmarks.clients import Target, ask

BODIES = (b'{"n": 1}', b'{"n": 2}', b'{"n": 3}', b"no JSON")


class Echo(BaseHTTPRequestHandler):
    """Answers what it was asked, and refuses the second of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = body == BODIES[1]
        content = b'{"detail": "not two"}' if refused else body
        self.send_response(503 if refused else 200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(30)


def check(answer: dict[str, int]) -> float:
    if answer["n"] == 3:
        raise ValueError("three is no answer")
    return 1000.0 * answer["n"]


def test_clients_count_answers_and_say_what_was_none(echo: str) -> None:
    target = Target(echo, "/any", "application/json", BODIES, check)
    # each asks until four in all were begun
    begun = count()
    found = ask(target, 2, lambda _: next(begun) >= 4)
    assert len(found.seconds) == len(found.beside) == 1
    assert found.beside_median == 1.0
    assert 0 < found.quantile(0.5) <= found.elapsed
    assert found.rate == pytest.approx(1 / found.elapsed)
    assert sorted(error.split(":")[0] for error in found.errors) == [
        "JSONDecodeError",
        "ValueError",
        "ValueError",
    ]
    assert {"ValueError: 503 not two", "ValueError: three is no answer"} < {*found.errors}
    # whoever asks next goes on where these have stopped
    again = ask(target, 1, lambda _: next(begun) >= 7)
    assert len(again.seconds) == 1


def test_a_server_that_is_not_there_is_an_error_and_no_end() -> None:
    begun = count()
    target = Target("http://127.0.0.1:9", "/", "application/json", BODIES, check)
    found = ask(target, 1, lambda _: next(begun) >= 2)
    assert len(found.errors) == 2
    assert not found.seconds
