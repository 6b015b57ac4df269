//! What the label of a metric says: `Orders ConsumedReadCapacityUnits`, `TableName=Orders
//! ConsumedReadCapacityUnits Stat=Sum Period=60`, `Orders/ByStatus ConsumedWriteCapacityUnits
//! Average`.
//!
//! The grammar: words in any order, separated by spaces. One word is the metric's name as
//! CloudWatch writes it; at most one is a statistic; `NAME=VALUE` names a dimension (`TableName`,
//! `GlobalSecondaryIndexName`), `Region`, `Stat` or `Period` (seconds); `TABLE/INDEX` names both;
//! one remaining word is the table. Two remaining words are a table and an index, in the order that
//! the tables known from elsewhere show.

use super::points::Statistic;
use super::{Metric, SPLITS};

/// What a label says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// What the metric counts.
    pub metric: Option<Metric>,
    /// The statistic.
    pub statistic: Option<Statistic>,
    /// The table.
    pub table: Option<String>,
    /// The global secondary index.
    pub index: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The seconds of a data point.
    pub period: Option<u32>,
    /// Whether it splits the units of another metric, by operation, region or source.
    pub is_split: bool,
    /// Words whose meaning the label alone does not say.
    pub words: Vec<String>,
}

/// The names that a label can give a value.
const NAMES: [&str; 5] = [
    "TableName",
    "GlobalSecondaryIndexName",
    "Region",
    "Stat",
    "Period",
];

impl Label {
    /// Reads a label.
    pub fn parse(text: &str) -> Label {
        let mut label = Label::default();
        let mut text = text.replace("per second", "per-second").replace('"', "");
        // What CloudWatch adds to a label: `Orders [max: 30, sum: 60]`.
        if let Some(at) = text.find('[') {
            text.truncate(at);
        }
        for name in NAMES {
            text = text.replace(&format!("{name}: "), &format!("{name}="));
        }
        for word in text
            .split([' ', '\t', ',', ';'])
            .filter(|word| !word.is_empty())
        {
            label.word(word);
        }
        label
    }

    fn word(&mut self, word: &str) {
        if let Some((name, value)) = word.split_once('=') {
            return self.named(name, value);
        }
        let bare = word.trim_matches(['(', ')', '[', ']', ':']);
        if let Some(metric) = Metric::exact(bare) {
            self.metric = Some(metric);
        } else if let Some(statistic) = Statistic::parse(bare) {
            self.statistic = Some(statistic);
        } else if let Some((table, index)) = bare.split_once('/') {
            if !bare.starts_with("AWS/") {
                let index = index.strip_prefix("index/").unwrap_or(index);
                (self.table, self.index) = (Some(table.to_string()), Some(index.to_string()));
            }
        } else if let Some((before, metric, after)) = within(bare) {
            // Grafana joins the parts by underscores: `Orders_ConsumedReadCapacityUnits_Sum`.
            self.metric = Some(metric);
            let (first, rest) = after.split_once('_').unwrap_or((after, ""));
            let rest = match Statistic::parse(first) {
                Some(statistic) => {
                    self.statistic = Some(statistic);
                    rest
                }
                None => after,
            };
            if !rest.is_empty() {
                self.words.push(rest.to_string());
            }
            if !before.is_empty() {
                self.words.push(before.to_string());
            }
        } else if !bare.is_empty() && bare != "-" && bare != "DynamoDB" {
            self.words.push(bare.to_string());
        }
    }

    fn named(&mut self, name: &str, value: &str) {
        let value = || Some(value.to_string());
        match name {
            "TableName" => self.table = value(),
            "GlobalSecondaryIndexName" => self.index = value(),
            "Region" => self.region = value(),
            "MetricName" => self.metric = value().as_deref().and_then(Metric::exact),
            "Stat" | "Statistic" => {
                let known = value().as_deref().and_then(Statistic::parse);
                self.statistic = Some(known.unwrap_or(Statistic::Other));
            }
            "Period" => {
                let seconds = value().and_then(|text| text.parse().ok());
                self.period = seconds.filter(|seconds| *seconds > 0);
            }
            name if SPLITS.contains(&name) => self.is_split = true,
            _ => self.words.extend(value()),
        }
    }

