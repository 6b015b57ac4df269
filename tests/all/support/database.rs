//! An in-memory database for the vectors: it stores items, finds what a call evaluates, and calls
//! the meter.

use std::collections::BTreeMap;

use dynameter::meter::{ConsumedCapacity, Switches, meter};
use dynameter::table::{
    AttributeValue, Consistency, Index, IndexKind, Item, KeySchema, Operation, Projection,
    ReadPage, Table, TableClass, TransactionAction, TransactionOutcome, Write, WriteOutcome,
};
use dynameter::units::Bytes;
use serde_json::{Map, Value, json};

/// Tables, their items, and the transactions that a client request token can replay.
pub struct Database {
    switches: Switches,
    tables: BTreeMap<String, Stored>,
    transactions: BTreeMap<u64, Vec<(String, TransactionAction)>>,
}

struct Stored {
    table: Table,
    items: BTreeMap<String, Item>,
}

impl Stored {
    fn key(&self, item: &Item) -> String {
        self.table
            .keys
            .names()
            .map(|name| format!("{:?}", item.get(name)))
            .collect::<Vec<_>>()
            .join("|")
    }

    /// The item before and after a write; the state changes only if the write is applied.
    fn write(&mut self, key: &Item, new: Option<Item>, refused: bool, switches: Switches) -> Write {
        let at = self.key(key);
        let old = self.items.get(&at).cloned();
        let numbers = switches.number_alignment;
        let write = Write {
            old: old.as_ref().map(|item| item.size(numbers)),
            new: new.as_ref().map(|item| item.size(numbers)),
            indexes: self.table.transitions(old.as_ref(), new.as_ref(), numbers),
            outcome: if refused {
                WriteOutcome::ConditionFailed
            } else {
                WriteOutcome::Applied
            },
        };
        if !refused {
            match new {
                Some(item) => self.items.insert(at, item),
                None => self.items.remove(&at),
            };
        }
        write
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_string()
}

fn item(json: &Value) -> Item {
    Item::from_json(json).unwrap_or_else(|error| panic!("{error}"))
}

/// Expands `{"$rep": ["x", 3]}` to `"xxx"`, everywhere.
fn expand(json: &Value) -> Value {
    match json {
        Value::Object(object) => match object.get("$rep") {
            Some(repeat) => Value::String(
                text(&repeat[0]).repeat(repeat[1].as_u64().expect("a count") as usize),
            ),
            None => Value::Object(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), expand(value)))
                    .collect(),
            ),
        },
        Value::Array(list) => Value::Array(list.iter().map(expand).collect()),
        other => other.clone(),
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

impl Database {
    pub fn new(switches: Switches) -> Database {
        Database {
            switches,
            tables: BTreeMap::new(),
            transactions: BTreeMap::new(),
        }
    }

    /// Executes a CreateTable request.
    pub fn create(&mut self, request: &Value) {
        let keys = |schema: &Value, kind: &str| {
            list(schema)
                .iter()
                .filter(|key| key["KeyType"] == kind)
                .map(|key| text(&key["AttributeName"]))
                .collect::<Vec<_>>()
        };
        let mut indexes = Vec::new();
        for (field, kind) in [
            ("LocalSecondaryIndexes", IndexKind::Local),
            ("GlobalSecondaryIndexes", IndexKind::Global),
        ] {
            for index in list(&request[field]) {
                let projection = match index["Projection"]["ProjectionType"].as_str() {
                    Some("ALL") => Projection::All,
                    Some("INCLUDE") => Projection::Include(
                        list(&index["Projection"]["NonKeyAttributes"])
                            .iter()
                            .map(text)
                            .collect(),
                    ),
                    _ => Projection::KeysOnly,
                };
                let names = [
                    keys(&index["KeySchema"], "HASH"),
                    keys(&index["KeySchema"], "RANGE"),
                ]
                .concat();
                indexes.push(Index {
                    name: text(&index["IndexName"]),
                    kind,
                    keys: names,
                    projection,
                });
            }
        }
        let table = Table {
            name: text(&request["TableName"]),
            class: TableClass::Standard,
            keys: KeySchema {
                partition: keys(&request["KeySchema"], "HASH").remove(0),
                sort: keys(&request["KeySchema"], "RANGE").into_iter().next(),
            },
            indexes,
            vectors: Vec::new(),
        };
        self.tables.insert(
            table.name.clone(),
            Stored {
                table,
                items: BTreeMap::new(),
            },
        );
    }

