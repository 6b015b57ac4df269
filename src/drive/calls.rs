//! The requests of calls, in DynamoDB JSON: what is sent is what the log has.

use serde_json::{Map, Value, json};

use super::planned::{
    CallItems, CallOutcome, ItemChange, PlannedCall, PlannedWrite, TablePlan, after, index_of,
    is_of_statements, is_strong, item_change, partition_keys, segments,
};
use super::statements;
use crate::table::{ApiName, IndexKind, Projection, TableClass};
use crate::workload::{PatternCall, WriteKind};

/// A request, and how its pages go on.
#[derive(Clone, Debug)]
pub struct Request {
    /// The API call.
    pub api: ApiName,
    /// The request.
    pub body: Value,
    /// Of a Query or Scan: how many items it reads over all its pages; `None` for all.
    pub limit: Option<u64>,
    /// Whether it reads a page.
    pub is_page: bool,
}

/// The requests of a call: one, or one for each segment of a Scan.
pub fn requests(table: &TablePlan, call: &PlannedCall, token: &str) -> Vec<Request> {
    let access = &table.patterns[call.pattern].access;
    let api = access.operation.unwrap_or(ApiName::GetItem);
    let is_page = matches!(access.call, PatternCall::Page { .. });
    let one = |body: Value| {
        vec![Request {
            api,
            body,
            limit: match &call.what {
                CallItems::Scan(limit) => *limit,
                _ => None,
            },
            is_page,
        }]
    };
    if is_of_statements(access.operation) {
        return one(reporting(statements::request(table, api, call, token)));
    }
    match (&call.what, &access.call) {
        // A batch of nothing is not sent.
        (CallItems::Keys(items), _) if items.is_empty() => Vec::new(),
        (CallItems::Keys(items), call) => one(get(table, api, items, is_strong(call))),
        (CallItems::Collection(item), _) => one(query(table, &access.call, *item)),
        (CallItems::Scan(limit), _) => scans(table, &access.call, *limit),
        (CallItems::Writes(writes), _) => one(write(table, api, call, writes, token)),
    }
}

fn name(table: &TablePlan) -> &str {
    &table.design.table.name
}

/// Asks for the units of the table and of each index.
fn reporting(mut body: Value) -> Value {
    body["ReturnConsumedCapacity"] = json!("INDEXES");
    body
}

fn get(table: &TablePlan, api: ApiName, items: &[usize], strong: bool) -> Value {
    let key = |item: &usize| table.maker.key(&table.items[*item].item);
    let body = match (api, items) {
        (ApiName::GetItem, [item]) => {
            json!({ "TableName": name(table), "Key": key(item), "ConsistentRead": strong })
        }
        (ApiName::TransactGetItems, _) => {
            let get = |item| json!({ "Get": { "TableName": name(table), "Key": key(item) } });
            json!({ "TransactItems": items.iter().map(get).collect::<Vec<_>>() })
        }
        _ => {
            let keys: Vec<Value> = items.iter().map(key).collect();
            let of_table = json!({ "Keys": keys, "ConsistentRead": strong });
            json!({ "RequestItems": { (name(table)): of_table } })
        }
    };
    reporting(body)
}

/// A Query or Scan of the table or an index.
fn page(table: &TablePlan, call: &PatternCall) -> Value {
    let (index, fetches) = index_of(&table.design, call);
    let mut body = json!({ "TableName": name(table) });
    if let Some(at) = index {
        body["IndexName"] = json!(table.design.table.indexes[at].name);
    }
    if fetches {
        body["Select"] = json!("ALL_ATTRIBUTES");
    }
    if is_strong(call) {
        body["ConsistentRead"] = json!(true);
    }
    reporting(body)
}

fn query(table: &TablePlan, call: &PatternCall, item: usize) -> Value {
    let (index, _) = index_of(&table.design, call);
    let item = &table.items[item].item;
    let keys = partition_keys(&table.design, index);
    let mut body = page(table, call);
    let (mut names, mut values, mut conditions) = (Map::new(), Map::new(), Vec::new());
    for (at, key) in keys.iter().enumerate() {
        conditions.push(format!("#k{at} = :k{at}"));
        names.insert(format!("#k{at}"), json!(key));
        let value = table.maker.part(item, [key.as_str()]);
        values.insert(format!(":k{at}"), value[key].clone());
    }
    body["KeyConditionExpression"] = json!(conditions.join(" AND "));
    body["ExpressionAttributeNames"] = Value::Object(names);
    body["ExpressionAttributeValues"] = Value::Object(values);
    body
}

