"""A container's limits, read from files like the kernel's."""

import pytest

from convlens import cgroup, workers
from convlens.data import space
from convlens.errors import InputError

NONE_1 = "9223372036854771712"


def system(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


TWO = {"proc/self/cgroup": "0::/\n"}
NESTED = {"proc/self/cgroup": "0::/user.slice/job\n"}
ONE = {"proc/self/cgroup": "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n1:name=systemd:/x\n0::/\n"}


@pytest.mark.parametrize(
    ("files", "cores", "memory"),
    [
        ({}, None, None),
        (TWO | {"sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n"},
         None, None),
        (TWO | {"sys/fs/cgroup/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/memory.max": "4000\n", "sys/fs/cgroup/memory.current": "3000\n",
                "sys/fs/cgroup/memory.stat": "anon 2500\ninactive_file 500\n"}, 2, 1500),
        (NESTED | {"sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
                   "sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n",
                   "sys/fs/cgroup/user.slice/job/memory.max": "10\n"}, 2, 10),
        (ONE | {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "900\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "800\n",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 300\n"}, 1, 400),
        (ONE | {"sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": NONE_1}, None, None),
    ],
)  # fmt: skip
def test_limits_of_both_versions(tmp_path, files, cores, memory):
    root = system(tmp_path, files)
    assert cgroup.cores(root) == cores
    assert cgroup.free_memory(root) == memory


def test_they_are_honoured(monkeypatch):
    monkeypatch.setattr(cgroup, "cores", lambda: 1)
    assert workers.cores() == 1
    monkeypatch.setattr(cgroup, "cores", lambda: 4096)
    assert 1 <= workers.cores() < 4096
    monkeypatch.setattr(cgroup, "free_memory", lambda: 2**20)
    with pytest.raises(InputError, match="the memory that is free"):
        space.check_memory("batch", 2**21, "less")
