"""Reference values of dependency parsing for the `evaluation` crate: tests/reference/trees.json.

The scores are those of `conll18_ud_eval.py`, the official script of the CoNLL 2018 shared task (version 1.2 of 25 June
2018; the PyPI package stanfordnlp 0.2.0 ships it as `stanfordnlp/utils/conll18_ud_eval.py`). It is run, not copied, and
a file with another SHA-256 than `OFFICIAL` is refused. It reads CoNLL-U with multiword tokens, empty nodes and comments,
written here around random trees, so that what it scores is what a treebank looks like.

    python conll18.py conll18_ud_eval.py --out crates/evaluation/tests/reference/trees.json
"""

import argparse
import hashlib
import importlib.util
import io
import json
import random
import sys
from pathlib import Path

OFFICIAL = "1072e02af00b1a56205b5e8216d51dee9b8944a104d80744afaccc78859fcb16"
METRICS = ["UAS", "LAS", "CLAS"]
RELATIONS = [
    # content, with and without subtypes
    "nsubj", "nsubj:pass", "obj", "iobj", "csubj", "csubj:pass", "ccomp", "xcomp", "obl", "obl:agent", "obl:tmod",
    "vocative", "expl", "expl:pv", "dislocated", "advcl", "advcl:relcl", "advmod", "advmod:emph", "discourse", "nmod",
    "nmod:poss", "appos", "nummod", "nummod:gov", "acl", "acl:relcl", "amod", "conj", "fixed", "flat", "flat:name",
    "compound", "compound:prt", "list", "parataxis", "orphan", "goeswith", "reparandum", "dep",
    # functional
    "aux", "aux:pass", "cop", "mark", "det", "det:poss", "clf", "case", "case:gen", "cc", "cc:preconj",
    # neither
    "punct", "punct", "foo", "foo:bar", "_", "nsubjpass", "NSUBJ", "root:x", "nsubj:pass:x", ":nsubj", "root",
]  # fmt: skip
# Words that depend on the root need not have the relation `root`, nor others lack it: the script does not ask.
ROOTS = ["root"] * 12 + ["root:main", "dep", "punct", "case", "parataxis"]
FORMS = ["a", "le", "de", "Haus", "水", "…", ".", "a", "e\u0301", "naïve", "№", "और", "l'", "x y", "10 000", "𐍈"]


