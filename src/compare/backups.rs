//! Backups over years: point-in-time recovery, on-demand backups and exports to S3; and archiving
//! of old items.

use super::{Alternative, AlternativeKind, BackupPlan, Context, table_mut};
use crate::units::{Exact, GB, MB};
use crate::usage::{Subject, Usage, UsageType};
use crate::workload::{Archive, DesignPart, Stay, TableDesign};

pub(super) fn of(context: &Context, table: &TableDesign) -> Vec<Alternative> {
    let years = context.question.retention_years.max(1);
    let part = || table.part(DesignPart::Table);
    let slot = |what: &str| format!("{what} of {}", table.table.name);
    let change =
        |plan: BackupPlan, name: String, slot: String, change: fn(&mut TableDesign, u64)| {
            let target = table.table.name.clone();
            Alternative::new(AlternativeKind::Backup(plan), name)
                .of(table, None)
                .change(slot, move |workload| {
                    if let Some(table) = table_mut(workload, &target) {
                        change(table, years);
                    }
                })
        };
    let mut all = vec![match table.backup.pitr {
        true if table.archive.is_some() => Alternative::new(
            AlternativeKind::Backup(BackupPlan::Recovery),
            "without point-in-time recovery",
        )
        .of(table, None)
        .impossible("the table's exports to S3 need it"),
        true => change(
            BackupPlan::Recovery,
            "without point-in-time recovery".to_string(),
            slot("recovery and exports"),
            |table, _| table.backup.pitr = false,
        )
        .because("the table can no longer be restored to any second of up to the last 35 days")
        .deciding("a mistake noticed late cannot be undone")
        .edit(part(), "backup.pitr = false"),
        false => change(
            BackupPlan::Recovery,
            "with point-in-time recovery".to_string(),
            slot("recovery and exports"),
            |table, _| table.backup.pitr = true,
        )
        .because(
            "the table can be restored to any second of up to the last 35 days; the recovery \
             period does not affect the price",
        )
        .edit(part(), "backup.pitr = true"),
    }];
    if !table.backup.kept.is_empty() {
        let without = change(
            BackupPlan::WithoutBackups,
            "without on-demand backups".to_string(),
            slot("backups"),
            |table, _| table.backup.kept.clear(),
        );
        all.push(
            without
                .because("no backups are kept except by point-in-time recovery, if it is on")
                .deciding("data that must be kept for years is no longer backed up")
                .edit(part(), "backup.on_demand = []"),
        );
    }
    all.push(
        change(
            BackupPlan::MonthlyBackups,
            format!("monthly on-demand backups kept for {years} years"),
            slot("backups"),
            |table, years| table.backup.kept = vec![12 * years],
        )
        .because(format!(
            "{} backups are kept at any time, each as large as the table is now",
            12 * years
        ))
        .replacing(
            !table.backup.kept.is_empty(),
            "replaces the current backups",
            "needs only a backup schedule",
        )
        .edit(
            part(),
            format!(
                "backup.on_demand = [{{ every = \"1 month\", keep = {} }}]",
                12 * years
            ),
        ),
    );
    all.extend(table.mean_size().map(|mean| expired(context, table, &mean)));
    let days = Exact::from(365 * years);
    let exports = Exact::one();
    for (plan, name, stays) in [
        (
            BackupPlan::MonthlyExports,
            "S3 Standard",
            vec![stay("standard", days.clone())],
        ),
        (
            BackupPlan::MonthlyExportsToDeepArchive,
            "S3, to Deep Archive after 90 days",
            to_deep_archive(&days),
        ),
    ] {
        let (target, stays, exports) = (table.table.name.clone(), stays, exports.clone());
        let pitr = if table.backup.pitr {
            ""
        } else {
            "; includes the cost of point-in-time recovery, which exports require"
        };
        let text = if stays.len() > 1 {
            format!(
                "backup.pitr = true, archive = {{ export = {{ every = \"1 month\" }}, keep = \
                 \"{years} years\", lifecycle = [{{ after_days = 30, class = \"standard-ia\" }}, \
                 {{ after_days = 90, class = \"deep-archive\" }}] }}"
            )
        } else {
            format!(
                "backup.pitr = true, archive = {{ export = {{ every = \"1 month\" }}, keep = \
                 \"{years} years\" }}"
            )
        };
        all.push(
            Alternative::new(
                AlternativeKind::Backup(plan),
                format!("monthly exports kept for {years} years in {name}"),
            )
            .of(table, None)
            .because(format!(
                "{} exports are kept at any time, in the steady state{pitr}",
                12 * years
            ))
            .replacing(
                table.archive.is_some(),
                "replaces the current exports",
                "to restore an export, you import it into a new table",
            )
            .edit(part(), text)
            .change(slot("recovery and exports"), move |workload| {
                let Some(table) = table_mut(workload, &target) else {
                    return;
                };
                table.backup.pitr = true;
                table.archive = Some(Archive {
                    exports: exports.clone(),
                    incremental: false,
                    stays: stays.clone(),
                    keep_given: true,
                    compression: Exact::one(),
                    object_bytes: Exact::from(100 * MB),
                });
            }),
        );
    }
    all
}

impl Alternative {
    /// A trade-off if it replaces something that exists now, otherwise only a risk.
    fn replacing(self, something: bool, decision: &str, risk: &str) -> Alternative {
        if something {
            self.deciding(decision)
        } else {
            self.risking(risk)
        }
    }
}

/// The older half of the items, expired by Time to Live and kept in S3.
fn expired(context: &Context, table: &TableDesign, mean: &Exact) -> Alternative {
    let half = Exact::ratio(1, 2);
    let gigabytes = &(&(&table.items * &half) * mean) / &Exact::from(GB);
    let (target, region) = (table.table.name.clone(), context.workload.region.clone());
    let mut alternative = Alternative::new(
        AlternativeKind::Backup(BackupPlan::Expiry),
        "the older half of the items expires by TTL into S3 Glacier Instant Retrieval",
    )
    .of(table, None)
    .if_so(
        "old items must be read from S3, and a stream consumer must write them there; neither \
         cost is included",
    )
    .edit(
        table.part(DesignPart::Table),
        format!("items = {}, [table.ttl]", (&table.items * &half).human(0)),
    )
    .change(format!("age of {}", table.table.name), move |workload| {
        if let Some(table) = table_mut(workload, &target) {
            table.items = (&table.items * &Exact::ratio(1, 2)).ceil();
        }
    });
    alternative.plus.push(Usage {
        subject: Subject {
            table: table.table.name.clone(),
            index: None,
            region,
            access: None,
        },
        usage_type: UsageType::s3_storage("glacier_instant"),
        quantity: gigabytes,
        because: Vec::new(),
    });
    alternative
}

fn stay(class: &'static str, days: Exact) -> Stay {
    Stay {
        class,
        billed_days: days.clone(),
        days,
    }
}

fn to_deep_archive(days: &Exact) -> Vec<Stay> {
    vec![
        stay("standard", Exact::from(30)),
        stay("standard_ia", Exact::from(60)),
        stay("deep_archive", days - &Exact::from(90)),
    ]
}
