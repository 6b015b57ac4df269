//! DAX alternatives: node types, numbers of nodes, and hit ratios.

use super::{Alternative, AlternativeKind, Context, table_mut};
use crate::dax::{NODE_TYPES, NodeType};
use crate::time::MonthHours;
use crate::units::{Exact, count_of};
use crate::workload::{Dax, DesignEdit, DesignPart, HitRatio, TableDesign, toml_text};

/// Hit ratios in percent that are shown if none is known.
const RATIOS: [u64; 4] = [50, 80, 90, 99];

pub(super) fn of(context: &Context, table: &TableDesign) -> Vec<Alternative> {
    if !table.is_described() {
        return Vec::new();
    }
    let mut all = Vec::new();
    let month = &context.workload.month;
    let reads = table.cached_reads_per_second(month);
    let slot = format!("DAX of {}", table.table.name);
    if table.dax.is_some() {
        let target = table.table.name.clone();
        all.push(
            Alternative::new(AlternativeKind::Dax, "without DAX")
                .of(table, None)
                .because("every read goes to the table")
                .deciding("reads take milliseconds, not microseconds")
                .edit(DesignEdit::of(table.part(DesignPart::Dax)).remove_part())
                .change(slot.clone(), move |workload| {
                    if let Some(table) = table_mut(workload, &target) {
                        table.dax = None;
                    }
                }),
        );
    }
    if reads.is_zero() {
        let why = "no eventually consistent read goes through it; DAX does not answer strongly \
                   consistent or transactional reads";
        all.push(
            Alternative::new(AlternativeKind::Dax, "a DAX cluster")
                .of(table, None)
                .impossible(why),
        );
        return all;
    }
    for node in &NODE_TYPES {
        for hits in hit_shares(table, node, &context.workload.month) {
            all.push(cluster(context, table, node, &hits, &slot));
        }
    }
    all
}

/// A hit ratio of a cluster.
struct HitShare {
    ratio: Exact,
    /// Whether it is given or follows from the popularity of keys, and is not just assumed.
    known: bool,
}

/// The hit ratios of a node type: the given one, the one that follows from the popularity of keys,
/// or several assumed ones.
fn hit_shares(table: &TableDesign, node: &NodeType, month: &MonthHours) -> Vec<HitShare> {
    let known = |ratio| HitShare { ratio, known: true };
    let assumed = |percent: u64| HitShare {
        ratio: Exact::ratio(percent, 100),
        known: false,
    };
    let ttl = table.dax.as_ref().map_or(300, |dax| dax.ttl_seconds);
    match (&table.dax, &table.popularity) {
        (
            Some(Dax {
                hit_ratio: HitRatio::Given(share),
                ..
            }),
            _,
        ) => vec![known(share.clone())],
        (_, Some(_)) => {
            let ratio = table.expected_hit_ratio(node.name, ttl, month);
            ratio.map(known).into_iter().collect()
        }
        _ if node.name == NODE_TYPES[0].name => RATIOS.map(assumed).into(),
        _ => vec![assumed(RATIOS[2])],
    }
}

fn has_given_ratio(table: &TableDesign) -> bool {
    let dax = table.dax.as_ref();
    dax.is_some_and(|dax| matches!(dax.hit_ratio, HitRatio::Given(_)))
}

fn cluster(
    context: &Context,
    table: &TableDesign,
    node: &NodeType,
    hits: &HitShare,
    slot: &str,
) -> Alternative {
    let ratio = &hits.ratio;
    let percent = (ratio * &Exact::from(100)).human(2);
    let load = table.dax_load(&context.workload.month, ratio);
    let name = |nodes: u64| format!("{nodes} x {} at {percent} % hits", node.name);
    let Some(nodes) = load.nodes_needed(node) else {
        let why = format!(
            "{} normalized requests a second are more than 11 nodes can serve",
            load.normalized(11).human(0)
        );
        return Alternative::new(AlternativeKind::Dax, name(11))
            .of(table, None)
            .impossible(why);
    };
    let target = load.target(nodes).unwrap_or_default();
    let why = format!(
        "{} normalized requests a second, or {} with headroom for the loss of a node or 70 % \
         utilization, of the {} that {} can serve",
        load.normalized(nodes).human(0),
        target.human(0),
        Exact::from(node.requests * nodes),
        count_of(nodes, "node")
    );
    let dax = Dax {
        node_type: node.name.to_string(),
        nodes,
        hit_ratio: HitRatio::Given(ratio.clone()),
        ttl_seconds: table.dax.as_ref().map_or(300, |dax| dax.ttl_seconds),
    };
    let target = table.table.name.clone();
    let edit = DesignEdit::of(table.part(DesignPart::Dax))
        .set("node_type", toml_text(node.name))
        .set("nodes", nodes.to_string());
    let alternative = Alternative::new(AlternativeKind::Dax, name(nodes))
        .of(table, None)
        .because(why)
        .edit(match table.popularity {
            // It is computed from the popularity, as here.
            Some(_) if hits.known && !has_given_ratio(table) => edit,
            _ => edit.set("hit_ratio", ratio.human(6)),
        })
        .change(slot, move |workload| {
            if let Some(table) = table_mut(workload, &target) {
                table.dax = Some(dax.clone());
            }
        });
    match hits.known {
        true => alternative.deciding(
            "cached reads may be stale until their TTL expires; DAX does not see writes that \
             bypass it",
        ),
        false => alternative.if_so(
            "the hit ratio is assumed: set `hit_ratio` or `popularity`, or measure it from a trace",
        ),
    }
}
