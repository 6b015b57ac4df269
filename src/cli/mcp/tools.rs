//! The tools: what they take, the command that answers, and their short text.

use std::path::{Component, Path};

use crate::money::Money;
use crate::report::{MeteringRules, Present};
use crate::rules::{MeteringRule, RULES};
use crate::units::Exact;
use serde_json::{Map, Value, json};

use super::child::{self, Ran};

/// A tool.
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the agent.
    pub description: &'static str,
    /// Its arguments.
    arguments: &'static [Argument],
}

/// An answer.
pub struct Answer {
    /// A sentence or two.
    pub short: String,
    /// The JSON of the command line.
    pub value: Value,
}

/// An argument of a tool.
struct Argument {
    name: &'static str,
    kind: Kind,
    description: &'static str,
}

/// What an argument is, and what it becomes on the command line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Paths, one after another.
    Files,
    /// A path.
    File,
    /// The text of a file, which takes the place of a path.
    Text,
    /// A word, after a flag.
    Word(&'static str),
    /// A date, after a flag.
    Date(&'static str),
    /// A number, after a flag.
    Number(&'static str),
    /// A whole number, after a flag.
    Whole(&'static str),
    /// A flag.
    Flag(&'static str),
    /// A path after a flag.
    FileAfter(&'static str),
    /// The text of a file after a flag.
    TextAfter(&'static str),
    /// A path that is written.
    Written,
    /// A plain word, first of all.
    First,
}

const FILES: Argument = Argument {
    name: "files",
    kind: Kind::Files,
    description: "Workload files, Terraform plans as JSON or CloudFormation templates, below the \
                  folder of the server; folders and patterns too",
};

const TEXT: Argument = Argument {
    name: "text",
    kind: Kind::Text,
    description: "The text of a workload file (TOML), a plan or a template, instead of `files`",
};

const REGION: Argument = Argument {
    name: "region",
    kind: Kind::Word("--region"),
    description: "The region, such as eu-west-1; overrides the design's",
};

const PRICES: Argument = Argument {
    name: "prices",
    kind: Kind::Date("--prices"),
    description: "The date of the prices, YYYY-MM-DD; default: the newest",
};

const MONTH_HOURS: Argument = Argument {
    name: "month_hours",
    kind: Kind::Number("--month-hours"),
    description: "The hours of a month; default: 730",
};

const USAGE: Argument = Argument {
    name: "usage",
    kind: Kind::FileAfter("--usage"),
    description: "A usage file with the rates and sizes that a plan or a template lacks",
};

const SUMMARY: Argument = Argument {
    name: "summary",
    kind: Kind::Flag("--summary"),
    description: "Only one line for each table",
};

const TOOLS: &[ToolSpec] = &[
    ToolSpec {
        name: "estimate",
        description: "What a DynamoDB design costs in a month, line by line, exactly.",
        arguments: &[
            FILES,
            TEXT,
            Argument {
                name: "months",
                kind: Kind::Whole("--months"),
                description: "Show each of the next months instead, 1 to 120",
            },
            SUMMARY,
            REGION,
            PRICES,
            MONTH_HOURS,
            USAGE,
        ],
    },
    ToolSpec {
        name: "explain",
        description: "The working behind every line of an estimate: quantity, rate, rule and source.",
        arguments: &[FILES, TEXT, REGION, PRICES, MONTH_HOURS, USAGE],
    },
    ToolSpec {
        name: "compare",
        description: "The same design under every alternative (capacity modes, projections, classes, \
                      caches, commitments), and what to change first.",
        arguments: &[FILES, TEXT, SUMMARY, REGION, PRICES, MONTH_HOURS, USAGE],
    },
    ToolSpec {
        name: "headroom",
        description: "What breaks first: the factor of traffic up to which each table and index holds, \
                      what limits it and in which month, what the events of the file and the loss of a \
                      region do, and what to change.",
        arguments: &[
            FILES,
            TEXT,
            Argument {
                name: "without_region",
                kind: Kind::Word("--without-region"),
                description: "Also say what the loss of this region does",
            },
            REGION,
            PRICES,
            MONTH_HOURS,
            USAGE,
        ],
    },
    ToolSpec {
        name: "check",
        description: "Compares a design with a budget and looks for what is likely a mistake. The \
                      answer says whether it passes.",
        arguments: &[
            FILES,
            TEXT,
            Argument {
                name: "budget",
                kind: Kind::FileAfter("--budget"),
                description: "The budget file",
            },
            Argument {
                name: "budget_text",
                kind: Kind::TextAfter("--budget"),
                description: "The text of a budget file, instead of `budget`",
            },
            Argument {
                name: "baseline",
                kind: Kind::FileAfter("--baseline"),
                description: "The design before the change",
            },
            REGION,
            PRICES,
            MONTH_HOURS,
            USAGE,
        ],
    },
    ToolSpec {
        name: "diff",
        description: "What a change of a design costs, line by line.",
        arguments: &[
            Argument {
                name: "old",
                kind: Kind::File,
                description: "The design before",
            },
            Argument {
                name: "old_text",
                kind: Kind::Text,
                description: "Its text, instead of `old`",
            },
            Argument {
                name: "new",
                kind: Kind::File,
                description: "The design after",
            },
            Argument {
                name: "new_text",
                kind: Kind::Text,
                description: "Its text, instead of `new`",
            },
            REGION,
            PRICES,
            MONTH_HOURS,
        ],
    },
    ToolSpec {
        name: "import",
        description: "Makes a workload file (TOML) of a Terraform plan, a CloudFormation template, \
                      answers of AWS or a model of another tool. What it does not know is \"unknown\" \
                      in the file.",
        arguments: &[
            Argument {
                name: "kind",
                kind: Kind::First,
                description: "The format: terraform, cloudformation, describe-table, cloudwatch, \
                              export, bill … (see docs/import.md)",
            },
            FILES,
            TEXT,
            REGION,
            USAGE,
            Argument {
                name: "output",
                kind: Kind::Written,
                description: "A new file below the folder of the server into which the workload is \
                              written; without it, nothing is written",
            },
        ],
    },
    ToolSpec {
        name: "rules",
        description: "The rules by which DynamoDB meters and bills, each with its source and how well \
                      it is known.",
        arguments: &[Argument {
            name: "rule",
            kind: Kind::Word(""),
            description: "The number of a rule, such as 3.8, or of a section, such as 3; default: all",
        }],
    },
    ToolSpec {
        name: "schema",
        description: "The JSON Schema of the workload file, with what every key means.",
        arguments: &[Argument {
            name: "budget",
            kind: Kind::Flag("--budget"),
            description: "That of the budget file instead",
        }],
    },
];

/// Arguments of which one is given: a path, or the text of a file.
const EITHER: [(&str, &str); 4] = [
    ("files", "text"),
    ("old", "old_text"),
    ("new", "new_text"),
    ("budget", "budget_text"),
];

/// The formats that `import` reads from files.
fn kinds() -> Vec<&'static str> {
    let kinds = crate::cli::args::IMPORT_KINDS.iter().copied();
    kinds.filter(|kind| *kind != "account").collect()
}

impl Argument {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Files => {
                json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
            }
            Kind::Number(_) => json!({ "type": "number" }),
            Kind::Whole(_) => json!({ "type": "integer", "minimum": 1, "maximum": 120 }),
            Kind::First => json!({ "type": "string", "enum": kinds() }),
            Kind::Flag(_) => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        schema["description"] = json!(self.description);
        schema
    }
}

/// The arguments of a run, and the texts that it reads as files.
struct Command<'a> {
    root: &'a Path,
    /// Where texts are.
    texts: &'a Path,
    arguments: Vec<String>,
    /// The names of the texts, for messages.
    shown: Vec<(String, &'static str)>,
    written: Option<String>,
}

impl ToolSpec {
    /// All tools.
    pub fn all() -> &'static [ToolSpec] {
        TOOLS
    }

    /// The JSON Schema of the arguments.
    pub fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .arguments
            .iter()
            .map(|one| (one.name.to_string(), one.schema()))
            .collect();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if self.argument("kind").is_some() {
            schema["required"] = json!(["kind"]);
        }
        schema
    }

    /// Answers a call.
    ///
    /// # Errors
    /// What is wrong, where, and how to fix it.
    pub async fn answer(&self, root: &Path, given: &Map<String, Value>) -> Result<Answer, String> {
        if let Some(unknown) = given.keys().find(|name| self.argument(name).is_none()) {
            let names: Vec<&str> = self.arguments.iter().map(|one| one.name).collect();
            return Err(format!(
                "error: {} has no argument {unknown:?}\nhelp: it takes {}",
                self.name,
                names.join(", ")
            ));
        }
        self.must_be_clear(given)?;
        if self.name == "rules" {
            return rules(given);
        }
        let texts = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = texts
            .path()
            .canonicalize()
            .map_err(|error| error.to_string())?;
        let mut command = Command {
            root,
            texts: &folder,
            arguments: vec![self.name.to_string()],
            shown: Vec::new(),
            written: None,
        };
        for argument in self.arguments {
            if let Some(value) = given.get(argument.name).filter(|value| !value.is_null()) {
                command.take(argument, value)?;
            }
        }
        if !matches!(self.name, "import" | "schema") {
            command
                .arguments
                .extend(["--format".to_string(), "json".to_string()]);
        }
        let ran = child::run(root, &[root, &folder], &command.arguments).await?;
        self.read(ran, &command)
    }

    /// Whether each design is given once, as a path or as a text.
    fn must_be_clear(&self, given: &Map<String, Value>) -> Result<(), String> {
        let has = |name: &str| given.get(name).is_some_and(|value| !value.is_null());
        for (path, text) in EITHER {
            if self.argument(path).is_none() || self.argument(text).is_none() {
                continue;
            }
            match (has(path), has(text)) {
                (true, true) => {
                    return Err(format!(
                        "error: {path} and {text} are both given\nhelp: give one"
                    ));
                }
                (false, false) => {
                    return Err(format!(
                        "error: {} needs {path} or {text}\nhelp: {path}: {}",
                        self.name,
                        self.argument(path).map_or("", |one| one.description)
                    ));
                }
                _ => {}
            }
        }
        if self.argument("kind").is_some() && !has("kind") {
            return Err(format!(
                "error: import needs kind\nhelp: one of {}",
                kinds().join(", ")
            ));
        }
        Ok(())
    }

    fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|one| one.name == name)
    }

    /// Reads what a run wrote.
    fn read(&self, ran: Ran, command: &Command) -> Result<Answer, String> {
        let message = command.readable(&ran.stderr);
        let stdout = command.readable(&ran.stdout);
        // The exit code 1 is an answer of `check`, and so is 2 if a figure is unknown.
        let is_answered = self.name == "check" && stdout.trim_start().starts_with('{');
        if ran.code > 1 && !is_answered {
            return Err(message.trim_end().to_string());
        }
        if self.name == "import" {
            let short = match &command.written {
                Some(path) => format!("wrote {path}\n{message}"),
                None => format!(
                    "a workload file of {} lines\n{message}",
                    stdout.lines().count()
                ),
            };
            return Ok(Answer {
                short: short.trim_end().to_string(),
                value: json!({ "toml": stdout, "notes": message, "written": command.written }),
            });
        }
        let value: Value = serde_json::from_str(&stdout)
            .map_err(|error| format!("the answer is not JSON: {error}\n{message}"))?;
        let short = short(self.name, &value);
        Ok(Answer {
            short: format!("{short}\n{message}").trim_end().to_string(),
            value,
        })
    }
}

