//! Where the design runs: other regions, more or fewer replicas, and strong consistency between
//! them.

use std::sync::Arc;

use super::{Alternative, AlternativeKind, Context, RegionChange, table_mut};
use crate::table::IndexKind;
use crate::units::Exact;
use crate::workload::{
    AccessPattern, ContributorInsights, DesignEdit, DesignPart, PatternCall, Replica,
    STRONG_REGION_SETS, TableDesign, Workload, toml_text,
};

/// The same design in every other region that has a price book.
pub(super) fn regions(context: &Context) -> Vec<Alternative> {
    let home = &context.workload.region;
    let region = |region: &str| {
        let (to, from) = (region.to_string(), home.clone());
        let alternative = Alternative::new(
            AlternativeKind::Regions(RegionChange::MoveTo(region.to_string())),
            format!("in {region}"),
        );
        let together = |table: &TableDesign| {
            let mut all = vec![region];
            all.extend(table.replicas.iter().map(|replica| {
                if replica.region == region {
                    home.as_str()
                } else {
                    replica.region.as_str()
                }
            }));
            STRONG_REGION_SETS
                .iter()
                .any(|set| all.iter().all(|one| set.contains(one)))
        };
        if let Some(table) = context
            .workload
            .tables
            .iter()
            .filter(|table| table.strong)
            .find(|table| !together(table))
        {
            return alternative.impossible(format!(
                "{} uses multi-Region strong consistency (MRSC), so all its regions must be in \
                 one Region set",
                table.table.name
            ));
        }
        Alternative::new(
            AlternativeKind::Regions(RegionChange::MoveTo(region.to_string())),
            format!("in {region}"),
        )
        .because(format!("the same design at the prices of {region}"))
        .deciding(
            "latency to users and other systems changes, other laws may apply, and the data must \
             be moved",
        )
        .edit(moved(context.workload, region))
        .change("the region", move |workload| {
            let workload = workload.contents_mut();
            workload.region.clone_from(&to);
            // If there is a replica in that region, it and the table swap places.
            for table in workload
                .tables
                .iter_mut()
                .filter(|table| table.replicas.iter().any(|replica| replica.region == to))
            {
                let there = Arc::make_mut(table)
                    .replicas
                    .iter_mut()
                    .filter(|replica| replica.region == to);
                there.for_each(|replica| replica.region.clone_from(&from));
            }
        })
    };
    context
        .books
        .regions()
        .filter(|region| region != home)
        .map(region)
        .collect()
}

/// Fewer or more replicas, and strong consistency between regions.
pub(super) fn replicas(context: &Context, table: &TableDesign) -> Vec<Alternative> {
    let impossible = |name: &str, why: &str| {
        Alternative::new(AlternativeKind::Regions(RegionChange::Replicas), name)
            .of(table, None)
            .impossible(why)
    };
    if table.strong {
        let why = "a strongly consistent (MRSC) global table has three regions of one Region set, \
                   counting a witness; to change them, you must create it again";
        return vec![impossible("other replicas", why)];
    }
    let slot = format!("replicas of {}", table.table.name);
    let mut all: Vec<Alternative> = table
        .replicas
        .iter()
        .map(|replica| without_replica(table, &replica.region, &slot))
        .collect();
    let home = context.workload.region.as_str();
    let set = STRONG_REGION_SETS.iter().find(|set| set.contains(&home));
    let mut own = vec![home];
    own.extend(table.replicas.iter().map(|replica| replica.region.as_str()));
    let others: Vec<&str> = match set {
        Some(set) => set
            .iter()
            .copied()
            .filter(|region| !own.contains(region))
            .collect(),
        None => near(context, &own),
    };
    for count in 1..=others.len().min(2) {
        if table.replicas.is_empty() || count == 1 {
            let added = &others[..count];
            let eventual = ConsistencyChoice::Eventual;
            all.push(added_replicas(table, added, eventual, &slot));
        }
    }
    if let (Some(_), true) = (set, table.replicas.is_empty()) {
        for consistency in [
            ConsistencyChoice::Strong,
            ConsistencyChoice::StrongWithWitness,
        ] {
            let added = &others[..2.min(others.len())];
            all.push(match strong_excludes(table) {
                Some(why) => named(table, added, consistency).impossible(why),
                None => added_replicas(table, added, consistency, &slot),
            });
        }
    }
    all
}

fn without_replica(table: &TableDesign, region: &str, slot: &str) -> Alternative {
    let (target, region) = (table.table.name.clone(), region.to_string());
    Alternative::new(
        AlternativeKind::Regions(RegionChange::Replicas),
        format!("without the replica in {region}"),
    )
    .of(table, None)
    .because("every write is billed in one region fewer")
    .deciding("its readers use the home region, and you need another plan for the loss of a region")
    .edit(removed_replica(table, &region))
    .change(slot, move |workload| {
        if let Some(table) = table_mut(workload, &target) {
            bring_home(table, &region);
        }
    })
}

/// Removes a replica from the file. The reads that it serves belong to other access patterns then.
fn removed_replica(table: &TableDesign, region: &str) -> DesignEdit {
    let part = DesignPart::Replica(table.table.name.clone(), region.to_string());
    let edit = DesignEdit::of(part).remove_part();
    let replica = table.replicas.iter().find(|one| one.region == region);
    match replica.is_some_and(|one| !one.reads.is_zero() || !one.access.is_empty()) {
        true => edit.by_hand(format!(
            "add the reads in {region} to the access patterns of the table"
        )),
        false => edit,
    }
}

