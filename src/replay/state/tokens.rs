//! The first calls of transactions, by their ClientRequestToken: a repeated call changes nothing.

use std::collections::BTreeMap;

use crate::replay::dynamodb::key::NamedKey;
use crate::table::TransactionAction;
use crate::trace::Time;

/// How long a ClientRequestToken is remembered: ten minutes. Source: API Reference,
/// "TransactWriteItems".
const TOKEN_NANOSECONDS: i64 = 600 * Time::SECOND;

/// The first calls of transactions.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Tokens(BTreeMap<String, Committed>);

/// The first call of a transaction: its time, and its actions on each table.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Committed {
    time: Time,
    actions: Vec<(usize, (TransactionAction, NamedKey))>,
}

impl Committed {
    fn is_remembered(&self, now: Time) -> bool {
        now.0.saturating_sub(self.time.0) <= TOKEN_NANOSECONDS
    }
}

impl Tokens {
    /// The actions of the first call with a token, if it is still remembered.
    pub fn first(
        &self,
        token: &str,
        now: Time,
    ) -> Option<Vec<(usize, (TransactionAction, NamedKey))>> {
        let first = self.0.get(token).filter(|first| first.is_remembered(now))?;
        Some(first.actions.clone())
    }

    /// Remembers the first call with a token.
    pub fn remember(
        &mut self,
        token: &str,
        time: Time,
        actions: Vec<(usize, (TransactionAction, NamedKey))>,
    ) {
        self.0.retain(|_, known| known.is_remembered(time));
        self.0
            .insert(token.to_string(), Committed { time, actions });
    }
}
