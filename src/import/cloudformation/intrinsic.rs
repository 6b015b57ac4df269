//! The intrinsic functions of CloudFormation: evaluates a template's expressions as far as possible
//! without deploying it.
//!
//! Source: CloudFormation Template Reference, "Intrinsic functions", "Pseudo parameters",
//! "Fn::ForEach".

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::import::node::{NodeKey, SourceNode, Value, shown};

/// The maximum number of values that the loops of a template may produce.
const EXPANDED_MAX: usize = 200_000;

/// The maximum depth of references; cyclic references would never end.
const STEPS_MAX: usize = 300;

/// The maximum length of a text; property values are shorter (table names have at most 255
/// characters).
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Why an expression cannot be resolved; `cycle` if it refers to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    pub why: String,
    pub cycle: bool,
    /// Whether it is a loop that cannot be expanded whatever the values are.
    pub malformed: bool,
}

fn unresolved<T>(why: impl Into<String>) -> Result<T, Unresolved> {
    Err(Unresolved {
        why: why.into(),
        cycle: false,
        malformed: false,
    })
}

fn malformed<T>(why: impl Into<String>) -> Result<T, Unresolved> {
    Err(Unresolved {
        why: why.into(),
        cycle: false,
        malformed: true,
    })
}

/// The context in which expressions are resolved.
pub(super) struct Resolver<'a> {
    template: &'a SourceNode,
    region: Option<String>,
    /// Values of parameters that override their defaults.
    given: BTreeMap<String, SourceNode>,
    /// Conditions already evaluated; `None` while one is being evaluated.
    conditions: RefCell<BTreeMap<String, Option<Result<bool, Unresolved>>>>,
}

/// The identifiers of the enclosing loops with their values.
type Bound = Vec<(String, SourceNode)>;

