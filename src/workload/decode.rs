//! Reads a TOML document into structs such as those of [`file`](super::file), and collects every
//! error with its location.
//!
//! A struct is declared once, with [`document!`], which generates the struct, its decoder and its
//! part of the JSON Schema, so the three always agree.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Scenario, codes};
use crate::diag::{Diagnostic, Source};
use crate::units::Exact;

/// A value with its location in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its byte range in the file.
    pub span: Range<usize>,
}

impl<T> Deref for Located<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The location of a placeholder for an invalid value. Errors at this location are dropped: the
/// invalid value is already reported, and the rest of the file can still be checked.
pub(crate) const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

impl<T> Located<T> {
    /// Whether this is a placeholder for an invalid value.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.span == NOWHERE
    }
}

/// Collects the errors of one file.
pub(crate) struct Decoder {
    source: Arc<Source>,
    found: Vec<Diagnostic>,
    scenario: Scenario,
    /// The error codes that may be reported.
    codes: &'static [(&'static str, &'static str)],
    pub(crate) ranges: Vec<super::UncertainValue>,
}

/// A value of the document.
pub(crate) type TomlNode<'a> = Spanned<DeValue<'a>>;

impl Decoder {
    pub(crate) fn new(source: Arc<Source>, scenario: Scenario) -> Decoder {
        Decoder {
            source,
            found: Vec::new(),
            scenario,
            codes: codes::CODES,
            ranges: Vec::new(),
        }
    }

    /// A reader for a file other than a workload, with its own error codes.
    pub(crate) fn of(
        source: Arc<Source>,
        codes: &'static [(&'static str, &'static str)],
    ) -> Decoder {
        Decoder {
            codes,
            ..Decoder::new(source, Scenario::Likely)
        }
    }

