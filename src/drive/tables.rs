//! The tables of a run: made and removed, or used with the reader's consent.

use std::time::Duration;

use serde_json::{Value, json};

use super::DriveError;
use super::calls::{create_table, differs};
use super::items::KeyType;
use super::planned::TablePlan;
use crate::aws::{Connection, Refusal};
use crate::table::{ApiName, Arn};

/// How often it is looked whether a table is ready, and how long at most.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: u32 = 1_200;

/// … whether it can be removed, and whether it is gone.
const LOOKS_REMOVABLE: u32 = 240;
const LOOKS_GONE: u32 = 20;

/// A table that the run made.
#[derive(Clone, Debug)]
pub struct MadeTable {
    /// Its name.
    pub name: String,
    /// What tells it from another table of the same name; `None` if DynamoDB does not say.
    id: Option<String>,
}

fn id_of(described: &Value) -> Option<String> {
    let id = described["TableId"].as_str().map(str::to_string);
    let made = described.get("CreationDateTime").map(Value::to_string);
    id.or(made)
}

/// What DynamoDB says of a table that is there.
pub async fn describe(connection: &Connection, name: &str) -> Result<Option<Value>, DriveError> {
    let described = connection.describe(name).await;
    described.map_err(|refusal| failed("DescribeTable", name, &refusal))
}

/// A call that is needed and that has no answer.
pub fn failed(action: &str, table: &str, refusal: &Refusal) -> DriveError {
    let what = match &refusal.code {
        Some(code) => format!(
            "{table}: dynamodb:{action} is refused ({code}): {}",
            refusal.message
        ),
        None => format!(
            "{table}: dynamodb:{action} has no answer: {}",
            refusal.message
        ),
    };
    let help = match &refusal.code {
        Some(code) if code.contains("Denied") => "docs/drive.md lists the actions that a run needs",
        Some(_) => "try again; if the error persists, its message says why",
        None => "check the address and the credentials",
    };
    DriveError::new(what, help)
}

/// The types of the key attributes of a table that is there.
///
/// # Errors
/// If it is not the table of the design.
pub fn adopt(table: &mut super::items::ItemMaker, described: &Value) -> Result<(), DriveError> {
    let definitions = described["AttributeDefinitions"].as_array();
    for one in definitions.into_iter().flatten() {
        let name = one["AttributeName"].as_str().unwrap_or_default();
        let kind = one["AttributeType"].as_str().and_then(KeyType::parse);
        if let (Some(own), Some(kind)) = (table.types.get_mut(name), kind) {
            *own = kind;
        }
    }
    let partition = &table.table.keys.partition;
    if table.types.get(partition) != Some(&KeyType::String) {
        return Err(DriveError::new(
            format!(
                "{}: its partition key {partition} is not a string, so that items of a run could not \
                 be told from those that are there",
                table.table.name
            ),
            "remove --use-table, and delete or rename the table: the run then makes its own",
        ));
    }
    Ok(())
}

/// Whether a table that is there is the one of the design.
///
/// # Errors
/// If it is not.
pub fn must_agree(table: &TablePlan, described: &Value) -> Result<(), DriveError> {
    match differs(table, described) {
        None => Ok(()),
        Some(why) => Err(DriveError::new(
            format!("{}: {why}", table.design.table.name),
            "import the table with `dynameter import account`, and drive that workload",
        )),
    }
}

/// Makes a table, and waits until it is ready.
pub async fn make(connection: &Connection, table: &TablePlan) -> Result<MadeTable, DriveError> {
    let name = &table.design.table.name;
    let body = create_table(table);
    let created = connection.call(ApiName::CreateTable, &body).await;
    let created = match created {
        Ok(created) => created,
        // It was not there a moment ago.
        Err(refusal) if refusal.is("ResourceInUseException") => {
            return Err(DriveError::new(
                format!(
                    "{name}: the table has appeared while the run made it: by another program, or by this \
                     run, if AWS's first answer was lost"
                ),
                "look when it was created; if it is of this run, delete it",
            ));
        }
        Err(refusal) => {
            let error = failed("CreateTable", name, &refusal).to_string();
            let error = error.lines().next().unwrap_or_default();
            return Err(DriveError::new(
                format!("{error}\nThe table may be there all the same."),
                format!("look, and delete it: aws dynamodb delete-table --table-name {name}"),
            ));
        }
    };
    Ok(MadeTable {
        name: name.clone(),
        id: id_of(&created["TableDescription"]),
    })
}

/// Waits until a table is ready.
pub async fn until_ready(connection: &Connection, table: &MadeTable) -> Result<(), DriveError> {
    for _ in 0..LOOKS {
        let described = describe(connection, &table.name).await?;
        let is_ready = |described: &Value| {
            let indexes = described["GlobalSecondaryIndexes"].as_array();
            let mut indexes = indexes.into_iter().flatten();
            let is_active = |index: &Value| {
                index["IndexStatus"]
                    .as_str()
                    .is_none_or(|status| status == "ACTIVE")
            };
            described["TableStatus"] == "ACTIVE" && indexes.all(is_active)
        };
        if described.as_ref().is_some_and(is_ready) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(DriveError::new(
        format!("{}: the table is not ready after 5 minutes", table.name),
        "try again later",
    ))
}

/// The error of a table that is there and that was not named.
pub fn is_there(name: &str) -> DriveError {
    DriveError::new(
        format!(
            "{name}: there is a table of this name, and a run does not touch what it did not make"
        ),
        format!(
            "delete it, use another account or region, or let the run put its own items into it and \
             remove them again with --use-table {name}"
        ),
    )
}

/// Removes a table that the run made; returns why it is still there, if it is.
pub async fn remove(connection: &Connection, table: &MadeTable) -> Result<(), String> {
    let described = connection.describe(&table.name).await;
    let described = match described {
        Ok(Some(described)) => described,
        Ok(None) => return Ok(()),
        Err(refusal) => return Err(refusal.message),
    };
    if table.id.is_some() && id_of(&described) != table.id {
        return Err("it is another table of the same name by now".to_string());
    }
    let body = json!({ "TableName": table.name });
    for _ in 0..LOOKS_REMOVABLE {
        let removed = connection.call(ApiName::DeleteTable, &body).await;
        match removed {
            Ok(_) => {
                until_gone(connection, &table.name).await;
                return Ok(());
            }
            Err(refusal) if refusal.is("ResourceNotFoundException") => return Ok(()),
            // A table that is being made cannot be removed yet.
            Err(refusal) if refusal.is("ResourceInUseException") => {}
            Err(refusal) => return Err(refusal.message),
        }
        tokio::time::sleep(LOOK).await;
    }
    Err("it is in use".to_string())
}

/// Waits a few seconds until a table that is being removed is gone, so that another run can make it.
async fn until_gone(connection: &Connection, name: &str) {
    for _ in 0..LOOKS_GONE {
        if matches!(connection.describe(name).await, Ok(None)) {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The account and region of a table, as its ARN has them.
pub fn account_of(described: &Value) -> Option<String> {
    let arn = described["TableArn"].as_str()?;
    Arn::of(arn).account().map(str::to_string)
}
