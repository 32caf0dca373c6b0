"""`python -m hub.cli.demo.follower MODULE …`: a module that ends with the process that started it,
however that ends. That process holds the other end of the standard input, and writes nothing.
"""

import os
import runpy
import signal
import sys
import threading
import time

PATIENCE_SECONDS = 10.0


def _follow() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_follow, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
