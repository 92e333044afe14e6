"""What the comparisons here share: programs that take turns, their processor time and peak memory, medians, the machine."""

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# As the harness sets them for itself: freed memory is kept, so that a step does not fault its pages in again.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "MALLOC_ARENA_MAX": "1",
}


def threads_environment(threads: int) -> dict[str, str]:
    """The number of threads, in the words of every library that takes part."""
    names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return {name: str(threads) for name in names} | {"TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false"}


def build(*arguments: str) -> list[Path]:
    """Builds with cargo and returns the executables that it names."""
    import json

    command = ["cargo", *arguments, "--message-format=json-render-diagnostics"]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    return [Path(message["executable"]) for message in messages if message.get("executable")]


def harness_binary() -> Path:
    return next(path for path in build("build", "-p", "harness") if path.name == "harness")


class Worker:
    """A program that repeats its work when it is told how often, and answers with the seconds of each repetition."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name, self.wall, self.processor, self.peak = name, [], [], 0
        pipe = subprocess.PIPE
        environment = {**os.environ, **environment}
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, env=environment)
        # The processor-time clock of another process, as clock_getcpuclockid(3) makes it.
        self.clock = (~self.process.pid << 3) | 2

    def repeat(self, times: int, keep: bool = True) -> None:
        before = time.clock_gettime(self.clock)
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != times:
            sys.exit(f"{self.name} ended early; what it says is above")
        if keep:
            self.wall += [float(seconds) for seconds in answer]
            self.processor.append((time.clock_gettime(self.clock) - before) / times)

    def finish(self) -> None:
        self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.peak = usage.ru_maxrss * 1024
        self.process.stdout.close()


def run(command: list[str], environment: dict[str, str], log: Path) -> tuple[float, float, int]:
    """Runs a program to its end: wall-clock and processor seconds of it and its children, peak bytes of the largest one."""
    start = time.perf_counter()
    with log.open("a") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed with {process.returncode}; see {log}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def median(values: list[float]) -> float:
    return statistics.median(values)


def machine() -> str:
    """One line: processor, cores, and how busy others keep them."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before the start"
