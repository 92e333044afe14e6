"""Reference values for the `evaluation` crate, from public reference implementations.

Writes crates/evaluation/tests/reference/{characters,ner,qa,statistics}.json from

* seqeval 1.2.2 (default mode, and mode="strict" with scheme=IOB2),
* the official SQuAD v1.1 script, `evaluate-v1.1.py` (XTREME's `third_party/evaluate_squad.py` is the same logic),
* the official MLQA script, `mlqa_evaluation_v1.py` of facebookresearch/MLQA at commit 5ef5c73,
* SciPy (binomial and permutation tests), NumPy (quantiles), statsmodels (Holm),

on awkward hand-made cases and on predictions perturbed from XQuAD and WikiANN.

    python metrics.py --squad evaluate-v1.1.py --mlqa mlqa_evaluation_v1.py --data $LETHE_REAL/data --out DIR

Download the two scripts from their projects; they are run, not copied. Files with another SHA-256 than `OFFICIAL` are
refused, and the JSON names the ones that made it.
"""

import argparse
import hashlib
import importlib.util
import json
import random
import re
import sys
import unicodedata
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import scipy.stats
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")

QA_LANGUAGES = ["ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"]
MLQA_OFFICIAL = ["ar", "de", "en", "es", "hi", "vi", "zh"]
NER_LANGUAGES = ["ar", "de", "en", "fi", "hi", "ru", "sw", "zh"]
OFFICIAL = {
    "squad": "f5a673dbbd173e29e9ea38f1b2091d883583b77b3a4c17144b223fb0f2f9bd09",
    "mlqa": "f6631cf51bf47b01e464fff6d3960dde032b5ef6142148b4ac168c3e8fdffe00",
}
TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def load(path, name):
    """The official script as a module."""
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if digest != OFFICIAL[name]:
        sys.exit(f"{path}: SHA-256 {digest}, but the official script has {OFFICIAL[name]}")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- character classes ---------------------------------------------------------------------------------------------


def ranges(predicate):
    """Inclusive ranges of code points, flattened: [first, last, first, last, ...]."""
    bounds = []
    for point in range(0x110000):
        if predicate(chr(point)):
            if bounds and bounds[-1] == point - 1:
                bounds[-1] = point
            else:
                bounds += [point, point]
    return bounds


def characters(mlqa):
    word = re.compile(r"\w")
    return {
        "unicode": unicodedata.unidata_version,
        "mlqa_sha256": OFFICIAL["mlqa"],
        "assigned": ranges(lambda c: unicodedata.category(c) not in ("Cn", "Cs", "Co")),
        "punctuation": ranges(lambda c: c in mlqa.PUNCT),
        "word": ranges(lambda c: word.match(c) is not None),
        "space": ranges(str.isspace),
    }


# --- entities ------------------------------------------------------------------------------------------------------

NER_AWKWARD = [
    ("B-PER I-PER O", "B-PER I-PER O"),
    ("I-PER I-PER O", "B-PER I-PER O"),
    ("B-PER I-PER O", "I-PER I-PER O"),
    ("O I-PER I-PER", "O I-PER I-PER"),
    ("B-PER I-LOC O", "B-PER I-LOC O"),
    ("B-PER I-LOC O", "B-PER O O"),
    ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
    ("B-PER B-PER", "B-PER I-PER"),
    ("B-PER B-PER", "B-PER B-PER"),
    ("O O O", "O O O"),
    ("O O O", "B-ORG I-ORG O"),
    ("B-ORG I-ORG O", "O O O"),
    ("B-ORG I-ORG I-ORG", "B-ORG I-ORG O"),
    ("B-ORG I-ORG I-ORG", "O B-ORG I-ORG"),
    ("B-ORG O I-ORG", "B-ORG O I-ORG"),
    ("I-ORG O I-ORG", "B-ORG O B-ORG"),
    ("B-LOC", "B-PER"),
    ("I-LOC", "I-LOC"),
    ("I-LOC", "B-LOC"),
    ("B-LOC I-LOC B-LOC I-LOC", "B-LOC I-LOC I-LOC I-LOC"),
    ("I-PER I-LOC I-PER", "I-PER I-LOC I-PER"),
    ("B-PER I-PER I-ORG I-PER", "B-PER I-PER B-ORG I-PER"),
    ("B-MISC-X I-MISC-X O", "B-MISC-X I-MISC-X O"),
    ("B-MISC-X I-MISC O", "B-MISC-X I-MISC-X O"),
    ("", ""),
]


