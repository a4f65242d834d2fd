"""A site of somebody else, that is another one to a browser: 127.0.0.1, where the stage is at localhost."""

from tests.loopback import Handler, Loopback


class Elsewhere(Loopback):
    """`page`: what it answers every request with."""

    def __init__(self) -> None:
        self.page = ""
        site = self

        class Answers(Handler):
            def do_GET(self) -> None:
                body = f"<!doctype html><title>Elsewhere</title>{site.page}".encode()
                self.answer(200, "text/html; charset=utf-8", body)

        self.serve(Answers)
