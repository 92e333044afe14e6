"""Reference values for Nash-MTL over several steps, by the convex-concave procedure of its official code.

Writes crates/strategies/tests/reference/nash_released.json. Run from the repository root:

    pip install numpy cvxpy ecos
    python scripts/reference/nash_released.py

A restatement of `NashMTL` in AvivNavon/nash-mtl (methods/weight_methods.py, commit 8748f1a): the problem, its scale, solver,
stopping rule, the number of steps between two solutions, and the clipping of what the weights make of the gradients. It
shows what the scale does: Q is divided by its Frobenius norm, and the constraints multiply it back, so that the weights are
those of Q itself, and the direction has length sqrt(m) before it is clipped. The procedure starts from the last weights, and
where these lower some task's loss no more the problem is unbounded and the released code keeps them; the gradients here
agree well enough that this does not happen.
"""

import json
import pathlib
import warnings

import cvxpy as cp
import numpy as np

OUT = pathlib.Path("crates/strategies/tests/reference/nash_released.json")
STEPS = 7


def bargain(tasks):
    """The problem at hand, with what changes from step to step as parameters."""
    alpha, before = cp.Variable(tasks, nonneg=True), cp.Parameter(tasks, value=np.ones(tasks))
    gram, scale = cp.Parameter((tasks, tasks), value=np.eye(tasks)), cp.Parameter(1, value=np.ones(1))
    along = gram @ alpha
    slope = 1 / before + (1 / (gram @ before)) @ gram
    constraints = [-cp.log(alpha[i] * scale) - cp.log(along[i]) <= 0 for i in range(tasks)]
    objective = cp.sum(along) + slope @ (alpha - before) / scale
    return cp.Problem(cp.Minimize(objective), constraints), alpha, before, gram, scale


def run(steps, every, max_norm):
    tasks = len(steps[0])
    problem, alpha, before, gram, scale = bargain(tasks)
    kept, found = np.ones(tasks), []
    for step, g in enumerate(steps):
        if step % every == 0:
            q = g @ g.T
            size = np.linalg.norm(q)
            gram.value, scale.value = q / size, np.array([size])
            for _ in range(20):
                alpha.value, before.value = kept, kept
                problem.solve(solver=cp.ECOS, warm_start=True, max_iters=100)
                assert alpha.value is not None, problem.status
                stop = np.linalg.norm(q / size @ kept - 1 / (kept + 1e-10)) < 1e-3
                if stop or np.linalg.norm(alpha.value - before.value) < 1e-6:
                    break
                kept = alpha.value
        direction = kept @ g
        length = np.linalg.norm(direction)
        # clip_grad_norm_
        direction = direction * min(1.0, max_norm / (length + 1e-6)) if max_norm > 0 else direction
        found.append({"weights": kept.tolist(), "length": length, "direction": direction.tolist()})
    return found


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(11)
    runs = []
    for tasks, size in [(2, 1.0), (3, 1e-2), (4, 30.0)]:
        # They agree, and shrink as training goes on.
        steps = [np.round((rng.normal(size=(tasks, 5)) + 1.6) * size * 0.8**step, 6) for step in range(STEPS)]
        for every, max_norm in [(1, 1.0), (3, 1.0), (3, 0.0)]:
            found = run(steps, every, max_norm)
            runs.append(
                {
                    "every": every,
                    "max-norm": max_norm,
                    "steps": [
                        {"g": g.tolist(), **{key: np.round(value, 9).tolist() for key, value in values.items()}}
                        for g, values in zip(steps, found)
                    ],
                }
            )
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in runs)
    OUT.write_text("[\n" + lines + "\n]\n")
    lengths = [[round(step["length"], 4) for step in one["steps"]] for one in runs]
    print(len(runs), "runs; lengths before clipping:", *lengths, sep="\n")


main()
