#!/usr/bin/env python3
"""A whole sweep: every method of the suite mini-methods on entities, against one plain transformers script a cell.

    LETHE_PYTHON=python-with-transformers scripts/bench/sweep.py
        [--methods ft,gem,...] [--steps 150] [--peer-runs 6] [--peer-jobs 1]

Lethe: one `harness sweep` with an empty cache. The peer: for each cell one process that imports, loads, tokenises, measures
retrieval, trains, and measures entities and retrieval (transformers_cell.py). Scripts for most methods do not exist, so the
peer always runs plain fine-tuning with the same number of steps of the same batch: gradients of memories, outer loops,
Fisher information and the like cost it nothing, which favours it. Its processes all do the same work, so a few of them
(--peer-runs), half before and half after the sweep, stand for all. `--peer-jobs 2` lets two run side by side, one thread
each, as the sweep does with its cells.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from turns import ROOT, harness_binary, machine, median, run, threads_environment

PEER = str(Path(__file__).with_name("transformers_cell.py"))


def suite(methods: list[str] | None, steps: int) -> tuple[str, dict]:
    """The entities of mini-methods with one seed, without the language-modelling probe, which the peer lacks."""
    text = (ROOT / "suites" / "mini-methods.toml").read_text()
    methods = methods or tomllib.loads(text)["methods"]
    text = re.sub(r"^\[protocol\.(?!ner\])[\s\S]*", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\[probe\.(?!ner\]|retrieval\])[\s\S]*?(?=^\[)", "", text, flags=re.MULTILINE)
    for pattern, new in (
        (r"^seeds = .*$", "seeds = [1]"),
        (r"^methods = .*$", f"methods = {methods}".replace("'", '"')),
        (r"^before = .*$", 'before = ["retrieval"]'),
        (r"^probes = .*$", 'probes = ["ner", "retrieval"]'),
        (r"^steps = .*$", f"steps = {steps}"),
    ):
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        if count != 1:
            sys.exit(f"suites/mini-methods.toml has {count} places like {pattern}")
    return text, tomllib.loads(text)


def peer_command(arguments: argparse.Namespace, known: dict, threads: int, output: Path) -> list[str]:
    stage, probe = known["protocol"]["ner"]["stage"][0], known["probe"]
    data = ROOT / "datasets" / "mini"
    options = {
        "model": ROOT / "encoders" / "mini",
        "data": data / "ner",
        "sources": ",".join(stage["languages"]),
        "targets": ",".join(probe["ner"]["languages"]),
        "retrieval": data / "retrieval",
        "retrieval-languages": ",".join(probe["retrieval"]["languages"]),
        "retrieval-examples": probe["retrieval"]["examples"],
        "eval-examples": probe["ner"]["examples"],
        "steps": stage["steps"],
        "batch": stage["batch"],
        "learning-rate": stage["learning-rate"],
        "weight-decay": stage["weight-decay"],
        "max-length": stage["max-length"],
        "threads": threads,
        "output": output,
    }
    return [arguments.python, PEER, *(str(word) for name, value in options.items() for word in (f"--{name}", value))]


def peers(arguments: argparse.Namespace, known: dict, count: int, folder: Path) -> list[tuple[float, float]]:
    """Wall-clock and processor seconds a cell takes, of `count` cells, some at a time."""
    jobs = arguments.peer_jobs
    threads = max(1, arguments.threads // jobs)
    environment = threads_environment(threads)
    if jobs == 1:
        command = peer_command(arguments, known, threads, folder / "peer.json")
        return [run(command, environment, folder / "log.txt")[:2] for _ in range(count)]
    found = []
    for _ in range(-(-count // jobs)):
        start, used, running = time.perf_counter(), 0.0, []
        for job in range(jobs):
            command = peer_command(arguments, known, threads, folder / f"peer-{job}.json")
            output = (folder / f"log-{job}.txt").open("a")
            running.append(subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output))
        for process in running:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used += usage.ru_utime + usage.ru_stime
            if process.returncode != 0:
                sys.exit(f"a script failed; see {folder}")
        found.append(((time.perf_counter() - start) / jobs, used / jobs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=lambda text: text.split(","))
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--peer-runs", type=int, default=6)
    parser.add_argument("--peer-jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=os.environ.get("LETHE_PYTHON", sys.executable))
    parser.add_argument("--harness", type=Path, help="the program, if it is built already")
    parser.add_argument("--keep", type=Path, help="a folder for results and logs, which stay in any case")
    arguments = parser.parse_args()
    harness = str(arguments.harness or harness_binary())
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="lethe-sweep-", dir=arguments.keep))
    text, known = suite(arguments.methods, arguments.steps)
    (folder / "suite.toml").write_text(text)
    cells = len(known["methods"])
    print(f"{machine()}; {cells} cells of {arguments.steps} steps; log: {folder}/log.txt", flush=True)

    half = arguments.peer_runs // 2
    theirs = peers(arguments, known, half, folder)
    places = [f"--{name}={folder / name}" for name in ("data", "results", "cache")]
    command = [harness, *places, "sweep", str(folder / "suite.toml")]
    wall, processor, peak = run(command, threads_environment(arguments.threads), folder / "log.txt")
    theirs += peers(arguments, known, arguments.peer_runs - half, folder)

    done = len(list(folder.glob("results/cells/*/scores.parquet")))
    print(f"Lethe         {wall:8.1f} s  cpu {processor:8.1f} s  {done} cells, largest process {peak / 1e6:.0f} MB")
    cell_wall, cell_processor = (median([one[i] for one in theirs]) for i in (0, 1))
    print(f"transformers  {cells * cell_wall:8.1f} s  cpu {cells * cell_processor:8.1f} s  {cells} x {cell_wall:.1f} s, "
          f"cpu {cell_processor:.1f} s (median of {len(theirs)}), {arguments.peer_jobs} at a time")
    print(f"scripts over sweep: wall clock {cells * cell_wall / wall:.2f}, "
          f"processor time {cells * cell_processor / processor:.2f}")


if __name__ == "__main__":
    main()
