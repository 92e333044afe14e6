//! Knobs that are written in several forms: each form is read, and what is of no form is refused with the forms there are.

use spec::Suite;

fn parsed(method: &str) -> Result<String, String> {
    let text = format!(
        r#"
description = "d"
model = "m"
seeds = [1]
methods = ["x"]
[method.x]
{method}
[probe.p]
task = "ner"
data = "d"
languages = ["en"]
max-length = 64
[protocol.p]
[[protocol.p.stage]]
task = "ner"
data = "d"
languages = ["en"]
steps = 1
batch = 1
learning-rate = 1e-3
weight-decay = 0.0
warmup = 0.0
clip = 1.0
max-length = 64
probes = ["p"]
"#
    );
    let suite = Suite::parse("s", &text).map_err(|error| error.to_string())?;
    Ok(serde_json::to_string(&suite.methods[0]).unwrap())
}

#[test]
fn every_form_is_read_and_written_as_it_was() {
    for (method, written) in [
        ("rule = { kind = \"lf-mlf\", mu = 2 }", "\"mu\":2.0"),
        ("rule = { kind = \"lf-mlf\", mu = 0.5 }", "\"mu\":0.5"),
        ("rule = { kind = \"lf-mlf\", mu = \"inverse-lr\" }", "\"mu\":\"inverse-lr\""),
        ("schedule = { kind = \"order\", order = 9 }", "\"order\":9"),
        ("schedule = { kind = \"order\", order = [1, 0] }", "\"order\":[1,0]"),
        ("subnetworks = { kind = \"static\", target-distance = \"geo-maxabs\" }", "\"target-distance\":\"geo-maxabs\""),
        (
            "subnetworks = { kind = \"static\", target-distance = { geo-maxabs = 1, fam-cosine = 2.5 } }",
            "\"fam-cosine\":2.5",
        ),
    ] {
        let method = parsed(method).unwrap_or_else(|error| panic!("{method}: {error}"));
        assert!(method.contains(written), "{written} in {method}");
    }
}

#[test]
fn what_has_none_of_the_forms_is_refused_with_them() {
    for (method, said) in [
        (
            "rule = { kind = \"lf-mlf\", mu = \"inverse\" }",
            "another word, expected a number or \"inverse-lr\" for `mu`",
        ),
        ("rule = { kind = \"lf-mlf\", mu = [1] }", "a number or \"inverse-lr\""),
        ("schedule = { kind = \"order\", order = -1 }", "one of the paper's orders 0 to 9, or a list of layers"),
        ("schedule = { kind = \"order\", order = \"up\" }", "one of the paper's orders 0 to 9, or a list of layers"),
        ("schedule = { kind = \"order\", order = [\"up\"] }", "expected usize"),
        // The word that is meant, and not only that something else was expected.
        ("subnetworks = { kind = \"static\", target-distance = \"geo-maxab\" }", "unknown variant `geo-maxab`"),
        ("subnetworks = { kind = \"static\", target-distance = { geo-maxab = 1 } }", "unknown variant `geo-maxab`"),
        ("subnetworks = { kind = \"static\", target-distance = { geo-maxabs = \"x\" } }", "expected f64"),
        ("subnetworks = { kind = \"static\", target-distance = 3 }", "the name of a distance"),
    ] {
        let error = parsed(method).expect_err(method);
        assert!(error.contains(said), "{method}: {error}");
    }
}
