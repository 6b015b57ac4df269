//! Backups over years: point-in-time recovery, on-demand backups and exports to S3; and archiving
//! of old items.

use super::{Alternative, AlternativeKind, BackupPlan, Context, table_mut};
use crate::units::{Exact, GB, MB, count_of};
use crate::usage::{Subject, Usage, UsageType};
use crate::workload::{Archive, DesignEdit, DesignPart, Stay, TableDesign};

/// The alternatives for a table's backups and its archive.
pub(super) fn of(context: &Context, table: &TableDesign) -> Vec<Alternative> {
    let years = context.question.retention_years.max(1);
    let mut all = vec![recovery(table)];
    if !table.backup.kept.is_empty() {
        all.push(without_backups(table));
    }
    all.push(monthly_backups(table, years));
    all.extend(table.mean_size().map(|mean| expired(context, table, &mean)));
    let days = Exact::from(365 * years);
    all.push(monthly_exports(
        table,
        years,
        BackupPlan::MonthlyExports,
        vec![stay("standard", days.clone())],
    ));
    all.push(monthly_exports(
        table,
        years,
        BackupPlan::MonthlyExportsToDeepArchive,
        to_deep_archive(&days),
    ));
    all
}

/// What an alternative replaces in a table; two alternatives of one slot exclude each other.
fn slot(table: &TableDesign, what: &str) -> String {
    format!("{what} of {}", table.table.name)
}

const RECOVERY_AND_EXPORTS: &str = "recovery and exports";

fn changed(
    table: &TableDesign,
    plan: BackupPlan,
    name: impl Into<String>,
    what: &str,
    change: impl Fn(&mut TableDesign) + Send + Sync + 'static,
) -> Alternative {
    let target = table.table.name.clone();
    Alternative::new(AlternativeKind::Backup(plan), name)
        .of(table, None)
        .change(slot(table, what), move |workload| {
            if let Some(table) = table_mut(workload, &target) {
                change(table);
            }
        })
}

/// Point-in-time recovery on or off.
fn recovery(table: &TableDesign) -> Alternative {
    let part = table.part(DesignPart::Table);
    let changed = |name: &str, on: bool| {
        changed(
            table,
            BackupPlan::Recovery,
            name,
            RECOVERY_AND_EXPORTS,
            move |table| table.backup.pitr = Some(on),
        )
    };
    let point_in_time = match table.backup.pitr {
        Some(on) => on,
        None => {
            return Alternative::new(
                AlternativeKind::Backup(BackupPlan::Recovery),
                "with or without point-in-time recovery",
            )
            .of(table, None)
            .impossible("whether point-in-time recovery is on is not known");
        }
    };
    match point_in_time {
        true if table.archive.is_some() => Alternative::new(
            AlternativeKind::Backup(BackupPlan::Recovery),
            "without point-in-time recovery",
        )
        .of(table, None)
        .impossible("the table's exports to S3 need it"),
        true => changed("without point-in-time recovery", false)
            .because("the table can no longer be restored to any second of up to the last 35 days")
            .deciding("a mistake noticed late cannot be undone")
            .edit(DesignEdit::of(part).set("backup.pitr", "false")),
        false => changed("with point-in-time recovery", true)
            .because(
                "the table can be restored to any second of up to the last 35 days; the recovery \
                 period does not affect the price",
            )
            .edit(DesignEdit::of(part).set("backup.pitr", "true")),
    }
}

fn without_backups(table: &TableDesign) -> Alternative {
    changed(
        table,
        BackupPlan::WithoutBackups,
        "without on-demand backups",
        "backups",
        |table| table.backup.kept.clear(),
    )
    .because("no backups are kept except by point-in-time recovery, if it is on")
    .deciding("data that must be kept for years is no longer backed up")
    .edit(DesignEdit::of(table.part(DesignPart::Table)).set("backup.on_demand", "[]"))
}

fn monthly_backups(table: &TableDesign, years: u64) -> Alternative {
    let kept = 12 * years;
    changed(
        table,
        BackupPlan::MonthlyBackups,
        format!(
            "monthly on-demand backups kept for {}",
            count_of(years, "year")
        ),
        "backups",
        move |table| table.backup.kept = vec![kept],
    )
    .because(format!(
        "{kept} backups are kept at any time, each as large as the table is now"
    ))
    .replacing(
        !table.backup.kept.is_empty(),
        "replaces the current backups",
        "needs only a backup schedule",
    )
    .edit(DesignEdit::of(table.part(DesignPart::Table)).set(
        "backup.on_demand",
        format!("[{{ every = \"1 month\", keep = {kept} }}]"),
    ))
}

/// Monthly exports to S3, which stay in its storage classes for given times.
fn monthly_exports(
    table: &TableDesign,
    years: u64,
    plan: BackupPlan,
    stays: Vec<Stay>,
) -> Alternative {
    let archived = stays.len() > 1;
    let name = match archived {
        true => "S3, to Deep Archive after 90 days",
        false => "S3 Standard",
    };
    let lifecycle = match archived {
        true => {
            ", lifecycle = [{ after_days = 30, class = \"standard-ia\" }, { after_days = 90, class \
             = \"deep-archive\" }]"
        }
        false => "",
    };
    let pitr = match table.backup.pitr {
        Some(true) => "",
        Some(false) => "; includes the cost of point-in-time recovery, which exports require",
        None => {
            "; whether point-in-time recovery, which exports require, is on already is not known"
        }
    };
    changed(
        table,
        plan,
        format!(
            "monthly exports kept for {} in {name}",
            count_of(years, "year")
        ),
        RECOVERY_AND_EXPORTS,
        move |table| {
            table.backup.pitr = Some(true);
            table.archive = Some(Archive {
                exports: Exact::one(),
                incremental: false,
                stays: stays.clone(),
                keep_given: true,
                compression: Exact::one(),
                object_bytes: Exact::from(100 * MB),
            });
        },
    )
    .because(format!(
        "{} exports are kept at any time, in the steady state{pitr}",
        12 * years
    ))
    .replacing(
        table.archive.is_some(),
        "replaces the current exports",
        "to restore an export, you import it into a new table",
    )
    .edit(
        DesignEdit::of(table.part(DesignPart::Table))
            .set("backup.pitr", "true")
            .set(
                "archive",
                format!(
                    "{{ export = {{ every = \"1 month\" }}, keep = \"{}\"{lifecycle} }}",
                    count_of(years, "year")
                ),
            ),
    )
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
    .edit(DesignEdit::in_words(
        table.part(DesignPart::Table),
        format!(
            "keep {} items in the table, and let the others expire (`ttl`)",
            (&table.items * &half).ceil()
        ),
    ))
    .change(format!("age of {}", table.table.name), move |workload| {
        if let Some(table) = table_mut(workload, &target) {
            table.items = (&table.items * &Exact::ratio(1, 2)).ceil();
        }
    });
    alternative.plus.push(Usage {
        subject: Subject {
            table: Some(table.table.name.clone()),
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
