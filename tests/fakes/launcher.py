"""What `torchrun` is for a training run, without loading torch anew for each process: they are forked from one."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

FORKER = """
import json, os, signal, sys, time
import torch
torch.set_num_threads(1)
import accelerate, matplotlib.pyplot, rapidfuzz, transformers
from transformers import GitForCausalLM, Trainer
import leyenda.jobs.train, leyenda.training.sharding
from leyenda.cli import main

def started(order, rank):
    child = os.fork()
    if child:
        return child
    count = str(order["count"])
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": order["port"], "RANK": str(rank)}
    os.environ |= {"LOCAL_RANK": str(rank), "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, **order["environment"]}
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{order['log']}/{rank}.{name}", os.O_WRONLY | os.O_TRUNC | os.O_CREAT), number)
    try:
        exec(order["before"], {"rank": rank})
        code = main(order["words"])
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 1
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(code)

print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    running = {started(order, rank): rank for rank in range(order["count"])}
    codes = [None] * order["count"]
    while running:
        time.sleep(0.005)
        if order["kill_when"] and os.path.exists(order["kill_when"]):
            order["kill_when"] = None
            for child in running:
                os.kill(child, order["number"])
        for child in list(running):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                codes[running.pop(child)] = os.waitstatus_to_exitcode(status)
                if codes.count(None) and status:
                    # As a launcher does when one of its processes has failed.
                    for other in running:
                        os.kill(other, signal.SIGTERM)
    print(json.dumps(codes), flush=True)
"""


class Launcher:
    """Runs `leyenda` command lines as groups of processes.

    Args:
        log: folder for what each process prints: `0.out`, `0.err`, `1.out` and so on.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        self._forker = subprocess.Popen(
            [sys.executable, "-c", FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._forker.stdout.readline() == "ready\n"

    def run(self, *words, count=2, before="", kill_when=None, number=signal.SIGKILL, **environment):
        """The exit codes of the processes, by rank.

        Args:
            words: of the command line.
            count: of processes.
            before: Python code that each of them runs first; it knows its `rank`.
            kill_when: path; once it exists, all are killed.
            number: of the signal that kills them.
            environment: variables of the processes.
        """
        order = {
            "words": [str(word) for word in words],
            "count": count,
            "before": before,
            "kill_when": str(kill_when) if kill_when else None,
            "number": int(number),
            "environment": environment,
            "log": str(self.log),
            "port": str(free_port()),
        }
        self._forker.stdin.write(json.dumps(order) + "\n")
        self._forker.stdin.flush()
        return json.loads(self._forker.stdout.readline())

    def said(self, rank, stream="err"):
        """What a process of the last run has printed."""
        return (self.log / f"{rank}.{stream}").read_text()

    def close(self):
        """End the process that the others were forked from."""
        self._forker.stdin.close()
        self._forker.wait(timeout=30)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