fn scans(table: &TablePlan, call: &PatternCall, limit: Option<u64>) -> Vec<Request> {
    let segments = segments(call);
    let scan = |segment: u64| {
        let mut body = page(table, call);
        if segments > 1 {
            body["Segment"] = json!(segment);
            body["TotalSegments"] = json!(segments);
        }
        // Items are divided among the segments as evenly as whole numbers allow.
        let of_segment =
            limit.map(|limit| limit / segments + u64::from(segment < limit % segments));
        Request {
            api: ApiName::Scan,
            body,
            limit: of_segment,
            is_page: true,
        }
    };
    let all = (0..segments).map(scan);
    all.filter(|request| request.limit != Some(0) || segments == 1)
        .collect()
}

fn write(
    table: &TablePlan,
    api: ApiName,
    call: &PlannedCall,
    writes: &[PlannedWrite],
    token: &str,
) -> Value {
    let access = &table.patterns[call.pattern].access;
    let kind = |write: &PlannedWrite| access.call.plans()[write.plan].0.kind;
    let fails = call.outcome == CallOutcome::Fails;
    let body = match api {
        ApiName::BatchWriteItem => {
            let one = |one: &PlannedWrite| match kind(one) {
                WriteKind::Delete => {
                    let key = table.maker.key(&table.items[one.item].item);
                    json!({ "DeleteRequest": { "Key": key } })
                }
                _ => {
                    let item = table.maker.json(&after(table, call, one));
                    json!({ "PutRequest": { "Item": item } })
                }
            };
            let all: Vec<Value> = writes.iter().map(one).collect();
            json!({ "RequestItems": { (name(table)): all } })
        }
        ApiName::TransactWriteItems => {
            let action = |(at, one): (usize, &PlannedWrite)| {
                let mut action = single(table, call, one, kind(one));
                match kind(one) {
                    WriteKind::ConditionCheck => {
                        condition(table, &mut action, one.finds != (fails && at == 0))
                    }
                    _ if fails && at == 0 => condition(table, &mut action, !one.finds),
                    _ => {}
                }
                let name = match kind(one) {
                    WriteKind::Put => "Put",
                    WriteKind::Update => "Update",
                    WriteKind::Delete => "Delete",
                    WriteKind::ConditionCheck => "ConditionCheck",
                };
                json!({ (name): action })
            };
            let all: Vec<Value> = writes.iter().enumerate().map(action).collect();
            json!({ "TransactItems": all, "ClientRequestToken": token })
        }
        _ => match writes {
            [one] => {
                let mut body = single(table, call, one, kind(one));
                if fails {
                    condition(table, &mut body, !one.finds);
                }
                body
            }
            _ => Value::Null,
        },
    };
    reporting(body)
}

/// The request of one write.
fn single(table: &TablePlan, call: &PlannedCall, write: &PlannedWrite, kind: WriteKind) -> Value {
    let before = &table.items[write.item].item;
    let key = || table.maker.key(before);
    match kind {
        WriteKind::Put => {
            let item = table.maker.json(&after(table, call, write));
            json!({ "TableName": name(table), "Item": item })
        }
        WriteKind::Delete | WriteKind::ConditionCheck => {
            json!({ "TableName": name(table), "Key": key() })
        }
        WriteKind::Update => {
            let old = match write.finds {
                true => table.maker.json(before),
                false => key(),
            };
            let new = table.maker.json(&after(table, call, write));
            update(table, key(), &old, &new)
        }
    }
}

/// Demands that the item exists, or that it does not.
fn condition(table: &TablePlan, body: &mut Value, exists: bool) {
    let function = match exists {
        true => "attribute_exists(#key)",
        false => "attribute_not_exists(#key)",
    };
    body["ConditionExpression"] = json!(function);
    body["ExpressionAttributeNames"]["#key"] = json!(table.design.table.keys.partition);
}

