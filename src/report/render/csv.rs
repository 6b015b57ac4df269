//! CSV, quoted only where necessary.

use csv::{QuoteStyle, WriterBuilder};

/// Whether a spreadsheet would run a text as a formula. A negative number is not a formula.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '@', '\t', '\r'])
        || (cell.starts_with('-') && cell.parse::<rust_decimal::Decimal>().is_err())
}

/// A header and rows as CSV. Text that a spreadsheet would run as a formula is prefixed with an
/// apostrophe.
pub(in crate::report) fn write(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let harmless = |cell: &String| {
        if is_formula(cell) {
            format!("'{cell}")
        } else {
            cell.clone()
        }
    };
    // Writing to memory does not fail, and every row is as long as the header.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row.iter().map(harmless));
    }
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}
