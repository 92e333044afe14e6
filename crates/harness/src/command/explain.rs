//! `harness explain`: one method, so that a reader knows what a row of a table stands for.

use anyhow::Result;
use spec::Name;

use crate::exit::Exit;
use crate::screen;

pub fn run(name: &str) -> Result<Exit> {
    let preset = spec::preset(name)?;
    let composition = toml::to_string(&preset.method(Name::new(preset.name)?))?;
    let fidelity = match preset.fidelity {
        "exact" => "exact: as in the paper or its published code",
        "style" => {
            "style: its defaults differ from the paper in what `source` says, or a reconstruction in its spirit where the full text or code was not at hand"
        }
        other => other,
    };
    screen::print(format_args!(
        "{name}: {}\n\nsource    {}\nfidelity  {fidelity}\nknobs     {}\n\nThe composition, as a cell records it:\n\n{}\n\
         In a suite: methods = [\"{name}\"], or with knobs of your own under another name:\n\n\
         methods = [\"my-{name}\"]\n\n[method.my-{name}]\npreset = \"{name}\"",
        preset.summary,
        preset.source,
        preset.knobs.replace(", ", "\n          "),
        indent(&composition),
    ))?;
    Ok(Exit::Ok)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}
