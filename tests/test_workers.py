"""Pools of processes: Ctrl-C at any moment ends all of them, and silently."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convlens.errors import InputError
from convlens.workers import pool

PROGRAM = """
import signal, sys, time
from convlens.workers import pool

def interrupted(*_):
    raise KeyboardInterrupt

if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupted)
    try:
        print("ready", flush=True)
        with pool(2) as executor:
            list(executor.map(time.sleep, [0.05] * 200))
    except KeyboardInterrupt:
        sys.exit(130)
"""
WITHIN_A_LOCK = """            tasks, put = executor._work_ids, executor._work_ids.put
            def interrupted_put(task):
                tasks.mutex.acquire()
                signal.raise_signal(signal.SIGINT)
                tasks.mutex.release()
                put(task)
            tasks.put = interrupted_put
"""


def left_of(session: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, leader = stat.read_text().rsplit(")", 1)[1].split(maxsplit=4)[:4]
        except OSError:
            continue
        if int(leader) == session and state != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize("milliseconds", [0, 3, 6, 10, 20, 40, 80, 150, 300, 600])
def test_ctrl_c_while_the_processes_start(tmp_path, milliseconds):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    time.sleep(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said == ""
    assert process.returncode == 130
    deadline = time.monotonic() + 10
    while left_of(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_while_the_queue_is_locked_leaves_no_lock(tmp_path):
    program = tmp_path / "program.py"
    head, tail = PROGRAM.split("            list(", 1)
    program.write_text(f"{head}{WITHIN_A_LOCK}            list({tail}")
    process = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.stderr == ""
    assert process.returncode == 130


def test_a_worker_killed_by_the_system_is_one_clear_error():
    with pytest.raises(InputError, match="was killed"), pool(2) as executor:
        list(executor.map(os._exit, [9, 9]))
