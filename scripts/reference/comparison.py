"""Reference values of `crates/evaluation`'s comparison of methods, from SciPy and from the papers' equations.

    python scripts/reference/comparison.py --out crates/evaluation/tests/reference

Needs numpy and scipy (1.17.1 made the committed file). Nothing here is shared with the Rust code: Student's t and Welch's
test are SciPy's, the variance of crossed seeds and examples is computed from sums of squares, the moderated variances by
Smyth's moment equations with SciPy's polygamma and a root finder, and Dunnett's probabilities by adaptive quadrature.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import integrate, optimize, special, stats


def students_t():
    ps = [0.9, 0.5, 0.05, 0.01, 1e-3, 1e-5, 1e-9]
    finite = [[p, nu, float(stats.t.isf(p / 2, nu))] for p in ps for nu in [2.0, 3.7, 8.0, 66.0, 1e4]]
    # So many degrees of freedom count as infinitely many.
    return finite + [[p, 1e9, float(stats.norm.isf(p / 2))] for p in ps]


def welch():
    """Satterthwaite's degrees of freedom in the best known case."""
    cases = []
    for index in range(4):
        draw = np.random.default_rng(index)
        a, b = draw.normal(0, 1, 3 + index), draw.normal(0, 2.5, 9 - index)
        test = stats.ttest_ind(a, b, equal_var=False)
        parts = [[a.var(ddof=1) / len(a), len(a) - 1], [b.var(ddof=1) / len(b), len(b) - 1]]
        cases.append([parts, float(test.df)])
    return cases


def crossed():
    """Two methods' ratios on crossed seeds and examples: difference, variance, degrees of freedom, interval, p."""
    cases = []
    for index, (seeds, sizes) in enumerate([(3, [7]), (4, [5, 9]), (3, [6, 6, 8]), (5, [4, 20])]):
        draw = np.random.default_rng(200 + index)
        methods = []
        for method in range(2):
            run = draw.normal(0.1 * method, 0.3, seeds)
            languages = []
            for language, n in enumerate(sizes):
                shared = np.random.default_rng(1000 * index + language)
                weight, easy = shared.integers(1, 5, n).astype(float), shared.normal(0.5, 0.5, n)
                value = easy[None, :] + run[:, None] + draw.normal(0, 0.4, (seeds, n)) + draw.normal(0, 0.3, n)[None, :]
                languages.append((value * weight[None, :], np.repeat(weight[None, :], seeds, 0)))
            methods.append(languages)
        count = len(sizes)
        values = []
        for languages in methods:
            own = []
            for numerator, denominator in languages:
                ratio = numerator.sum(1) / denominator.sum(1)
                own.append(ratio[:, None] + (numerator - ratio[:, None] * denominator) / denominator.mean(1)[:, None])
            values.append(own)
        d = [a - b for a, b in zip(*values)]
        per_seed = np.mean([x.mean(1) for x in d], axis=0)
        v_seed, nu_seed = per_seed.var(ddof=1) / seeds, seeds - 1
        ve, vi = [], []
        for x in d:
            n = x.shape[1]
            residual = x - x.mean(1, keepdims=True) - x.mean(0, keepdims=True) + x.mean()
            ve.append((x.mean(0).var(ddof=1) / n / count**2, n - 1))
            vi.append(((residual**2).sum() / ((seeds - 1) * (n - 1)) / n / seeds / count**2, (seeds - 1) * (n - 1)))
        v_examples, v_interaction = sum(v for v, _ in ve), sum(v for v, _ in vi)
        variance = max(v_seed + max(0.0, v_examples - v_interaction), v_examples)
        nu_examples = v_examples**2 / sum(v**2 / nu for v, nu in ve)
        # Shares of the variance, unsquared.
        nu = variance / (v_seed / nu_seed + (variance - v_seed) / nu_examples)
        difference, error = float(per_seed.mean()), float(np.sqrt(variance))
        low, high = stats.t.interval(0.95, nu, difference, error)
        out = [[[n.tolist(), m.tolist()] for n, m in languages] for languages in methods]
        p = 2 * stats.t.sf(abs(difference) / error, nu)
        cases.append({"methods": out, "difference": difference, "error": error, "degrees": float(nu), "low": float(low),
                      "high": float(high), "p": float(p)})
    return cases