impl<'a> Resolver<'a> {
    pub fn new(
        template: &'a SourceNode,
        region: Option<String>,
        given: BTreeMap<String, SourceNode>,
    ) -> Resolver<'a> {
        Resolver {
            template,
            region,
            given,
            conditions: RefCell::default(),
        }
    }

    /// The same resolver with `*` as the account.
    pub fn with_any_account(&self) -> Resolver<'a> {
        let mut given = self.given.clone();
        let any = SourceNode::new(Value::Text("*".to_string()), 0..0);
        given.entry("AWS::AccountId".to_string()).or_insert(any);
        Resolver::new(self.template, self.region.clone(), given)
    }

    /// Resolves every function in a value. `None` if the value is removed (`AWS::NoValue`).
    pub fn resolve(&self, node: &SourceNode) -> Result<Option<SourceNode>, Unresolved> {
        self.value(node, 0)
    }

    fn value(&self, node: &SourceNode, step: usize) -> Result<Option<SourceNode>, Unresolved> {
        if step > STEPS_MAX {
            return Err(Unresolved {
                why: "its references form a cycle".to_string(),
                cycle: true,
                malformed: false,
            });
        }
        match &node.value {
            Value::Map(entries) => {
                if let [(key, argument)] = entries.as_slice()
                    && is_function(&key.name)
                {
                    return self.call(&key.name, argument, node, step + 1);
                }
                let mut resolved = Vec::new();
                for (key, value) in entries {
                    if let Some(value) = self.value(value, step + 1)? {
                        resolved.push((key.clone(), value));
                    }
                }
                Ok(Some(SourceNode::new(
                    Value::Map(resolved),
                    node.span.clone(),
                )))
            }
            Value::List(elements) => {
                let mut resolved = Vec::new();
                for element in elements {
                    resolved.extend(self.value(element, step + 1)?);
                }
                Ok(Some(SourceNode::new(
                    Value::List(resolved),
                    node.span.clone(),
                )))
            }
            Value::Text(text) if text.contains("{{resolve:") => unresolved(format!(
                "{} is looked up only when the stack is deployed",
                shown(text)
            )),
            _ => Ok(Some(node.clone())),
        }
    }

    /// The text of a resolved expression.
    fn text(&self, node: &SourceNode, step: usize) -> Result<String, Unresolved> {
        match self.value(node, step)? {
            Some(value) => match value.scalar() {
                Some(text) => Ok(text.into_owned()),
                None => unresolved(format!("expected a text, found {}", value.kind())),
            },
            None => Ok(String::new()),
        }
    }

    fn call(
        &self,
        function: &str,
        argument: &SourceNode,
        whole: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        match function {
            "Ref" => match argument.text() {
                Some(name) => self.reference(name, whole, step),
                None => unresolved("Ref must name a parameter or a resource"),
            },
            "Fn::Sub" => short(self.substituted(argument, step)?, whole),
            "Fn::Join" => self.join(argument, whole, step),
            "Fn::If" => {
                let [name, yes, no] = argument.elements() else {
                    return unresolved("Fn::If needs a condition and two values");
                };
                let chosen = if self.condition(name.text().unwrap_or_default(), step)? {
                    yes
                } else {
                    no
                };
                self.value(chosen, step)
            }
            "Fn::FindInMap" => self.find_in_map(argument, step),
            "Fn::Select" => self.select(argument, step),
            "Fn::Split" => self.split(argument, whole, step),
            "Fn::GetAtt" => self.attribute(argument, whole, step),
            "Fn::Length" => match self.value(argument, step)? {
                Some(list) => {
                    let length = Value::Number(list.elements().len().to_string());
                    Ok(Some(SourceNode::new(length, whole.span.clone())))
                }
                None => unresolved("Fn::Length needs a list"),
            },
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                let truth = Value::Bool(self.truth(whole, step)?);
                Ok(Some(SourceNode::new(truth, whole.span.clone())))
            }
            "Fn::ImportValue" => unresolved("Fn::ImportValue uses a value of another stack"),
            "Fn::GetAZs" => unresolved("Fn::GetAZs depends on the account"),
            "Fn::Transform" => unresolved("Fn::Transform runs a macro of the account"),
            other => unresolved(format!("{other} is only known once the stack is deployed")),
        }
    }

    fn join(
        &self,
        argument: &SourceNode,
        whole: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        let [separator, list] = argument.elements() else {
            return unresolved("Fn::Join needs a separator and a list");
        };
        let Some(list) = self.value(list, step)? else {
            return short(String::new(), whole);
        };
        let parts = list
            .elements()
            .iter()
            .map(|part| self.text(part, step))
            .collect::<Result<Vec<_>, _>>()?;
        short(parts.join(&self.text(separator, step)?), whole)
    }

    fn find_in_map(
        &self,
        argument: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        let [map, first, second, options @ ..] = argument.elements() else {
            return unresolved("Fn::FindInMap needs a map and two keys");
        };
        let keys = [
            self.text(map, step)?,
            self.text(first, step)?,
            self.text(second, step)?,
        ];
        let [map, first, second] = keys.each_ref().map(String::as_str);
        let default = options
            .first()
            .and_then(|options| options.get("DefaultValue"));
        match self
            .template
            .at(&["Mappings", map, first, second])
            .or(default)
        {
            Some(value) => self.value(value, step),
            None => unresolved(format!("the mapping {map} has no {first}, {second}")),
        }
    }

    fn select(&self, argument: &SourceNode, step: usize) -> Result<Option<SourceNode>, Unresolved> {
        let [at, list] = argument.elements() else {
            return unresolved("Fn::Select needs an index and a list");
        };
        let (at, list) = (self.text(at, step)?, self.value(list, step)?);
        let chosen = list
            .as_ref()
            .and_then(|list| list.elements().get(at.parse::<usize>().ok()?));
        match chosen {
            Some(chosen) => Ok(Some(chosen.clone())),
            None => unresolved(format!("Fn::Select: the list has no element {at}")),
        }
    }

    fn split(
        &self,
        argument: &SourceNode,
        whole: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        let [separator, joined] = argument.elements() else {
            return unresolved("Fn::Split needs a separator and a text");
        };
        let (separator, joined) = (self.text(separator, step)?, self.text(joined, step)?);
        let parts = joined.split(separator.as_str());
        let parts = parts.map(|part| text_node(part, whole)).collect();
        Ok(Some(SourceNode::new(
            Value::List(parts),
            whole.span.clone(),
        )))
    }

    fn reference(
        &self,
        name: &str,
        whole: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        if name.starts_with("AWS::") {
            return self.pseudo_parameter(name, whole);
        }
        if let Some(parameter) = self.template.at(&["Parameters", name]) {
            return self.parameter(name, parameter);
        }
        let Some(resource) = self.template.at(&["Resources", name]) else {
            return unresolved(format!(
                "Ref names {name:?}, which the template does not have"
            ));
        };
        // Ref to a table returns its name; if the name is unknown, use the logical ID instead.
        let named = match resource.text_at("Type") {
            Some(
                "AWS::DynamoDB::Table"
                | "AWS::DynamoDB::GlobalTable"
                | "AWS::Serverless::SimpleTable",
            ) => resource.at(&["Properties", "TableName"]),
            _ => None,
        };
        match named.map(|node| self.value(node, step)) {
            Some(Ok(name)) => Ok(name),
            Some(Err(error)) if error.cycle => Err(error),
            _ => Ok(Some(text_node(name, whole))),
        }
    }

    fn pseudo_parameter(
        &self,
        name: &str,
        whole: &SourceNode,
    ) -> Result<Option<SourceNode>, Unresolved> {
        match (name, self.given.get(name)) {
            ("AWS::NoValue", _) => Ok(None),
            ("AWS::Region", _) => match &self.region {
                Some(region) => Ok(Some(text_node(region, whole))),
                None => unresolved("the region is unknown; use --region"),
            },
            ("AWS::Partition", _) => Ok(Some(text_node("aws", whole))),
            ("AWS::URLSuffix", _) => Ok(Some(text_node("amazonaws.com", whole))),
            (_, Some(given)) => Ok(Some(given.clone())),
            _ => unresolved(format!("{name} is only known once the stack is deployed")),
        }
    }

    /// The value of a parameter: as it is given, else its default. A list is written with commas,
    /// as in the AWS CLI; a usage file may also use an array.
    fn parameter(
        &self,
        name: &str,
        parameter: &SourceNode,
    ) -> Result<Option<SourceNode>, Unresolved> {
        let kind = parameter.text_at("Type").unwrap_or_default();
        let is_list = kind.starts_with("List<") || kind == "CommaDelimitedList";
        let listed = |node: &SourceNode| match node.scalar().filter(|_| is_list) {
            Some(text) => {
                let parts = text.split(',').map(|part| text_node(part.trim(), node));
                SourceNode::new(Value::List(parts.collect()), node.span.clone())
            }
            None => node.clone(),
        };
        if let Some(given) = self.given.get(name) {
            return Ok(Some(listed(given)));
        }
        if kind.starts_with("AWS::SSM::") {
            return unresolved(format!(
                "the parameter {name} is read from Parameter Store; set it under [parameters] in \
                 a usage file"
            ));
        }
        match parameter.get("Default") {
            Some(default) => Ok(Some(listed(default))),
            None => unresolved(format!(
                "the parameter {name} has no default; set it under [parameters] in a usage file"
            )),
        }
    }

    /// Resolves `Fn::GetAtt`: the ARN of a table ends in its name, and a key or stream is
    /// identified by its logical ID; nothing else is known before deployment.
    fn attribute(
        &self,
        argument: &SourceNode,
        whole: &SourceNode,
        step: usize,
    ) -> Result<Option<SourceNode>, Unresolved> {
        let parts: Vec<String> = match argument.text() {
            Some(text) => text.splitn(2, '.').map(str::to_string).collect(),
            None => argument
                .elements()
                .iter()
                .filter_map(|part| part.text().map(str::to_string))
                .collect(),
        };
        let [name, attribute] = parts.as_slice() else {
            return unresolved("Fn::GetAtt must name a resource and an attribute");
        };
        let kind = self
            .template
            .at(&["Resources", name.as_str()])
            .and_then(|resource| resource.text_at("Type"))
            .unwrap_or_default();
        if kind.ends_with("Table") && attribute == "Arn" {
            let table = self
                .reference(name, whole, step)?
                .and_then(|node| node.text().map(str::to_string))
                .unwrap_or_default();
            return Ok(Some(SourceNode::new(
                Value::Text(format!("arn:aws:dynamodb:::table/{table}")),
                whole.span.clone(),
            )));
        }
        if kind.ends_with("Table") && attribute == "StreamArn" {
            let table = self.reference(name, whole, step)?;
            let table = table
                .as_ref()
                .and_then(SourceNode::text)
                .unwrap_or_default();
            return short(format!("arn:aws:dynamodb:::table/{table}/stream/"), whole);
        }
        if kind == "AWS::Backup::BackupPlan" && attribute == "BackupPlanId" {
            return Ok(Some(text_node(name, whole)));
        }
        if matches!(
            kind,
            "AWS::KMS::Key" | "AWS::KMS::Alias" | "AWS::Kinesis::Stream"
        ) {
            return Ok(Some(SourceNode::new(
                Value::Text(format!("{name}.{attribute}")),
                whole.span.clone(),
            )));
        }
        unresolved(format!(
            "{name}.{attribute} is only known once the stack is deployed"
        ))
    }

    /// Resolves `Fn::Sub`: replaces names in `${…}`; `${!X}` becomes the literal `${X}`.
    fn substituted(&self, argument: &SourceNode, step: usize) -> Result<String, Unresolved> {
        let (text, own) = match (&argument.value, argument.elements()) {
            (Value::Text(text), _) => (text.as_str(), None),
            (
                _,
                [
                    SourceNode {
                        value: Value::Text(text),
                        ..
                    },
                    map,
                ],
            ) => (text.as_str(), Some(map)),
            _ => return unresolved("Fn::Sub needs a text, or a text and a map"),
        };
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            result += &rest[..at];
            let Some(end) = rest[at..].find('}') else {
                return unresolved("Fn::Sub has an unclosed ${");
            };
            let name = rest[at + 2..at + end].trim();
            rest = &rest[at + end + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                result += &format!("${{{literal}}}");
                continue;
            }
            let whole = SourceNode::new(Value::Null, argument.span.clone());
            let value = match own.and_then(|map| map.get(name)) {
                Some(value) => self.value(value, step)?,
                None if name.contains('.') => self.attribute(
                    &SourceNode::new(Value::Text(name.to_string()), argument.span.clone()),
                    &whole,
                    step,
                )?,
                None => self.reference(name, &whole, step)?,
            };
            match value.as_ref().and_then(SourceNode::scalar) {
                Some(text) => result += &text,
                None => return unresolved(format!("${{{}}} is not a text", shown(name))),
            }
            if result.len() > TEXT_BYTES_MAX {
                return unresolved("the text is longer than any property can be");
            }
        }
        Ok(result + rest)
    }

    /// Whether a condition of the template holds.
    pub fn holds(&self, name: &str) -> Result<bool, Unresolved> {
        self.condition(name, 0)
    }

    fn condition(&self, name: &str, step: usize) -> Result<bool, Unresolved> {
        let Some(condition) = self.template.at(&["Conditions", name]) else {
            return unresolved(format!("the template has no condition {:?}", shown(name)));
        };
        let known = self.conditions.borrow().get(name).cloned();
        match known {
            Some(Some(told)) => return told,
            Some(None) => {
                return Err(Unresolved {
                    why: "its conditions form a cycle".to_string(),
                    cycle: true,
                    malformed: false,
                });
            }
            None => {}
        }
        self.conditions.borrow_mut().insert(name.to_string(), None);
        let told = self.truth(condition, step + 1);
        self.conditions
            .borrow_mut()
            .insert(name.to_string(), Some(told.clone()));
        told
    }

    fn truth(&self, node: &SourceNode, step: usize) -> Result<bool, Unresolved> {
        if step > STEPS_MAX {
            return unresolved(format!(
                "its conditions are nested more than {STEPS_MAX} levels deep"
            ));
        }
        let Some((key, argument)) = node.entries().first() else {
            return node
                .truth()
                .map_or_else(|| unresolved("a condition must be a function"), Ok);
        };
        match key.name.as_str() {
            "Condition" => self.condition(argument.text().unwrap_or_default(), step),
            "Fn::Equals" => {
                let [one, other] = argument.elements() else {
                    return unresolved("Fn::Equals needs two values");
                };
                Ok(self.text(one, step)? == self.text(other, step)?)
            }
            "Fn::Not" => match argument.elements() {
                [one] => Ok(!self.truth(one, step + 1)?),
                _ => unresolved("Fn::Not needs one condition"),
            },
            // One deciding operand is enough, even if others cannot be resolved.
            "Fn::And" | "Fn::Or" => {
                let decides = key.name == "Fn::Or";
                let results: Vec<_> = argument
                    .elements()
                    .iter()
                    .map(|one| self.truth(one, step + 1))
                    .collect();
                if results.contains(&Ok(decides)) {
                    return Ok(decides);
                }
                results
                    .into_iter()
                    .collect::<Result<Vec<bool>, _>>()
                    .map(|_| !decides)
            }
            other => unresolved(format!("{other} is not a condition function")),
        }
    }

    /// Expands the loops in the template's conditions and resources.
    pub fn expanded(&self) -> Result<SourceNode, (SourceNode, Unresolved)> {
        let mut sections = Vec::new();
        for (key, section) in self.template.entries() {
            let looped = matches!(key.name.as_str(), "Resources" | "Conditions");
            let section = match looped {
                true => self
                    .looped(section, &mut 0, 0)
                    .map_err(|error| (section.clone(), error))?,
                false => section.clone(),
            };
            sections.push((key.clone(), section));
        }
        Ok(SourceNode::new(
            Value::Map(sections),
            self.template.span.clone(),
        ))
    }

    /// Expands the loops in the maps of a value.
    ///
    /// `Fn::ForEach::NAME: [identifier, [values…], { key: body }]` becomes one entry per value.
    fn looped(
        &self,
        node: &SourceNode,
        size: &mut usize,
        step: usize,
    ) -> Result<SourceNode, Unresolved> {
        if step > STEPS_MAX {
            return malformed("loops are nested too deeply");
        }
        let value = match &node.value {
            Value::Map(_) => {
                let all = self.expand(node, &Vec::new(), size, step)?;
                let inner = |(key, node): (NodeKey, SourceNode), size: &mut usize| {
                    Ok((key, self.looped(&node, size, step + 1)?))
                };
                Value::Map(
                    all.into_iter()
                        .map(|entry| inner(entry, size))
                        .collect::<Result<_, _>>()?,
                )
            }
            Value::List(elements) => Value::List(
                elements
                    .iter()
                    .map(|one| self.looped(one, size, step + 1))
                    .collect::<Result<_, _>>()?,
            ),
            other => other.clone(),
        };
        Ok(SourceNode::new(value, node.span.clone()))
    }

    fn expand(
        &self,
        map: &SourceNode,
        bound: &Bound,
        size: &mut usize,
        step: usize,
    ) -> Result<Vec<(NodeKey, SourceNode)>, Unresolved> {
        if step > STEPS_MAX {
            return malformed("loops are nested too deeply");
        }
        let mut all = Vec::new();
        for (key, body) in map.entries() {
            if !key.name.starts_with("Fn::ForEach::") {
                let name = replaced(&key.name, bound);
                let body = bind(body, bound, size)?;
                all.push((
                    NodeKey {
                        name,
                        span: key.span.clone(),
                    },
                    body,
                ));
                continue;
            }
            let [identifier, values, template] = body.elements() else {
                return malformed(format!(
                    "{} needs a name, a list and a map",
                    shown(&key.name)
                ));
            };
            let Some(identifier) = identifier.text() else {
                return malformed("the identifier of a loop must be a text");
            };
            let values = self.value(&bind(values, bound, size)?, step + 1)?;
            let list = match values.as_ref() {
                Some(SourceNode {
                    value: Value::List(list),
                    ..
                }) => list.as_slice(),
                Some(other) => {
                    return malformed(format!(
                        "{} loops over {}, not a list",
                        shown(&key.name),
                        other.kind()
                    ));
                }
                None => &[],
            };
            for value in list {
                let mut inner = bound.clone();
                inner.push((identifier.to_string(), value.clone()));
                all.extend(self.expand(template, &inner, size, step + 1)?);
            }
        }
        Ok(all)
    }
}

