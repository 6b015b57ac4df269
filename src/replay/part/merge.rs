//! Joins the parts of the shares of one trace, one after another.

use std::collections::BTreeSet;

use super::ReplayPart;
use super::file::{Header, Loaded, read};
use super::table::{PartInput, wrong};
use crate::replay::error::ReplayError;
use crate::replay::options::ReplayOptions;
use crate::trace::{KeyShare, SLOTS};
use crate::workload::Workload;

/// The parts joined so far.
struct Joined {
    whole: ReplayPart,
    /// What the first part is, and its name.
    header: Header,
    first: String,
    /// The part that covers each slot.
    slots: Vec<Option<(String, KeyShare)>>,
}

/// Joins parts, each of which is read and dropped before the next, so that memory holds the result and
/// one part. `tick` is called after each; if it returns `false`, nothing more is read.
///
/// # Errors
/// [`ReplayError::Part`] if a slot of keys is covered twice, if the parts are from different traces,
/// versions or settings, or, with `complete`, if a slot is missing.
pub fn join(
    parts: impl IntoIterator<Item = PartInput>,
    workload: Option<&Workload>,
    options: &ReplayOptions,
    complete: bool,
    mut tick: impl FnMut() -> bool,
) -> Result<ReplayPart, ReplayError> {
    let mut joined: Option<Joined> = None;
    for input in parts {
        let loaded = read(&input, workload, options)?;
        loaded.check(&input, false)?;
        match &mut joined {
            None => joined = Some(Joined::new(&input, loaded)?),
            Some(joined) => joined.add(&input, loaded)?,
        }
        if !tick() {
            return Err(ReplayError::Stopped);
        }
    }
    let joined = joined.ok_or_else(|| ReplayError::part("no parts to merge"))?;
    if complete {
        joined.is_complete()?;
    }
    Ok(joined.whole)
}

/// The slots that shares cover.
fn slots_of(shares: &[KeyShare]) -> impl Iterator<Item = usize> {
    (0..SLOTS).filter(|slot| shares.iter().any(|share| share.owns(*slot as u8)))
}

impl Joined {
    fn new(input: &PartInput, loaded: Loaded) -> Result<Joined, ReplayError> {
        let mut joined = Joined {
            header: loaded.header,
            first: input.name(),
            slots: vec![None; SLOTS],
            whole: loaded.part,
        };
        let shares = joined.whole.covers.clone();
        joined.cover(input, &shares)?;
        Ok(joined)
    }

    /// Marks the slots of a part as covered.
    fn cover(&mut self, input: &PartInput, shares: &[KeyShare]) -> Result<(), ReplayError> {
        for slot in slots_of(shares) {
            let covers = |share: &&KeyShare| share.owns(slot as u8);
            let share = shares.iter().find(covers).copied().unwrap_or_default();
            let Some((other, its)) = self.slots[slot].replace((input.name(), share)) else {
                continue;
            };
            let text = match its == share {
                true => format!("is share {share}, and so is {other}"),
                false => format!(
                    "is share {share}, but {other} is share {its}, which has some of the same keys"
                ),
            };
            return Err(wrong(input, text).with_help("give each share once"));
        }
        Ok(())
    }

    fn add(&mut self, input: &PartInput, loaded: Loaded) -> Result<(), ReplayError> {
        self.belongs(input, &loaded)?;
        self.cover(input, &loaded.header.covers)?;
        self.whole.join(loaded.part);
        Ok(())
    }

    /// Whether a part is of the same trace as the first.
    fn belongs(&self, input: &PartInput, loaded: &Loaded) -> Result<(), ReplayError> {
        let (own, other) = (&loaded.header.read, &self.header.read);
        let definitions = |part: &ReplayPart| part.executor.engine.tables.definitions.clone();
        if own == other && definitions(&loaded.part) == definitions(&self.whole) {
            return Ok(());
        }
        let (shares, first) = (loaded.header.shares(), &self.first);
        let files = |read: &super::Read| read.files.iter().cloned().collect::<BTreeSet<String>>();
        let (own_files, other_files) = (files(own), files(other));
        let lacks = other_files.difference(&own_files).next();
        let adds = own_files.difference(&other_files).next();
        let differs = match (lacks, adds) {
            (Some(file), _) => format!("it lacks {file}"),
            (None, Some(file)) => format!("{first} lacks {file}"),
            (None, None) => format!("{} events here, {} there", own.events, other.events),
        };
        let text = format!("share {shares} is of another trace than {first}: {differs}");
        let help = "all parts must come from the same files, in the same order";
        Err(wrong(input, text).with_help(help))
    }

    /// Whether all slots are covered, and every event of the trace was executed.
    fn is_complete(&self) -> Result<(), ReplayError> {
        let missing: Vec<usize> = (0..SLOTS)
            .filter(|slot| self.slots[*slot].is_none())
            .collect();
        let of = self.whole.covers.iter().map(|share| share.of).max();
        let of = of.unwrap_or(1);
        let shares: Vec<KeyShare> = (1..=of)
            .map(|number| KeyShare { number, of })
            .filter(|share| missing.iter().any(|slot| share.owns(*slot as u8)))
            .collect();
        if let Some(one) = shares.first() {
            let names: Vec<String> = shares.iter().map(KeyShare::to_string).collect();
            let help = format!(
                "create one with replay --share {one} --partial, or, of dealt rows, with replay \
                 --dealt {one} --partial"
            );
            let text = format!("missing shares: {}", names.join(", "));
            return Err(ReplayError::part(text).with_help(help));
        }
        let (executed, events) = (self.whole.executed, self.whole.read.events);
        if executed != events {
            let text = format!(
                "the parts executed {executed} events, but the files of the trace have {events}"
            );
            let help = "run the shares again, each with the blobs of all files";
            return Err(ReplayError::part(text).with_help(help));
        }
        Ok(())
    }
}