    /// Whether the label speaks of consumed capacity without naming the metric.
    pub fn is_vague(text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let units = ["rcu", "wcu", "read", "write"];
        text.contains("consum") && units.iter().any(|word| text.contains(word))
    }

    /// The table and the index, if `tables` tell the two words apart.
    ///
    /// # Errors
    /// The words, if they do not.
    pub fn place(&self, tables: &[String]) -> Result<(Option<String>, Option<String>), String> {
        let known = |word: &String| tables.contains(word);
        match (self.words.as_slice(), &self.table) {
            ([], table) => Ok((table.clone(), self.index.clone())),
            ([word], None) => Ok((Some(word.clone()), self.index.clone())),
            ([word], Some(table)) if word == table => Ok((Some(word.clone()), self.index.clone())),
            ([one, other], None) if one == other => Ok((Some(one.clone()), None)),
            ([one, other], None) if known(one) && !known(other) => {
                Ok((Some(one.clone()), Some(other.clone())))
            }
            ([one, other], None) if known(other) && !known(one) => {
                Ok((Some(other.clone()), Some(one.clone())))
            }
            (words, _) => Err(words.join("\", \"")),
        }
    }
}

/// A metric's name within a word, with what stands before and after it.
fn within(word: &str) -> Option<(&str, Metric, &str)> {
    Metric::NAMES.iter().find_map(|(name, metric)| {
        let at = word.find(name)?;
        let before = word[..at].trim_end_matches(['_', '.', '-', ':']);
        let after = word[at + name.len()..].trim_start_matches(['_', '.', '-', ':']);
        Some((before, *metric, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_by_their_grammar() {
        let read = |text: &str| {
            let label = Label::parse(text);
            let place = label.place(&["Orders".to_string()]);
            (label.metric, label.statistic, place)
        };
        let place = |table: Option<&str>, index: Option<&str>| {
            Ok((table.map(str::to_string), index.map(str::to_string)))
        };
        let (reads, sum) = (Some(Metric::Read), Some(Statistic::Sum));
        for (text, expected) in [
            (
                "ConsumedReadCapacityUnits",
                (reads, None, place(None, None)),
            ),
            (
                "Orders ConsumedReadCapacityUnits",
                (reads, None, place(Some("Orders"), None)),
            ),
            (
                "ConsumedReadCapacityUnits Orders",
                (reads, None, place(Some("Orders"), None)),
            ),
            (
                "Orders ConsumedReadCapacityUnits Sum",
                (reads, sum, place(Some("Orders"), None)),
            ),
            (
                "Orders ByStatus ConsumedReadCapacityUnits",
                (reads, None, place(Some("Orders"), Some("ByStatus"))),
            ),
            (
                "ByStatus Orders ConsumedReadCapacityUnits",
                (reads, None, place(Some("Orders"), Some("ByStatus"))),
            ),
            (
                "Orders/index/ByStatus ConsumedReadCapacityUnits (Sum)",
                (reads, sum, place(Some("Orders"), Some("ByStatus"))),
            ),
            (
                "ConsumedReadCapacityUnits TableName=T GlobalSecondaryIndexName=I Stat=Sum",
                (reads, sum, place(Some("T"), Some("I"))),
            ),
            (
                "Orders_ConsumedReadCapacityUnits_Sum",
                (reads, sum, place(Some("Orders"), None)),
            ),
            (
                "ConsumedReadCapacityUnits_Sum_Orders",
                (reads, sum, place(Some("Orders"), None)),
            ),
            (
                "TableName: Orders ConsumedReadCapacityUnits [max: 30, sum: 60]",
                (reads, None, place(Some("Orders"), None)),
            ),
            (
                "ConsumedReadCapacityUnits Average",
                (reads, Some(Statistic::Average), place(None, None)),
            ),
            (
                "Orders ConsumedReadCapacityUnits per second",
                (reads, Some(Statistic::Rate), place(Some("Orders"), None)),
            ),
            (
                "Carts Lines ConsumedReadCapacityUnits",
                (reads, None, Err("Carts\", \"Lines".to_string())),
            ),
            (
                "Consumed RCUs",
                (None, None, Err("Consumed\", \"RCUs".to_string())),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(Label::is_vague("Consumed RCUs") && !Label::is_vague("Utilization Percentage"));
    }
}
