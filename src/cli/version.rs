//! `--version --verbose`: what this binary was built from, and how recent its prices are.

use std::fmt::Write;

use crate::pricing::Books;
use crate::time::Date;

/// Prices that are older than this many months may have changed since.
const OLD_MONTHS: u32 = 6;

/// The optional features of this build, in the order of the alphabet.
const FEATURES: [(&str, bool); 5] = [
    ("aws", cfg!(feature = "aws")),
    ("html", cfg!(feature = "html")),
    ("mcp", cfg!(feature = "mcp")),
    ("replay", cfg!(feature = "replay")),
    ("tables", cfg!(feature = "tables")),
];

/// The version, the commit, the features, and the newest prices as of a date.
pub fn verbose(today: Date) -> String {
    let features = FEATURES.iter().filter(|(_, built)| *built);
    let features: Vec<&str> = features.map(|(name, _)| *name).collect();
    let mut text = format!(
        "dynameter {}\ncommit:   {}\nfeatures: {}\n",
        env!("CARGO_PKG_VERSION"),
        option_env!("DYNAMETER_COMMIT")
            .unwrap_or("unknown (only optimized builds of a git repository know it)"),
        match features.as_slice() {
            [] => "none".to_string(),
            some => some.join(", "),
        },
    );
    let books = Books::embedded();
    let spans = books.regions().filter_map(|region| books.span(region).ok());
    let newest: Vec<Date> = spans.map(|(_, newest)| newest).collect();
    if let Some(last) = newest.iter().max() {
        let _ = writeln!(
            text,
            "prices:   {} regions, the newest of {last}",
            newest.len()
        );
        if last.months_later(OLD_MONTHS).is_some_and(|old| old < today) {
            text += "help: these prices are more than half a year old; install a newer release,\n      or \
                     import AWS's price lists with `dynameter prices import`\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_half_a_year_ago_are_told() {
        let at = |date| verbose(Date::parse(date).expect("a date"));
        let newest = at("2020-01-01");
        assert!(!newest.contains("half a year"), "{newest}");
        assert!(newest.contains("regions, the newest of 20"), "{newest}");
        assert!(at("2099-01-01").contains("half a year"));
    }
}
