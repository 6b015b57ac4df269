//! What a design costs that belongs to none of its tables: DAX clusters of their own, and what an
//! import could not read.

use std::sync::OnceLock;

use super::TableResult;
use super::site::{Gap, Settled};
use crate::units::{Exact, count_of};
use crate::unread::{Unread, UnreadKind};
use crate::usage::{Because, Subject, Usage, UsageType};
use crate::workload::{Cluster, DesignPart, Measured, Workload};

/// The result of what belongs to no table; `None` if there is nothing.
pub(super) fn without_table(workload: &Workload) -> Option<TableResult> {
    let is_empty = workload.clusters.is_empty()
        && workload.measured.is_empty()
        && workload.unpriced.is_empty();
    let result = || TableResult {
        settled: Settled::default(),
        capacity: Vec::new(),
        features: workload
            .clusters
            .iter()
            .map(|one| cluster(workload, one))
            .chain(measured(&workload.measured, &of_design(workload)))
            .collect(),
        gaps: unread(workload),
        alone: OnceLock::new(),
    };
    (!is_empty).then(result)
}

fn of_design(workload: &Workload) -> Subject {
    Subject {
        table: None,
        index: None,
        region: workload.region.clone(),
        access: None,
    }
}

fn cluster(workload: &Workload, cluster: &Cluster) -> Usage {
    let mut usage = nodes(
        workload,
        of_design(workload),
        cluster.nodes,
        &cluster.node_type,
    );
    if let Some(name) = &cluster.name {
        let words = format!("the cluster {name}, which serves no table of the design");
        usage.because.insert(0, Because::plain(words));
    }
    usage
}

/// What a bill measured, of a table or of the account.
pub(super) fn measured<'a>(
    measured: &'a [Measured],
    subject: &'a Subject,
) -> impl Iterator<Item = Usage> + 'a {
    measured.iter().map(|one| Usage {
        subject: Subject {
            region: one.region.clone(),
            access: measured_requests(&one.usage_type),
            ..subject.clone()
        },
        usage_type: one.usage_type.clone(),
        quantity: one.quantity.clone(),
        because: vec![Because::plain(format!(
            "measured: {} {}",
            one.quantity.human(9),
            one.usage_type.units()
        ))],
    })
}

/// The name of measured requests, which no access pattern causes.
fn measured_requests(usage: &UsageType) -> Option<String> {
    let UsageType::Requests(throughput, _) = usage else {
        return None;
    };
    Some(format!("measured {}s", throughput.direction().word()))
}

/// The node-hours of a DAX cluster.
pub(super) fn nodes(workload: &Workload, subject: Subject, nodes: u64, kind: &str) -> Usage {
    let hours = workload.month.hours();
    let quantity = &Exact::from(nodes) * hours;
    let nodes = count_of(nodes, "node");
    let because = Because::rule(
        "7.8",
        format!("{nodes} x {hours} hours = {quantity} node-hours"),
    );
    Usage {
        subject,
        usage_type: UsageType::DaxNode(kind.to_string()),
        quantity,
        because: vec![because],
    }
}

/// What an import could not read, each as an unknown cost.
fn unread(workload: &Workload) -> Vec<Gap> {
    let gap = |(at, one): (usize, &crate::workload::Unpriced)| {
        let place = workload.written.place(&DesignPart::Unpriced(None, at));
        Gap {
            subject: of_design(workload),
            what: one.what.clone(),
            why: why_unread(one.kind).to_string(),
            usage_type: UsageType::unpriced(),
            costs: true,
            unread: Some(Unread::new(one.kind, place)),
        }
    };
    workload.unpriced.iter().enumerate().map(gap).collect()
}

/// Why the cost of something that was not read is unknown, and what to do about it.
pub(super) fn why_unread(kind: UnreadKind) -> &'static str {
    match kind {
        UnreadKind::Feature => {
            "a workload file cannot describe it, so it is not metered; add its price by hand"
        }
        UnreadKind::AfterApply => "its value is known only after the change; set it in the file",
        UnreadKind::Condition => {
            "the bill has it as if it existed; set the parameter under [parameters] in a usage file"
        }
        UnreadKind::PlanError => {
            "the plan is incomplete; plan the whole configuration, and fix the error that `terraform plan` shows if there is one"
        }
        UnreadKind::Deferred => "Terraform plans it later; check the next plan as well",
        UnreadKind::NestedStack => {
            "its template is not in the file or beside it; put it there, or check it separately"
        }
        UnreadKind::Include => {
            "what is added is not in the template; give the processed template \
             (`aws cloudformation get-template --template-stage Processed`)"
        }
        UnreadKind::Module => {
            "its resources are in the registry; give the processed template \
             (`aws cloudformation get-template --template-stage Processed`)"
        }
        UnreadKind::CustomResource => {
            "a function of the account decides what it creates; describe its tables in a workload \
             file"
        }
        UnreadKind::OtherProvider => {
            "tables of this provider are not read; describe them in a workload file"
        }
        UnreadKind::OtherAccount => "it is billed to another account; check it there",
        UnreadKind::OtherRegion => "a design has one region; check the other with --region",
        UnreadKind::OtherTable => {
            "the file does not contain its table; check it together with the file that does"
        }
        UnreadKind::Scaling => {
            "a workload repeats every week; set the capacity in a usage file or a workload file"
        }
        UnreadKind::BackupPlan => {
            "its backups cannot be counted; add `backup.plan` to the tables that it selects"
        }
    }
}
