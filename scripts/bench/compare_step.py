#!/usr/bin/env python3
"""Training steps and forward passes of three encoders, by turns in Lethe and in PyTorch, on the same batch of 16 × 128.

    LETHE_PYTHON=python-with-torch scripts/bench/compare_step.py
        [--sizes 4x256,12x384,12x768] [--what forward,step,step-dropout,frozen-half,adapters,products]
        [--variants ours,torch,ours-avx2,burn-avx2,burn,ndarray,torch-avx2] [--rounds 5] [--repeats 3]

Within a round every variant does its repetitions, one variant after the other, so that what else the machine does hits them
alike. Printed are medians of wall clock, the processor time a repetition takes, tokens a second, the ratio to PyTorch
(above 1: faster than PyTorch), the share of the products' own speed, and the peak memory of the process.

variants   ours       the back end `cpu`
           torch      training_step.py: PyTorch, fused attention, fused AdamW
           burn       the back end `cpu` by Burn's own operations instead of the kernels (stock Burn)
           ndarray    the back end `ndarray`, likewise
           *-avx2     the same on a processor without AVX-512, as far as the programs know
           torch-passive  its threads sleep while they wait: slower, but on a busy machine its processor time is then work
--tune lets PyTorch try both attentions, three AdamWs and two settings of the allocator first, and prints what it found.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from turns import KEEP_MEMORY, Worker, build, machine, median, threads_environment

TWIN = str(Path(__file__).with_name("training_step.py"))
ROWS, SEQ = 16, 128
SIZES = {"4x256": (4, 256), "12x384": (12, 384), "12x768": (12, 768)}
WHATS = ("forward", "step", "step-dropout", "frozen-half", "adapters", "products")
VARIANTS = ("ours", "torch", "burn", "ndarray", "ours-avx2", "torch-avx2", "burn-avx2", "ndarray-avx2", "torch-passive")
# What a variant of PyTorch is told by the environment.
TORCH = {
    "": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "passive": {"OMP_WAIT_POLICY": "passive"},
}


def products_flops(hidden: int) -> float:
    """Multiplications and additions of one product with each of a layer's six matrices, which hold 12 h² weights."""
    return 2.0 * ROWS * SEQ * 12 * hidden * hidden