impl Command<'_> {
    /// Adds an argument.
    fn take(&mut self, argument: &'static Argument, value: &Value) -> Result<(), String> {
        let wrong = |wanted: &str| {
            format!(
                "error: {} must be {wanted}, found {value}\nhelp: {}",
                argument.name, argument.description
            )
        };
        let text = || value.as_str().ok_or_else(|| wrong("a text"));
        match argument.kind {
            Kind::Files => {
                let list = value.as_array().ok_or_else(|| wrong("a list of paths"))?;
                for path in list {
                    let path = path.as_str().ok_or_else(|| wrong("a list of paths"))?;
                    let path = self.path(path)?;
                    self.arguments.push(path);
                }
            }
            Kind::File => {
                let path = self.path(text()?)?;
                self.arguments.push(path);
            }
            Kind::Text => {
                let path = self.text(argument.name, text()?)?;
                self.arguments.push(path);
            }
            Kind::Word(flag) => self.flag(flag, plain(text()?)?),
            Kind::Date(flag) => {
                let date = text()?;
                let read = crate::time::Date::parse(date);
                read.ok_or_else(|| wrong("a date, YYYY-MM-DD"))?;
                self.flag(flag, date.to_string());
            }
            Kind::Whole(flag) => {
                let number = value.as_u64().ok_or_else(|| wrong("a whole number"))?;
                self.flag(flag, number.to_string());
            }
            Kind::Number(flag) => {
                let number = value.as_number().ok_or_else(|| wrong("a number"))?;
                self.flag(flag, number.to_string());
            }
            Kind::Flag(flag) => {
                if value.as_bool().ok_or_else(|| wrong("true or false"))? {
                    self.arguments.push(flag.to_string());
                }
            }
            Kind::FileAfter(flag) => {
                let path = self.path(text()?)?;
                self.flag(flag, path);
            }
            Kind::TextAfter(flag) => {
                let path = self.text(argument.name, text()?)?;
                self.flag(flag, path);
            }
            Kind::Written => {
                let path = self.path(text()?)?;
                let folder = self.root.join(&path);
                let folder = folder
                    .parent()
                    .and_then(|folder| folder.canonicalize().ok());
                if !folder.is_some_and(|folder| folder.starts_with(self.root)) {
                    return Err(wrong("a new file in a folder below that of the server"));
                }
                self.written = Some(path.clone());
                self.flag("-o", path);
            }
            Kind::First => {
                let word = plain(text()?)?;
                if word == "account" {
                    return Err("error: an agent cannot ask an account of AWS\nhelp: run `dynameter import \
                                account` yourself, and give the file"
                        .to_string());
                }
                self.arguments.push(word);
            }
        }
        Ok(())
    }

    fn flag(&mut self, flag: &str, value: String) {
        self.arguments.extend([flag.to_string(), value]);
    }

    /// A path below the root.
    fn path(&self, path: &str) -> Result<String, String> {
        let outside = || {
            format!(
                "error: {path:?} is not below the folder of the server, {}\nhelp: name a file below it, \
                 or give its text",
                self.root.display()
            )
        };
        let own = Path::new(path);
        let own = match own.strip_prefix(self.root) {
            Ok(below) => below,
            Err(_) if own.is_absolute() => return Err(outside()),
            Err(_) => own,
        };
        let leads_out = own.components().any(|part| part == Component::ParentDir);
        let shown = own.to_string_lossy();
        // Standard input, and what is in git or on Amazon S3, is not below a folder.
        let is_special = path.is_empty() || shown.starts_with('-') || shown.contains(':');
        if leads_out || is_special {
            return Err(outside());
        }
        Ok(match shown.contains(['.', '/', '\\']) {
            true => shown.into_owned(),
            // A bare word could be taken for something else than a path.
            false => format!("./{shown}"),
        })
    }

    /// The path of a text, which is written for the run.
    fn text(&mut self, name: &'static str, text: &str) -> Result<String, String> {
        let begin = text.trim_start();
        let extension = match begin.starts_with(['{', '['])
            && serde_json::from_str::<Value>(text).is_ok()
        {
            true => "json",
            false if text.contains("AWSTemplateFormatVersion") || text.contains("\nResources:") => {
                "yaml"
            }
            false => "toml",
        };
        let path = self.texts.join(format!("{name}.{extension}"));
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        let path = path.to_string_lossy().into_owned();
        self.shown.push((path.clone(), name));
        Ok(path)
    }

    /// A message with the names of the arguments instead of the paths of texts.
    fn readable(&self, message: &str) -> String {
        let mut message = message.to_string();
        for (path, name) in &self.shown {
            message = message.replace(path, name);
        }
        message
    }
}

