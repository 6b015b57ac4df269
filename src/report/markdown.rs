//! Markdown tables.

/// Escapes a text, so that it contains no markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table; `numbers` holds the positions of the numeric columns.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let rule = (0..header.len())
        .map(|at| if numbers.contains(&at) { "---:" } else { "---" }.to_string())
        .collect();
    let head = line(header.iter().map(ToString::to_string).collect());
    let body: String = rows
        .iter()
        .map(|row| line(row.iter().map(|cell| escape(cell)).collect()))
        .collect();
    head + &line(rule) + &body
}

/// A list.
pub(super) fn list(items: &[String]) -> String {
    items
        .iter()
        .map(|item| format!("- {}\n", escape(item)))
        .collect()
}
