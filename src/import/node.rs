//! A document with the place of every value: JSON, or YAML with short tags expanded.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jsonc_parser::ast::{ObjectPropName, Value as Json};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::diag::{Diagnostic, Source};

/// The maximum nesting depth of a document; templates reach about a dozen.
const DEPTH_MAX: usize = 100;

/// The maximum number of values in a document after expanding aliases: a few short lines of YAML
/// can expand to billions.
const NODES_MAX: usize = 500_000;

/// A value and its byte range in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceNode {
    pub value: Value,
    pub span: Range<usize>,
}

/// A JSON or YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// The number as written.
    Number(String),
    Text(String),
    List(Vec<SourceNode>),
    Map(Vec<(NodeKey, SourceNode)>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeKey {
    pub name: String,
    pub span: Range<usize>,
}

impl SourceNode {
    pub fn new(value: Value, span: Range<usize>) -> SourceNode {
        SourceNode { value, span }
    }

    /// The entries of a map; empty for other values.
    pub fn entries(&self) -> &[(NodeKey, SourceNode)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; empty for other values.
    pub fn elements(&self) -> &[SourceNode] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The value of a key; `None` if it is missing or null.
    pub fn get(&self, key: &str) -> Option<&SourceNode> {
        self.entries()
            .iter()
            .find(|(known, _)| known.name == key)
            .map(|(_, node)| node)
            .filter(|node| node.value != Value::Null)
    }

    /// The value at a path of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&SourceNode> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The elements of the list under a key; empty if there is none.
    pub fn list(&self, key: &str) -> &[SourceNode] {
        self.get(key).map(SourceNode::elements).unwrap_or_default()
    }

    /// The first element of the list under a key; Terraform writes single blocks as lists of one
    /// element.
    pub fn block(&self, key: &str) -> Option<&SourceNode> {
        self.list(key).first()
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text under a key.
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// A boolean, which templates may write as a text.
    pub fn truth(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            // CloudFormation reads YAML 1.1, in which all of these are booleans.
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text, number or boolean as written.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(Cow::Borrowed(text)),
            Value::Bool(value) => Some(Cow::Owned(value.to_string())),
            _ => None,
        }
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// An error in a document.
pub(super) fn wrong(
    source: &Arc<Source>,
    span: Range<usize>,
    code: &'static str,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        source: Some(source.clone()),
        span,
        code,
        message: message.into(),
        help: help.into(),
    }
}

/// Reads a document: JSON if it begins with `{` or `[`, else YAML.
///
/// # Errors
/// The first error in it.
pub(super) fn read(source: &Arc<Source>) -> Result<SourceNode, Box<Diagnostic>> {
    if source
        .text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '['])
    {
        json(source)
    } else {
        yaml(source)
    }
    .map_err(Box::new)
}

fn json(source: &Arc<Source>) -> Result<SourceNode, Diagnostic> {
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
    let parsed = parse_to_ast(&text, &CollectOptions::default(), &strict).map_err(|error| {
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
    node_of(value, source, 0)
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn node_of(value: Json, source: &Arc<Source>, depth: usize) -> Result<SourceNode, Diagnostic> {
    let range = value.range();
    let span = range.start..range.end;
    if depth > DEPTH_MAX {
        return Err(too_deep(source, span));
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
                .map(|element| node_of(element, source, depth + 1))
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
                entries.push((key, node_of(property.value, source, depth + 1)?));
            }
            Value::Map(unique(entries, source)?)
        }
    };
    Ok(SourceNode { value, span })
}

fn too_deep(source: &Arc<Source>, span: Range<usize>) -> Diagnostic {
    let message = format!("values are nested more than {DEPTH_MAX} levels deep");
    wrong(
        source,
        span.start..span.start + 1,
        "too-deep",
        message,
        "plans and templates are never nested this deeply; check that this is the right file",
    )
}

fn unique(
    entries: Vec<(NodeKey, SourceNode)>,
    source: &Arc<Source>,
) -> Result<Vec<(NodeKey, SourceNode)>, Diagnostic> {
    let mut seen: BTreeMap<&str, &NodeKey> = BTreeMap::new();
    for (key, _) in &entries {
        if let Some(first) = seen.insert(&key.name, key) {
            let (line, _) = source.line_column(first.span.start);
            let message = format!(
                "duplicate key {:?}, first defined on line {line}",
                shown(&key.name)
            );
            return Err(wrong(
                source,
                key.span.clone(),
                "duplicate-key",
                message,
                "remove one of them",
            ));
        }
    }
    Ok(entries)
}

/// Adds the entries that `<<` merges from other maps; the map's own entries take precedence.
fn merged(
    mut entries: Vec<(NodeKey, SourceNode)>,
    source: &Arc<Source>,
) -> Result<Vec<(NodeKey, SourceNode)>, Diagnostic> {
    let Some(at) = entries.iter().position(|(key, _)| key.name == "<<") else {
        return Ok(entries);
    };
    let (key, from) = entries.remove(at);
    let maps = match &from.value {
        Value::List(maps) => maps.as_slice(),
        _ => std::slice::from_ref(&from),
    };
    for map in maps {
        if !matches!(map.value, Value::Map(_)) {
            let message = format!("<< merges the entries of a map, found {}", map.kind());
            return Err(wrong(
                source,
                key.span,
                "wrong-type",
                message,
                "use the alias of a map, such as *name, or several in [ ]",
            ));
        }
        for (name, node) in map.entries() {
            if !entries.iter().any(|(known, _)| known.name == name.name) {
                entries.push((name.clone(), node.clone()));
            }
        }
    }
    Ok(entries)
}

/// A text shortened for messages.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(60)
        .collect()
}

/// A list or map that is being read.
struct Open {
    span: Range<usize>,
    anchor: usize,
    tag: Option<(String, Range<usize>)>,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<SourceNode>),
    Map(Vec<(NodeKey, SourceNode)>, Option<NodeKey>),
}