/// A word that is no flag.
fn plain(word: &str) -> Result<String, String> {
    match word.starts_with('-') {
        true => Err(format!(
            "error: {word:?} begins with -\nhelp: give a value, not a flag"
        )),
        false => Ok(word.to_string()),
    }
}

fn rules(given: &Map<String, Value>) -> Result<Answer, String> {
    let wanted = given.get("rule").filter(|rule| !rule.is_null());
    let wanted = wanted.map(|rule| {
        rule.as_str()
            .map_or_else(|| rule.to_string(), str::to_string)
    });
    let is_wanted =
        |rule: &&MeteringRule| wanted.as_ref().is_none_or(|number| rule.is_named(number));
    let found: Vec<&MeteringRule> = RULES.iter().filter(is_wanted).collect();
    let short = match (found.as_slice(), &wanted) {
        ([], wanted) => {
            let number = wanted.as_deref().unwrap_or_default();
            return Err(format!(
                "error: no rule has the number {number}\nhelp: call it without `rule` for all of them"
            ));
        }
        ([one], _) => format!("{}: {}", one.id, one.text),
        (more, _) => format!("{} rules", more.len()),
    };
    let text = MeteringRules(found)
        .json()
        .map_err(|error| error.to_string())?;
    let value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(Answer { short, value })
}

