//! YAML as libyaml reads it.

use std::collections::BTreeMap;
use std::ops::Range;

use libyaml_safer::{EventData, Parser, ScalarStyle};

use super::event::{YamlEvent, YamlTag};

/// The prefix of the tags of YAML's own types.
const TYPES: &str = "tag:yaml.org,2002:";

/// The events of a text with their places; `None` if it is not YAML for libyaml either.
pub(super) fn events(text: &str) -> Option<Vec<(YamlEvent, Range<usize>)>> {
    if has_odd_tag(text) {
        return None;
    }
    // The reader looks ahead by one character in quotes.
    let text = format!("{text}\n\n");
    let mut bytes = text.as_bytes();
    let mut parser: Parser<&mut &[u8]> = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut anchors = Anchors::default();
    let mut all = Vec::new();
    loop {
        let event = parser.parse().ok()?;
        let place = event.start_mark.index as usize..event.end_mark.index as usize;
        let event = match event.data {
            EventData::StreamEnd => return Some(all),
            EventData::StreamStart { .. } | EventData::DocumentEnd { .. } => continue,
            EventData::DocumentStart { .. } => YamlEvent::DocumentStart,
            EventData::Alias { anchor: name } => YamlEvent::Alias(*anchors.0.get(&name)?),
            EventData::Scalar {
                anchor: name,
                tag,
                value,
                style,
                ..
            } => YamlEvent::Scalar {
                text: value,
                is_plain: style == ScalarStyle::Plain,
                anchor: anchors.number(name),
                tag: tag.map(tag_of),
            },
            EventData::SequenceStart {
                anchor: name, tag, ..
            } => YamlEvent::SequenceStart(anchors.number(name), tag.map(tag_of)),
            EventData::MappingStart {
                anchor: name, tag, ..
            } => YamlEvent::MappingStart(anchors.number(name), tag.map(tag_of)),
            EventData::SequenceEnd | EventData::MappingEnd => YamlEvent::End,
        };
        all.push((event, place));
    }
}

/// The numbers of anchors; a name that is used again has a new number.
#[derive(Default)]
struct Anchors(BTreeMap<String, usize>, usize);

impl Anchors {
    /// The number of an anchor; 0 for a value without one.
    fn number(&mut self, name: Option<String>) -> usize {
        let Some(name) = name else { return 0 };
        self.1 += 1;
        self.0.insert(name, self.1);
        self.1
    }
}

fn tag_of(tag: String) -> YamlTag {
    match tag.strip_prefix(TYPES) {
        Some(name) => YamlTag::Type(name.to_string()),
        None => YamlTag::Function(tag.trim_start_matches('!').to_string()),
    }
}

/// Whether a tag is followed by a comma, for which the reader has no answer.
fn has_odd_tag(text: &str) -> bool {
    text.match_indices('!').any(|(at, _)| {
        let rest = &text[at..];
        let ends = |c: char| c.is_whitespace() || c == '[';
        let end = rest.find(ends).unwrap_or(rest.len());
        rest[..end].contains(',')
    })
}
