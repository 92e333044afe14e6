"""Reference values for the gradient rules, from independent solvers on explicit gradient vectors.

Writes crates/strategies/tests/reference/gradient_rules.json. Run from the repository root:

    pip install numpy scipy quadprog cvxpy clarabel torch torchjd
    python scripts/reference/gradient_rules.py

Nothing here works as the rules do: the problems are solved for the direction itself, by quadprog, by scipy's non-negative
least squares and by a conic solver (clarabel through cvxpy); GEM is also solved as in its official code, and the surgery and
IMTL-G's closed form are carried out on the vectors. TorchJD is a second opinion where it has the same rule; the script
stops where it disagrees.
"""

import json
import pathlib
import warnings

import cvxpy as cp
import numpy as np
import quadprog
import scipy.optimize
import torch
import torchjd.aggregation as jd

OUT = pathlib.Path("crates/strategies/tests/reference/gradient_rules.json")
PROBLEMS = 200
TIGHT = dict(
    solver=cp.CLARABEL,
    tol_gap_abs=1e-13,
    tol_gap_rel=1e-13,
    tol_feas=1e-13,
    tol_infeas_abs=1e-13,
    tol_infeas_rel=1e-13,
    max_iter=500,
    accept_unknown=True,  # it cannot always prove these tolerances; feasibility is checked below
)


