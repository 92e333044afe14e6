//! What several stages together made of everything that a protocol probes.

use std::collections::BTreeMap;

use evaluation::{Column, Measure, Repeated, ScoreMatrix, joint_intervals};
use spec::{Language, Probe, Protocol, Task, Unit};

use super::estimate::{Estimate, Pooled, SEED};
use super::experiment::Experiment;
use super::values::{self, Subject};
use super::view::{Row, distinct_probes, when};
use crate::error::ResultsError;
use crate::number::{self, HOLE};
use crate::table::Table;

/// Languages of a probe that are learnt at the same stage: a column of the score matrix.
struct Group<'a> {
    probe: &'a Probe,
    /// 0 for what the model knew from the start.
    learnt: usize,
    languages: Vec<Language>,
    /// Whether the protocol measures it, by moment.
    probed: Vec<bool>,
}

/// One language of a group, as a method measured it: a moment without examples is one that the protocol does not probe, or
/// a hole.
struct Part<'a> {
    group: usize,
    language: Language,
    moments: Vec<Option<&'a Pooled>>,
}

/// What a measure is of: all groups, one, or one language.
struct Scope {
    probe: String,
    task: String,
    language: String,
    /// Put before the measure's name.
    metric: String,
    measures: &'static [Measure],
    /// Of each column its group and its parts.
    columns: Vec<(usize, Vec<usize>)>,
}

/// Transfer and forgetting by every method, of a protocol with several stages; all estimates go to the long list.
pub(crate) fn table(
    experiment: &Experiment,
    rows: &[Row],
    resamples: usize,
    list: &mut Table,
) -> Result<Option<Table>, ResultsError> {
    let protocol = &experiment.cell.protocol;
    let last = protocol.stages.len();
    let groups = groups(protocol);
    let takes_part = |measure: Measure| groups.iter().any(|group| group.takes_part(measure));
    let shown: Vec<Measure> = Measure::ALL.into_iter().filter(|measure| takes_part(*measure)).collect();
    if last < 2 || shown.is_empty() {
        return Ok(None);
    }
    let title = format!("all probes (main metrics), stages 1 to {last}: transfer and forgetting, in percent");
    let header = std::iter::once("method").chain(shown.iter().map(|measure| measure.name()));
    let mut table = Table::new(title, 1, header);
    let scopes = scopes(&groups);
    for row in rows {
        let parts = parts(row, &groups);
        table.notes.extend(holes(row, &groups, &parts, &shown));
        let estimates = estimates(&groups, &scopes, &parts, resamples)?;
        table.push(std::iter::once(row.label.clone()).chain(shown.iter().map(|measure| {
            estimates.get(&(0, *measure)).map_or_else(|| HOLE.to_owned(), |estimate| printed(*measure, estimate))
        })));
        for ((scope, measure), estimate) in &estimates {
            let Scope { probe, task, language, metric, .. } = &scopes[*scope];
            let metric = &format!("{metric}{}", measure.name());
            let moment = u32::try_from(last).unwrap_or(u32::MAX);
            values::push(list, experiment, row, Subject { moment, probe, task, language, metric }, estimate);
        }
    }
    let learnt = groups.iter().map(|group| match group.learnt {
        0 => format!("{} (known before training)", group.name()),
        stage => format!("{} (learnt in stage {stage})", group.name()),
    });
    let learnt = learnt.collect::<Vec<_>>().join(", ");
    table.notes.push(format!("mean over {learnt}; of each the mean over all languages, source languages too"));
    table.notes.push(shown.iter().map(|measure| meaning(*measure, last)).collect::<Vec<_>>().join("; "));
    if shown.contains(&Measure::ForgettingFirstLast) {
        let note = "positive forgetting is loss; what is learnt in stage";
        table
            .notes
            .push(format!("{note} {last} cannot be forgotten yet; best: of the scores over seeds, not of each seed"));
    }
    table.notes.extend(left_out(&groups, last));
    if protocol.probes().any(|probe| probe.adapt.is_some()) {
        table.notes.push("few-shot probes take no part: what they score is learnt anew".to_owned());
    }
    Ok(Some(table))
}

/// In the order in which they are learnt.
fn groups(protocol: &Protocol) -> Vec<Group<'_>> {
    let mut groups = Vec::new();
    for probe in distinct_probes(protocol).into_iter().filter(|probe| probe.adapt.is_none()) {
        let measures = |probes: &[Probe]| probes.iter().any(|other| other.name == probe.name);
        let probed: Vec<bool> = protocol.moments().map(measures).collect();
        let mut stages: BTreeMap<usize, Vec<Language>> = BTreeMap::new();
        for &language in &probe.languages {
            stages.entry(learnt(protocol, probe.task, language)).or_default().push(language);
        }
        let group = |(learnt, languages)| Group { probe, learnt, languages, probed: probed.clone() };
        groups.extend(stages.into_iter().map(group));
    }
    groups.sort_by_key(|group| group.learnt);
    groups
}

