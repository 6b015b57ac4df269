//! What a trace was dealt into.

use serde_json::{Value, json};

use super::document::{Body, Document};
use super::json::pretty;
use super::present::Present;
use super::render::csv;
use crate::money::MoneyError;
use crate::trace::DealtFile;
use crate::units::Exact;

/// The files of a trace, dealt into shares: the result of `replay --deal`, and the manifest that it
/// writes beside the blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DealtTrace {
    /// The number of shares.
    pub shares: u32,
    /// The files, in the order of the trace.
    pub files: Vec<DealtFile>,
    /// The folder of the blobs.
    pub folder: String,
    /// Whether other files of the trace are dealt elsewhere.
    pub is_part: bool,
}

/// The name of a manifest's schema.
pub const SCHEMA: &str = "dynameter.deal/1";

impl DealtTrace {
    /// Rows and events of all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

fn signature(file: &DealtFile) -> String {
    format!("{:016x}", file.signature)
}

impl Present for DealtTrace {
    fn document(&self) -> Result<Document, MoneyError> {
        let files = match self.files.len() {
            1 => "1 file".to_string(),
            count => format!("{} files", Exact::from(count as u64)),
        };
        let mut document = Document::new(format!(
            "{} rows of {files}, dealt into {} shares",
            Exact::from(self.rows()),
            self.shares
        ));
        let run = format!(
            "Run each share, with the same workload: dynameter replay --dealt 1/{} {} --partial -o \
             1.parquet",
            self.shares, self.folder
        );
        document.part("", Body::Paragraph(run));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        let file = |file: &DealtFile| -> Value {
            json!({
                "number": file.number,
                "file": file.name,
                "format": file.format,
                "rows": file.rows,
                "signature": signature(file),
            })
        };
        Ok(pretty(&json!({
            "schema": SCHEMA,
            "shares": self.shares,
            "rows": self.rows(),
            "is_part": self.is_part,
            "files": self.files.iter().map(file).collect::<Vec<Value>>(),
        })))
    }

    fn csv(&self) -> String {
        let row = |file: &DealtFile| {
            vec![
                file.number.to_string(),
                file.name.clone(),
                file.format.clone(),
                file.rows.to_string(),
                signature(file),
            ]
        };
        let rows: Vec<Vec<String>> = self.files.iter().map(row).collect();
        csv::write(&["number", "file", "format", "rows", "signature"], &rows)
    }
}
