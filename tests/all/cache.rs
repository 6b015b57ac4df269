//! Checks DAX's item cache against published reference results: every row of the ground truth.

#[cfg(feature = "replay")]
mod replay {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::path::Path;
    use std::process::Command;

    use dynameter::replay::{Cache, Overwrite};
    use dynameter::trace::TracedKey;

    use crate::support;

    /// A request: second, key, bytes, whether it is a write.
    type Request = (i64, u64, u32, bool);

    fn key(text: &str) -> u64 {
        TracedKey::of(text.as_bytes()).hash
    }

    fn number(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// The traces named in the ground truth, read as it reads them; `None` if a tool is missing.
    fn trace(name: &str, folder: &Path) -> Option<Vec<Request>> {
        let text = |path: &str| std::fs::read_to_string(folder.join(path)).expect("a trace");
        let keys_only = |path: &str| -> Option<Vec<Request>> {
            let unpacked = Command::new("xz")
                .arg("-dc")
                .arg(folder.join(path))
                .output()
                .ok()?
                .stdout;
            let one = |(at, bytes): (usize, &[u8])| {
                (at as i64 / 1_000, key(&number(bytes).to_string()), 1, false)
            };
            Some(unpacked.chunks_exact(4).enumerate().map(one).collect())
        };
        Some(match name {
            "cloudphysics" => {
                let bytes = std::fs::read(folder.join("cloudphysics/cloudPhysicsIO.vscsi"))
                    .expect("a trace");
                let one = |row: &[u8]| {
                    let (length, command, block, time) = (
                        number(&row[4..8]),
                        number(&row[12..14]),
                        number(&row[16..24]),
                        number(&row[24..32]),
                    );
                    (
                        time as i64 / 1_000_000,
                        key(&block.to_string()),
                        length as u32,
                        command == 0x2a,
                    )
                };
                bytes.chunks_exact(32).map(one).collect()
            }
            "orm_night" => keys_only("keys_only/orm-night.trace.xz")?,
            "web07" => keys_only("keys_only/web07.trace.xz")?,
            "arc_OLTP" => {
                let file = std::fs::File::open(folder.join("keys_only/arc_OLTP.lis.zst"))
                    .expect("a trace");
                let mut text = String::new();
                zstd::Decoder::new(file)
                    .expect("zstd")
                    .read_to_string(&mut text)
                    .expect("text");
                let numbers = |line: &str| -> Vec<u64> {
                    line.split_whitespace()
                        .map(|cell| cell.parse().expect("a number"))
                        .collect()
                };
                let blocks = text
                    .lines()
                    .map(numbers)
                    .flat_map(|cells| cells[0]..cells[0] + cells[1]);
                blocks
                    .map(|block| (0, key(&block.to_string()), 1, false))
                    .collect()
            }
            "mooncake_synthetic" => {
                let line = |line: &str| -> Vec<Request> {
                    let object: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    let second = object["timestamp"].as_i64().expect("a time") / 1_000;
                    let hashes = object["hash_ids"].as_array().expect("keys").iter();
                    hashes
                        .map(|hash| (second, key(&hash.to_string()), 512, false))
                        .collect()
                };
                text("mooncake/synthetic_trace.jsonl")
                    .lines()
                    .flat_map(line)
                    .collect()
            }
            "twitter100" => {
                let line = |line: &str| {
                    let cells: Vec<&str> = line.split(',').collect();
                    let size = |at: usize| -> u32 { cells[at].parse().expect("a size") };
                    (
                        cells[0].parse().expect("a time"),
                        key(cells[1]),
                        size(2) + size(3),
                        !cells[5].starts_with("get"),
                    )
                };
                text("twitter/twitter_sample_100.csv")
                    .lines()
                    .map(line)
                    .collect()
            }
            "meta_kv1" => {
                let text = text("meta_kv/kv_traces_1.csv");
                let mut lines = text.lines();
                let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
                let place = |name: &str| {
                    header
                        .iter()
                        .position(|known| *known == name)
                        .expect("a column")
                };
                let line = |line: &str| {
                    let cells: Vec<&str> = line.split(',').collect();
                    let size = |name: &str| -> u32 { cells[place(name)].parse().expect("a size") };
                    let writes = matches!(cells[place("op")], "SET" | "DELETE");
                    let bytes = (size("key_size") + size("size")).max(1);
                    (
                        cells[place("op_time")].parse().expect("a time"),
                        key(cells[place("key")]),
                        bytes,
                        writes,
                    )
                };
                lines.map(line).collect()
            }
            other => panic!("the ground truth has a new trace: {other}"),
        })
    }

    #[test]
    fn every_row_of_the_ground_truth() {
        let Some(reference) = support::reference("the ground truth of caches") else {
            return;
        };
        let folder = reference.join("traces");
        let truth =
            std::fs::read_to_string(folder.join("GROUND_TRUTH.csv")).expect("the ground truth");
        let mut traces: BTreeMap<String, Option<Vec<Request>>> = BTreeMap::new();
        let (mut checked, mut skipped) = (0, 0);
        for line in truth.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let [
                name,
                _,
                unit,
                capacity,
                ttl,
                semantics,
                requests,
                misses,
                ..,
            ] = cells.as_slice()
            else {
                panic!("{line}")
            };
            let Some(trace) = traces
                .entry(name.to_string())
                .or_insert_with(|| trace(name, &folder))
            else {
                skipped += 1;
                continue;
            };
            let mut cache = Cache::new(capacity.parse().expect("a capacity"));
            let ttl: i64 = ttl.parse().expect("seconds");
            let overwrite = if *semantics == "dax_no_promote" {
                Overwrite::Keep
            } else {
                Overwrite::Refresh
            };
            let mut asked = 0;
            for (second, key, bytes, writes) in trace.iter() {
                let bytes = if *unit == "objects" { 1 } else { *bytes };
                if *writes && *semantics != "get_all" {
                    cache.write(*key, bytes, *second, overwrite);
                } else {
                    asked += 1;
                    cache.read(*key, bytes, *second, ttl);
                }
            }
            assert_eq!(
                (
                    asked.to_string().as_str(),
                    (asked - cache.hits).to_string().as_str()
                ),
                (*requests, *misses),
                "{line}"
            );
            checked += 1;
        }
        if skipped > 0 {
            eprintln!(
                "SKIPPED {skipped} rows of the ground truth: xz is not installed (Debian: \
                 xz-utils)"
            );
        }
        assert!(checked >= 80, "{checked} rows");
    }
}

