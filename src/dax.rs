//! DynamoDB Accelerator: which reads reach the table behind a cache, and what writes add to them.

use crate::table::{Consistency, Operation};
use crate::units::{Bytes, Exact};

/// The share of a read pattern's units that are still consumed from the table behind a cache with a
/// given hit ratio: misses of eventually consistent reads, and every strongly consistent or
/// transactional read (`None`).
///
/// Source: Developer Guide, "DAX: how it works" (rule 7.2).
pub fn share_that_passes(consistency: Option<Consistency>, hit_ratio: &Exact) -> Exact {
    match consistency {
        Some(Consistency::Eventual) => Exact::one() - hit_ratio.clone(),
        Some(Consistency::Strong) | None => Exact::one(),
    }
}

/// What DAX reads after a TransactWriteItems to fill its item cache: the item of one action.
///
/// Source: Developer Guide, "DynamoDB transactions: how it works" (rule 7.4).
pub fn fill(item: Option<Bytes>) -> Operation {
    Operation::TransactGetItems { items: vec![item] }
}

/// A node type: its memory, and the normalized requests a second that it serves.
///
/// Source: Developer Guide, "DAX cluster sizing guide" (rule 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeType {
    /// Its name, such as `dax.r5.large`.
    pub name: &'static str,
    /// Memory in GB.
    pub memory_gb: u64,
    /// Normalized requests a second.
    pub requests: u64,
}

/// The node types whose capacity AWS states, the smallest first.
pub const NODE_TYPES: [NodeType; 8] = [
    NodeType {
        name: "dax.r5.large",
        memory_gb: 16,
        requests: 75_000,
    },
    NodeType {
        name: "dax.r5.xlarge",
        memory_gb: 32,
        requests: 150_000,
    },
    NodeType {
        name: "dax.r5.2xlarge",
        memory_gb: 64,
        requests: 300_000,
    },
    NodeType {
        name: "dax.r5.4xlarge",
        memory_gb: 128,
        requests: 600_000,
    },
    NodeType {
        name: "dax.r5.8xlarge",
        memory_gb: 256,
        requests: 1_000_000,
    },
    NodeType {
        name: "dax.r5.12xlarge",
        memory_gb: 384,
        requests: 1_000_000,
    },
    NodeType {
        name: "dax.r5.16xlarge",
        memory_gb: 512,
        requests: 1_000_000,
    },
    NodeType {
        name: "dax.r5.24xlarge",
        memory_gb: 768,
        requests: 1_000_000,
    },
];

/// The load of a cluster in a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Reads that the cache answers.
    pub hits: Exact,
    /// Reads that it passes on to the table.
    pub misses: Exact,
    /// Writes through it.
    pub writes: Exact,
    /// KB of an item.
    pub size_kb: Exact,
}

impl Load {
    /// Normalized requests a second on a cluster of `nodes` nodes: a hit counts as its size in KB,
    /// a miss as ten times that, and a write as twenty-five times that on each node.
    ///
    /// Source: Developer Guide, "DAX cluster sizing guide" (rule 7.7).
    pub fn normalized(&self, nodes: u64) -> Exact {
        let weighted = &self.hits + &(&self.misses * &Exact::from(10));
        let written = &(&self.writes * &Exact::from(25)) * &Exact::from(nodes);
        (&weighted + &written) * self.size_kb.clone()
    }

    /// The same with headroom for 70 % utilization or for the loss of a node, whichever needs more.
    /// `None` for a single node, because no other node could take over.
    pub fn target(&self, nodes: u64) -> Option<Exact> {
        let loss = Exact::ratio(nodes, nodes.checked_sub(1).filter(|left| *left > 0)?);
        Some(self.normalized(nodes) * loss.max(Exact::ratio(143, 100)))
    }

    /// How many nodes of a type serve it: at least three, as AWS recommends, and at most eleven.
    pub fn nodes_needed(&self, node: &NodeType) -> Option<u64> {
        (3..=11).find(|nodes| {
            self.target(*nodes)
                .is_some_and(|target| target <= Exact::from(node.requests * nodes))
        })
    }
}

/// The popularity of keys: the key of rank r is requested in proportion to 1 / r^zipf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Popularity {
    /// The exponent.
    pub zipf: Exact,
    /// How many keys there are.
    pub keys: u64,
}

/// The share of all requests that the most popular key gets, in millionths.
pub fn hottest_millionths(popularity: &Popularity) -> u64 {
    ranks(popularity)
        .first()
        .map_or(0, |(_, share)| (share * 1e6).round() as u64)
}

