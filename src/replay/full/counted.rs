//! Units that AWS counted: CloudWatch metrics, and log lines that give no sizes.

use super::Events;
use crate::replay::engine::Engine;
use crate::replay::error::CannotExecute;
use crate::replay::state::sizes::is_global;
use crate::replay::tally::consumption::{CallKind, DemandKey, DemandSeries, add_counted};
use crate::table::{ApiName, Direction, KeySchema};
use crate::trace::{Counted, Name};

/// The mark for units of a call, which no metric gives, in place of a region.
const OF_CALLS: usize = usize::MAX;

impl Events<'_> {
    /// Units that AWS counted.
    pub(super) fn counted(
        &mut self,
        table: Option<Name>,
        counted: &Counted,
    ) -> Result<(), CannotExecute> {
        let engine = &mut *self.engine;
        let table = engine.table(table, self.names, KeySchema::unnamed)?;
        let region = engine.region(counted.region, self.names)?;
        engine.stands_in(table, region)?;
        let source = if counted.api.is_some() {
            OF_CALLS
        } else {
            region
        };
        engine.tally.totals.counted_regions.insert((table, source));
        let index = self.index(table, counted.index)?;
        let design = &self.engine.state(table).design;
        let account = index.filter(|at| is_global(design, *at));
        let metered = &mut self.engine.tally.totals.metered;
        metered.extend(counted.metric.map(|direction| (table, account, direction)));
        let account = |direction| DemandKey {
            table,
            index: account,
            region,
            direction,
        };
        self.counted_direction(
            account(Direction::Read),
            index,
            counted,
            counted.read_halves,
        );
        self.counted_direction(
            account(Direction::Write),
            index,
            counted,
            counted.write_halves,
        );
        Ok(())
    }

    /// Half units of one direction, spread evenly over the period.
    fn counted_direction(
        &mut self,
        account: DemandKey,
        index: Option<usize>,
        counted: &Counted,
        halves: u64,
    ) {
        let DemandKey {
            table,
            region,
            direction,
            ..
        } = account;
        let reads = direction == Direction::Read;
        let is_call = match counted.api {
            Some(api) => api.is_read() == reads,
            None => halves > 0,
        };
        if halves == 0 && !is_call {
            return;
        }
        let kind = CallKind {
            table,
            region,
            caller: counted.caller,
            api: counted.api,
            direction,
            index: index.filter(|_| reads),
        };
        let replica = (!reads && region > 0).then(|| self.engine.regions[region].clone());
        let totals = &mut self.engine.tally.totals;
        if !reads && halves > 0 {
            totals.counted_writes.insert(table);
        }
        let call = totals.call(kind);
        (call.writes, call.index) = (!reads, kind.index);
        // A call that also writes entries is one call.
        let calls = counted.calls.filter(|_| reads || index.is_none());
        call.calls = call.calls.saturating_add(calls.unwrap_or(0));
        let target = index.map_or(0, |at| at + 1);
        add_counted(call, target, (direction, halves), replica.as_deref());
        let seconds = u64::from(counted.seconds.max(1));
        // The remainder is spread as evenly as whole half units allow.
        let (each, more) = (halves / seconds, halves % seconds);
        for second in 0..seconds {
            let before = more * second / seconds;
            let part = each + (more * (second + 1) / seconds - before);
            let second = self.moment.second + second as i64;
            self.engine.tally.demand(account, second, part);
        }
    }
}

impl Engine {
    /// Adds replicated writes that no metric counted: if only the home region's writes of a global
    /// table are known, each replica has the same number (rule 4.1). Metrics of a replica count
    /// its own.
    pub fn copy_counted(&mut self) {
        for table in self.tally.totals.counted_writes.clone() {
            let replicas = &self.state(table).design.replicas;
            let copies: Vec<String> = replicas
                .iter()
                .filter(|replica| !replica.witness)
                .map(|replica| replica.region.clone())
                .collect();
            let is_counted = |region: usize| region != 0 && region != OF_CALLS;
            let mut counted = self.tally.totals.counted_regions.iter();
            if copies.is_empty() || counted.any(|(at, region)| *at == table && is_counted(*region))
            {
                continue;
            }
            self.copies_assumed.insert(table);
            self.copy_calls(table, &copies);
            self.copy_demand(table, &copies);
        }
    }

    fn copy_calls(&mut self, table: usize, copies: &[String]) {
        let calls = self.tally.totals.calls.iter_mut();
        let writes =
            calls.filter(|(kind, _)| kind.table == table && kind.direction == Direction::Write);
        for (kind, traced) in writes {
            let in_transaction = matches!(
                kind.api,
                Some(ApiName::TransactWriteItems | ApiName::ExecuteTransaction)
            );
            let mut targets = traced.home.clone();
            // A transaction doubles only in the home region (rule 4.6).
            if let (true, Some(own)) = (in_transaction, targets.first_mut()) {
                own.write /= 2;
            }
            let of_copy = |region: &String| (region.clone(), targets.clone());
            traced.in_replicas.extend(copies.iter().map(of_copy));
        }
    }

    fn copy_demand(&mut self, table: usize, copies: &[String]) {
        let is_home_write = |account: &DemandKey| {
            account.table == table && account.direction == Direction::Write && account.region == 0
        };
        let home: Vec<(DemandKey, DemandSeries)> = self
            .tally
            .demand
            .iter()
            .filter(|(account, _)| is_home_write(account))
            .map(|(account, demand)| (*account, demand.clone()))
            .collect();
        let position = |name: &String| self.regions.iter().position(|region| region == name);
        let regions: Vec<usize> = copies.iter().filter_map(position).collect();
        for (account, demand) in home {
            for region in &regions {
                let copy = DemandKey {
                    region: *region,
                    ..account
                };
                self.tally.demand.insert(copy, demand.clone());
            }
        }
    }
}
