//! Functions that are fuzzed alone, since a whole command takes a hundred times as long. What they parse
//! comes from requests, rows and files.

use dynameter::money::Rate;
use dynameter::replay::fuzzing;
use dynameter::table::{Item, NumberAlignment};
use dynameter::time::Date;
use dynameter::trace::{TimeUnit, parse_time};
use dynameter::units::Exact;
use dynameter::workload::Size;

/// A function that takes any text.
pub struct Function {
    /// Its name: the folder of its corpus.
    pub name: &'static str,
    /// The function.
    pub run: fn(&str),
    /// Texts to start from.
    pub seeds: &'static [&'static str],
}

/// All of them.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "function-expression",
        run: fuzzing::update,
        seeds: &[
            "SET #n = #n + :n, #m[0] = :l REMOVE a.b[1].c ADD tags :s DELETE set :s",
            "SET x = if_not_exists(x, :n) - :n, y = list_append(#m, :l)",
        ],
    },
    Function {
        name: "function-condition",
        run: fuzzing::condition,
        seeds: &[
            "#k = :t AND sk BETWEEN :n AND :n",
            "(pk = :t) AND begins_with(sk, :t)",
            "a.b[0], #n, c",
        ],
    },
    Function {
        name: "function-partiql",
        run: fuzzing::statement,
        seeds: &[
            "SELECT * FROM \"Orders\".\"ByDate\" WHERE pk = ? AND sk > 7 ORDER BY sk DESC",
            "INSERT INTO Orders VALUE {'pk': 'a', 'n': <<1, 2>>, 'l': [null, {'x': true}]}",
            "UPDATE Orders SET a = a + 1 SET b = list_append(b, [1]) REMOVE c WHERE pk = 'it''s'",
            "DELETE FROM Orders WHERE pk = 'a' RETURNING ALL OLD *",
        ],
    },
    Function {
        name: "function-item",
        run: |text| {
            let Ok(json) = serde_json::from_str(text) else {
                return;
            };
            if let Ok(item) = Item::from_json(&json) {
                let _ = item.size(NumberAlignment::default());
            }
        },
        seeds: &[
            r#"{"a":{"S":"x"},"n":{"N":"-12.50e3"},"b":{"B":"AAEC"},"l":{"L":[{"M":{"z":{"NULL":true}}}]}}"#,
            r#"{"s":{"SS":["a","b"]},"t":{"NS":["1","2.5"]},"u":{"BS":["AA=="]},"v":{"BOOL":false}}"#,
        ],
    },
    Function {
        name: "function-number",
        run: |text| {
            if let Some(number) = Exact::parse(text) {
                let _ = (number.human(3), number.ceil().to_u64());
            }
            let _ = (Rate::parse(text), Size::parse(text), Date::parse(text));
            for unit in [None, Some(TimeUnit::Seconds), Some(TimeUnit::Milliseconds)] {
                let _ = parse_time(text, unit);
            }
        },
        seeds: &[
            "1_000.25",
            "0.00000000000000000001",
            "4 KB",
            "2025-01-31T23:59:59.999+02:00",
            "1700000000123",
        ],
    },
];
