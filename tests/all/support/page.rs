//! Reads the tables of a report's page, as its template writes them.

/// A table of a page.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The section that contains it.
    pub section: String,
    /// Its caption.
    pub caption: String,
    /// The headers of its columns, and whether each column contains numbers.
    pub heads: Vec<(String, bool)>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// The visible text.
    pub text: String,
    /// The exact figure.
    pub exact: Option<String>,
}

impl Cell {
    /// The figure: exact if the page has it, else the visible one.
    pub fn figure(&self) -> String {
        let shown = self.text.replace(['$', ',', '+'], "");
        self.exact
            .clone()
            .unwrap_or_else(|| shown.split(' ').next().unwrap_or_default().to_string())
    }
}

/// A text with HTML entities replaced by their characters.
pub fn unescaped(text: &str) -> String {
    let signs = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    signs.iter().fold(text.to_string(), |text, (entity, sign)| {
        text.replace(entity, sign)
    })
}

/// The text between the first occurrence of two marks.
pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or("", |(found, _)| found)
}

/// Every table of a page, section by section.
pub fn tables(page: &str) -> Vec<Table> {
    let mut all = Vec::new();
    for section in page.split("<section id=\"").skip(1) {
        let name = section.split('"').next().unwrap_or_default();
        let mut rest = section;
        let mut before = "";
        while let Some(at) = rest.find("<table") {
            before = if at > 0 { &rest[..at] } else { before };
            let table = between(&rest[at..], "<table", "</table>");
            let folded = before
                .rsplit_once("<summary>")
                .map(|(_, summary)| between(&format!(">{summary}"), ">", "</summary>").to_string());
            let caption = if table.contains("<caption>") {
                between(table, "<caption>", "</caption>").to_string()
            } else {
                folded.unwrap_or_default()
            };
            all.push(table_of(name, &caption, table));
            rest = &rest[at + 6..];
        }
    }
    all
}

fn table_of(section: &str, caption: &str, table: &str) -> Table {
    let head = between(table, "<thead>", "</thead>");
    let heads = head.split("<th ").skip(1).map(|head| {
        let (attributes, text) = head.split_once('>').expect("a head");
        (
            unescaped(text.trim_end_matches("</th>").trim_end_matches("</tr>")),
            attributes.contains("class=\"n\""),
        )
    });
    let body = table.split_once("<tbody>").map_or("", |(_, body)| body);
    let rows = body.split("<tr>").skip(1).map(|row| {
        let cells = row.split("<td").skip(1).map(|cell| {
            let (attributes, text) = cell.split_once('>').expect("a cell");
            let exact = attributes
                .split_once("data-v=")
                .map(|(_, exact)| exact.trim_matches('"').to_string());
            Cell {
                text: unescaped(
                    text.split("</t")
                        .next()
                        .unwrap_or(text)
                        .trim_end_matches('\n'),
                ),
                exact,
            }
        });
        cells.collect()
    });
    Table {
        section: section.to_string(),
        caption: unescaped(caption),
        heads: heads.collect(),
        rows: rows.collect(),
    }
}
