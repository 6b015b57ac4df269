//! The operation of a call in a log, by the place at which it stands.

use serde_json::Value;

use crate::table::ApiName;
use crate::trace::SkipReason;
use crate::trace::Wrong;

/// Members that can contain the operation.
const MEMBERS: [&str; 14] = [
    "operation",
    "operationName",
    "operation_name",
    "op",
    "commandName",
    "methodName",
    "rpc.method",
    "db.operation",
    "db.operation.name",
    "api",
    "apiName",
    "eventName",
    "action",
    "command",
];

/// The methods of the document clients, which are words of English too. They count only directly
/// before a call.
const METHODS: [(&str, ApiName); 12] = [
    ("get", ApiName::GetItem),
    ("put", ApiName::PutItem),
    ("update", ApiName::UpdateItem),
    ("delete", ApiName::DeleteItem),
    ("query", ApiName::Query),
    ("scan", ApiName::Scan),
    ("batchget", ApiName::BatchGetItem),
    ("batchwrite", ApiName::BatchWriteItem),
    ("transactget", ApiName::TransactGetItems),
    ("transactwrite", ApiName::TransactWriteItems),
    ("batchgetitem", ApiName::BatchGetItem),
    ("batchwriteitem", ApiName::BatchWriteItem),
];

/// The ends of the names of commands, requests and responses in the SDKs.
const ENDS: [&str; 9] = [
    "AsyncCommand",
    "Command",
    "Request",
    "Response",
    "Result",
    "Output",
    "Input",
    "Async",
    "Exception",
];

/// The operation in a name such as `PutItem`, `put_item`, `PutItemCommand` or `dynamodb.PutItem`.
pub fn named(name: &str) -> Option<ApiName> {
    let name = name.rsplit(['.', '/', '#', ':']).next().unwrap_or(name);
    let name = ENDS
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    if let Some(api) = ApiName::parse(name) {
        return Some(api);
    }
    // `put_item` and `putItem`, but no word of English.
    let plain: String = name.chars().filter(|c| *c != '_').collect();
    let is_compound = name.contains('_') || name.chars().skip(1).any(char::is_uppercase);
    let same = |(known, api): &(&str, ApiName)| {
        (is_compound && known.eq_ignore_ascii_case(&plain)).then_some(*api)
    };
    ApiName::NAMES.iter().find_map(same)
}

/// The operation that the word directly before a call names, with the word if it is only a method.
fn adjacent(word: &str) -> Option<(ApiName, Option<&'static str>)> {
    if let Some(api) = named(word) {
        return Some((api, None));
    }
    let stripped = ENDS
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    let plain: String = stripped
        .chars()
        .filter(|c| *c != '_')
        .collect::<String>()
        .to_ascii_lowercase();
    METHODS
        .iter()
        .find(|(known, _)| *known == plain)
        .map(|(known, api)| (*api, Some(*known)))
}

/// The operation of a call, and the word that names it, if only a method's name does.
pub type Named = (ApiName, Option<&'static str>);

/// The operation in the text before a call: the word directly before it, else the only operation
/// that the text names.
///
/// # Errors
/// If the text names several.
pub fn before(text: &str) -> Result<Option<Named>, Wrong> {
    let is_part = |c: char| c.is_alphanumeric() || "_.#".contains(c);
    let near = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    // At most some punctuation stands between: `PutItem: {`, `PutItem response={`.
    let near_enough = text.len() - near.len() <= 4;
    let last = near.rsplit(|c: char| !is_part(c)).next().unwrap_or("");
    if near_enough && let Some(named) = adjacent(last) {
        return Ok(Some(named));
    }
    let mut found: Vec<(ApiName, &str)> = Vec::new();
    for word in text.split(|c: char| !is_part(c)) {
        // Query and Scan are words of English too: they count after `=`, `.` or `:`.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let is_marked = text[..start].ends_with(['=', ':', '"', '\'', '/', '#']);
        if ["Query", "Scan"].contains(&word) && !is_marked {
            continue;
        }
        if word.len() > 3
            && let Some(api) = named(word)
            && found.iter().all(|(known, _)| *known != api)
        {
            found.push((api, word));
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [(api, _)] => Ok(Some((*api, None))),
        [(_, one), (_, other), ..] => Err(ambiguous(one, other)),
    }
}

/// The operation that the objects around a call name, the nearest first.
///
/// # Errors
/// If an object names several.
pub fn around(objects: &[&Value]) -> Result<Option<ApiName>, Wrong> {
    for object in objects {
        let mut found: Option<(ApiName, &str)> = None;
        let is_operation =
            |name: &str| MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        let members = object.as_object().into_iter().flatten();
        let named_so = members.filter(|(name, _)| is_operation(name));
        for value in named_so.filter_map(|(_, value)| value.as_str()) {
            match (named(value), found) {
                (Some(api), None) => found = Some((api, value)),
                (Some(api), Some((known, one))) if api != known => {
                    return Err(ambiguous(one, value));
                }
                _ => {}
            }
        }
        if let Some((api, _)) = found {
            return Ok(Some(api));
        }
    }
    Ok(None)
}

pub fn ambiguous(one: &str, other: &str) -> Wrong {
    let message = format!(
        "the line names several operations, \"{}\" and \"{}\"; name the operation of such lines \
         with --set operation=NAME",
        one.escape_debug(),
        other.escape_debug()
    );
    (SkipReason::NotStated, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_found_by_its_place() {
        for (text, expected) in [
            ("INFO PutItem ", Some(ApiName::PutItem)),
            ("Query layer: UpdateItem ", Some(ApiName::UpdateItem)),
            ("operation=PutItem took 3 ms ", Some(ApiName::PutItem)),
            ("dynamodb.PutItem: response=", Some(ApiName::PutItem)),
            ("INFO app: put ", Some(ApiName::PutItem)),
            ("DynamoDB_20120810.GetItem ", Some(ApiName::GetItem)),
            ("called put_item -> ", Some(ApiName::PutItem)),
            ("PutItemCommand ", Some(ApiName::PutItem)),
            ("please put the query in the scan queue now ", None),
            ("Scan worker finished updating: ", None),
            ("operation=Scan took 3 ms ", Some(ApiName::Scan)),
            ("", None),
        ] {
            let found = before(text).map(|found| found.map(|(api, _)| api));
            assert_eq!(found, Ok(expected), "{text}");
        }
        assert!(before("GetItem, then PutItem, and so on ").is_err());
    }
}