/// An amount of dollars, to the cent.
fn dollars(value: &Value) -> String {
    let amount = value.as_str().and_then(Exact::parse);
    let amount = amount.and_then(|amount| Money::dollars(&amount).ok());
    amount.map_or_else(|| "an unknown amount".to_string(), |amount| amount.human())
}

/// How many there are, in words.
fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        more => format!("{more} {noun}s"),
    }
}

/// The answer in a sentence.
fn short(tool: &str, value: &Value) -> String {
    match value {
        Value::Array(several) => {
            let all: Vec<String> = several.iter().map(|one| short(tool, one)).collect();
            all.join("\n")
        }
        value if tool == "schema" => {
            "the JSON Schema of the file".to_string()
                + &match value["title"].as_str() {
                    Some(title) => format!(" ({title})"),
                    None => String::new(),
                }
        }
        value => sentence(value),
    }
}

fn sentence(value: &Value) -> String {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let list = |key: &str| value[key].as_array().map_or(0, Vec::len);
    let name = match text("workload") {
        "" => String::new(),
        name => format!("{name}: "),
    };
    let unknown = match list("unknown") {
        0 => String::new(),
        more => format!("; {} unknown and in no total", count(more, "cost")),
    };
    match text("schema") {
        "dynameter.forecast/1" => format!(
            "{name}{} over {}{unknown}",
            dollars(&value["total_usd"]),
            count(list("months"), "month")
        ),
        "dynameter.fleet/1" => format!(
            "{}: {} a month ({})",
            count(list("tables"), "table"),
            dollars(&value["total_usd"]),
            text("total")
        ),
        "dynameter.diff/1" => format!(
            "from {} to {} a month: {}",
            dollars(&value["old"]["total_usd"]),
            dollars(&value["new"]["total_usd"]),
            dollars(&value["delta_usd"])
        ),
        "dynameter.check/1" => format!(
            "{}: {} a month, {}",
            text("status"),
            dollars(&value["total_usd"]),
            count(list("verdicts"), "limit")
        ),
        "dynameter.headroom/1" => text("headline").to_string(),
        "dynameter.compare/1" => format!(
            "{name}{} a month; with the changes that need no decision {}; {} to consider",
            dollars(&value["total_usd"]),
            dollars(&value["best"]["monthly_usd"]),
            count(list("advice"), "change")
        ),
        _ => format!("{name}{} a month{unknown}", dollars(&value["total_usd"])),
    }
}
