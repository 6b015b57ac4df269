//! What files are understood as.

use super::document::{Body, Document};
use super::json::pretty;
use super::present::Present;
use super::render::csv;
use crate::money::MoneyError;
use crate::trace::Inspected;

/// Files and what they are understood as, the result of `replay --inspect`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InspectedFiles(pub Vec<Inspected>);

/// The files that are shown one by one.
const SHOWN: usize = 20;

impl Present for InspectedFiles {
    fn document(&self) -> Result<Document, MoneyError> {
        let traces = self.0.iter().filter(|file| file.format.is_some()).count();
        let mut document = Document::new(format!(
            "Files: {}, of which traces: {traces}. Nothing was run.",
            self.0.len()
        ));
        for file in self.0.iter().take(SHOWN) {
            document.part(file.file.clone(), Body::Lines(lines(file)));
        }
        if self.0.len() > SHOWN {
            let more = format!("Files that are not shown: {}", self.0.len() - SHOWN);
            document.part("", Body::Paragraph(more));
        }
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        let file = |file: &Inspected| {
            serde_json::json!({
                "file": file.file,
                "format": file.format,
                "not_a_trace": file.no_trace,
                "fields": file.fields,
                "first_calls": file.calls,
                "notes": file.notes,
                "bad_rows": file.bad,
                "contains": file.contains,
                "lacks": file.lacks,
            })
        };
        let files: Vec<serde_json::Value> = self.0.iter().map(file).collect();
        Ok(pretty(&serde_json::json!({
            "schema": "dynameter.inspect/1",
            "files": files,
        })))
    }

    fn csv(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .map(|file| {
                vec![
                    file.file.clone(),
                    file.format.unwrap_or_default().to_string(),
                    file.no_trace.clone().unwrap_or_default(),
                    file.calls.first().cloned().unwrap_or_default(),
                ]
            })
            .collect();
        csv::write(&["file", "format", "not_a_trace", "first_call"], &rows)
    }
}

/// What is said of one file.
fn lines(file: &Inspected) -> Vec<String> {
    let Some(format) = file.format else {
        let what = file.no_trace.clone().unwrap_or_default();
        return vec![format!("Not a trace: {what}")];
    };
    let mut lines = vec![
        format!("Format: {format}"),
        format!("Contains: {}", file.contains),
        format!("Lacks: {}", file.lacks),
    ];
    if !file.fields.is_empty() {
        lines.push(format!("Fields: {}", file.fields.join(", ")));
    }
    match file.calls.is_empty() {
        true => lines.push("No call at the beginning of the file.".to_string()),
        false => lines.push("First calls:".to_string()),
    }
    lines.extend(file.calls.iter().map(|call| format!("  {call}")));
    lines.extend(file.notes.iter().map(|note| format!("Note: {note}")));
    lines.extend(file.bad.iter().map(|bad| format!("Bad row: {bad}")));
    lines
}
