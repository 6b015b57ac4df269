//! Where prices were read.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::embedded;

#[derive(Deserialize)]
struct SourcesFile {
    sources: BTreeMap<String, String>,
}

/// The documents that a rate's source names (`A+B(words)` names two), each with its key.
pub fn sources_of(source: &str) -> Vec<(&'static str, &'static str)> {
    static SOURCES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let known = SOURCES.get_or_init(|| {
        toml::from_str::<SourcesFile>(embedded::SOURCES)
            .map(|file| file.sources)
            .unwrap_or_default()
    });
    source
        .split('+')
        .filter_map(|key| known.get_key_value(key.split('(').next().unwrap_or_default().trim()))
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Books;

    #[test]
    fn every_rate_of_every_book_names_known_sources() {
        let books = Books::embedded();
        for region in books.regions() {
            for tier in books.book(region, None).expect("a book").rates() {
                let source = &tier.published.source;
                assert!(
                    !sources_of(source).is_empty(),
                    "{region} {}: {source}",
                    tier.published.code
                );
            }
        }
    }
}