/// The state of reading one YAML document.
struct Yaml<'a> {
    source: &'a Arc<Source>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (SourceNode, usize)>,
    nodes: usize,
    root: Option<SourceNode>,
}

fn yaml(source: &Arc<Source>) -> Result<SourceNode, Diagnostic> {
    let mut yaml = Yaml {
        source,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(&source.text) {
        let (event, span) = event.map_err(|error| {
            let at = offset(source, error.marker());
            wrong(
                source,
                at..at + 1,
                "syntax",
                format!("not YAML: {}", error.info()),
                "fix the indentation or the quotes here",
            )
        })?;
        let place = offset(source, &span.start)..offset(source, &span.end);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(wrong(
                        source,
                        place,
                        "syntax",
                        "the file contains more than one YAML document",
                        "put each template in its own file",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = SourceNode::new(scalar(&text, style, tag.as_deref()), place.clone());
                let node = tagged(node, tag.as_deref().and_then(short), &place);
                yaml.close(node, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some((node, nodes)) = yaml.anchors.get(&anchor).cloned() else {
                    return Err(wrong(
                        source,
                        place,
                        "cycle",
                        "this alias refers to a value that contains the alias",
                        "write out the value instead of the alias",
                    ));
                };
                yaml.nodes += nodes;
                yaml.close(
                    SourceNode {
                        span: place,
                        ..node
                    },
                    0,
                )?;
            }
            Event::SequenceStart(anchor, tag) => {
                yaml.start(place, anchor, tag.as_deref(), OpenKind::List(Vec::new()))?
            }
            Event::MappingStart(anchor, tag) => yaml.start(
                place,
                anchor,
                tag.as_deref(),
                OpenKind::Map(Vec::new(), None),
            )?,
            Event::SequenceEnd | Event::MappingEnd => yaml.end(place.end)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    yaml.root.ok_or_else(|| {
        wrong(
            source,
            0..0,
            "syntax",
            "the file is empty",
            "use a file that contains a template",
        )
    })
}

impl Yaml<'_> {
    fn start(
        &mut self,
        span: Range<usize>,
        anchor: usize,
        tag: Option<&Tag>,
        kind: OpenKind,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(self.source, span));
        }
        let tag = tag.and_then(short).map(|tag| (tag, span.clone()));
        self.open.push(Open {
            span,
            anchor,
            tag,
            kind,
        });
        Ok(())
    }

    fn end(&mut self, end: usize) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.kind {
            OpenKind::List(elements) => Value::List(elements),
            OpenKind::Map(entries, _) => {
                Value::Map(unique(merged(entries, self.source)?, self.source)?)
            }
        };
        let span = open.span.start..end.max(open.span.start);
        let node = SourceNode::new(value, span.clone());
        let node = match open.tag {
            Some((tag, place)) => tagged(node, Some(tag), &place),
            None => node,
        };
        self.close(node, open.anchor)
    }

    /// Adds a finished value to the list or map that contains it.
    fn close(&mut self, node: SourceNode, anchor: usize) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = "after expanding aliases, the document has more than 500,000 values";
            return Err(wrong(
                self.source,
                node.span,
                "too-large",
                message,
                "templates are never this large; write out the values instead of using aliases of \
                 aliases",
            ));
        }
        if anchor > 0 {
            let nodes = count(&node);
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open {
                kind: OpenKind::List(elements),
                ..
            }) => elements.push(node),
            Some(Open {
                kind: OpenKind::Map(entries, key),
                ..
            }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => match node.scalar() {
                    Some(name) => {
                        *key = Some(NodeKey {
                            name: name.into_owned(),
                            span: node.span,
                        })
                    }
                    None => {
                        let message = format!("a map key must be a text, found {}", node.kind());
                        return Err(wrong(
                            self.source,
                            node.span,
                            "syntax",
                            message,
                            "use a text as the key",
                        ));
                    }
                },
            },
        }
        Ok(())
    }
}