    /// Decodes a figure that may be a range, `{ low = …, likely = …, high = … }`, to the value that
    /// the scenario picks.
    pub(crate) fn ranged(
        &mut self,
        node: &TomlNode,
        decode: impl Fn(&TomlNode, &mut Decoder) -> Option<Exact>,
    ) -> Option<Exact> {
        let Some(table) = node.get_ref().as_table() else {
            return decode(node, self);
        };
        self.known_keys(table, &["low", "likely", "high"]);
        let place = node.span();
        let mut value = |key: &str| match table.get(key) {
            Some(node) => decode(node, self),
            None => {
                let start = place.start..place.start.saturating_add(1);
                self.report(
                    "missing-key",
                    start,
                    format!("a range needs low, likely and high; `{key}` is missing"),
                    format!("add `{key} = …`"),
                );
                None
            }
        };
        let (low, likely, high) = (value("low"), value("likely"), value("high"));
        let (low, likely, high) = (low?, likely?, high?);
        if low > likely || likely > high {
            self.report(
                "range",
                place,
                "the values of a range must be in the order low, likely, high",
                "order the three values from smallest to largest",
            );
            return None;
        }
        let (line, _) = self.source.line_column(place.start);
        let text = self
            .source
            .text
            .lines()
            .nth(line - 1)
            .unwrap_or_default()
            .trim()
            .chars()
            .take(80)
            .collect();
        let range = super::UncertainValue {
            line,
            text,
            low,
            likely,
            high,
        };
        let picked = self.scenario.pick(self.ranges.len(), &range);
        self.ranges.push(range);
        Some(picked)
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Reports an error. The code must be in `codes`.
    pub(crate) fn report(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        debug_assert!(
            self.codes.iter().any(|(listed, _)| *listed == code),
            "{code} is not listed"
        );
        if span == NOWHERE {
            return;
        }
        let source = Some(self.source.clone());
        self.found.push(Diagnostic {
            source,
            span,
            code,
            message: message.into(),
            help: help.into(),
        });
    }

    /// Like `report`, for a value that may come from the command line and then has no location in
    /// the file.
    pub(crate) fn report_anywhere(
        &mut self,
        code: &'static str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        help: &str,
    ) {
        match span {
            Some(span) => self.report(code, span, message, help),
            None => self.found.push(Diagnostic {
                source: None,
                span: 0..0,
                code,
                message: message.into(),
                help: help.to_string(),
            }),
        }
    }

    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Reports a value of the wrong type.
    pub(crate) fn wrong_type(&mut self, node: &TomlNode, expected: &str) {
        let found = match node.get_ref() {
            DeValue::String(text) => {
                format!("the string {:?}", text.chars().take(40).collect::<String>())
            }
            other => format!("{} {}", article(other.type_str()), other.type_str()),
        };
        self.report(
            "wrong-type",
            node.span(),
            format!("expected {expected}, found {found}"),
            format!("write {expected}"),
        );
    }

    /// Decodes the document; `None` if it is not valid TOML. Only the first syntax error is
    /// reported.
    pub(crate) fn parse<T: Decode>(&mut self) -> Option<T> {
        let source = self.source.clone();
        let (document, errors) = DeTable::parse_recoverable(&source.text);
        // One missing bracket makes everything after it an error, so only the first error is
        // reported.
        for error in errors.iter().take(1) {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            self.report(
                "syntax",
                span,
                format!("invalid TOML: {message}"),
                "the format is TOML 1.0 (toml.io); `dynameter init` writes a file to start from",
            );
        }
        if !errors.is_empty() {
            return None;
        }
        let span = document.span();
        T::decode(
            &Spanned::new(span, DeValue::Table(document.into_inner())),
            self,
        )
    }

    /// Decodes one key of a table; the type decides what an absent key means. Returns a placeholder
    /// if the value is invalid or a required key is missing.
    pub(crate) fn field<T: Decode>(
        &mut self,
        table: &DeTable,
        place: &Range<usize>,
        key: &str,
    ) -> T {
        let value = match table.get(key) {
            Some(node) => T::decode(node, self),
            None => T::absent().or_else(|| {
                // Points at the start of the table, not at all of it.
                let start = place.start..place.start.saturating_add(1);
                self.report(
                    "missing-key",
                    start,
                    format!("the key `{key}` is missing here"),
                    format!("add `{key} = …`"),
                );
                None
            }),
        };
        value.unwrap_or_else(T::placeholder)
    }

    /// Reports keys that the format does not define.
    pub(crate) fn known_keys(&mut self, table: &DeTable, keys: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                let near = keys
                    .iter()
                    .filter(|_| name.len() < 100)
                    .map(|known| (strsim::damerau_levenshtein(known, name), known))
                    .min();
                let help = match near {
                    Some((distance, known)) if distance <= 3 && distance < name.len() => {
                        format!("did you mean `{known}`?")
                    }
                    _ => format!("the keys allowed here are {}", keys.join(", ")),
                };
                self.report(
                    "unknown-key",
                    key.span(),
                    format!("there is no key `{name}` here"),
                    help,
                );
            }
        }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// A type that can be decoded from a value of the document.
pub(crate) trait Decode: Sized {
    /// Decodes a value. Reports an invalid value and returns `None`.
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self>;

    /// The value of an absent key; `None` if the key is required.
    fn absent() -> Option<Self> {
        None
    }

    /// A placeholder for an invalid value.
    fn placeholder() -> Self;
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        T::decode(node, reader).map(Some)
    }
    fn placeholder() -> Self {
        // Not `None`: the key is present, so it must not be reported as missing.
        Some(T::placeholder())
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let Some(array) = node.get_ref().as_array() else {
            reader.wrong_type(node, "an array, […] or [[…]]");
            return None;
        };
        Some(
            array
                .iter()
                .map(|element| T::decode(element, reader).unwrap_or_else(T::placeholder))
                .collect(),
        )
    }
    fn placeholder() -> Self {
        Vec::new()
    }
}

impl<T: Decode> Decode for Located<T> {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        T::decode(node, reader).map(|value| Located {
            value,
            span: node.span(),
        })
    }
    fn placeholder() -> Self {
        Located {
            value: T::placeholder(),
            span: NOWHERE,
        }
    }
}

/// A value, or the word `"unknown"`. Everything that depends on an unknown value is unknown as
/// well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// Given.
    Given(T),
    /// Not known.
    Unknown,
}

impl<T> Known<T> {
    /// The value, if it is given.
    pub fn given(&self) -> Option<&T> {
        match self {
            Known::Given(value) => Some(value),
            Known::Unknown => None,
        }
    }
}

/// The word for a value that is not known.
pub const UNKNOWN: &str = "unknown";

impl<T: JsonSchema> JsonSchema for Known<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{} or unknown", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "anyOf": [generator.subschema_for::<T>(), { "const": UNKNOWN }] })
    }
}

