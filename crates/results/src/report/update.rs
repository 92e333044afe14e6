use std::collections::{BTreeMap, BTreeSet};

use evaluation::{Update, ratio};
use spec::{Direction, Language, Stage};

use super::view::{Row, View};
use crate::number::{HOLE, signed, tenths};
use crate::table::Table;

/// What each stage that follows another one of the same task did to the scores of that task, if they were measured before
/// and after it.
pub(crate) fn tables(view: &View, rows: &[Row], stages: &[Stage]) -> Vec<Table> {
    let (task, probe) = (view.probe.task, &view.probe.name);
    let measures = |stage: &Stage| stage.task == task && stage.probes.iter().any(|other| other.name == *probe);
    let updates = stages.windows(2).enumerate().filter(|(_, pair)| pair.iter().all(measures));
    // A gain is a score that has risen. Tables are the main metrics' only, as those of forgetting.
    updates
        .filter(|_| view.metric == task.main_metric() && view.better == Direction::Higher)
        .filter_map(|(index, pair)| Some(table(view, rows, u32::try_from(index + 1).ok()?, &pair[1].languages)))
        .collect()
}

/// Of the stage after this moment, with new data in these languages.
fn table(view: &View, rows: &[Row], before: u32, languages: &[Language]) -> Table {
    let title = format!("{} ({}), relative change by stage {}, in percent", view.probe.name, view.metric, before + 1);
    let star = |language: &Language| if languages.contains(language) { "*" } else { "" };
    let header = view.languages.iter().map(|language| format!("{language}{}", star(language)));
    let aggregates = ["mean", "gains", "losing", "others", "sum"].map(str::to_owned);
    let mut table = Table::new(title, 1, std::iter::once("method".to_owned()).chain(header).chain(aggregates));
    let updated: BTreeSet<String> =
        languages.iter().filter(|language| view.languages.contains(language)).map(Language::to_string).collect();
    for row in rows {
        let scores = |moment| -> BTreeMap<String, f64> {
            let pool = |language: Language| row.measured.get(moment, view.probe, view.metric, language);
            let found = view
                .languages
                .iter()
                .filter_map(|&language| Some((language.to_string(), ratio(&pool(language)?.contributions))));
            found.collect()
        };
        let (earlier, later) = (scores(before), scores(before + 1));
        let cells: Vec<String> = if earlier.len() < view.languages.len() {
            vec![HOLE.to_owned(); view.languages.len() + 5]
        } else {
            match Update::new(&earlier, &later, &updated) {
                Ok(update) => {
                    let changes = view.languages.iter().filter_map(|language| update.relative.get(language.code()));
                    let losses = [Some(update.loss_losing), update.loss_others, Some(update.loss_sum)];
                    let losses = losses.map(|loss| loss.map_or_else(|| HOLE.to_owned(), tenths));
                    let aggregates = [signed(update.mean), tenths(100.0 * update.gains)].into_iter().chain(losses);
                    changes.map(|change| signed(*change)).chain(aggregates).collect()
                }
                Err(error) => {
                    table.notes.push(format!("{HOLE} {}: {error}", row.name));
                    vec![HOLE.to_owned(); view.languages.len() + 5]
                }
            }
        };
        table.push(std::iter::once(row.label.clone()).chain(cells));
    }
    table.notes.push(
        "change of a score relative to the score before; * new data in this stage; mean: over all languages; gains: \
         languages that gained, in percent; losing, others, sum: losses averaged over the languages that lost, over those \
         without new data, and added up"
            .to_owned(),
    );
    table
}
