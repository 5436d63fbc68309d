"""What every contender measures with: seconds an epoch, peak memory, and one line of JSON."""

from __future__ import annotations

import json
import resource
import time
from typing import Any


class Stopwatch:
    """Laps; the first one, in which everything is built and traced, does not count."""

    def __init__(self) -> None:
        self.laps: list[float] = []
        self._last = time.perf_counter()

    def lap(self, *_: Any) -> None:
        """End a lap; takes whatever a callback is given."""
        now = time.perf_counter()
        self.laps.append(now - self._last)
        self._last = now

    def report(self, workers: int = 0, **more: Any) -> None:
        """Print what was measured; `workers` processes have ended and count with the largest."""
        own, largest = (
            resource.getrusage(who).ru_maxrss / 1024
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        peak = round(own + workers * largest)
        print(json.dumps({"seconds": self.laps[1:], "peak_memory_mb": peak} | more))