def flops(size: str, what: str) -> float:
    """What the layers need by the book; embeddings, normalisation, the head and recomputed scores are not counted."""
    layers, hidden = SIZES[size]
    if what == "products":
        return 3 * products_flops(hidden)
    weights = products_flops(hidden)
    # Scores and context: two products of [seq, hidden] with [seq, hidden] for each row.
    scores = 4.0 * ROWS * SEQ * SEQ * hidden
    forward, backward = weights + scores, 2 * (weights + scores)
    return {
        "forward": layers * forward,
        "step": layers * (forward + backward),
        "step-dropout": layers * (forward + backward),
        "frozen-half": layers * forward + (layers - layers // 2) * backward,
        # No gradients of the encoder's weights; the adapters' own products are 1 % of the rest.
        "adapters": layers * (forward + weights + 2 * scores),
    }[what]


def hidden_features(binary: Path) -> str:
    """The option that hides AVX-512: where the standard library keeps what it detected, seen from the anchor."""
    symbols = subprocess.run(["nm", binary], check=True, capture_output=True, text=True).stdout

    def address(pattern: str) -> int:
        found = [line.split()[0] for line in symbols.splitlines() if re.search(pattern, line)]
        if len(found) != 1:
            sys.exit(f"{binary.name} has {len(found)} symbols like {pattern}: AVX-512 cannot be hidden")
        return int(found[0], 16)

    return f"hide={address('std_detect.*cache.*CACHE') - address(' lethe_bench_anchor$')}"


class Measurement:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.binary = arguments.binary or next(
            path
            for path in build("bench", "--profile", "dev", "-p", "harness", "-p", "model", "--bench", "step", "--no-run")
            if path.name.startswith("step-")
        )
        self.common = threads_environment(arguments.threads) | KEEP_MEMORY

    def worker(self, variant: str, size: str, what: str) -> Worker:
        engine, _, kind = variant.partition("-")
        if engine == "torch":
            command = [self.arguments.python, TWIN, size, what, "--worker", "--threads", str(self.arguments.threads)]
            return Worker(variant, command, self.common | TORCH[kind])
        options = {"ours": [], "burn": ["composed"], "ndarray": ["ndarray"]}[engine]
        options = options + ([hidden_features(self.binary)] if kind == "avx2" else [])
        return Worker(variant, [str(self.binary), size, what, *options], self.common)

    def measure(self, size: str, what: str) -> list[Worker]:
        names = [name for name in self.arguments.variants if what != "products" or not name.startswith(("burn", "nd"))]
        workers = [self.worker(variant, size, what) for variant in names]
        for worker in workers:
            worker.repeat(2, keep=False)
        for _ in range(self.arguments.rounds):
            for worker in workers:
                worker.repeat(self.arguments.repeats)
        for worker in workers:
            worker.finish()
        return workers

    def tune(self, size: str) -> None:
        """PyTorch's choices, by turns; the defaults of training_step.py should come out best."""
        python, threads = self.arguments.python, str(self.arguments.threads)
        for what in ("step", "step-dropout"):
            workers = []
            for attention, optimizer, memory in (
                ("sdpa", "fused", "kept"),
                ("eager", "fused", "kept"),
                ("sdpa", "foreach", "kept"),
                ("sdpa", "plain", "kept"),
                ("sdpa", "fused", "given back"),
            ):
                options = ["--attention", attention, "--optimizer", optimizer, "--threads", threads]
                environment = threads_environment(self.arguments.threads) | (KEEP_MEMORY if memory == "kept" else {})
                name = f"{attention}, {optimizer} AdamW, freed memory {memory}"
                workers.append(Worker(name, [python, TWIN, size, what, "--worker", *options], environment))
            for keep in [False] + [True] * self.arguments.rounds:
                for worker in workers:
                    worker.repeat(1, keep)
            for worker in workers:
                worker.finish()
                print(f"{size} {what}: PyTorch with {worker.name}: {median(worker.wall) * 1e3:.0f} ms", flush=True)


def table(size: str, what: str, workers: list[Worker], speeds: dict[str, float]) -> None:
    peers = [worker for worker in workers if worker.name == "torch"]
    for worker in workers:
        wall, processor = median(worker.wall), median(worker.processor)
        rate = flops(size, what) / wall * 1e-9
        if what == "products":
            speeds[worker.name] = rate
        limit = speeds.get(worker.name.replace("burn", "ours"))
        cells = [
            f"{size:7} {what:13} {worker.name:12}",
            f"{wall * 1e3:9.1f} ms",
            f"cpu {processor * 1e3:9.1f} ms",
            f"{ROWS * SEQ / wall:9.0f} tok/s" if what != "products" else " " * 15,
            f"{rate:6.0f} GF/s",
            f"{100 * rate / limit:4.0f} % of the products'" if limit else "",
            f"{worker.peak / 1e6:6.0f} MB" if what != "products" else "",
        ]
        for peer in peers:
            wall_ratio = median(peer.wall) / wall
            cells.append(f"x{wall_ratio:.2f}, cpu x{median(peer.processor) / processor:.2f} of PyTorch")
        print("  ".join(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    some = lambda known: lambda text: [name for name in text.split(",") if name in known or sys.exit(f"no `{name}`")]
    parser.add_argument("--sizes", type=some(SIZES), default=list(SIZES))
    parser.add_argument("--what", type=some(WHATS), default=list(WHATS))
    parser.add_argument("--variants", type=some(VARIANTS), default=["ours", "torch"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", type=Path, help="the benchmark `step`, if it is built already")
    parser.add_argument("--python", default=os.environ.get("LETHE_PYTHON", sys.executable))
    parser.add_argument("--tune", action="store_true")
    arguments = parser.parse_args()
    print(f"{machine()}; {arguments.rounds} rounds of {arguments.repeats}, {arguments.threads} threads, f32", flush=True)
    measurement = Measurement(arguments)
    for size in arguments.sizes:
        if arguments.tune:
            measurement.tune(size)
        speeds: dict[str, float] = {}
        walls: dict[tuple[str, str], float] = {}
        # The products first: the others are compared with them.
        for what in sorted(arguments.what, key=lambda what: what != "products"):
            workers = measurement.measure(size, what)
            table(size, what, workers, speeds)
            walls |= {(worker.name, what): median(worker.wall) for worker in workers}
        for (name, what), wall in walls.items():
            whole = walls.get((name, "step-dropout"))
            if whole and what in ("frozen-half", "adapters"):
                print(f"{size}: {what} is {whole / wall:.2f} times as fast as the full step, {name}", flush=True)


if __name__ == "__main__":
    main()
