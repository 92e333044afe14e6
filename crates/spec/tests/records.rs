//! The suites of committed records still say what their cells did.

use std::fs;
use std::path::Path;

use spec::{Cell, Suite};

#[test]
fn suites_of_records_give_the_protocols_and_methods_of_their_cells() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut compared = 0;
    for name in ["mini", "real-small", "real-methods"] {
        let suite = fs::read_to_string(root.join(format!("suites/{name}.toml"))).unwrap();
        let suite = Suite::parse(name, &suite).unwrap();
        for folder in fs::read_dir(root.join(format!("results/record/{name}/cells"))).unwrap() {
            let path = folder.unwrap().path();
            let text = fs::read_to_string(path.join("cell.json")).unwrap();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap();
            let cell: Cell = serde_json::from_value(record["cell"].clone()).unwrap();
            let folder = path.file_name().unwrap().to_str().unwrap();
            assert!(folder.ends_with(cell.id().as_str()), "{folder} is not {}", cell.id());
            assert!(suite.protocols.contains(&cell.protocol), "{folder}: {:?}", cell.protocol);
            assert!(suite.methods.contains(&cell.method), "{folder}: {:?}", cell.method);
            compared += 1;
        }
    }
    assert_eq!(compared, 58);
}
