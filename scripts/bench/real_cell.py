#!/usr/bin/env python3
"""One real cell, by turns: the entities cell of the suite real-small in Lethe, and as a plain transformers script.

    LETHE_REAL=folder-of-data-and-models LETHE_PYTHON=python-with-transformers scripts/bench/real_cell.py
        [--steps 500] [--seeds 1,2] [--eval-examples 500] [--keep FOLDER]

Both fine-tune multilingual-e5-small-64k on the first 5,000 English sentences of WikiANN and score 11 languages. Each run is
a whole process from its start to its scores, with caches of its own; Lethe's data are imported before (Parquet to
Parquet), the peer reads the same Parquet files itself. Printed are wall clock, processor time, phases, peak memory, the
ratio, and the scores of both by language and seed: Lethe's with their 95 % intervals over the examples.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as parquet
from turns import ROOT, harness_binary, machine, median, run, threads_environment

PEER = str(Path(__file__).with_name("transformers_cell.py"))
LANGUAGES = ["en", "de", "es", "ru", "tr", "hi", "ar", "zh", "el", "vi", "sw"]
MODEL = "multilingual-e5-small-64k"

SUITE = """\
description = "the entities cell of real-small, for a comparison of speed"
model = "{model}"
seeds = [{seed}]
methods = ["ft"]

[probe.wikiann]
task = "ner"
data = "wikiann"
languages = {languages}
examples = {eval_examples}
max-length = 128

[[protocol.ner.stage]]
task = "ner"
data = "wikiann"
languages = ["en"]
examples = 5000
steps = {steps}
batch = 16
learning-rate = 5e-5
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 128
probes = ["wikiann"]
"""


def scores_of(results: Path) -> dict[str, tuple[float, float, float]]:
    """F1 by language with its interval."""
    (path,) = results.glob("cells/*/scores.parquet")
    rows = parquet.read_table(path).to_pylist()
    chosen = [row for row in rows if row["metric"] == "ner.f1.strict" and row["moment"] == 1]
    return {row["language"]: (row["value"], row["low"], row["high"]) for row in chosen}


def phases(seconds: dict[str, float]) -> str:
    return ", ".join(f"{phase} {value:.1f}" for phase, value in seconds.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--eval-examples", type=int, default=500)
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=os.environ.get("LETHE_PYTHON", sys.executable))
    parser.add_argument("--harness", type=Path, help="the program, if it is built already")
    parser.add_argument("--keep", type=Path, help="a folder for results and logs, which stay in any case")
    arguments = parser.parse_args()
    real = os.environ.get("LETHE_REAL") or sys.exit("LETHE_REAL names no folder with data/ and models/ in it")
    harness = str(arguments.harness or harness_binary())
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="lethe-real-cell-", dir=arguments.keep))
    log, data = folder / "log.txt", folder / "data"
    environment = threads_environment(arguments.threads)
    print(f"{machine()}; {arguments.steps} steps; log: {log}", flush=True)

    def sweep(seed: int, *more: str) -> list[str]:
        suite = folder / f"suite-{seed}.toml"
        languages = json.dumps(LANGUAGES)
        text = SUITE.format(
            model=MODEL, seed=seed, languages=languages, steps=arguments.steps, eval_examples=arguments.eval_examples
        )
        suite.write_text(text)
        own = folder / f"ours-{seed}"
        places = ["--data", data, "--results", own / "results", "--cache", own / "cache"]
        return [harness, *map(str, places), "sweep", str(suite), *more]

    run([harness, "--data", str(data), "data", "import", str(Path(real) / "data" / "wikiann")], environment, log)
    ours, theirs, our_scores, their_scores = [], [], {}, {}
    for seed in map(int, arguments.seeds.split(",")):
        ours.append(run(sweep(seed), environment, log))
        (timing,) = (folder / f"ours-{seed}" / "results").glob("cells/*/timing.json")
        our_scores[seed] = scores_of(folder / f"ours-{seed}" / "results")
        measured = json.loads(timing.read_text())
        print(f"seed {seed}  Lethe         {ours[-1][0]:7.1f} s  cpu {ours[-1][1]:7.1f} s  "
              f"{ours[-1][2] / 1e6:5.0f} MB  ({phases(measured['seconds'])})", flush=True)

        output = folder / f"theirs-{seed}.json"
        command = [arguments.python, PEER, "--model", f"{real}/models/{MODEL}", "--data", f"{real}/data/wikiann"]
        command += ["--sources", "en", "--targets", ",".join(LANGUAGES), "--examples", "5000"]
        command += ["--eval-examples", str(arguments.eval_examples), "--steps", str(arguments.steps)]
        command += ["--threads", str(arguments.threads), "--seed", str(seed), "--output", str(output)]
        theirs.append(run(command, environment, log))
        found = json.loads(output.read_text())
        their_scores[seed] = found["scores"]["ner"]
        print(f"seed {seed}  transformers  {theirs[-1][0]:7.1f} s  cpu {theirs[-1][1]:7.1f} s  "
              f"{theirs[-1][2] / 1e6:5.0f} MB  ({phases(found['seconds'])}; padding {found['padding']:.1%})", flush=True)

    wall, processor = (median([run[i] for run in theirs]) / median([run[i] for run in ours]) for i in (0, 1))
    print(f"transformers over Lethe: wall clock {wall:.2f}, processor time {processor:.2f}")
    print("ner.f1.strict   Lethe, 95 % interval; then transformers, by seed")
    for language in LANGUAGES:
        own = "  ".join("{:.3f} [{:.3f}, {:.3f}]".format(*our_scores[seed][language]) for seed in our_scores)
        peer = "  ".join(f"{their_scores[seed][language]:.3f}" for seed in their_scores)
        print(f"{language:15} {own}  |  {peer}")
    mean = lambda values: sum(values) / len(values)
    own = [mean([found[language][0] for language in LANGUAGES]) for found in our_scores.values()]
    peer = [mean([found[language] for language in LANGUAGES]) for found in their_scores.values()]
    print(f"mean of languages by seed: Lethe {', '.join(f'{x:.4f}' for x in own)}; "
          f"transformers {', '.join(f'{x:.4f}' for x in peer)}; difference of means {mean(own) - mean(peer):+.4f}, "
          f"range over seeds {max(own) - min(own):.4f} and {max(peer) - min(peer):.4f}")


if __name__ == "__main__":
    main()
