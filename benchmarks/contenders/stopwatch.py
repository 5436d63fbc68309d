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

    def report(self, **more: Any) -> None:
        """Print what was measured."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": self.laps[1:], "peak_memory_mb": round(peak)} | more))