def official(path):
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if digest != OFFICIAL:
        sys.exit(f"{path}: SHA-256 {digest}, but the official script has {OFFICIAL}")
    spec = importlib.util.spec_from_file_location("conll18_ud_eval", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_tree(heads):
    if heads.count(0) != 1 or max(heads) > len(heads):
        return False
    for word in range(1, len(heads) + 1):
        steps = 0
        while word and steps <= len(heads):
            word, steps = heads[word - 1], steps + 1
        if word:
            return False
    return True


def random_tree(size, draw):
    """[(head, relation)], of any shape: chains, stars and crossing arcs among them."""
    order = list(range(1, size + 1))
    draw.shuffle(order)
    shape = draw.choice(["any", "chain", "star", "near"])
    heads = [0] * size
    for place, word in enumerate(order[1:], 1):
        if shape == "chain":
            head = order[place - 1]
        elif shape == "star":
            head = order[0]
        elif shape == "near":
            head = min(order[:place], key=lambda other: abs(other - word))
        else:
            head = draw.choice(order[:place])
        heads[word - 1] = head
    return [(head, draw.choice(RELATIONS if head else ROOTS)) for head in heads]


def parsed(gold, draw):
    """What a parser may make of a tree, from the same tree to quite another one."""
    error = draw.choice([0.0, 0.1, 0.3, 0.6])
    tree = list(gold)
    if draw.random() < 0.1:
        return random_tree(len(gold), draw)
    if len(tree) > 1 and draw.random() < error:
        # Another word is the root, the old root depends on it.
        old = next(i for i, (head, _) in enumerate(tree) if head == 0)
        new = draw.choice([i for i in range(len(tree)) if i != old])
        moved = list(tree)
        moved[new], moved[old] = (0, draw.choice(ROOTS)), (new + 1, draw.choice(RELATIONS))
        if is_tree([head for head, _ in moved]):
            tree = moved
    for place, (head, relation) in enumerate(tree):
        if head and draw.random() < error:
            for _ in range(9):
                heads = [head for head, _ in tree]
                heads[place] = draw.randrange(1, len(tree) + 1)
                if is_tree(heads):
                    tree[place] = (heads[place], relation)
                    break
        if draw.random() < error:
            head, relation = tree[place]
            plain = relation.split(":")[0]
            subtypes = [plain, f"{plain}:other"] if plain else [relation]
            tree[place] = (head, draw.choice([*subtypes, *draw.sample(RELATIONS, 2)]))
    return tree


def layout(size, draw):
    """Which words stand together in one token, as (first, last), and the words' forms."""
    tokens, word = [], 1
    while word <= size:
        last = min(size, word + draw.randrange(1, 4)) if draw.random() < 0.15 else word
        tokens.append((word, last))
        word = last + 1
    return tokens, [draw.choice(FORMS) for _ in range(size)]


def conllu(tree, tokens, forms, draw):
    """Comments, empty nodes and unused columns differ from side to side, tokens and words do not."""
    lines = [f"# sent_id = {draw.randrange(10**6)}", "# text = 1\tx"] if draw.random() < 0.7 else []
    for first, last in tokens:
        if draw.random() < 0.1:
            lines.append(f"{first - 1}.1\tempty\t_\tVERB\t_\t_\t_\t_\t0:root\t_")
        if first < last:
            lines.append(f"{first}-{last}\t{''.join(forms[first - 1 : last])}z" + "\t_" * 8)
        for word in range(first, last + 1):
            head, relation = tree[word - 1]
            upos = draw.choice(["NOUN", "VERB", "PUNCT", "_"])
            lines.append(f"{word}\t{forms[word - 1]}\t_\t{upos}\t_\tCase=Nom|Typo=Yes\t{head}\t{relation}\t_\t_")
    return "\n".join(lines) + "\n\n"


def totals(script, gold, predicted):
    result = script.evaluate(script.load_conllu(io.StringIO(gold)), script.load_conllu(io.StringIO(predicted)))
    assert result["Words"].f1 == 1.0, "the words of both sides are the same"
    return {metric: result[metric] for metric in METRICS}


def scores(result):
    return {metric: [score.precision, score.recall, score.f1] for metric, score in result.items()}


def counts(result):
    return [n for s in result.values() for n in (s.correct, s.gold_total, s.system_total)]


def text(tree):
    return " ".join(f"{head}/{relation}" for head, relation in tree)


def refusals(script, draw):
    """Trees that the script refuses, and how."""
    words = [
        [0, 0], [0, 1, 0, 3], [1], [2, 1], [0, 3, 2], [2, 3, 1], [0, 1, 4, 5, 3], [2, 2], [0, 2], [0, 0, 4, 3], [3], [0, 7, 1],
        [5, 1, 1, 1], [0] * 9, [*range(2, 9), 1], [*range(2, 9), 9], [0, 1, 2, 3, 9], [3, 3, 4, 2],
    ]  # fmt: skip
    for size in range(2, 40):
        heads = [head for head, _ in random_tree(size, draw)]
        heads[draw.randrange(size)] = draw.choice([0, draw.randrange(size + 2)])
        if not is_tree(heads):
            words.append(heads)
    refused = []
    for heads in words:
        tree = [(head, "root" if head == 0 else "dep") for head in heads]
        tokens, forms = [(word, word) for word in range(1, len(heads) + 1)], ["x"] * len(heads)
        try:
            script.load_conllu(io.StringIO(conllu(tree, tokens, forms, draw)))
        except script.UDError as error:
            refused.append([text(tree), str(error)])
        else:
            sys.exit(f"{heads} is not refused")
    return refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", help="the official script")
    parser.add_argument("--out", required=True, type=Path, help="crates/evaluation/tests/reference/trees.json")
    arguments = parser.parse_args()
    script = official(arguments.script)
    draw = random.Random("trees")
    sizes = [1] * 20 + [2] * 20 + [draw.randrange(1, 26) for _ in range(640)]
    draw.shuffle(sizes)
    sentences, files = [], []
    for size in sizes:
        gold = random_tree(size, draw)
        predicted = parsed(gold, draw)
        tokens, forms = layout(size, draw)
        file = conllu(gold, tokens, forms, draw), conllu(predicted, tokens, forms, draw)
        files.append(file)
        sentences.append([text(gold), text(predicted), *counts(totals(script, *file))])
    groups, first = [], 0
    while first < len(files):
        last = min(len(files), first + draw.randrange(1, 60))
        part = totals(script, *("".join(side) for side in zip(*files[first:last])))
        groups.append({"first": first, "last": last, **scores(part)})
        first = last
    whole = totals(script, *("".join(side) for side in zip(*files)))
    groups.append({"first": 0, "last": len(files), **scores(whole)})
    value = {"script_sha256": OFFICIAL, "sentences": sentences, "groups": groups, "refused": refusals(script, draw)}
    arguments.out.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, {len(sentences)} sentences", file=sys.stderr)


if __name__ == "__main__":
    main()