    fn stored(&mut self, name: &str) -> &mut Stored {
        self.tables
            .get_mut(name)
            .unwrap_or_else(|| panic!("no table {name}"))
    }

    /// Runs a vector: meters its operation for each table and returns ConsumedCapacity, sorted by
    /// table.
    pub fn run(&mut self, vector: &Value) -> Vec<Value> {
        let vector = expand(vector);
        let operations = self.operations(&vector);
        let mut answers: Vec<Value> = operations
            .iter()
            .map(|(name, operation)| {
                let stored = &self.tables[name];
                response(
                    &stored.table,
                    &meter(&stored.table, operation, &self.switches),
                )
            })
            .collect();
        answers.sort_by_key(|answer| answer["TableName"].to_string());
        answers
    }

    /// The operations of a vector, one for each table that it uses.
    fn operations(&mut self, vector: &Value) -> Vec<(String, Operation)> {
        let (request, detail) = (&vector["op"]["request"], &vector["detail"]);
        let refused = !vector["error"].is_null();
        let table = request["TableName"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        let switches = self.switches;
        match vector["op"]["api"].as_str().expect("an api") {
            "PutItem" => {
                let new = item(&request["Item"]);
                let write = self
                    .stored(&table)
                    .write(&new.clone(), Some(new), refused, switches);
                vec![(table, Operation::PutItem(write))]
            }
            "UpdateItem" => {
                let new = vector["new_item"]
                    .is_object()
                    .then(|| item(&vector["new_item"]));
                let mut write =
                    self.stored(&table)
                        .write(&item(&request["Key"]), new, refused, switches);
                write.new = write.new.or(vector["new_size"].as_u64().map(Bytes));
                vec![(table, Operation::UpdateItem(write))]
            }
            "DeleteItem" => {
                let write =
                    self.stored(&table)
                        .write(&item(&request["Key"]), None, refused, switches);
                vec![(table, Operation::DeleteItem(write))]
            }
            "GetItem" => {
                let found = self.size_of(&table, &item(&request["Key"]));
                vec![(
                    table,
                    Operation::GetItem {
                        item: found,
                        consistency: consistency(request),
                    },
                )]
            }
            "BatchGetItem" => {
                let tables = request["RequestItems"].as_object().expect("tables");
                let get = |(name, keys): (&String, &Value)| {
                    let items = list(&keys["Keys"])
                        .iter()
                        .map(|key| self.size_of(name, &item(key)))
                        .collect();
                    (
                        name.clone(),
                        Operation::BatchGetItem {
                            items,
                            consistency: consistency(keys),
                        },
                    )
                };
                tables.iter().map(get).collect()
            }
            "BatchWriteItem" => {
                let tables = request["RequestItems"].as_object().expect("tables");
                let write = |(name, requests): (&String, &Value)| {
                    let stored = self.tables.get_mut(name).expect("a table");
                    let mut one = |request: &Value| match request.get("PutRequest") {
                        Some(put) => stored.write(
                            &item(&put["Item"]),
                            Some(item(&put["Item"])),
                            false,
                            switches,
                        ),
                        None => stored.write(
                            &item(&request["DeleteRequest"]["Key"]),
                            None,
                            false,
                            switches,
                        ),
                    };
                    // Unprocessed requests cost nothing.
                    let left = list(&detail["unprocessed"][name]);
                    let done = list(requests)
                        .into_iter()
                        .filter(|request| !left.contains(request));
                    (
                        name.clone(),
                        Operation::BatchWriteItem(done.map(|request| one(&request)).collect()),
                    )
                };
                tables.iter().map(write).collect()
            }
            "TransactGetItems" => {
                let gets = list(&request["TransactItems"]);
                let gets = gets
                    .iter()
                    .map(|get| (text(&get["Get"]["TableName"]), item(&get["Get"]["Key"])));
                let reads: Vec<_> = gets
                    .map(|(name, key)| (name.clone(), self.size_of(&name, &key)))
                    .collect();
                by_table(reads)
                    .into_iter()
                    .map(|(name, items)| (name, Operation::TransactGetItems { items }))
                    .collect()
            }
            "TransactWriteItems" => self.transact(vector, refused),
            "Query" | "Scan" => vec![(table.clone(), self.page(&table, request, detail))],
            "ExecuteStatement" => {
                let statement = list(&detail["statements"])
                    .first()
                    .cloned()
                    .unwrap_or(Value::Null);
                let (name, operation) = self.statement(request, &statement, refused);
                vec![(name, Operation::ExecuteStatement(Box::new(operation)))]
            }
            "BatchExecuteStatement" => {
                let (requests, details) =
                    (list(&request["Statements"]), list(&detail["statements"]));
                let run = |(request, detail): (&Value, &Value)| {
                    self.statement(request, detail, !detail["error"].is_null())
                };
                let operations = requests.iter().zip(&details).map(run).collect();
                by_table(operations)
                    .into_iter()
                    .map(|(name, operations)| (name, Operation::BatchExecuteStatement(operations)))
                    .collect()
            }
            "ExecuteTransaction" => self.execute_transaction(request, detail, refused),
            api => panic!("no such operation: {api}"),
        }
    }

    fn size_of(&self, table: &str, key: &Item) -> Option<Bytes> {
        let stored = &self.tables[table];
        stored
            .items
            .get(&stored.key(key))
            .map(|item| item.size(self.switches.number_alignment))
    }

    fn transact(&mut self, vector: &Value, cancelled: bool) -> Vec<(String, Operation)> {
        let (request, detail) = (&vector["op"]["request"], &vector["detail"]);
        let switches = self.switches;
        let (actions, outcome) = match detail["replay_of"].as_u64() {
            Some(first) => (
                self.transactions[&first].clone(),
                TransactionOutcome::Replayed,
            ),
            None => {
                let mut actions = Vec::new();
                for (member, written) in list(&request["TransactItems"])
                    .iter()
                    .zip(list(&detail["writes"]))
                {
                    let (kind, body) = member
                        .as_object()
                        .and_then(|member| member.iter().next())
                        .expect("an action");
                    let table = text(&body["TableName"]);
                    let action = match kind.as_str() {
                        "ConditionCheck" => TransactionAction::ConditionCheck(
                            self.size_of(&table, &item(&body["Key"])),
                        ),
                        "Put" => TransactionAction::Write(self.stored(&table).write(
                            &item(&body["Item"]),
                            Some(item(&body["Item"])),
                            cancelled,
                            switches,
                        )),
                        "Update" => {
                            let new = written["new_item"]
                                .is_object()
                                .then(|| item(&written["new_item"]));
                            TransactionAction::Write(self.stored(&table).write(
                                &item(&body["Key"]),
                                new,
                                cancelled,
                                switches,
                            ))
                        }
                        _ => TransactionAction::Write(self.stored(&table).write(
                            &item(&body["Key"]),
                            None,
                            cancelled,
                            switches,
                        )),
                    };
                    actions.push((table, action));
                }
                self.transactions
                    .insert(vector["n"].as_u64().expect("n"), actions.clone());
                (
                    actions,
                    if cancelled {
                        TransactionOutcome::Cancelled
                    } else {
                        TransactionOutcome::Committed
                    },
                )
            }
        };
        let operation =
            |(name, actions)| (name, Operation::TransactWriteItems { actions, outcome });
        by_table(actions).into_iter().map(operation).collect()
    }

    fn execute_transaction(
        &mut self,
        request: &Value,
        detail: &Value,
        cancelled: bool,
    ) -> Vec<(String, Operation)> {
        let mut members = Vec::new();
        for (request, detail) in list(&request["TransactStatements"])
            .iter()
            .zip(list(&detail["statements"]))
        {
            members.push(self.statement(request, &detail, cancelled));
        }
        let outcome = if cancelled {
            TransactionOutcome::Cancelled
        } else {
            TransactionOutcome::Committed
        };
        let join = |operations: Vec<Operation>| {
            let (mut items, mut actions) = (Vec::new(), Vec::new());
            for operation in operations {
                match operation {
                    Operation::Query(page) => {
                        items.push((page.evaluated > Bytes(0)).then_some(page.evaluated))
                    }
                    Operation::PutItem(write)
                    | Operation::UpdateItem(write)
                    | Operation::DeleteItem(write) => {
                        actions.push(TransactionAction::Write(write));
                    }
                    other => panic!("not in a transaction: {other:?}"),
                }
            }
            let inner = match actions.is_empty() {
                true => Operation::TransactGetItems { items },
                false => Operation::TransactWriteItems { actions, outcome },
            };
            Operation::ExecuteTransaction(Box::new(inner))
        };
        by_table(members)
            .into_iter()
            .map(|(name, operations)| (name, join(operations)))
            .collect()
    }

    /// The operation of a PartiQL statement: images from the store, the rest from the vector's
    /// detail.
    fn statement(&mut self, request: &Value, detail: &Value, refused: bool) -> (String, Operation) {
        let statement = text(&request["Statement"]);
        let quoted: Vec<&str> = statement.split('"').skip(1).step_by(2).collect();
        let table = quoted[0].to_string();
        let switches = self.switches;
        let mut values = list(&request["Parameters"]).into_iter();
        if statement.starts_with("SELECT") {
            let position = |name: &str| {
                self.tables[&table]
                    .table
                    .indexes
                    .iter()
                    .position(|index| index.name == name)
            };
            let index = quoted.get(1).and_then(|name| position(name));
            let fetched = detail["fetched_sizes"]
                .as_array()
                .map(|sizes| sizes.iter().filter_map(Value::as_u64).map(Bytes).collect());
            let evaluated = Bytes(detail["bytes"].as_u64().unwrap_or(0));
            return (
                table,
                Operation::Query(ReadPage {
                    index,
                    evaluated,
                    consistency: consistency(request),
                    fetched,
                }),
            );
        }
        if let Some((_, record)) = statement.split_once("VALUE") {
            let names = record.split('\'').skip(1).step_by(2);
            let new = Item(
                names
                    .map(|name| {
                        (
                            name.to_string(),
                            attribute(&values.next().expect("a value")),
                        )
                    })
                    .collect(),
            );
            let write = self
                .stored(&table)
                .write(&new.clone(), Some(new), refused, switches);
            return (table, Operation::PutItem(write));
        }
        let (sets, conditions) = statement.split_once(" WHERE ").expect("a WHERE");
        values
            .by_ref()
            .take(sets.matches('?').count())
            .for_each(drop);
        let equal = conditions
            .split(" AND ")
            .filter_map(|condition| condition.strip_suffix(" = ?"));
        let key = Item(
            equal
                .map(|name| {
                    (
                        name.trim().to_string(),
                        attribute(&values.next().expect("a value")),
                    )
                })
                .collect(),
        );
        let new = detail["new_item"]
            .is_object()
            .then(|| item(&detail["new_item"]));
        let is_update = statement.starts_with("UPDATE");
        let write = self.stored(&table).write(&key, new, refused, switches);
        (
            table,
            if is_update {
                Operation::UpdateItem(write)
            } else {
                Operation::DeleteItem(write)
            },
        )
    }

    /// One page of a Query or Scan: finds the items that it evaluates, unless the vector names
    /// their keys.
    fn page(&self, table: &str, request: &Value, detail: &Value) -> Operation {
        let stored = &self.tables[table];
        let numbers = self.switches.number_alignment;
        let index = request["IndexName"].as_str().map(|name| {
            let position = stored
                .table
                .indexes
                .iter()
                .position(|index| index.name == name);
            position.unwrap_or_else(|| panic!("no index {name}"))
        });
        let evaluated: Vec<&Item> = match detail["evaluated_keys"].as_array() {
            Some(keys) => keys
                .iter()
                .map(|key| &stored.items[&stored.key(&item(key))])
                .collect(),
            None => stored
                .items
                .values()
                .filter(|item| matches(item, request))
                .collect(),
        };
        let entry = |item: &Item| match index {
            Some(at) => stored.table.indexes[at].entry_size(&stored.table.keys, item, numbers),
            None => Some(item.size(numbers)),
        };
        let evaluated: Vec<(&Item, Bytes)> = evaluated
            .into_iter()
            .filter_map(|item| Some((item, entry(item)?)))
            .collect();
        let fetches = index.is_some_and(|at| self.fetches(&stored.table, at, request));
        let page = ReadPage {
            index,
            evaluated: evaluated.iter().map(|(_, size)| *size).sum(),
            consistency: consistency(request),
            fetched: fetches.then(|| {
                evaluated
                    .iter()
                    .map(|(item, _)| item.size(numbers))
                    .collect()
            }),
        };
        if request["KeyConditionExpression"].is_string() {
            Operation::Query(page)
        } else {
            Operation::Scan(page)
        }
    }

    /// Whether a read of an index needs attributes that the index does not contain.
    fn fetches(&self, table: &Table, index: usize, request: &Value) -> bool {
        let index = &table.indexes[index];
        let names = request["ProjectionExpression"].as_str().unwrap_or_default();
        let outside = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let outside = outside
            .map(|name| resolve(name, request))
            .any(|name| !index.holds(&table.keys, &name));
        let everything =
            request["Select"] == "ALL_ATTRIBUTES" && index.projection != Projection::All;
        index.kind == IndexKind::Local && (everything || outside)
    }
}

fn attribute(json: &Value) -> AttributeValue {
    AttributeValue::from_json(json).unwrap_or_else(|error| panic!("{error}"))
}

fn consistency(request: &Value) -> Consistency {
    if request["ConsistentRead"] == true {
        Consistency::Strong
    } else {
        Consistency::Eventual
    }
}

fn resolve(name: &str, request: &Value) -> String {
    request["ExpressionAttributeNames"][name]
        .as_str()
        .unwrap_or(name)
        .to_string()
}

/// Whether an item meets the key condition: `a = :p`, and `b OP :v`, `b BETWEEN :x AND :y` or
/// `begins_with(b, :v)`.
fn matches(item: &Item, request: &Value) -> bool {
    let Some(expression) = request["KeyConditionExpression"].as_str() else {
        return true;
    };
    let value = |name: &str| attribute(&request["ExpressionAttributeValues"][name.trim()]);
    let (first, second) = match expression.split_once(" AND ") {
        Some((first, second)) => (first, Some(second)),
        None => (expression, None),
    };
    compare(item, first, &value, request)
        && second.is_none_or(|second| compare(item, second, &value, request))
}

fn compare(
    item: &Item,
    condition: &str,
    value: &dyn Fn(&str) -> AttributeValue,
    request: &Value,
) -> bool {
    let get = |name: &str| item.get(&resolve(name.trim(), request)).cloned();
    if let Some(arguments) = condition.strip_prefix("begins_with(") {
        let (name, prefix) = arguments
            .trim_end_matches(')')
            .split_once(',')
            .expect("two arguments");
        return match (get(name), value(prefix)) {
            (Some(AttributeValue::S(text)), AttributeValue::S(prefix)) => text.starts_with(&prefix),
            (Some(AttributeValue::B(bytes)), AttributeValue::B(prefix)) => {
                bytes.starts_with(&prefix)
            }
            _ => false,
        };
    }
    if let Some((name, bounds)) = condition.split_once(" BETWEEN ") {
        let (low, high) = bounds.split_once(" AND ").expect("two bounds");
        return get(name).is_some_and(|found| {
            order(&value(low), &found).is_le() && order(&found, &value(high)).is_le()
        });
    }
    type Test = fn(std::cmp::Ordering) -> bool;
    let tests: [(&str, Test); 5] = [
        (" <= ", std::cmp::Ordering::is_le),
        (" >= ", std::cmp::Ordering::is_ge),
        (" < ", std::cmp::Ordering::is_lt),
        (" > ", std::cmp::Ordering::is_gt),
        (" = ", std::cmp::Ordering::is_eq),
    ];
    for (operator, test) in tests {
        if let Some((name, operand)) = condition.split_once(operator) {
            return get(name).is_some_and(|found| test(order(&found, &value(operand))));
        }
    }
    panic!("not a key condition: {condition}")
}

fn order(a: &AttributeValue, b: &AttributeValue) -> std::cmp::Ordering {
    match (a, b) {
        (AttributeValue::S(a), AttributeValue::S(b)) => a.as_bytes().cmp(b.as_bytes()),
        (AttributeValue::N(a), AttributeValue::N(b)) => a.cmp(b),
        (AttributeValue::B(a), AttributeValue::B(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Less,
    }
}

fn by_table<T>(members: Vec<(String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut tables: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (name, member) in members {
        tables.entry(name).or_default().push(member);
    }
    tables
}

/// ConsumedCapacity as AWS returns it, in half units so that it can be compared.
fn response(table: &Table, consumed: &ConsumedCapacity) -> Value {
    let halves = |arm: dynameter::meter::TargetCapacity| arm.read.halves() + 2 * arm.write.0;
    let arms = |kind: IndexKind| {
        let arms = table
            .indexes
            .iter()
            .zip(&consumed.indexes)
            .filter(|(index, _)| index.kind == kind);
        arms.map(|(index, arm)| (index.name.clone(), json!(halves(*arm))))
            .collect::<Map<String, Value>>()
    };
    let total = consumed.total();
    json!({
        "TableName": table.name,
        "total": halves(total),
        "read": total.read.halves(),
        "write": 2 * total.write.0,
        "table": halves(consumed.table),
        "local": arms(IndexKind::Local),
        "global": arms(IndexKind::Global),
    })
}

/// Whether an expected ConsumedCapacity, an object or an array, equals the metered one; an absent
/// target (the table or an index) is zero.
pub fn same(expected: &Value, metered: &[Value]) -> bool {
    let expected = expected
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![expected.clone()]);
    let nothing = metered.iter().all(|answer| answer["total"] == 0);
    if expected.is_empty() || expected[0].is_null() {
        return nothing;
    }
    expected.len() == metered.len()
        && expected
            .iter()
            .zip(metered)
            .all(|(expected, metered)| same_table(expected, metered))
}

fn same_table(expected: &Value, metered: &Value) -> bool {
    let units = |value: &Value| {
        value["CapacityUnits"]
            .as_f64()
            .map_or(0, |units| (units * 2.0) as u64)
    };
    let arms = |expected: &Value, metered: &Value| {
        let metered_arms = metered.as_object().cloned().unwrap_or_default();
        let named = expected.as_object().cloned().unwrap_or_default();
        named.keys().all(|name| metered_arms.contains_key(name))
            && metered_arms
                .iter()
                .all(|(name, halves)| halves.as_u64() == Some(named.get(name).map_or(0, units)))
    };
    let kind = |field: &str, metered: &Value| {
        expected[field]
            .as_f64()
            .is_none_or(|units| metered.as_u64() == Some((units * 2.0) as u64))
    };
    expected["TableName"] == metered["TableName"]
        && metered["total"].as_u64() == Some(units(expected))
        && metered["table"].as_u64() == Some(units(&expected["Table"]))
        && arms(&expected["LocalSecondaryIndexes"], &metered["local"])
        && arms(&expected["GlobalSecondaryIndexes"], &metered["global"])
        && kind("ReadCapacityUnits", &metered["read"])
        && kind("WriteCapacityUnits", &metered["write"])
}

/// The cells of a CSV line with quoted cells.
pub fn csv_cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}
