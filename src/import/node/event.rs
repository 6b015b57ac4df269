//! The events of a reader of YAML.

/// An event of a reader of YAML, at a place in the text.
pub(super) enum YamlEvent {
    DocumentStart,
    Scalar {
        text: String,
        is_plain: bool,
        anchor: usize,
        tag: Option<YamlTag>,
    },
    Alias(usize),
    SequenceStart(usize, Option<YamlTag>),
    MappingStart(usize, Option<YamlTag>),
    End,
}

/// A tag: of a type of YAML, or the short form of a function.
pub(super) enum YamlTag {
    Type(String),
    Function(String),
}

impl YamlTag {
    /// The intrinsic function for a CloudFormation short tag.
    pub fn function(self) -> Option<String> {
        match self {
            YamlTag::Type(_) => None,
            YamlTag::Function(name) if name.is_empty() => None,
            YamlTag::Function(name) => Some(match name.as_str() {
                "Ref" | "Condition" => name,
                other => format!("Fn::{other}"),
            }),
        }
    }
}