def triple(gold, predicted, **mode):
    arguments = dict(zero_division=0, **mode)
    return [float(f(gold, predicted, **arguments)) for f in (precision_score, recall_score, f1_score)]


def by_type(gold, predicted, **mode):
    if not any(counts(g, p)[i] for g, p in zip(gold, predicted) for i in (1, 2, 4, 5)):
        return {}  # seqeval's report fails without any entity
    report = classification_report(gold, predicted, output_dict=True, zero_division=0, **mode)
    return {
        kind: [float(v["precision"]), float(v["recall"]), float(v["f1-score"]), int(v["support"])]
        for kind, v in report.items()
        if not kind.endswith(" avg")
    }


def counts(gold, predicted):
    """[correct, predicted, gold] of one sentence: strict, then lenient."""
    strict = [{e.to_tuple() for e in Entities([tags], IOB2).entities[0]} for tags in (gold, predicted)]
    lenient = [set(get_entities(tags)) for tags in (gold, predicted)]
    return [n for g, p in (strict, lenient) for n in (len(g & p), len(p), len(g))]


def ner_set(name, pairs):
    gold = [g.split() for g, _ in pairs]
    predicted = [p.split() for _, p in pairs]
    strict = dict(mode="strict", scheme=IOB2)
    return {
        "name": name,
        "sentences": [[g, p, *counts(g.split(), p.split())] for g, p in pairs],
        "strict": triple(gold, predicted, **strict),
        "lenient": triple(gold, predicted),
        "strict_by_type": by_type(gold, predicted, **strict),
        "lenient_by_type": by_type(gold, predicted),
    }


def perturb_tags(tags, draw):
    """Errors that taggers make: other prefix, other type, shorter or longer entities, invented ones."""
    tags = list(tags)
    for i, tag in enumerate(tags):
        if draw.random() < 0.15:
            if tag == "O" or draw.random() < 0.3:
                tags[i] = draw.choice(TAGS)
            elif draw.random() < 0.5:
                tags[i] = ("I" if tag[0] == "B" else "B") + tag[1:]
            else:
                tags[i] = tag[:2] + draw.choice(["PER", "ORG", "LOC"])
    return tags


def ner(data):
    sets = [ner_set("awkward", NER_AWKWARD)]
    sets += [ner_set(f"alone: {g} / {p}", [(g, p)]) for g, p in NER_AWKWARD if g]
    for language in NER_LANGUAGES:
        draw = random.Random(f"ner-{language}")
        rows = parquet.read_table(data / "wikiann" / language / "test-00000-of-00001.parquet")["ner_tags"].to_pylist()
        sample = [[TAGS[t] for t in row] for row in draw.sample(rows, 60)]
        pairs = [(" ".join(g), " ".join(perturb_tags(g, draw))) for g in sample]
        # Gold that starts entities with I- occurs in data converted from other schemes.
        pairs += [(" ".join(perturb_tags(g, draw)), p) for (_, p), g in zip(pairs[:10], sample)]
        sets.append(ner_set(f"wikiann.{language}", pairs))
    return {"seqeval": version("seqeval"), "sets": sets}


# --- answers -------------------------------------------------------------------------------------------------------

