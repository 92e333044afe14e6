"""Reference values of classes and word tags for the `evaluation` crate: tests/reference/labels.json.

Accuracy, macro F1 and the labels' own F1 are scikit-learn's, on random labels of several sets.

    python labels.py --out crates/evaluation/tests/reference/labels.json
"""

import argparse
import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils.multiclass import unique_labels

SETS = {
    "topics": ["sport", "politics", "science and technology", "health", "travel", "geography", "entertainment"],
    "pos": ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
            "SYM", "VERB", "X"],
    "binary": ["0", "1"],
    "awkward": ["", " ", "a", "A", "a ", "é", "e\u0301", "B-X", "O", "नहीं", "😀"],
}  # fmt: skip


def labelled(labels, size, draw):
    """Some labels are rare, some in gold only or in the prediction only."""
    weights = [draw.choice([0, 0.05, 1, 3]) for _ in labels]
    if not any(weights):
        weights[0] = 1
    error = draw.choice([0.0, 0.1, 0.5, 1.0])
    gold = draw.choices(labels, weights, k=size)
    return gold, [draw.choice(labels) if draw.random() < error else label for label in gold]


def scores(gold, predicted):
    names = [str(name) for name in unique_labels(gold, predicted)]
    each = f1_score(gold, predicted, labels=names, average=None, zero_division=0)
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "f1.macro": float(f1_score(gold, predicted, average="macro", zero_division=0)),
        "by_label": dict(zip(names, map(float, each))),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help="crates/evaluation/tests/reference/labels.json")
    arguments = parser.parse_args()
    draw = random.Random("labels")
    classes, tags = [], []
    for name, labels in SETS.items():
        for size in [1, 2, 3, 5, 10, 19, 40, 40, 80, 150]:
            gold, predicted = labelled(labels, size, draw)
            # Constant gold labels of so many examples are taken for placeholders.
            if size < 20 or len(set(gold)) > 1:
                classes.append({"set": name, "gold": gold, "predicted": predicted, **scores(gold, predicted)})
            sizes = [draw.randrange(0, 9) for _ in range(size)]
            gold, predicted = labelled(labels, sum(sizes) or 1, draw)
            sizes = sizes if sum(sizes) else [1]
            if len(sizes) < 20 or len(set(gold)) > 1:
                tags.append({"set": name, "words": sizes, "gold": gold, "predicted": predicted, **scores(gold, predicted)})
    value = {"scikit-learn": version("scikit-learn"), "classes": classes, "tags": tags}
    arguments.out.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
