"""What machine a benchmark ran on, and whether it was quiet."""
import os
import platform
import time
from pathlib import Path

# What makes a difference to these kernels, as /proc/cpuinfo calls it.
FLAGS = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16",
         "amx_int8", "amx_bf16"]
QUIET_LOAD = 0.3  # running processes on average, before the benchmark adds its own
QUIET_SHARE = 0.03  # of all CPU time


def cpu_info(text):
    """(model name, flags that matter) from the text of /proc/cpuinfo."""
    fields = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    present = fields.get("flags", "").split()
    return fields.get("model name", platform.machine()), [flag for flag in FLAGS if flag in present]


def describe(threads):
    cpu, flags = cpu_info(Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": cpu, "flags": flags, "cpus": os.cpu_count(), "threads": threads, "memory_bytes": memory,
            "kernel": platform.release(), "load_average": os.getloadavg()[0], "foreign": 0.0, "stolen": 0.0,
            "date": time.strftime("%Y-%m-%d %H:%M")}


class Watch:
    """Which share of the machine's CPU time others took while the benchmark ran."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        """(seconds, CPU seconds of all processes, CPU seconds of ours, stolen by the hypervisor)"""
        # user nice system idle iowait irq softirq steal
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        per_second, own = os.sysconf("SC_CLK_TCK"), os.times()
        return (time.monotonic(), (sum(ticks[:3]) + sum(ticks[5:7])) / per_second,
                own.user + own.system + own.children_user + own.children_system, ticks[7] / per_second)

    def shares(self):
        """{"foreign": share of other processes, "stolen": share of other virtual machines}"""
        seconds, busy, own, stolen = (now - then for now, then in zip(self.now(), self.start))
        whole = max(seconds * os.cpu_count(), 1e-9)
        return {"foreign": max(busy - own, 0.0) / whole, "stolen": stolen / whole}


def warnings(machine):
    found = []
    if machine["load_average"] > QUIET_LOAD:
        found.append(f"The machine was not quiet at the start: load average {machine['load_average']:.2f}.")
    if machine["foreign"] > QUIET_SHARE:
        found.append(f"Other processes took {machine['foreign']:.0%} of the CPU time during the run.")
    if machine["stolen"] > QUIET_SHARE:
        found.append(f"The hypervisor gave {machine['stolen']:.0%} of the CPU time to other machines.")
    return found