QA_AWKWARD = {
    "en": [
        (["the Cat"], "a cat."), (["The The"], "the"), (["..."], "!?"), (["..."], ""), ([""], ""), (["cat"], ""),
        (["an apple", "apples"], "Apples"), (["a.b"], "ab"), (["a-the-b"], "b"), (["it's"], "its"), (["308"], "308."),
        (["café"], "cafe\u0301"), (["a\u0301 b"], "b"), (["the\u0301"], ""), (["a_b a"], "a_b"), (["a²"], "a 2"),
        (["x\u00a0y"], "x y"), (["x\u2003y\u3000z"], "x y z"), (["x\u200by"], "x y"), (["x\x1cy"], "x y"),
        (["x\x85y"], "x y"), (["“quoted”"], "quoted"), (["«a»"], "a"), (["a–b"], "ab"), (["$5"], "5"), (["€5"], "5"),
        (["5 %"], "5"), (["😀 the dog"], "dog"), (["👩‍🚀"], "👩‍🚀"), (["ＡＢＣ，ｄ"], "ａｂｃ ｄ"), (["a a a b"], "a b b"),
        (["new york new"], "new new york york"), (["§ 4"], "4"), (["¿a?"], ""), (["IJ"], "ij"), (["ǅ"], "ǆ"),
        (["aा b"], "ा b"), (["aा b"], "aा"), (["the\u0345 b"], "\u0345 b"), (["aⒶ b"], "ⓐ b"), (["aª b"], "ª b"), (["a½"], "½"),
        (["the"], "an"), (["a an the"], ""), (["The, a."], "—"), (["—…"], "“”"), (["。、"], ""), (["!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"], ""),
        (["cat", "..."], ""), (["the", "cat"], "a"), (["", "the cat"], "cat"), (["cat", "a cat sat", "sat"], "the cat sat"),
        (["new york city", "big apple pie"], "the new apple pie"), (["..."], "cat"), (["cat"], "..."), (["cat cat", "cat"], "cat cat cat"),
    ],
    "de": [
        (["Der Hund"], "hund"), (["ein Haus der Kunst"], "Haus Kunst"), (["DIE STRASSE"], "die straße"),
        (["des"], "dem"), (["eine-r"], "einer"), (["„Der Spiegel“"], "Spiegel"), (["dieser"], "ser"), (["das the"], "the"),
        (["den\u0308"], "\u0308"), (["ẞ"], "ß"), (["der die das"], "ein"),
        (["Eines, „dem“ den!"], ""), (["im Haus", "in dem Haus"], "Dem Haus"), (["ein"], "eins"), (["einem einer einen"], "einen Hund"),
    ],
    "es": [
        (["El Niño"], "niño"), (["nin\u0303o"], "niño"), (["los unos y las otras"], "y otras"), (["¡Una vez!"], "vez"),
        (["él"], "el"), (["e\u0301l la"], "\u0301"), (["la1 la"], "la1"), (["a un"], "a"),
        (["un una unos unas el la los las"], ""), (["del río", "al río"], "el río"), (["¿LA?"], "¡El!"), (["lo uno"], "uno"), (["¿…?"], ""),
    ],
    "vi": [
        (["của tôi"], "tôi"), (["cu\u0309a tôi"], "tôi"), (["cái nhà là gì"], "nhà gì"), (["Những người"], "người"),
        (["nhưng"], "những"), (["LÀ"], "là"), (["la\u0300 a"], "là a"), (["chiếc xe."], "xe"),
        (["Của là cái, chiếc những"], ""), (["LÀ"], "cái"), (["Hà Nội", "thành phố Hà Nội"], "của thành phố Hà Nội."),
        (["chiê\u0301c xe"], "xe"), (["cáilà"], "cái là"), (["“…”"], "là"),
    ],
    "ar": [
        (["القاهرة"], "قاهرة"), (["في القاهرة"], "في قاهرة"), (["بالقاهرة"], "ب قاهرة"), (["ال"], ""), (["الال"], "ل"),
        (["مُحَمَّد"], "محمد"), (["ما هذا؟"], "ما هذا"), (["١٢٣،٤"], "1234"), (["اَل بيت"], "بيت"), (["كمال"], "كم"),
        (["لا إله"], "لا اله"), ([" الف"], "ف"), (["ـالـ"], "ـ"),
        (["ال ال"], ""), (["؟،؛"], ""), (["ال،"], "؟"), (["والسلام"], "و سلام"), ([" ال كتاب"], "كتاب"), (["كتاب", "الكتاب الكبير"], "الكتاب كبير"),
        (["ا،ل بيت"], "بيت"), (["a البيت the"], "a بيت the"), (["ألف"], "لف"), (["ﺍﻟبيت"], "بيت"),
    ],
    "hi": [
        (["दिल्ली।"], "दिल्ली"), (["एक लड़का"], "लड़का"), (["लड\u093cका"], "लड़का"), (["१२३"], "123"), (["a the हिंदी"], "हिंदी"),
        (["॥ शिव ॥"], "शिव"), (["क्\u200dष"], "क्ष"),
        (["।॥"], ""), (["।"], "हाँ"), (["the"], "a"), (["नई दिल्ली", "दिल्ली में"], "नई दिल्ली में।"), (["१२,३४५"], "१२ ३४५"), (["॰"], "."),
        (["क\u093c"], "क़"),
    ],
    "zh": [
        (["北京大学"], "北京"), (["在1990年"], "1990年"), (["IBM公司，美国"], "IBM 公司"), (["北 京"], "北京"), (["「中」"], "中"),
        (["a中b"], "a 中 b"), (["ABC公司的the"], "the abc"), (["３００"], "300"), (["々〇"], "々 〇"), (["龥龦㐀𠀀"], "龥 龦㐀𠀀"),
        (["中中中国"], "国中中"), (["。"], ""), (["一一"], "一"), (["12.5%"], "12 5"), (["日本語カタ"], "日本語 カタ"),
        (["IBM公司2019年在USA发布"], "ibm 公司 2019年在 usa"), (["，。！"], "？"), (["，。！"], "中"), (["the 中国"], "中国"), (["A股", "Ａ股"], "a 股"),
        (["中国 ", "中 华"], "中\u3000华"), (["第Ⅲ期"], "第 ⅲ 期"), (["C++语言"], "c 语言"), (["x中"], "中x"), (["𠮷野家"], "𠮷 野 家"), (["3.5亿美元"], "35亿 美元"),
    ],
    "th": [
        (["กรุงเทพ"], "กรุงเทพฯ"), (["ในปี 1990"], "1990"), (["น้ำ"], "น\u0e49\u0e4d\u0e32"), (["๑๒"], "12"), (["ๆ"], ""),
        (["a โรงเรียน"], "โรงเรียน"), (["๏ ก"], "ก"),
    ],
    "el": [
        (["Ο ΣΊΣΥΦΟΣ"], "ο σίσυφος"), (["ΟΔΟΣ"], "οδοσ"), (["Σ"], "ς"), (["ΑΣ Σ."], "ας σ"), (["το «σπίτι»;"], "το σπίτι"),
        (["τι\u037e"], "τι"), (["ά"], "α\u0301"),
    ],
    "ru": [(["Ёлка"], "елка"), (["«Мир»"], "мир"), (["и\u0306од"], "йод"), (["№ 5"], "5"), (["a мир"], "мир")],
    "tr": [
        (["İstanbul"], "istanbul"), (["ISPARTA"], "ısparta"), (["i\u0307"], "İ"), (["bir elma"], "elma"), (["Atatürk'ün"], "Atatürkün"),
    ],
    "ro": [(["un băiat"], "băiat"), (["ş"], "ș"), (["„da”"], "da"), (["a fost the"], "fost")],
    "ja": [(["東京"], "東 京"), (["トヨタ・自動車"], "トヨタ自動車")],
}