/// Groups of keys with about the same popularity: the number of keys, and the share of all requests
/// that each key gets.
fn ranks(popularity: &Popularity) -> Vec<(f64, f64)> {
    let (zipf, keys) = (popularity.zipf.to_f64(), popularity.keys.max(1));
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut rank = 1_u64;
    while rank <= keys {
        let next = if rank < 1_000 {
            rank + 1
        } else {
            (rank + rank / 100).min(keys + 1)
        };
        let count = (next - rank) as f64;
        // From half a rank before the first to half a rank after the last: this integral equals the
        // sum to within a few parts in a million.
        let (from, to) = (rank as f64 - 0.5, next as f64 - 0.5);
        let sum = match count == 1.0 {
            true => (rank as f64).powf(-zipf),
            false if (zipf - 1.0).abs() < 1e-9 => (to / from).ln(),
            false => (to.powf(1.0 - zipf) - from.powf(1.0 - zipf)) / (1.0 - zipf),
        };
        groups.push((count, sum / count));
        rank = next;
    }
    let total: f64 = groups.iter().map(|(count, weight)| count * weight).sum();
    groups
        .into_iter()
        .map(|(count, weight)| (count, weight / total))
        .collect()
}

/// The hit ratio of a cache of `entries` items, for keys of a popularity, in millionths.
///
/// Che's approximation: an item stays in the cache until it has not been requested for a
/// characteristic time. This time is the same for all items and makes the expected number of cached
/// items equal to the size of the cache. With a time to live, an item stays no longer than that.
/// Source: Che, Tung, Wang, "Hierarchical Web caching systems" (2002); Fofack et al. for the time
/// to live. `Assumption:` requests are independent of one another.
pub fn hit_millionths(
    popularity: &Popularity,
    requests_per_second: &Exact,
    entries: u64,
    ttl_seconds: Option<u64>,
) -> u64 {
    let rate = requests_per_second.to_f64();
    let groups = ranks(popularity);
    let held = |time: f64| {
        groups
            .iter()
            .map(|(count, share)| count * -(-rate * share * time).exp_m1())
            .sum::<f64>()
    };
    let time = if entries >= popularity.keys {
        f64::INFINITY
    } else {
        let (mut low, mut high) = (1e-9_f64, 1e12_f64);
        for _ in 0..200 {
            let middle = (low * high).sqrt();
            if held(middle) < entries as f64 {
                low = middle
            } else {
                high = middle
            }
        }
        low
    };
    let hit = |share: f64| {
        let asked = rate * share;
        let again = (asked * time)
            .exp_m1()
            .min(ttl_seconds.map_or(f64::INFINITY, |ttl| asked * ttl as f64));
        if again.is_finite() {
            again / (1.0 + again)
        } else {
            1.0
        }
    };
    let ratio: f64 = if rate > 0.0 {
        groups
            .iter()
            .map(|(count, share)| count * share * hit(*share))
            .sum()
    } else {
        0.0
    };
    (ratio.clamp(0.0, 1.0) * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizing_example_of_the_guide() {
        let load = Load {
            hits: Exact::from(50_000),
            misses: Exact::from(1_000),
            writes: Exact::from(100),
            size_kb: Exact::from(2),
        };
        assert_eq!(load.normalized(3), Exact::from(135_000));
        assert_eq!(load.target(3), Some(Exact::from(202_500)));
        assert_eq!(load.nodes_needed(&NODE_TYPES[0]), Some(3));
    }

    #[test]
    fn a_cache_of_everything_misses_nothing_and_a_short_life_costs_hits() {
        let popularity = Popularity {
            zipf: Exact::ratio(99, 100),
            keys: 100_000,
        };
        let rate = Exact::from(1_000);
        assert_eq!(hit_millionths(&popularity, &rate, 100_000, None), 1_000_000);
        let sizes = [10, 100, 1_000, 10_000, 90_000]
            .map(|entries| hit_millionths(&popularity, &rate, entries, None));
        assert!(sizes.is_sorted() && sizes[0] > 0, "{sizes:?}");
        let lives =
            [1, 60, 300, 86_400].map(|ttl| hit_millionths(&popularity, &rate, 10_000, Some(ttl)));
        assert!(lives.is_sorted() && lives[3] <= sizes[3], "{lives:?}");
        // All keys equally popular: a cache of a tenth of them answers about a tenth of the
        // requests.
        let even = Popularity {
            zipf: Exact::zero(),
            keys: 10_000,
        };
        assert!(hit_millionths(&even, &rate, 1_000, None).abs_diff(100_000) < 1_000);
    }

    #[test]
    fn groups_of_ranks_are_the_ranks() {
        let popularity = Popularity {
            zipf: Exact::ratio(99, 100),
            keys: 50_000,
        };
        let sum: f64 = (1..=50_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
        let groups = ranks(&popularity);
        assert_eq!(groups.iter().map(|(count, _)| count).sum::<f64>(), 50_000.0);
        assert!(
            (groups[0].1 * sum - 1.0).abs() < 1e-5,
            "{}",
            groups[0].1 * sum
        );
    }

    #[test]
    fn only_eventual_reads_are_answered_by_the_cache() {
        let hit_ratio = Exact::ratio(19, 20);
        assert_eq!(
            share_that_passes(Some(Consistency::Eventual), &hit_ratio),
            Exact::ratio(1, 20)
        );
        assert_eq!(
            share_that_passes(Some(Consistency::Strong), &hit_ratio),
            Exact::one()
        );
        assert_eq!(share_that_passes(None, &hit_ratio), Exact::one());
    }
}