/// The number of values in a value, including itself.
fn count(node: &SourceNode) -> usize {
    let inner: usize = match &node.value {
        Value::List(elements) => elements.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| count(node)).sum(),
        _ => 0,
    };
    inner + 1
}

/// The byte offset of a YAML marker.
fn offset(source: &Source, mark: &Marker) -> usize {
    source.offset(mark.line(), mark.col())
}

/// The value of a scalar: a quoted scalar is a text; a plain one can be a number, a boolean or
/// null.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let as_text = tag.is_some_and(|tag| !tag.is_yaml_core_schema() || tag.suffix == "str");
    if style != ScalarStyle::Plain || as_text {
        return Value::Text(text.to_string());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number
            if number.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                && crate::units::Exact::parse(number).is_some() =>
        {
            Value::Number(number.to_string())
        }
        _ => Value::Text(text.to_string()),
    }
}

/// The intrinsic function for a CloudFormation short tag.
fn short(tag: &Tag) -> Option<String> {
    if tag.is_yaml_core_schema() || tag.suffix.is_empty() {
        return None;
    }
    Some(match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        other => format!("Fn::{other}"),
    })
}

/// Wraps a value in the function that its tag names. `!GetAtt A.B` becomes the list of both.
fn tagged(node: SourceNode, function: Option<String>, place: &Range<usize>) -> SourceNode {
    let Some(function) = function else {
        return node;
    };
    let node = match (function.as_str(), &node.value) {
        ("Fn::GetAtt", Value::Text(text)) => {
            let parts = text
                .splitn(2, '.')
                .map(|part| SourceNode::new(Value::Text(part.to_string()), node.span.clone()))
                .collect();
            SourceNode::new(Value::List(parts), node.span.clone())
        }
        _ => node,
    };
    let span = node.span.clone();
    SourceNode::new(
        Value::Map(vec![(
            NodeKey {
                name: function,
                span: place.clone(),
            },
            node,
        )]),
        span,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<SourceNode, String> {
        read(&Source::new("t", text)).map_err(|error| error.to_string())
    }

    #[test]
    fn json_and_yaml_of_the_same_meaning_are_the_same() {
        let json =
            read_text(r#"{"A": {"Fn::Sub": "x-${B}"}, "L": [1, "2", true, null], "R": {"Ref": "P"}, "G": {"Fn::GetAtt": ["T", "Arn"]}}"#)
                .expect("reads");
        let yaml =
            read_text("A: !Sub x-${B}\nL: [1, '2', true, null]\nR: !Ref P\nG: !GetAtt T.Arn\n")
                .expect("reads");
        fn plain(node: &SourceNode) -> String {
            match &node.value {
                Value::Map(entries) => entries
                    .iter()
                    .map(|(key, node)| format!("{}={};", key.name, plain(node)))
                    .collect(),
                Value::List(elements) => elements
                    .iter()
                    .map(|node| format!("[{}]", plain(node)))
                    .collect(),
                other => format!("{other:?}"),
            }
        }
        assert_eq!(plain(&json), plain(&yaml));
    }

    #[test]
    fn a_value_knows_its_place() {
        let source = Source::new("t.yaml", "Größe:\n  Name: Orders\n");
        let node = read(&source).expect("reads");
        let name = node.at(&["Größe", "Name"]).expect("reads");
        assert_eq!(&source.text[name.span.clone()], "Orders");
        assert_eq!(source.line_column(name.span.start), (2, 9));
    }

    #[test]
    fn bombs_and_cycles_are_refused() {
        let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string())
            .chain((1..12).map(|at| {
                format!(
                    "a{at}: &a{at} [{}]\n",
                    vec![format!("*a{}", at - 1); 10].join(", ")
                )
            }))
            .collect();
        assert!(read_text(&bomb).expect_err("refused").contains("too-large"));
        assert!(read_text(&"[".repeat(100_000)).is_err());
        assert!(
            read_text(&format!("a: {}1{}", "[".repeat(200), "]".repeat(200)))
                .expect_err("refused")
                .contains("too-deep")
        );
        assert!(
            read_text(&format!("{}1{}", "[".repeat(200), "]".repeat(200)))
                .expect_err("refused")
                .contains("too-deep")
        );
        assert!(read_text("a: &a [*a]\n").is_err());
        assert!(
            read_text("a: 1\na: 2\n")
                .expect_err("refused")
                .contains("duplicate-key")
        );
        assert!(read_text("").is_err());
    }
}