/// A text in the place of an expression.
fn text_node(text: &str, whole: &SourceNode) -> SourceNode {
    SourceNode::new(Value::Text(text.to_string()), whole.span.clone())
}

/// A text in the place of an expression, refused if it is longer than any property can be.
fn short(text: String, whole: &SourceNode) -> Result<Option<SourceNode>, Unresolved> {
    match text.len() > TEXT_BYTES_MAX {
        true => unresolved("the text is longer than any property can be"),
        false => Ok(Some(text_node(&text, whole))),
    }
}

/// Whether a key of a map is a function.
fn is_function(key: &str) -> bool {
    key == "Ref"
        || key == "Condition"
        || (key.starts_with("Fn::") && !key.starts_with("Fn::ForEach::"))
}

/// Replaces loop identifiers in a text: `${Name}`, and `&{Name}` with only the characters that a
/// logical ID may have.
fn replaced(text: &str, bound: &Bound) -> String {
    let mut text = text.to_string();
    for (name, value) in bound {
        let value = value.scalar().unwrap_or_default();
        let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text = text
            .replace(&format!("${{{name}}}"), &value)
            .replace(&format!("&{{{name}}}"), &letters);
    }
    text
}

/// Replaces loop identifiers in every text and reference of a value.
fn bind(node: &SourceNode, bound: &Bound, size: &mut usize) -> Result<SourceNode, Unresolved> {
    if bound.is_empty() {
        return Ok(node.clone());
    }
    *size += 1;
    if *size > EXPANDED_MAX {
        return malformed(format!("its loops produce more than {EXPANDED_MAX} values"));
    }
    if let [
        (
            key,
            SourceNode {
                value: Value::Text(name),
                ..
            },
        ),
    ] = node.entries()
        && key.name == "Ref"
        && let Some((_, value)) = bound.iter().rev().find(|(known, _)| known == name)
    {
        return Ok(SourceNode::new(value.value.clone(), node.span.clone()));
    }
    let value = match &node.value {
        Value::Text(text) => Value::Text(replaced(text, bound)),
        Value::List(elements) => Value::List(
            elements
                .iter()
                .map(|element| bind(element, bound, size))
                .collect::<Result<_, _>>()?,
        ),
        Value::Map(entries) => {
            let entry = |(key, value): &(NodeKey, SourceNode),
                         size: &mut usize|
             -> Result<(NodeKey, SourceNode), Unresolved> {
                Ok((
                    NodeKey {
                        name: replaced(&key.name, bound),
                        span: key.span.clone(),
                    },
                    bind(value, bound, size)?,
                ))
            };
            Value::Map(
                entries
                    .iter()
                    .map(|one| entry(one, size))
                    .collect::<Result<_, _>>()?,
            )
        }
        other => other.clone(),
    };
    Ok(SourceNode::new(value, node.span.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::import::node;

    const TEMPLATE: &str = r#"
Parameters:
  Env: {Type: String, Default: prod}
  Units: {Type: Number, Default: "5"}
  Names: {Type: CommaDelimitedList, Default: "A, B"}
  Open: {Type: String}
Mappings: {Sizes: {prod: {read: 7}}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsNot: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Equals [!Ref Open, x]]
  Round: !And [!Condition Round, !Condition IsProd]
Resources:
  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${Env}-t"}}
  Self: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref Self}}
"#;

    fn resolved(expression: &str) -> Result<String, Unresolved> {
        let template = node::read(&Source::new("t.yaml", TEMPLATE))
            .expect("reads")
            .node;
        let expression = node::read(&Source::new("e.yaml", format!("v: {expression}")))
            .expect("reads")
            .node;
        let resolver = Resolver::new(&template, Some("eu-west-1".to_string()), BTreeMap::new());
        let value = resolver.resolve(expression.get("v").expect("reads"))?;
        Ok(
            value.map_or("nothing".to_string(), |node| match &node.value {
                Value::List(elements) => elements
                    .iter()
                    .map(|one| one.scalar().unwrap_or_default().into_owned())
                    .collect::<Vec<_>>()
                    .join("+"),
                _ => node.scalar().unwrap_or_default().into_owned(),
            }),
        )
    }

    #[test]
    fn functions_come_to_what_cloudformation_makes_of_them() {
        for (expression, expected) in [
            ("!Ref Units", "5"),
            ("!Ref Names", "A+B"),
            ("!Ref AWS::Region", "eu-west-1"),
            ("!Ref AWS::NoValue", "nothing"),
            ("!Ref T", "prod-t"),
            (
                "!Sub '${T}-${AWS::Region}-${!Env}'",
                "prod-t-eu-west-1-${Env}",
            ),
            ("!Sub ['${A}', {A: !Ref Env}]", "prod"),
            ("!Join [/, [table, !Ref T]]", "table/prod-t"),
            ("!If [IsProd, 10, 1]", "10"),
            ("!If [IsNot, 10, !Ref 'AWS::NoValue']", "nothing"),
            ("!If [Either, 1, 2]", "1"),
            ("!FindInMap [Sizes, !Ref Env, read]", "7"),
            ("!Select [1, !Ref Names]", "B"),
            ("!Select [1, !Split [\"-\", !Ref T]]", "t"),
            ("!GetAtt T.Arn", "arn:aws:dynamodb:::table/prod-t"),
        ] {
            assert_eq!(
                resolved(expression).as_deref(),
                Ok(expected),
                "{expression}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        for (expression, word) in [
            ("!Ref Open", "no default"),
            ("!ImportValue x", "another stack"),
            ("!Ref Nobody", "does not have"),
            ("!GetAtt Other.Id", "deployed"),
            ("'{{resolve:ssm:x}}'", "looked up"),
        ] {
            let error = resolved(expression).expect_err("refused");
            assert!(
                error.why.contains(word) && !error.cycle,
                "{expression}: {}",
                error.why
            );
        }
        assert!(resolved("!If [Round, 1, 2]").expect_err("refused").cycle);
        assert!(resolved("!Ref Self").expect_err("refused").cycle);
    }
}