/// Moves the design to another region; a replica in that region and the table swap places.
fn moved(workload: &Workload, region: &str) -> DesignEdit {
    let edit = DesignEdit::of(DesignPart::Region).set("region", toml_text(region));
    let there = workload.tables.iter().filter(|table| {
        let mut replicas = table.replicas.iter();
        replicas.any(|replica| replica.region == region)
    });
    there.fold(edit, |edit, table| {
        let part = |region: &str| DesignPart::Replica(table.table.name.clone(), region.to_string());
        let swapped = |one: &str| match one {
            one if one == region => toml_text(&workload.region),
            one if one == workload.region => toml_text(region),
            one => toml_text(one),
        };
        let served = |edit: DesignEdit, other: &Option<String>| match other {
            Some(other) => edit.replace("failover", swapped(other)),
            None => edit,
        };
        let edit = served(edit.and(table.part(DesignPart::Table)), &table.failover);
        let replicas = table.replicas.iter().filter(|one| one.region != region);
        let edit = replicas.fold(edit, |edit, one| {
            served(edit.and(part(&one.region)), &one.failover)
        });
        let there = table.replicas.iter().find(|one| one.region == region);
        let edit = served(
            edit.and(part(region)),
            &there.and_then(|one| one.failover.clone()),
        );
        edit.set("region", toml_text(&workload.region))
    })
}

/// Removes a replica; the home region serves its readers.
fn bring_home(table: &mut TableDesign, region: &str) {
    let Some(at) = table
        .replicas
        .iter()
        .position(|replica| replica.region == region)
    else {
        return;
    };
    let replica = table.replicas.remove(at);
    let more = Exact::one() + replica.reads;
    table
        .access
        .iter_mut()
        .filter(|access| access.is_read())
        .for_each(|access| access.calls = &access.calls * &more);
    let named = |access: AccessPattern| AccessPattern {
        name: format!("{}, from {region}", access.name),
        ..access
    };
    table.access.extend(replica.access.into_iter().map(named));
}

/// Up to two regions in the same part of the world.
fn near<'a>(context: &'a Context, own: &[&str]) -> Vec<&'a str> {
    let home = &context.workload.region;
    let part = home.split('-').next().unwrap_or_default();
    context
        .books
        .regions()
        .filter(|region| {
            region.starts_with(part)
                && !own.contains(region)
                && region.contains("gov") == home.contains("gov")
        })
        .take(2)
        .collect()
}

/// Why a table cannot use multi-Region strong consistency (rule 4.4).
fn strong_excludes(table: &TableDesign) -> Option<String> {
    let transactional = |call: &PatternCall| {
        matches!(
            call,
            PatternCall::Transaction { .. }
                | PatternCall::Get {
                    consistency: None,
                    ..
                }
        )
    };
    if table
        .access
        .iter()
        .any(|access| transactional(&access.call))
    {
        return Some(
            "a strongly consistent (MRSC) global table does not support transactions".to_string(),
        );
    }
    if !table.ttl_deletes.is_zero() {
        return Some(
            "a strongly consistent (MRSC) global table does not support Time to Live".to_string(),
        );
    }
    let local = table
        .table
        .indexes
        .iter()
        .any(|index| index.kind == IndexKind::Local);
    local.then(|| {
        "a strongly consistent (MRSC) global table does not support local indexes".to_string()
    })
}

/// The consistency between the replicas of a global table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConsistencyChoice {
    Eventual,
    Strong,
    /// Strong; the last of the added regions is a witness, which only stores what is written.
    StrongWithWitness,
}

impl ConsistencyChoice {
    fn words(self) -> &'static str {
        match self {
            ConsistencyChoice::Eventual => "eventually consistent (MREC)",
            ConsistencyChoice::Strong => "strongly consistent (MRSC)",
            ConsistencyChoice::StrongWithWitness => {
                "strongly consistent (MRSC), the last as a witness"
            }
        }
    }
}

/// The alternative of replicas in more regions, with its name only.
fn named(table: &TableDesign, regions: &[&str], consistency: ConsistencyChoice) -> Alternative {
    let name = format!(
        "replicas in {}, {}",
        regions.join(" and "),
        consistency.words()
    );
    Alternative::new(AlternativeKind::Regions(RegionChange::Replicas), name).of(table, None)
}

fn added_replicas(
    table: &TableDesign,
    regions: &[&str],
    consistency: ConsistencyChoice,
    slot: &str,
) -> Alternative {
    let target = table.table.name.clone();
    let witness = regions
        .last()
        .filter(|_| consistency == ConsistencyChoice::StrongWithWitness)
        .map(ToString::to_string);
    let alternative = named(table, regions, consistency);
    let regions: Vec<String> = regions.iter().map(ToString::to_string).collect();
    let strong = consistency != ConsistencyChoice::Eventual;
    let edit = DesignEdit::of(table.part(DesignPart::Table));
    let edit = match strong {
        true => edit.set("multi_region_consistency", toml_text("strong")),
        false => edit,
    };
    let edit = regions.iter().fold(edit, |edit, region| {
        let mut keys = vec![("region", toml_text(region))];
        if witness.as_ref() == Some(region) {
            keys.push(("witness", "true".to_string()));
        }
        edit.append("replica", keys)
    });
    alternative
        .because(
            "every write is billed in every region, and its data is transferred to each of them",
        )
        .deciding("costs more, but survives the loss of a region")
        .edit(edit)
        .change(slot, move |workload| {
            let Some(table) = table_mut(workload, &target) else {
                return;
            };
            table.strong = strong;
            for region in &regions {
                table.replicas.push(Replica {
                    region: region.clone(),
                    class: table.table.class,
                    reads: Exact::zero(),
                    access: Vec::new(),
                    read: None,
                    read_max: None,
                    indexes: Vec::new(),
                    contributor_insights: ContributorInsights::Off,
                    pitr: Some(false),
                    encryption: None,
                    witness: witness.as_ref() == Some(region),
                    failover: None,
                });
            }
        })
}