def perturb_answer(answer, context, start, draw, other):
    """Errors that extractors make: spans moved at either end, other case or form, extra marks, other or no answers."""
    kind = draw.randrange(10)
    end = start + len(answer)
    if kind <= 1:
        return answer
    if kind == 2:
        return context[max(0, start - draw.randrange(1, 12)) : end]
    if kind == 3:
        return context[start : end + draw.randrange(1, 15)]
    if kind == 4:
        return answer[draw.randrange(0, 1 + len(answer) // 2) :]
    if kind == 5:
        return answer[: 1 + draw.randrange(len(answer))]
    if kind == 6:
        return unicodedata.normalize(draw.choice(["NFD", "NFKC", "NFKD"]), answer)
    if kind == 7:
        return draw.choice(["“{}”", "{}。", " {} ,", "the {}", "({})", "¿{}?"]).format(draw.choice([answer.upper(), answer]))
    if kind == 8:
        return other
    return context[max(0, start - 25) : end + 25] if draw.random() < 0.8 else ""


def qa_case(squad, mlqa, language, gold, predicted):
    rule = rule_of(language)
    best = squad.metric_max_over_ground_truths
    best_in = mlqa.metric_max_over_ground_truths
    return [
        gold,
        predicted,
        float(best(squad.exact_match_score, predicted, gold)),
        float(best(squad.f1_score, predicted, gold)),
        float(best_in(mlqa.exact_match_score, predicted, gold, rule)),
        float(best_in(mlqa.f1_score, predicted, gold, rule)),
        squad.normalize_answer(gold[0]),
        mlqa.normalize_answer(gold[0], rule),
    ]


def rule_of(language):
    """No official rule: the crate then treats text as the script treats Hindi (Unicode punctuation, no articles)."""
    return language if language in MLQA_OFFICIAL else "hi"


def totals(squad, mlqa, language, cases):
    """What the scripts themselves report for a data set of all cases: percent, [EM, F1] of SQuAD, then of MLQA."""
    questions = [{"id": str(i), "answers": [{"text": text} for text in case[0]]} for i, case in enumerate(cases)]
    dataset = [{"paragraphs": [{"qas": questions}]}]
    predictions = {str(i): case[1] for i, case in enumerate(cases)}
    reports = squad.evaluate(dataset, predictions), mlqa.evaluate(dataset, predictions, rule_of(language))
    return [report[measure] for report in reports for measure in ("exact_match", "f1")]


def qa(data, squad, mlqa):
    languages = {}
    for language, cases in QA_AWKWARD.items():
        languages[language] = [qa_case(squad, mlqa, language, gold, predicted) for gold, predicted in cases]
    # The same awkward text under other languages' rules.
    for language in MLQA_OFFICIAL:
        for other in MLQA_OFFICIAL:
            if other != language:
                languages[language] += [qa_case(squad, mlqa, language, *case) for case in QA_AWKWARD[other]]
    for language in QA_LANGUAGES:
        draw = random.Random(f"qa-{language}")
        articles = json.loads((data / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
        rows = [
            (qa["answers"], paragraph["context"])
            for article in articles
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        ]
        rows = [(answers, context) for answers, context in rows if len(answers[0]["text"]) < 60]
        for index in draw.sample(range(len(rows)), 60):
            answers, context = rows[index]
            answer, start = answers[0]["text"], answers[0]["answer_start"]
            gold = [a["text"] for a in answers]
            if draw.random() < 0.2:
                gold.append(context[start : start + len(answer) + 9])
            other = rows[(index + 1) % len(rows)][0][0]["text"]
            predicted = perturb_answer(answer, context, start, draw, other)
            languages[language].append(qa_case(squad, mlqa, language, gold, predicted))
    return {
        "squad_sha256": OFFICIAL["squad"],
        "mlqa_sha256": OFFICIAL["mlqa"],
        "languages": languages,
        "totals": {language: totals(squad, mlqa, language, cases) for language, cases in languages.items()},
    }


# --- statistics ----------------------------------------------------------------------------------------------------


def mean_difference(first, second, axis=-1):
    return np.mean(first, axis=axis) - np.mean(second, axis=axis)


def micro_f1(counts):
    counts = np.asarray(counts)
    return 2 * counts[..., 0].sum(-1) / (counts[..., 1] + counts[..., 2]).sum(-1)


def statistics():
    means, ratios, exact = [], [], dict(permutation_type="samples", n_resamples=np.inf, alternative="two-sided")
    for index in range(6):
        draw = np.random.default_rng(index)
        first, second = draw.integers(0, 9, 10) / 8, draw.integers(0, 7, 10) / 8
        test = scipy.stats.permutation_test((first, second), mean_difference, vectorized=True, **exact)
        means.append([first.tolist(), second.tolist(), float(test.pvalue)])
    for index in range(4):
        draw = np.random.default_rng(100 + index)
        gold = draw.integers(1, 5, 9)
        methods = []
        for _ in range(2):
            predicted = draw.integers(1, 5, 9)
            correct = [int(draw.integers(0, min(g, p) + 1)) for g, p in zip(gold, predicted)]
            methods.append([[c, int(p), int(g)] for c, p, g in zip(correct, predicted, gold)])

        def difference(first, second):
            first, second = first.astype(int), second.astype(int)
            return micro_f1(table[0][first]) - micro_f1(table[0][second])

        # SciPy exchanges scalars: sentences are passed as indices into one table of counts.
        table = [np.array(methods[0] + methods[1])]
        test = scipy.stats.permutation_test((np.arange(9), np.arange(9, 18)), difference, vectorized=False, **exact)
        ratios.append([methods[0], methods[1], float(test.pvalue)])
    p_values = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.9, 0.02, 0.02, 0.6], [1.0, 0.0], [0.04], [0.2, 0.01, 0.011, 0.049, 0.0001, 0.3]]
    holm = [[p, multipletests(p, method="holm")[1].tolist()] for p in p_values]
    return {"permutation_mean": means, "permutation_f1": ratios, "holm": holm}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", required=True, help="the official SQuAD v1.1 script")
    parser.add_argument("--mlqa", required=True, help="the official MLQA script")
    parser.add_argument("--data", required=True, type=Path, help="folder with xquad/ and wikiann/")
    parser.add_argument("--out", required=True, type=Path, help="crates/evaluation/tests/reference")
    arguments = parser.parse_args()
    squad, mlqa = load(arguments.squad, "squad"), load(arguments.mlqa, "mlqa")
    outputs = {
        "characters": characters(mlqa),
        "ner": ner(arguments.data),
        "qa": qa(arguments.data, squad, mlqa),
        "statistics": statistics(),
    }
    for name, value in outputs.items():
        path = arguments.out / f"{name}.json"
        path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