/// The first stage that trains the task in this language; for a language that none does, the first stage of the task.
fn learnt(protocol: &Protocol, task: Task, language: Language) -> usize {
    let stages = || protocol.stages.iter().zip(1..).filter(|(stage, _)| stage.task == task);
    let own = stages().find(|(stage, _)| stage.languages.contains(&language));
    own.or_else(|| stages().next()).map_or(0, |(_, number)| number)
}

impl Group<'_> {
    fn name(&self) -> String {
        let codes: Vec<&str> = self.languages.iter().map(|language| language.code()).collect();
        if self.is_whole() {
            self.probe.name.to_string()
        } else {
            format!("{} of {}", self.probe.name, codes.join("+"))
        }
    }

    fn is_whole(&self) -> bool {
        self.languages.len() == self.probe.languages.len()
    }

    fn last(&self) -> usize {
        self.probed.len() - 1
    }

    /// Moments that the measure needs and the protocol does not probe; `None` if the measure is not about this group.
    fn lacks(&self, measure: Measure) -> Option<Vec<usize>> {
        let needs = measure.needs(self.learnt, self.last())?;
        Some(needs.into_iter().filter(|&moment| !self.probed[moment]).collect())
    }

    fn takes_part(&self, measure: Measure) -> bool {
        self.lacks(measure).is_some_and(|moments| moments.is_empty())
    }

    /// Whether a hole at this moment is one in the measure.
    fn reads(&self, measure: Measure, moment: usize) -> bool {
        let reads = || measure.reads(self.learnt, self.last()).unwrap_or_default();
        self.probed[moment] && self.takes_part(measure) && reads().contains(&moment)
    }
}

impl<'a> Part<'a> {
    fn repeated(&self) -> Repeated<'a> {
        let examples = |pool: &Option<&'a Pooled>| pool.map(|pool| pool.contributions.as_slice());
        Repeated { name: self.language.to_string(), moments: self.moments.iter().map(examples).collect() }
    }

    fn examples(&self) -> usize {
        self.moments.iter().flatten().map(|pool| pool.ids.len()).next().unwrap_or(0)
    }

    fn is_whole(&self, group: &Group, measure: Measure) -> bool {
        self.moments.iter().enumerate().all(|(moment, pool)| pool.is_some() || !group.reads(measure, moment))
    }
}

/// In the order of the groups and their languages.
fn parts<'a>(row: &'a Row, groups: &[Group]) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let metric = group.probe.task.main_metric();
        for &language in &group.languages {
            let get = |moment| row.measured.get(moment, group.probe, metric, language);
            let mut moments: Vec<Option<&Pooled>> = (0..).zip(&group.probed).map(|(moment, _)| get(moment)).collect();
            // Scores of other examples cannot be compared with the last one.
            let last = moments.iter().flatten().next_back().map(|pool| &pool.ids);
            moments.iter_mut().for_each(|pool| *pool = pool.filter(|pool| Some(&pool.ids) == last));
            parts.push(Part { group: index, language, moments });
        }
    }
    parts
}

/// All groups first, then each with each of its languages.
fn scopes(groups: &[Group]) -> Vec<Scope> {
    let all = || "all".to_owned();
    let scope = |group: Option<&Group>, language, measures, columns| Scope {
        probe: group.map_or_else(all, |group| group.probe.name.to_string()),
        task: group.map_or_else(all, |group| group.probe.task.to_string()),
        metric: group.map_or_else(String::new, |group| format!("{}.", group.probe.task.main_metric())),
        language,
        measures,
        columns,
    };
    // A language's final score stands in the list already.
    let own = &const { Measure::ALL }[1..];
    let (mut columns, mut scopes) = (Vec::new(), Vec::new());
    let mut part = 0;
    for (index, group) in groups.iter().enumerate() {
        let parts: Vec<usize> = (part..part + group.languages.len()).collect();
        part += parts.len();
        let codes = group.languages.iter().map(|language| language.code());
        let together = if group.is_whole() { all() } else { codes.clone().collect::<Vec<_>>().join("+") };
        columns.push((index, parts.clone()));
        scopes.push(scope(Some(group), together, &Measure::ALL, vec![(index, parts.clone())]));
        scopes.extend(
            codes.zip(parts).map(|(code, part)| scope(Some(group), code.to_owned(), own, vec![(index, vec![part])])),
        );
    }
    scopes.insert(0, scope(None, all(), &Measure::ALL, columns));
    scopes
}

