#!/usr/bin/env python3
"""A long stage: what of a step's time goes into making batches, how much of the tokens is padding, whether memory grows.

    scripts/bench/memory.py [--steps 5000] [--suite mini-quick]

Runs the entities cell of a built-in suite with so many steps (by default on the encoder that ships with the program; every
batch has its own length), and reads the resident memory of the cell's process ten times a second. Printed are its median in
each tenth of the run after the first, and their slope.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from turns import ROOT, harness_binary, machine, median, threads_environment


def resident(pid: int) -> int:
    """Bytes of a process's memory in RAM, 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def children(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--suite", default="mini-quick")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--harness", type=Path, help="the program, if it is built already")
    arguments = parser.parse_args()
    harness = str(arguments.harness or harness_binary())
    folder = Path(tempfile.mkdtemp(prefix="lethe-memory-"))
    text = (ROOT / "suites" / f"{arguments.suite}.toml").read_text()
    text = re.sub(r"^steps = .*$", f"steps = {arguments.steps}", text, flags=re.MULTILINE)
    (folder / "suite.toml").write_text(text)
    method = tomllib.loads(text)["methods"][0]
    places = [f"--{name}={folder / name}" for name in ("data", "results", "cache")]
    command = [harness, *places, "sweep", str(folder / "suite.toml"), "--task", "ner", "--method", method]
    print(f"{machine()}; {arguments.steps} steps of {method}; log: {folder}/log.txt", flush=True)

    samples: list[tuple[float, int]] = []
    with (folder / "log.txt").open("w") as log:
        environment = {**os.environ, **threads_environment(arguments.threads)}
        process = subprocess.Popen([*command, "--jobs", "1"], env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            samples += [(time.monotonic(), size) for size in map(resident, children(process.pid)) if size]
            time.sleep(0.1)
    if process.returncode != 0 or len(samples) < 100:
        sys.exit(f"the cell failed or was over too soon; see {folder}/log.txt")

    (timing,) = folder.glob("results/cells/*/timing.json")
    seconds = json.loads(timing.read_text())["seconds"]
    outcome = timing.with_name("outcome.json").read_text()
    padding = re.search(r"([\d.]+) % of the tokens of a batch are padding", outcome)
    share = seconds["batches"] / (seconds["batches"] + seconds["train"])
    print(f"batches: {seconds['batches']:.2f} s of {seconds['batches'] + seconds['train']:.1f} s of steps, {share:.2%}")
    print(f"padding: {padding[1] if padding else '?'} % of the tokens")
    tenth = len(samples) // 10
    sizes = [median([size for _, size in samples[at * tenth : (at + 1) * tenth]]) / 1e6 for at in range(10)]
    print("resident memory by tenth of the run: " + ", ".join(f"{size:.0f}" for size in sizes) + " MB")
    print(f"from the second to the last tenth: {sizes[-1] - sizes[1]:+.1f} MB")


if __name__ == "__main__":
    main()