/// The query cache is keyed by all parameters, is not updated by writes, and expires entries after
/// five minutes.
#[cfg(feature = "replay")]
#[test]
fn the_query_cache_goes_by_all_parameters() {
    use dynameter::files::FileSource;
    use dynameter::pricing::Books;
    use dynameter::replay::{ReplayOptions, Which, replay};
    use dynameter::trace::{self, Trace};
    use serde_json::json;

    let create = json!({"TableName": "Notes", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "who", "KeyType": "HASH"},
        {"AttributeName": "when", "KeyType": "RANGE"}], "AttributeDefinitions": []});
    let put = json!({"TableName": "Notes", "Item": {"who": {"S": "a"}, "when": {"S": "1"}, "text": {"S": "x"}}});
    let query = |limit: u32, strong: bool| {
        json!({"TableName": "Notes", "KeyConditionExpression": "who = :w", "ExpressionAttributeValues": {":w": {"S": "a"}},
            "Limit": limit, "ConsistentRead": strong})
    };
    let lines = [
        (0, "CreateTable", create),
        (0, "PutItem", put.clone()),
        (1, "Query", query(10, false)),
        (10, "Query", query(10, false)),
        (11, "Query", query(5, false)),
        (12, "PutItem", put),
        (13, "Query", query(10, false)),
        (14, "Query", query(10, true)),
        (400, "Query", query(10, false)),
    ];
    let line = |(time, operation, request): &(i64, &str, serde_json::Value)| {
        format!(
            "{}\n",
            json!({"time": 1_704_067_200 + time, "operation": operation, "request": request})
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, lines.iter().map(line).collect::<String>()).expect("a file");
    let trace = Trace::open(vec![FileSource::File(path)], trace::ReadOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let replayed = replay(
        trace,
        None,
        &Books::embedded(),
        &ReplayOptions::default(),
        |_| true,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let query = replayed
        .dax
        .iter()
        .find(|dax| dax.which == Which::Query)
        .expect("a query cache");
    // Five eventually consistent queries reach the cache; the strongly consistent one does not. The
    // second and the fourth of the five are hits.
    assert_eq!(
        (
            query.point.reads,
            query.point.hits,
            query.point.error_millionths
        ),
        (5, 2, 0)
    );
}