def solve(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "may be inaccurate", see above
        problem.solve(**TIGHT)
    assert problem.status in ("optimal", "optimal_inaccurate"), problem.status
    violation = max((float(np.max(constraint.violation())) for constraint in problem.constraints), default=0.0)
    assert violation < 1e-8, violation


def pcgrad(g):
    out = []
    for i in range(len(g)):
        p = g[i].copy()
        for j in range(len(g)):
            if j != i and g[j] @ g[j] > 0 and p @ g[j] < 0:
                p = p - (p @ g[j]) / (g[j] @ g[j]) * g[j]
        out.append(p)
    return np.mean(out, axis=0)


def gradvac(g, target):
    out = []
    for i in range(len(g)):
        p = g[i].copy()
        for j in range(len(g)):
            if j == i:
                continue
            lengths = np.linalg.norm(p) * np.linalg.norm(g[j])
            if lengths == 0:
                continue
            phi = p @ g[j] / lengths
            if phi < target:
                # The vector p + a g_j, a > 0, at the target angle: turn p in the plane of both.
                axis = g[j] / np.linalg.norm(g[j])
                across = p - (p @ axis) * axis
                p = across + axis * np.linalg.norm(across) * target / np.sqrt(1 - target**2)
        out.append(p)
    return np.mean(out, axis=0)


def mgda(g):
    # min |G^T x|^2 + (1 - sum x)^2 over x >= 0 has its solution on the ray of the min-norm weights.
    scale = np.linalg.norm(g, axis=1).max()
    x = scipy.optimize.nnls(np.vstack([g.T / scale, np.ones(len(g))]), np.append(np.zeros(g.shape[1]), 1.0))[0]
    return g.T @ (x / x.sum())


def cagrad(g, c):
    g0 = g.mean(axis=0)
    radius = c * np.linalg.norm(g0)
    shortest = np.linalg.norm(g, axis=1).min()
    d, worst = cp.Variable(g.shape[1]), cp.Variable()
    shares = shortest / np.linalg.norm(g, axis=1)
    unit = g / np.linalg.norm(g, axis=1, keepdims=True)
    solve(cp.Problem(cp.Maximize(worst), [unit @ d >= cp.multiply(shares, worst), cp.norm(d - g0) <= radius]))

    # A linear objective on a ball fixes d only to the square root of the gap: take the nearest point to g0 at the level
    # where its distance is the radius.
    def at(level):
        return project(g0, unit, shares * level)

    level = float(worst.value)
    slack = 1e-4 * max(abs(level), radius)
    polished = at(
        scipy.optimize.brentq(
            lambda level: np.linalg.norm(at(level) - g0) - radius, level - slack, level + slack, xtol=1e-15, rtol=1e-14
        )
    )
    assert np.linalg.norm(polished - d.value) < 1e-4 * np.linalg.norm(g0), "polishing left the solution"
    return polished


def nash(g):
    # max sum log(g_i d) in the unit ball has the direction of the bargain, whose length is sqrt(m).
    unit = g / np.linalg.norm(g, axis=1, keepdims=True)
    d = cp.Variable(g.shape[1])
    solve(cp.Problem(cp.Maximize(cp.sum(cp.log(unit @ d))), [cp.norm(d) <= 1]))
    d = d.value
    # The conic solver stops near 1e-8 here: polish alpha from Q alpha = 1/alpha on the least-squares alpha.
    alpha = 1 / (unit @ d) / np.sqrt(len(g))
    for _ in range(50):
        jacobian = unit @ unit.T + np.diag(1 / alpha**2)
        step = np.linalg.solve(jacobian, 1 / alpha - unit @ (unit.T @ alpha))
        alpha = alpha + step
    polished = unit.T @ alpha
    assert (alpha > 0).all() and np.abs(polished / np.sqrt(len(g)) - d).max() < 1e-4, "polishing left the solution"
    return polished


def imtl_g(g):
    """The closed form as the paper writes it, on the vectors; nothing where the gradients are dependent."""
    lengths = np.linalg.norm(g, axis=1, keepdims=True)
    if lengths.min() == 0 or np.linalg.svd(g / lengths)[1][len(g) - 1 :].sum() < 1e-6:
        return None
    unit = g / lengths
    across, apart = unit[0] - unit[1:], g[0] - g[1:]
    rest = np.linalg.solve(across @ apart.T, across @ g[0])
    return g.T @ np.append(1 - rest.sum(), rest)


def agem(rows):
    g, r = rows[0], rows[1:].mean(axis=0)
    return g if g @ r >= 0 or r @ r == 0 else g - (g @ r) / (r @ r) * r


def gem_official(rows, margin, ridge):
    g, memories = rows[0], rows[1:]
    if (memories @ g >= 0).all():
        return g
    n = len(memories)
    p = memories @ memories.T
    v = quadprog.solve_qp(0.5 * (p + p.T) + ridge * np.eye(n), -memories @ g, np.eye(n), np.full(n, margin))[0]
    return memories.T @ v + g


def project(point, normals, bounds):
    """Nearest x to `point` with normals x >= bounds. Zero normals are left out, since quadprog stumbles over them."""
    used = np.linalg.norm(normals, axis=1) > 0
    if not used.any():
        return point
    return quadprog.solve_qp(np.eye(len(point)), point, normals[used].T, bounds[used])[0]


def lf_mlf_polyhedron(g, h, rho):
    norm2 = float(np.sum(mgda(g) ** 2))
    return -project(-h, -g, np.full(len(g), rho * norm2))


def lf_mlf_simplex(g, h):
    weights = cp.Variable(len(g))
    d = g.T @ weights
    solve(cp.Problem(cp.Minimize(cp.sum_squares(h - d)), [weights >= 0, cp.sum(weights) == 1, g @ d >= 0]))
    return g.T @ weights.value


def problem(rng, index):
    kinds = ["generic", "generic", "deficient", "duplicate", "opposite", "zero", "parallel", "conflicting", "scales", "small"]
    kind = kinds[index % len(kinds)]
    m = int(rng.integers(2, 7))
    n = {"deficient": max(1, m - 2), "small": m}.get(kind, int(rng.integers(m, m + 3)))
    g = rng.normal(size=(m, n))
    if kind == "duplicate":
        g[-1] = g[0]
    if kind == "opposite":
        g[-1] = -0.5 * np.round(g[0], 3)
        g[0] = np.round(g[0], 3)
    if kind == "zero":
        g[rng.integers(m)] = 0
    if kind == "parallel":
        g = rng.normal(size=n) + 0.05 * g
    if kind == "conflicting":
        g = g - 0.9 * g.mean(axis=0)
    if kind == "scales":
        g = g * 10.0 ** rng.integers(-2, 3, size=(m, 1))
    h = rng.normal(size=n)
    return kind, np.round(g, 5), np.round(h, 3)


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(20261121)
    records, second_opinions = [], 0
    for index in range(PROBLEMS):
        kind, g, h = problem(rng, index)
        shortest = mgda(g)
        scale = np.mean(np.sum(g**2, axis=1))
        stationary = bool(np.sum(shortest**2) < 1e-5 * min(scale, 1.0))
        expected = {
            "pcgrad": pcgrad(g),
            "gradvac-0.3": gradvac(g, 0.3),
            "agem": agem(g),
            "gem-official": gem_official(g, 0.5, 1e-3),
            "gem": project(g[0], g[1:], np.zeros(len(g) - 1)),
            "mgda": shortest,
        }
        if not stationary:  # else CAGrad's optimal set may be no single point, and Nash and LF-MLF have no step
            expected["cagrad-0.4"] = cagrad(g, 0.4)
            expected["nash"] = nash(g)
            expected["lf-mlf-a"] = lf_mlf_polyhedron(g, h, 0.7)
            expected["lf-mlf-b"] = lf_mlf_simplex(g, h)
        if (impartial := imtl_g(g)) is not None:
            expected["imtl-g"] = impartial
        second_opinions += second_opinion(g, expected)
        records.append(
            {
                "kind": kind,
                "stationary": stationary,
                "g": g.tolist(),
                "h": h.tolist(),
                "expected": {name: [float(f"{x:.11g}") for x in value] for name, value in expected.items()},
            }
        )
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("[\n" + lines + "\n]\n")
    print(f"{len(records)} problems, {second_opinions} values confirmed by TorchJD, {OUT.stat().st_size} bytes")


def second_opinion(g, expected):
    """Compares with TorchJD; returns how many values it confirmed."""
    matrix = torch.tensor(g, dtype=torch.float64)
    opinions = {"mgda": (jd.MGDA(epsilon=1e-10, max_iters=1000), 1, 2e-2)}
    if len(g) == 2 and np.linalg.norm(g, axis=1).min() > 0:
        opinions["pcgrad"] = (jd.PCGrad(), 0.5, 1e-6)  # its order is random, which two tasks do not notice; it sums
    if "cagrad-0.4" in expected:
        opinions["cagrad-0.4"] = (jd.CAGrad(c=0.4, norm_eps=1e-12), 1, 1e-3)
    if "imtl-g" in expected:
        opinions["imtl-g"] = (jd.IMTLG(), 1, 1e-9 * max(1, np.linalg.norm(expected["imtl-g"])))
    for name, (aggregator, factor, tolerance) in opinions.items():
        other = aggregator(matrix).numpy() * factor
        error = np.linalg.norm(other - expected[name]) / max(np.linalg.norm(g, axis=1).max(), 1e-12)
        assert error < tolerance, (name, error, g.tolist())
    return len(opinions)


if __name__ == "__main__":
    main()
