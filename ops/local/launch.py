"""The embedded AWS as a process: ministack on loopback, bridged (gateway), saved while it runs (saving), ended with its parent.

Run as `python -m ops.local.launch` by `ops.local.sandbox`, which sets GATEWAY_PORT, STATE_DIR, PERSIST_STATE and STANDPIPE_LAMBDA_RUNTIME.
Its standard input is a pipe held by the parent: when that closes, however the parent ended, this saves and ends too.
"""

import asyncio
import functools
import logging
import os
import signal
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from ops.local import gateway, permissions
from ops.local.saving import Saver

# A function sees what it has in AWS: its own package and boto3, not what happens to be installed for this process.
ISOLATED = "import sys\nsys.path[:] = [p for p in sys.path if 'site-packages' not in p and 'dist-packages' not in p] + [{runtime!r}]\n"


def main() -> None:
    os.environ.pop("PYTHONPATH", None)  # functions inherit the environment, and must not find this project's own folder
    runtime = os.environ.pop("STANDPIPE_LAMBDA_RUNTIME", "")
    if runtime:
        lambda_runtime._PYTHON_WORKER_SCRIPT = ISOLATED.format(runtime=runtime) + lambda_runtime._PYTHON_WORKER_SCRIPT
    # ministack waits this long for a handler's first log line, after every call; one that wrote any has written it before it answered.
    lambda_runtime.Worker._drain_stderr_bounded = functools.partialmethod(lambda_runtime.Worker._drain_stderr_bounded, first_line_wait=0.002)
    # A function is called pending for this long. Whoever deploys asks at once and then again after five seconds, for each of seven functions.
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0
    gateway.install()
    permissions.install()
    for noisy in ("hypercorn.access", "persistence"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    asyncio.run(_serve(int(os.environ["GATEWAY_PORT"])))
    lambda_runtime.reset()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    threading.Thread(target=_until_parent_ends, args=(loop, ending), daemon=True).start()

    saver = Saver()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.backlog = 512
    saving = asyncio.create_task(saver.run()) if os.environ.get("PERSIST_STATE") == "1" else None
    await serve(saver.watch(gateway.wrap(ministack.app)), config, shutdown_trigger=ending.wait)
    if saving:
        saving.cancel()


def _until_parent_ends(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    loop.call_soon_threadsafe(ending.set)


if __name__ == "__main__":
    main()