def moderated():
    """Smyth 2004, section 6.2: variance and degrees of freedom of the prior, and the posterior variances (equation 3)."""
    cases = []
    for index, (count, degrees, d0) in enumerate([(34, 2, 4.0), (34, 4, 3.0), (34, 2, np.inf), (10, 2, 1.5), (6, 4, 20.0)]):
        draw = np.random.default_rng(300 + index)
        true = np.ones(count) if np.isinf(d0) else d0 / draw.chisquare(d0, count)
        x = 0.02 * true * draw.chisquare(degrees, count) / degrees
        if index == 3:
            x[2] = 0.0
        raised = np.maximum(x, 1e-5 * np.median(x))
        e = np.log(raised) - special.digamma(degrees / 2) + np.log(degrees / 2)
        beyond = e.var(ddof=1) - special.polygamma(1, degrees / 2)
        if beyond > 0:
            half = optimize.brentq(lambda h: special.polygamma(1, h) - beyond, 1e-6, 1e9, xtol=1e-15, rtol=1e-14)
            prior, variance = 2 * half, np.exp(e.mean() + special.digamma(half) - np.log(half))
            posterior = (prior * variance + degrees * x) / (prior + degrees)
        else:
            prior, variance = None, raised.mean()
            posterior = np.full(count, variance)
        cases.append([x.tolist(), degrees, float(variance), prior and float(prior), posterior.tolist()])
    return cases


def dunnett():
    """The chance that any of several comparisons with one control is as far out as p: [[degrees, share] ...], p, chance."""
    cases = []
    tests = [
        [[1e9, 0.5]] * 2, [[1e9, 0.5]] * 33, [[66.0, 0.5]] * 33, [[8.0, 0.5]] * 10,
        [[3.0, 0.3], [7.5, 0.5], [40.0, 0.8]], [[2.0, 0.5]] * 5, [[12.0, 0.0]] * 6,
    ]
    for comparisons in tests:
        for p in [0.2, 0.05, 0.005, 0.0005]:

            def inside(nu, share, luck):
                bound, rest = stats.t.isf(p / 2, nu), np.sqrt(1 - share)

                def given(u):
                    shift = np.sqrt(share) * luck
                    return (stats.norm.cdf((bound * u - shift) / rest) - stats.norm.cdf((-bound * u - shift) / rest))

                if nu >= 1e9:
                    return given(1.0)
                # The standard deviation is that of nu normal draws: chi / sqrt(nu).
                chi = stats.chi(nu, scale=1 / np.sqrt(nu))
                low, high = chi.ppf(1e-14), chi.isf(1e-14)
                return integrate.quad(lambda u: chi.pdf(u) * given(u), low, high, epsabs=1e-12, epsrel=1e-10,
                                      limit=400, points=[chi.ppf(0.01), chi.median(), chi.ppf(0.99)])[0]

            def product(luck):
                kinds = {tuple(c): comparisons.count(c) for c in comparisons}
                return np.prod([inside(nu, share, luck) ** times for (nu, share), times in kinds.items()])

            within = integrate.quad(lambda z: 2 * stats.norm.pdf(z) * product(z), 0, 9, epsabs=1e-10, epsrel=1e-9, limit=200)
            cases.append([comparisons, p, float(1 - within[0])])
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    out = parser.parse_args().out / "comparison.json"
    values = {"students_t": students_t(), "welch": welch(), "crossed": crossed(), "moderated": moderated(), "dunnett": dunnett()}
    out.write_text(json.dumps(values, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