impl<T: Decode> Decode for Known<T> {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_str() {
            Some(UNKNOWN) => Some(Known::Unknown),
            _ => T::decode(node, reader).map(Known::Given),
        }
    }
    fn placeholder() -> Self {
        Known::Given(T::placeholder())
    }
}

impl Decode for String {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let text = node.get_ref().as_str().map(str::to_string);
        if text.is_none() {
            reader.wrong_type(node, "a string in quotes");
        }
        text
    }
    fn placeholder() -> Self {
        String::new()
    }
}

impl Decode for bool {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let value = node.get_ref().as_bool();
        if value.is_none() {
            reader.wrong_type(node, "true or false");
        }
        value
    }
    fn placeholder() -> Self {
        false
    }
}

/// An exact number from the file; never negative, NaN or infinite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNumber(pub Exact);

impl JsonSchema for FileNumber {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0 })
    }
}

/// The largest number that a workload file may contain; no real quantity in DynamoDB is larger.
const LARGEST: u64 = 1_000_000_000_000_000;

impl Decode for FileNumber {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let number = match node.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => Exact::parse(integer.as_str()),
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .map(Exact::from),
            DeValue::Float(float) => Exact::parse(float.as_str()),
            _ => {
                reader.wrong_type(node, "a number");
                return None;
            }
        };
        match number {
            Some(number) if number.is_negative() => {
                reader.report(
                    "negative-number",
                    node.span(),
                    "this number must not be negative",
                    "write zero or a positive number",
                );
                None
            }
            Some(number) if number > Exact::from(LARGEST) => {
                let message = "the number is larger than 1e15 (a quadrillion)";
                reader.report(
                    "number-too-large",
                    node.span(),
                    message,
                    "no table is that large or that busy; check the number of zeros",
                );
                None
            }
            Some(number) => Some(FileNumber(number)),
            None => {
                reader.report(
                    "not-a-number",
                    node.span(),
                    "not a finite decimal number",
                    "write digits, such as 1_000 or 0.25",
                );
                None
            }
        }
    }
    fn placeholder() -> Self {
        FileNumber(Exact::zero())
    }
}

/// Declares a table of the format: the struct, its decoder and its schema.
macro_rules! document {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $crate::workload::decode::Decode for $name {
            fn decode(node: &$crate::workload::decode::TomlNode, reader: &mut $crate::workload::decode::Decoder) -> Option<Self> {
                let Some(table) = node.get_ref().as_table() else {
                    reader.wrong_type(node, &format!(
                        "a table with the keys {}",
                        [$(stringify!($field).trim_start_matches("r#")),*].join(", ")
                    ));
                    return None;
                };
                reader.known_keys(table, &[$(stringify!($field).trim_start_matches("r#")),*]);
                let place = node.span();
                Some($name { $($field: reader.field(table, &place, stringify!($field).trim_start_matches("r#")),)* })
            }
            fn placeholder() -> Self {
                use $crate::workload::decode::Decode;
                $name { $($field: Decode::absent().unwrap_or_else(Decode::placeholder),)* }
            }
        }
    };
}
pub(crate) use document;

/// Declares a choice among words.
macro_rules! choice {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[schemars(rename = $text)] $variant,)*
        }

        impl $name {
            /// The word in the file.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl $crate::workload::decode::Decode for $name {
            fn placeholder() -> Self {
                [$($name::$variant),*][0]
            }
            fn decode(node: &$crate::workload::decode::TomlNode, reader: &mut $crate::workload::decode::Decoder) -> Option<Self> {
                let words = [$($text),*];
                let allowed = || words.map(|word| format!("{word:?}")).join(", ");
                match node.get_ref().as_str() {
                    $(Some($text) => Some($name::$variant),)*
                    Some(other) => {
                        let near = words.into_iter().filter(|_| other.len() < 100).find(|word| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase()) <= 2);
                        let help = match near {
                            Some(near) => format!("did you mean {near:?}? the allowed words are {}", allowed()),
                            None => format!("the allowed words are {}", allowed()),
                        };
                        let shown: String = other.chars().take(40).collect();
                        reader.report("unknown-word", node.span(), format!("{shown:?} is not allowed here"), help);
                        None
                    }
                    None => {
                        reader.wrong_type(node, &format!("one of {}", allowed()));
                        None
                    }
                }
            }
        }
    };
}
pub(crate) use choice;
