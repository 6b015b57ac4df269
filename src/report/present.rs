//! What every result can be written as.

use super::document::Document;
use super::render::text::Style;
use super::render::{markdown, text};
use crate::money::MoneyError;

/// A result that can be written in every format.
///
/// Text and Markdown are made of its document; JSON and CSV are exact.
///
/// # Errors
/// Each method fails with [`MoneyError::TooLarge`] if a sum has more than 28 digits.
pub trait Present {
    /// The result for people.
    #[doc(hidden)]
    fn document(&self) -> Result<Document, MoneyError>;

    /// The result as JSON; its `schema` names the format.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if a sum has more than 28 digits.
    fn json(&self) -> Result<String, MoneyError>;

    /// The result as CSV, with a header.
    fn csv(&self) -> String;

    /// The result as aligned text, for a terminal.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if a sum has more than 28 digits.
    fn text(&self, style: Style) -> Result<String, MoneyError> {
        Ok(text::render(&self.document()?, style))
    }

    /// The result as Markdown.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if a sum has more than 28 digits.
    fn markdown(&self) -> Result<String, MoneyError> {
        Ok(markdown::render(&self.document()?))
    }
}

/// Several documents as one.
pub(super) fn together(documents: Vec<Document>) -> Document {
    Document {
        parts: documents.into_iter().flat_map(|one| one.parts).collect(),
        ..Document::default()
    }
}

/// Several documents as text, one after another.
pub(super) fn one_after_another(
    documents: &[Document],
    render: impl Fn(&Document) -> String,
) -> String {
    let all: Vec<String> = documents.iter().map(render).collect();
    all.join("\n")
}
