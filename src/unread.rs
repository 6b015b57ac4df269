//! What an imported file contains or points to that was not read: kinds, which a check can be
//! told to accept.

use crate::diag::Place;

/// Declares the kinds with their words and meanings.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $word:literal,)*) => {
        /// A kind of what was not read. Its cost is unknown.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum UnreadKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl UnreadKind {
            /// Every kind.
            pub const ALL: &[UnreadKind] = &[$(UnreadKind::$kind,)*];

            /// Its word on the command line and in files.
            pub fn word(self) -> &'static str {
                match self { $(UnreadKind::$kind => $word,)* }
            }

            /// What it is.
            pub fn meaning(self) -> &'static str {
                match self { $(UnreadKind::$kind => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// a feature of a table that a workload file cannot describe
    Feature = "feature",
    /// a value that is known only after the change is applied or deployed
    AfterApply = "after-apply",
    /// a resource or a setting whose condition cannot be resolved; the bill has it as if it existed
    Condition = "condition",
    /// a plan that Terraform did not finish: because of an error, or of a part only (-target)
    PlanError = "plan-error",
    /// a change that Terraform defers to a later plan
    Deferred = "deferred",
    /// a nested stack or application whose template is not in the file or beside it
    NestedStack = "nested-stack",
    /// a part of a template that a macro or AWS::Include adds
    Include = "include",
    /// a module of the CloudFormation registry
    Module = "module",
    /// a custom resource that may create tables
    CustomResource = "custom-resource",
    /// a table of a provider that is not read, such as awscc
    OtherProvider = "other-provider",
    /// a part of a table that belongs to another account
    OtherAccount = "other-account",
    /// a table or a cluster in a region that is not the design's
    OtherRegion = "other-region",
    /// a part of a table that the file does not contain
    OtherTable = "other-table",
    /// scaling that a weekly schedule cannot describe
    Scaling = "scaling",
    /// a backup plan whose schedule, tables or region cannot be determined
    BackupPlan = "backup-plan",
}

impl UnreadKind {
    /// The kind that has a word.
    pub fn parse(word: &str) -> Option<UnreadKind> {
        UnreadKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.word() == word)
    }

    /// Whether the bill has its cost, which may be too much: others are missing from it.
    pub fn is_in_the_bill(self) -> bool {
        self == UnreadKind::Condition
    }

    /// Whether, without a table, it can also change the cost of tables that were read. Other kinds
    /// only add tables.
    pub fn reaches_known_tables(self) -> bool {
        matches!(
            self,
            UnreadKind::PlanError
                | UnreadKind::Deferred
                | UnreadKind::Include
                | UnreadKind::AfterApply
                | UnreadKind::Condition
                | UnreadKind::Scaling
                | UnreadKind::BackupPlan
        )
    }
}

/// What was not read, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// Its kind.
    pub kind: UnreadKind,
    /// Where it is written.
    pub place: Place,
}

impl Unread {
    /// Something of a kind at a place.
    pub fn new(kind: UnreadKind, place: Place) -> Unread {
        Unread { kind, place }
    }
}
