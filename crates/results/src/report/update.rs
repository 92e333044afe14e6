use std::collections::{BTreeMap, BTreeSet};

use evaluation::{MeasureError, Update, loss_reduction, ratio};
use spec::{Direction, Language, Stage};

use super::ReportOptions;
use super::compare;
use super::view::{Row, View};
use crate::number::{HOLE, signed, tenths};
use crate::table::Table;

/// What each stage that follows another one of the same task did to the scores of that task, if they were measured before
/// and after it.
pub(crate) fn tables(view: &View, rows: &[Row], stages: &[Stage], options: &ReportOptions) -> Vec<Table> {
    let (task, probe) = (view.probe.task, &view.probe.name);
    let measures = |stage: &Stage| stage.task == task && stage.probes.iter().any(|other| other.name == *probe);
    let updates = stages.windows(2).enumerate().filter(|(_, pair)| pair.iter().all(measures));
    // A gain is a score that has risen. Tables are the main metrics' only, as those of forgetting.
    updates
        .filter(|_| view.metric == task.main_metric() && view.better == Direction::Higher)
        .filter_map(|(index, pair)| {
            Some(table(
                view,
                rows,
                u32::try_from(index + 1).ok()?,
                &pair[1].languages,
                compare::control(rows, options)?,
            ))
        })
        .collect()
}

/// Of the stage after this moment, with new data in these languages; losses are held against the method at `control`.
fn table(view: &View, rows: &[Row], before: u32, languages: &[Language], control: usize) -> Table {
    let title = format!("{} ({}), relative change by stage {}, in percent", view.probe.name, view.metric, before + 1);
    let star = |language: &Language| if languages.contains(language) { "*" } else { "" };
    let header = view.languages.iter().map(|language| format!("{language}{}", star(language)));
    let aggregates = ["mean", "gains", "losing", "others", "sum", "saved"].map(str::to_owned);
    let mut table = Table::new(title, 1, std::iter::once("method".to_owned()).chain(header).chain(aggregates));
    let updated: BTreeSet<String> =
        languages.iter().filter(|language| view.languages.contains(language)).map(Language::to_string).collect();
    let updates: Vec<_> = rows.iter().map(|row| update(view, row, before, &updated)).collect();
    let baseline = updates[control].as_ref().and_then(|update| update.as_ref().ok()).map(|update| update.loss_losing);
    for (place, (row, update)) in rows.iter().zip(updates).enumerate() {
        let cells: Vec<String> = match update {
            Some(Ok(update)) => {
                let changes = view.languages.iter().filter_map(|language| update.relative.get(language.code()));
                let saved = baseline.filter(|_| place != control);
                let saved = saved.and_then(|baseline| loss_reduction(baseline, update.loss_losing));
                let losses = [Some(update.loss_losing), update.loss_others, Some(update.loss_sum)];
                let losses = losses.into_iter().chain([saved]).map(|loss| loss.map_or_else(|| HOLE.to_owned(), tenths));
                let aggregates = [signed(update.mean), tenths(100.0 * update.gains)].into_iter().chain(losses);
                changes.map(|change| signed(*change)).chain(aggregates).collect()
            }
            refused => {
                table.notes.extend(refused.and_then(Result::err).map(|error| format!("{HOLE} {}: {error}", row.name)));
                vec![HOLE.to_owned(); view.languages.len() + 6]
            }
        };
        table.push(std::iter::once(row.label.clone()).chain(cells));
    }
    table.notes.push(format!(
        "change of a score relative to the score before; * new data in this stage; mean: over all languages; gains: \
         languages that gained, in percent; losing, others, sum: losses averaged over the languages that lost, over those \
         without new data, and added up; saved: by how much the losses of the languages that lost are smaller than {}'s, in \
         percent of these; nothing here is tested",
        rows[control].name
    ));
    table
}

/// Of one method; none where it lacks scores before the stage.
fn update(view: &View, row: &Row, before: u32, updated: &BTreeSet<String>) -> Option<Result<Update, MeasureError>> {
    let scores = |moment| -> BTreeMap<String, f64> {
        let pool = |language: Language| row.measured.get(moment, view.probe, view.metric, language);
        let languages = view.languages.iter();
        languages.filter_map(|&language| Some((language.to_string(), ratio(&pool(language)?.contributions)))).collect()
    };
    let earlier = scores(before);
    (earlier.len() == view.languages.len()).then(|| Update::new(&earlier, &scores(before + 1), updated))
}
