//! Named switches: where sources disagree about a rule, the user decides and the output says so.

use crate::table::NumberAlignment;
use crate::units::Bytes;

/// One reading of a disputed rule: its name in the workload file, the rule, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Switch {
    /// The key in the workload file's `[switches]`.
    pub name: &'static str,
    /// The value in force.
    pub value: &'static str,
    /// Whether this is the default.
    pub default: bool,
    /// The rule it follows.
    pub rule: &'static str,
}

impl Switch {
    /// The values that it could have instead.
    pub fn others(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (name, value) = (self.name, self.value);
        let values = Switches::NAMES
            .iter()
            .filter(move |(known, _)| *known == name)
            .flat_map(|(_, values)| values.iter().copied());
        values.filter(move |other| *other != value)
    }
}

macro_rules! switches {
    ($($(#[$doc:meta])* $field:ident: $type:ident $(as $alias:ident)? { $($(#[$variant_doc:meta])* $variant:ident = $text:literal $rule:literal),* } = $default:ident;)*) => {
        /// The readings in force. The defaults are the best supported ones.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct Switches {
            $($(#[$doc])* pub $field: switches!(@type $type $($alias)?),)*
        }

        $(switches!(@declare $($alias)? ; $(#[$doc])* $type { $($(#[$variant_doc])* $variant),* } = $default);)*

        impl Switches {
            $(
                /// The switch as outputs list it.
                pub fn $field(&self) -> Switch {
                    match self.$field {
                        $($type::$variant => Switch {
                            name: stringify!($field),
                            value: $text,
                            default: $type::$variant == $type::default(),
                            rule: $rule,
                        }),*
                    }
                }
            )*

            /// The names of all switches with the values each may have, the default first.
            pub const NAMES: &'static [(&'static str, &'static [&'static str])] =
                &[$((stringify!($field), &[$($text),*])),*];

            /// Sets a switch by name; `false` if no such switch or value exists.
            pub fn set(&mut self, name: &str, value: &str) -> bool {
                match (name, value) {
                    $($((stringify!($field), $text) => self.$field = $type::$variant,)*)*
                    _ => return false,
                }
                true
            }
        }
    };
    (@type $type:ident) => { $type };
    (@type $type:ident $alias:ident) => { $alias };
    (@declare $alias:ident ; $($rest:tt)*) => {};
    (@declare ; $(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident),* } = $default:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),*
        }
        impl Default for $type {
            fn default() -> Self {
                $type::$default
            }
        }
    };
}

switches! {
    /// How a number's digits are paired in storage.
    number_alignment: NumberAlignment as NumberAlignment {
        /// Rule 1.3.
        Aligned = "aligned" "1.3",
        /// Rule 1.3a.
        Split = "split" "1.3a"
    } = Aligned;
    /// Which item size a failed condition is charged for.
    failed_condition: FailedCondition {
        /// The existing item: measured on AWS.
        Existing = "existing" "3.7",
        /// The larger of the existing and the attempted item: the guide's text, an upper bound.
        Larger = "larger" "3.7g"
    } = Existing;
    /// How an hour is charged in which provisioned capacity changed.
    hour_billing: HourBilling {
        /// The highest value of the hour.
        Maximum = "maximum" "6.7",
        /// The mean over the hour.
        Mean = "mean" "6.7"
    } = Maximum;
    /// Whether a local index query that finds nothing pays the table's minimum.
    fetch_of_nothing: FetchOfNothing {
        /// Nothing fetched, nothing paid.
        Free = "free" "2.7a",
        /// The minimum of a read.
        Minimum = "minimum" "2.7a"
    } = Free;
    /// What a transaction's writes cost in the other regions of a global table.
    replicated_transaction: ReplicatedTransaction {
        /// As ordinary writes.
        Once = "once" "4.6",
        /// Doubled there as well.
        Twice = "twice" "4.6"
    } = Once;
    /// Which units a local index of a global table writes.
    replicated_local_index: ReplicatedLocalIndex {
        /// Replicated ones, like its table.
        Replicated = "replicated" "4.2l",
        /// Ordinary ones, like a global index.
        Plain = "plain" "4.2l"
    } = Replicated;
    /// Whether backups, restores and point-in-time recovery are billed for the 100 bytes per item
    /// that storage is billed for.
    backup_overhead: BackupOverhead {
        /// They are billed for the data only, like exports.
        Excluded = "excluded" "5.3",
        /// They are billed for the same bytes as storage.
        Included = "included" "5.3"
    } = Excluded;
}

impl FailedCondition {
    /// The image of the item that a write whose condition failed is charged for (rules 3.7 and
    /// 3.7g).
    pub fn image(self, existing: Option<Bytes>, attempted: Option<Bytes>) -> Option<Bytes> {
        match self {
            FailedCondition::Existing => existing,
            FailedCondition::Larger => existing.max(attempted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_value_can_be_set_and_the_first_is_the_default() {
        for (name, values) in Switches::NAMES {
            for value in *values {
                let mut switches = Switches::default();
                assert!(switches.set(name, value), "{name} = {value}");
                assert_eq!(
                    switches == Switches::default(),
                    *value == values[0],
                    "{name} = {value}"
                );
            }
            assert!(!Switches::default().set(name, "neither"));
        }
    }
}
