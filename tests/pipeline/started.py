"""A command in a session of its own, watched until it is in the midst of a stage."""

import contextlib
import subprocess
import time
from pathlib import Path

# What stands there while a stage is in the middle of its work,
MIDWAY = {
    "fetch": "data/raw/.source.*.part.zip",
    "prepare": "data/.prepared.*.part",
    "extract_features@vgg16": "data/features/vgg16/.train.*.part.npy",
    "train@convnet": ".convlens/checkpoints/*.npz",
    "train@vgg16": ".convlens/checkpoints/*.npz",
}
# or, where that lasts for a moment only, what the stage loads when its work begins.
LOADED = {
    "fetch_weights@vgg16": "_multiarray_umath",
    "show_views": "_pywrap_tensorflow",
    "evaluate@convnet": "_pywrap_tensorflow",
    "explain@convnet": "_pywrap_tensorflow",
    "report": "ft2font",
}


class Started:
    """A command in a session of its own, so that every process it leaves can be found."""

    def __init__(self, repository, *command, **environment):
        self.folder = repository.folder
        self.log = (self.folder / "../log").resolve()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=repository.environment | environment,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def wait_until(self, true):
        for _ in range(12_000):
            if true():
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.005)
        raise AssertionError(self.log.read_text())

    def wait_for_midst_of(self, stage):
        if stage in MIDWAY:
            self.wait_until(lambda: list(self.folder.glob(MIDWAY[stage])))
        else:
            self.wait_until(lambda: any(LOADED[stage] in maps for maps in self.maps()))

    def maps(self):
        """Return what the stage's process has mapped into its memory, if it is there yet."""
        found = []
        for pid in self.stages():
            with contextlib.suppress(OSError):
                found.append(Path(f"/proc/{pid}/maps").read_text())
        return found

    def processes(self):
        """Return {pid: command line} of the session."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (
                    (folder / "stat").read_text().rsplit(")", 1)[1].split(maxsplit=4)[:4]
                )
                if int(session) == self.process.pid and state != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it ended meanwhile
        return found

    def stages(self):
        return [p for p, c in self.processes().items() if c.startswith("python pipeline/")]

    def end(self, seconds=60):
        """Return exit code and output, once no process of the session is left."""
        code = self.process.wait(seconds)
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, f"orphans: {left}"
            time.sleep(0.05)
        return code, self.log.read_text()