/// An update that makes one item of another.
fn update(table: &TablePlan, key: Value, old: &Value, new: &Value) -> Value {
    let none = Map::new();
    let (old, new) = (
        old.as_object().unwrap_or(&none),
        new.as_object().unwrap_or(&none),
    );
    let ItemChange { set, removed } = item_change(old, new, |name| key.get(name).is_some());
    let (mut names, mut values) = (Map::new(), Map::new());
    let mut clauses = Vec::new();
    for (at, (name, value)) in set.iter().enumerate() {
        names.insert(format!("#s{at}"), json!(name));
        values.insert(format!(":s{at}"), (*value).clone());
    }
    for (at, name) in removed.iter().enumerate() {
        names.insert(format!("#r{at}"), json!(name));
    }
    if !set.is_empty() {
        let all: Vec<String> = (0..set.len())
            .map(|at| format!("#s{at} = :s{at}"))
            .collect();
        clauses.push(format!("SET {}", all.join(", ")));
    }
    if !removed.is_empty() {
        let all: Vec<String> = (0..removed.len()).map(|at| format!("#r{at}")).collect();
        clauses.push(format!("REMOVE {}", all.join(", ")));
    }
    let mut body = json!({ "TableName": name(table), "Key": key });
    if !clauses.is_empty() {
        body["UpdateExpression"] = json!(clauses.join(" "));
        body["ExpressionAttributeNames"] = Value::Object(names);
    }
    if !values.is_empty() {
        body["ExpressionAttributeValues"] = Value::Object(values);
    }
    body
}

/// The request that makes a table on demand: it serves any load at once, and costs nothing while it is
/// not used.
pub fn create_table(table: &TablePlan) -> Value {
    let design = &table.design.table;
    let key = |name: &String, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let schema = |keys: &[String], partition: usize| {
        let all = keys.iter().enumerate();
        let one = |(at, name)| key(name, if at < partition { "HASH" } else { "RANGE" });
        all.map(one).collect::<Vec<Value>>()
    };
    let names: Vec<String> = design.keys.names().map(str::to_string).collect();
    let definitions: Vec<Value> = table
        .maker
        .types
        .iter()
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind.name() }))
        .collect();
    let mut body = json!({
        "TableName": design.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
        "KeySchema": schema(&names, 1),
    });
    if design.class == TableClass::StandardIa {
        body["TableClass"] = json!("STANDARD_INFREQUENT_ACCESS");
    }
    for (kind, member) in [
        (IndexKind::Local, "LocalSecondaryIndexes"),
        (IndexKind::Global, "GlobalSecondaryIndexes"),
    ] {
        let indexes = design.indexes.iter().enumerate();
        let own: Vec<Value> = indexes
            .filter(|(_, index)| index.kind == kind)
            .map(|(at, index)| {
                json!({
                    "IndexName": index.name,
                    "KeySchema": schema(&index.keys, table.design.indexes[at].partition_keys),
                    "Projection": projection(&index.projection),
                })
            })
            .collect();
        if !own.is_empty() {
            body[member] = Value::Array(own);
        }
    }
    body
}

fn projection(projection: &Projection) -> Value {
    match projection {
        Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projection::All => json!({ "ProjectionType": "ALL" }),
        Projection::Include(names) => {
            json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names })
        }
    }
}

/// What differs between a table as AWS describes it and the design; `None` if they agree.
pub fn differs(table: &TablePlan, described: &Value) -> Option<String> {
    let wanted = create_table(table);
    let names = |value: &Value, list: &str| {
        let all = value[list].as_array().into_iter().flatten();
        let one = |one: &Value| {
            let mut names: Vec<Value> = one["Projection"]["NonKeyAttributes"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            names.sort_by_key(Value::to_string);
            json!([
                one["IndexName"],
                one["KeySchema"],
                one["Projection"]["ProjectionType"],
                names
            ])
        };
        let mut all: Vec<Value> = all.map(one).collect();
        all.sort_by_key(Value::to_string);
        all
    };
    if wanted["KeySchema"] != described["KeySchema"] {
        return Some("its keys are not those of the design".to_string());
    }
    ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"]
        .into_iter()
        .any(|list| names(&wanted, list) != names(described, list))
        .then(|| "its indexes are not those of the design".to_string())
}
