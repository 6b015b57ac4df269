//! YAML, with CloudFormation's short tags as functions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::event::{YamlEvent, YamlTag};
use super::{DEPTH_MAX, Keys, NODES_MAX, NodeKey, SourceNode, Value, libyaml, too_deep, wrong};
use crate::diag::{Diagnostic, Source};

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
struct Yaml<'a, 'k> {
    keys: &'k mut Keys<'a>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (SourceNode, usize)>,
    nodes: usize,
    root: Option<SourceNode>,
}

/// Reads YAML. What this reader of YAML 1.2 refuses is read as libyaml reads it, which is what PyYAML
/// and cfn-lint use.
pub(super) fn read(keys: &mut Keys) -> Result<SourceNode, Diagnostic> {
    let mut first = Keys::new(keys.source);
    let read = strictly(&mut first);
    let read = match read {
        Err(error) if error.code == "syntax" => {
            let mut second = Keys::new(keys.source);
            match libyaml::events(&second.source.text) {
                Some(events) => {
                    let node = built(&mut second, events.into_iter().map(Ok));
                    first = second;
                    node.map_err(|_| error)
                }
                None => Err(error),
            }
        }
        read => read,
    };
    keys.duplicates = first.duplicates;
    read
}

fn strictly(keys: &mut Keys) -> Result<SourceNode, Diagnostic> {
    let source = keys.source;
    let events = Parser::new_from_str(&source.text).filter_map(|event| match event {
        Ok((event, span)) => {
            let place = offset(source, &span.start)..offset(source, &span.end);
            event_of(event).map(|event| Ok((event, place)))
        }
        Err(error) => {
            let at = offset(source, error.marker());
            let message = format!("not YAML: {}", error.info());
            let help = "fix the indentation or the quotes here";
            Some(Err(wrong(source, at..at + 1, "syntax", message, help)))
        }
    });
    built(keys, events)
}

fn event_of(event: Event) -> Option<YamlEvent> {
    let tag = |tag: Option<Cow<Tag>>| {
        tag.map(|tag| match tag.is_yaml_core_schema() {
            true => YamlTag::Type(tag.suffix.clone()),
            false => YamlTag::Function(tag.suffix.clone()),
        })
    };
    Some(match event {
        Event::DocumentStart(_) => YamlEvent::DocumentStart,
        Event::Scalar(text, style, anchor, of) => YamlEvent::Scalar {
            text: text.into_owned(),
            is_plain: style == ScalarStyle::Plain,
            anchor,
            tag: tag(of),
        },
        Event::Alias(anchor) => YamlEvent::Alias(anchor),
        Event::SequenceStart(anchor, of) => YamlEvent::SequenceStart(anchor, tag(of)),
        Event::MappingStart(anchor, of) => YamlEvent::MappingStart(anchor, tag(of)),
        Event::SequenceEnd | Event::MappingEnd => YamlEvent::End,
        Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => return None,
    })
}

/// The document that events describe.
fn built(
    keys: &mut Keys,
    events: impl Iterator<Item = Result<(YamlEvent, Range<usize>), Diagnostic>>,
) -> Result<SourceNode, Diagnostic> {
    let source = keys.source;
    let mut yaml = Yaml {
        keys,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        root: None,
    };
    let mut documents = 0;
    for event in events {
        let (event, place) = event?;
        match event {
            YamlEvent::DocumentStart => {
                documents += 1;
                if documents > 1 {
                    let message = "the file contains more than one YAML document";
                    let help = "put each template in its own file";
                    return Err(wrong(source, place, "syntax", message, help));
                }
            }
            YamlEvent::Scalar {
                text,
                is_plain,
                anchor,
                tag,
            } => {
                let node = SourceNode::new(scalar(&text, is_plain, tag.as_ref()), place.clone());
                let node = tagged(node, tag.and_then(YamlTag::function), &place);
                yaml.close(node, anchor)?;
            }
            YamlEvent::Alias(anchor) => {
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
                let span = place;
                yaml.close(SourceNode { span, ..node }, 0)?;
            }
            YamlEvent::SequenceStart(anchor, tag) => {
                yaml.start(place, anchor, tag, OpenKind::List(Vec::new()))?
            }
            YamlEvent::MappingStart(anchor, tag) => {
                yaml.start(place, anchor, tag, OpenKind::Map(Vec::new(), None))?
            }
            YamlEvent::End => yaml.end(place.end)?,
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

impl Yaml<'_, '_> {
    fn start(
        &mut self,
        span: Range<usize>,
        anchor: usize,
        tag: Option<YamlTag>,
        kind: OpenKind,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(self.keys.source, span));
        }
        let tag = tag.and_then(YamlTag::function);
        let tag = tag.map(|tag| (tag, span.clone()));
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
                Value::Map(self.keys.unique(merged(entries, self.keys.source)?))
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
                self.keys.source,
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
                            self.keys.source,
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
fn scalar(text: &str, is_plain: bool, tag: Option<&YamlTag>) -> Value {
    let as_text = match tag {
        None => false,
        Some(YamlTag::Function(_)) => true,
        Some(YamlTag::Type(name)) => name == "str",
    };
    if !is_plain || as_text {
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
