"""Reference values for typological distances, from lang2vec 1.1.2 and SciPy.

Writes, for a few languages, into crates/data/tests/reference/uriel/

* cut-downs of lang2vec's four feature files, in the same arrays and types; of the families, only those with a member
  among the languages,
* distances.tsv: the seven distances of all their pairs, `nan` where a vector is zero.

    pip install lang2vec==1.1.2 scipy "setuptools<81"
    python uriel.py --out crates/data/tests/reference/uriel

Both derive from URIEL (Littell et al. 2017, https://github.com/antonisa/lang2vec) and bear its licence, CC BY-SA 4.0.

The languages are awkward on purpose: `eus` and `nno` belong to no family, `hsb` and `nno` have no syntactic features of
any source, `hin` and `urd` have equal families, `ara` is the macrolanguage of `arb`.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from lang2vec import lang2vec
from scipy.spatial.distance import cosine

LANGUAGES = "ara arb cmn deu eng eus hin hsb jpn nno rus urd".split()
DISTANCES = {
    "syntax-knn-cosine": "syntax_knn",
    "phonology-knn-cosine": "phonology_knn",
    "inventory-knn-cosine": "inventory_knn",
    "fam-cosine": "fam",
    "geo-cosine": "geo",
    "geo-maxabs": "geo",
    "syntax-union-angular": "syntax_wals|syntax_sswl|syntax_ethnologue",
}
SOURCE = (
    "Adapted from URIEL / lang2vec 1.1.2 (Littell et al. 2017, https://github.com/antonisa/lang2vec); "
    "licence CC BY-SA 4.0; this table is shared under the same licence."
)


def distance(name, x, y):
    if name.endswith("maxabs"):
        return float(np.abs(x - y).max())
    if not x.any() or not y.any():
        return float("nan")
    apart = float(cosine(x, y))
    return float(2 / np.pi * np.arccos(np.clip(1 - apart, -1, 1))) if name.endswith("angular") else max(apart, 0.0)


def cut(source, target):
    with np.load(source) as archive:
        arrays = {name: archive[name] for name in archive.files}
    rows = [int(np.where(arrays["langs"] == language)[0][0]) for language in LANGUAGES]
    # The rows in the order of the file, which is not the same in all files.
    rows.sort()
    arrays["langs"], arrays["data"] = arrays["langs"][rows], arrays["data"][rows]
    if source.name == "family_features.npz":
        some = (arrays["data"] != 0).any(axis=(0, 2))
        arrays["feats"], arrays["data"] = arrays["feats"][some], np.ascontiguousarray(arrays["data"][:, some])
    np.savez_compressed(target, **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    data = Path(lang2vec.__file__).parent / "data"
    for name in ["feature_predictions", "family_features", "geocoord_features", "features"]:
        cut(data / f"{name}.npz", out / f"{name}.npz")

    vectors = {}
    for name, features in DISTANCES.items():
        found = lang2vec.get_features(LANGUAGES, features)
        vectors[name] = {
            language: np.array([0.0 if value == "--" else value for value in values], dtype=np.float64)
            for language, values in found.items()
        }
    lines = [f"# {SOURCE}", "\t".join(["first", "second", *DISTANCES])]
    for a, b in itertools.combinations(LANGUAGES, 2):
        lines.append("\t".join([a, b, *(repr(distance(name, vectors[name][a], vectors[name][b])) for name in DISTANCES)]))
    (out / "distances.tsv").write_text("\n".join(lines) + "\n")
    (out / "README.md").write_text(
        "The files of this folder are adapted from URIEL / lang2vec 1.1.2 (Littell et al. 2017,\n"
        "https://github.com/antonisa/lang2vec) by `scripts/reference/uriel.py`, which cuts out a few languages and computes\n"
        "distances. Like URIEL they are under CC BY-SA 4.0, <https://creativecommons.org/licenses/by-sa/4.0/>.\n"
    )


if __name__ == "__main__":
    main()
