//! JSON: one document, or several one after the other.

use std::ops::Range;

use jsonc_parser::ast::{ObjectPropName, Value as Json};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{DEPTH_MAX, Keys, NodeKey, SourceNode, Value, too_deep, wrong};
use crate::diag::Diagnostic;

pub(super) fn read(keys: &mut Keys) -> Result<SourceNode, Diagnostic> {
    let source = keys.source;
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let help = "create the file again with the tool that wrote it; it must be complete JSON \
                without comments";
    // Replace a byte order mark by spaces, so that offsets do not change.
    let text = source.text.replacen(
        '\u{feff}',
        "   ",
        usize::from(source.text.starts_with('\u{feff}')),
    );
    let several = one_after_the_other(&text);
    let text = several.as_ref().unwrap_or(&text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict).map_err(|error| {
        let range = error.range();
        let what = error.kind().to_string();
        if source.text.contains("\"@level\"") && source.text.contains("\"@message\"") {
            let message = "this is the log output of `terraform plan -json`, not a plan";
            let help = "run `terraform plan -out plan.bin`, then `terraform show -json plan.bin > \
                        plan.json`";
            return wrong(source, 0..1, "not-a-plan", message, help);
        }
        wrong(
            source,
            range.start..range.end,
            "syntax",
            format!("not JSON: {}", lower(&what)),
            help,
        )
    })?;
    let Some(value) = parsed.value else {
        return Err(wrong(source, 0..0, "syntax", "the file is empty", help));
    };
    let mut node = node_of(value, keys, 0)?;
    if several.is_some() {
        move_back(&mut node);
        let found = keys.duplicates.iter_mut();
        found.for_each(|one| one.span = one.span.start - 1..one.span.end - 1);
    }
    Ok(node)
}

/// Several documents as one list, which begins one byte earlier, as a shell loop writes them
/// (`>> tables.json`); `None` for a single document.
fn one_after_the_other(text: &str) -> Option<String> {
    let mut documents =
        serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(Ok(_)) = documents.next() {
        ends.push(documents.byte_offset());
    }
    let rest = text.get(*ends.last()?..)?;
    if ends.len() < 2 || !rest.trim().is_empty() {
        return None;
    }
    ends.pop();
    let mut list = format!("[{text}]").into_bytes();
    for end in ends {
        // The white space after a document becomes the comma.
        match list.get_mut(end + 1) {
            Some(byte) if byte.is_ascii_whitespace() => *byte = b',',
            _ => return None,
        }
    }
    String::from_utf8(list).ok()
}

/// Moves a value and everything in it back by one byte.
fn move_back(node: &mut SourceNode) {
    let back = |span: &mut Range<usize>| {
        *span = span.start.saturating_sub(1)..span.end.saturating_sub(1);
    };
    back(&mut node.span);
    match &mut node.value {
        Value::List(elements) => elements.iter_mut().for_each(move_back),
        Value::Map(entries) => {
            for (key, node) in entries {
                back(&mut key.span);
                move_back(node);
            }
        }
        _ => {}
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn node_of(value: Json, keys: &mut Keys, depth: usize) -> Result<SourceNode, Diagnostic> {
    let range = value.range();
    let span = range.start..range.end;
    if depth > DEPTH_MAX {
        return Err(too_deep(keys.source, span));
    }
    let value = match value {
        Json::NullKeyword(_) => Value::Null,
        Json::BooleanLit(literal) => Value::Bool(literal.value),
        Json::NumberLit(literal) => Value::Number(literal.value.to_string()),
        Json::StringLit(literal) => Value::Text(literal.value.into_owned()),
        Json::Array(array) => Value::List(
            array
                .elements
                .into_iter()
                .map(|element| node_of(element, keys, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(object) => {
            let mut entries = Vec::with_capacity(object.properties.len());
            for property in object.properties {
                let range = property.name.range();
                let name = match property.name {
                    ObjectPropName::String(literal) => literal.value.into_owned(),
                    ObjectPropName::Word(word) => word.value.to_string(),
                };
                let key = NodeKey {
                    name,
                    span: range.start..range.end,
                };
                entries.push((key, node_of(property.value, keys, depth + 1)?));
            }
            Value::Map(keys.unique(entries))
        }
    };
    Ok(SourceNode { value, span })
}