/// Every measure of every scope that a method has all scores of.
fn estimates(
    groups: &[Group],
    scopes: &[Scope],
    parts: &[Part],
    resamples: usize,
) -> Result<BTreeMap<(usize, Measure), Estimate>, ResultsError> {
    let mut wanted = Vec::new();
    for (index, scope) in scopes.iter().enumerate() {
        for &measure in scope.measures {
            let taking = || scope.columns.iter().filter(|(group, _)| groups[*group].takes_part(measure));
            let within: Vec<&Part> = taking().flat_map(|(_, own)| own).map(|&part| &parts[part]).collect();
            // No mean over a hole.
            if !within.is_empty() && within.iter().all(|part| part.is_whole(&groups[part.group], measure)) {
                wanted.push((index, measure, within.iter().map(|part| part.examples()).sum::<usize>()));
            }
        }
    }
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let repeated: Vec<Repeated> = parts.iter().map(Part::repeated).collect();
    let found = joint_intervals(&repeated, SEED, resamples, |scores| -> Result<Vec<f64>, ResultsError> {
        let matrices: Vec<ScoreMatrix> =
            scopes.iter().map(|scope| scope.matrix(groups, scores)).collect::<Result<_, _>>()?;
        Ok(wanted.iter().filter_map(|(index, measure, _)| matrices[*index].measure(*measure).mean).collect())
    })?;
    let found = wanted.into_iter().zip(found);
    Ok(found
        .map(|((index, measure, examples), (value, interval))| {
            ((index, measure), Estimate { value, interval, examples })
        })
        .collect())
}

impl Scope {
    /// `scores` by part and moment.
    fn matrix(&self, groups: &[Group], scores: &[Vec<Option<f64>>]) -> Result<ScoreMatrix, ResultsError> {
        let column = |(group, parts): &(usize, Vec<usize>)| {
            let Group { learnt, probed, .. } = &groups[*group];
            let mean = |moment: usize| {
                let found: Option<Vec<f64>> = parts.iter().map(|&part| scores[part][moment]).collect();
                found.map(|found| found.iter().sum::<f64>() / found.len() as f64)
            };
            Column { name: groups[*group].name(), learnt: *learnt, scores: (0..probed.len()).map(mean).collect() }
        };
        Ok(ScoreMatrix::new(self.columns.iter().map(column).collect())?)
    }
}

/// Main metrics are shares.
fn printed(measure: Measure, estimate: &Estimate) -> String {
    match measure {
        Measure::TransferBackward | Measure::TransferForward => {
            number::change(estimate.value, estimate.interval, Unit::Share)
        }
        _ => number::score(estimate.value, estimate.interval, Unit::Share),
    }
}

fn meaning(measure: Measure, last: usize) -> String {
    let words = match measure {
        Measure::AverageFinal => format!("after stage {last}"),
        Measure::TransferBackward => format!("after stage {last} minus when learnt"),
        Measure::TransferForward => "right before it is learnt minus before training".to_owned(),
        Measure::ForgettingFirstLast => format!("when learnt minus after stage {last}"),
        Measure::ForgettingMaxLast => format!("best before stage {last} minus after it"),
        Measure::ForgettingMaxAllLast => format!("best of all minus after stage {last}"),
    };
    format!("{}: {words}", measure.name())
}

/// What no method can have, since the protocol does not measure what it takes; measures with one cause share a note.
fn left_out(groups: &[Group], last: usize) -> Vec<String> {
    let mut causes: Vec<(String, Vec<&str>)> = Vec::new();
    for measure in Measure::ALL {
        let lacking: Vec<String> = groups
            .iter()
            .filter_map(|group| {
                let moments: Vec<String> = group.lacks(measure)?.into_iter().map(when).collect();
                (!moments.is_empty()).then(|| format!("{} is not probed {}", group.name(), moments.join(", nor ")))
            })
            .collect();
        let lacking = lacking.join("; ");
        let cause = match (groups.iter().any(|group| group.takes_part(measure)), lacking.is_empty()) {
            (true, true) => continue,
            (true, false) => format!("not in the mean: {lacking}"),
            (false, false) => format!("left out: {lacking}"),
            (false, true) if measure == Measure::TransferForward => {
                "left out: nothing is learnt after stage 1".to_owned()
            }
            (false, true) => format!("left out: nothing is learnt before stage {last}"),
        };
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, measures)) => measures.push(measure.name()),
            None => causes.push((cause, vec![measure.name()])),
        }
    }
    causes.into_iter().map(|(cause, measures)| format!("{} {cause}", measures.join(", "))).collect()
}

/// What a method should have measured and has not.
fn holes(row: &Row, groups: &[Group], parts: &[Part], shown: &[Measure]) -> Vec<String> {
    if row.measured.seeds.is_empty() {
        return vec![format!("{HOLE} {}: no scores", row.name)];
    }
    let mut found: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for part in parts {
        let group = &groups[part.group];
        for (moment, pool) in part.moments.iter().enumerate() {
            if pool.is_none() && shown.iter().any(|measure| group.reads(*measure, moment)) {
                found.entry((part.group, moment)).or_default().push(part.language.code());
            }
        }
    }
    let note = |((group, moment), languages): ((usize, usize), Vec<&str>)| {
        let Group { probe, .. } = &groups[group];
        let languages = languages.join(", ");
        format!("{HOLE} {}: no comparable score of {} {} for {languages}", row.name, probe.name, when(moment))
    };
    found.into_iter().map(note).collect()
}
