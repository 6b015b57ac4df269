//! How keys begin: a single-table design begins the keys of each entity in its own way.

use std::collections::BTreeSet;

/// How the key of an item begins: `USER#` and `ORDER#`; empty where it tells nothing.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct KeyStart {
    /// Of the partition key.
    pub partition: String,
    /// Of the sort key.
    pub sort: String,
}

/// Characters that end the beginning of a key.
const ENDS: [char; 4] = ['#', ':', '|', '/'];

/// The longest beginning of a key, in characters.
const START_MAX: usize = 40;

impl KeyStart {
    /// How a key begins, of its texts; `None` for a number or bytes, or if there is no sort key.
    pub fn of(partition: Option<&str>, sort: Option<&str>) -> KeyStart {
        KeyStart {
            partition: partition.map(start_of).unwrap_or_default(),
            sort: sort.map(start_of).unwrap_or_default(),
        }
    }

    /// A name of an entity: the word with which its sort key begins, or else its partition key; both if
    /// that is taken.
    pub fn name(&self, taken: &BTreeSet<String>) -> String {
        let (partition, sort) = (word(&self.partition), word(&self.sort));
        // A sort key such as PROFILE says what is stored of the entity of the partition key.
        let is_whole = !self.sort.is_empty() && self.sort.chars().all(char::is_alphanumeric);
        let mut names = match (partition.is_empty(), sort.is_empty()) {
            (true, true) => vec!["Other".to_string()],
            (false, true) => vec![partition.clone()],
            (true, false) => vec![sort.clone()],
            (false, false) if is_whole => vec![partition.clone()],
            (false, false) => vec![sort.clone()],
        };
        names.push(format!("{partition}{sort}"));
        let numbered = (2..).map(|number| format!("{}{number}", names[0]));
        let mut candidates = names.iter().filter(|name| !name.is_empty()).cloned();
        let free = candidates.find(|name| !taken.contains(name));
        free.or_else(|| numbered.take(1_000).find(|name| !taken.contains(name)))
            .unwrap_or_default()
    }

    /// Whether it tells nothing.
    pub fn is_empty(&self) -> bool {
        self.partition.is_empty() && self.sort.is_empty()
    }
}

/// How a value begins: letters up to and including one of `#`, `:`, `|`, `/`; or a whole word in
/// capitals, such as `PROFILE`.
fn start_of(text: &str) -> String {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
    let letters: usize = text.chars().take_while(|c| is_letter(*c)).count();
    let is_word = letters == text.len() && !text.chars().any(|c| c.is_ascii_lowercase());
    let length = match text[letters..].chars().next() {
        Some(end) if ENDS.contains(&end) && letters > 0 => letters + 1,
        None if is_word => letters,
        _ => 0,
    };
    match length <= START_MAX {
        true => text[..length].to_string(),
        false => String::new(),
    }
}

/// `ORDER_LINE#` as `OrderLine`.
fn word(start: &str) -> String {
    let parts = start.split(|c: char| !c.is_ascii_alphabetic());
    let capital = |part: &str| {
        let lower = part.to_ascii_lowercase();
        let mut letters = lower.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    parts.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_begins_with_letters_and_a_sign_or_is_a_word_in_capitals() {
        let start = |text: &str| KeyStart::of(Some(text), None).partition;
        for (key, expected) in [
            ("USER#17", "USER#"),
            ("order-line:9", "order-line:"),
            ("PROFILE", "PROFILE"),
            ("alice", ""),
            ("#17", ""),
            ("", ""),
            ("17#USER", ""),
            ("ÜBER#1", ""),
            ("2024-01-01T00:00", ""),
        ] {
            assert_eq!(start(key), expected, "{key}");
        }
        assert_eq!(start(&("A".repeat(60) + "#1")), "");
    }
}
