//! A server on this machine that answers as AWS does: the JSON protocols of DynamoDB, Application
//! Auto Scaling and DAX, the REST of AWS Backup, and CloudWatch in CBOR, as AWS's SDK for Rust
//! speaks it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A call that was received.
pub struct Call {
    /// The action, such as `ListTables`; of AWS Backup, the method and path.
    pub action: String,
    /// The region that it was signed for.
    pub region: String,
    pub body: Value,
    /// How many calls of this action came before.
    pub before: usize,
}

/// The answer to a call: a body, or an error code with its message.
pub type Answer = Result<Value, (&'static str, String)>;

pub struct Stub {
    pub url: String,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Stub {
    /// Starts a server that lives as long as the process.
    pub fn start(answer: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let (counts, answer) = (calls.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (counts, answer) = (counts.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &counts, &*answer));
            }
        });
        Stub { url, calls }
    }

    /// How many calls of each action came.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.calls.lock().expect("the counts").clone()
    }
}

fn serve(
    stream: TcpStream,
    counts: &Mutex<BTreeMap<String, usize>>,
    answer: &dyn Fn(&Call) -> Answer,
) {
    let mut writer = stream.try_clone().expect("a stream");
    let mut reader = BufReader::new(stream);
    while let Some((head, bytes)) = request(&mut reader) {
        let is_cbor = head.path.contains("/service/");
        let action = match head.target.rsplit_once('.') {
            Some((_, action)) => action.to_string(),
            None if is_cbor => head.path.rsplit('/').next().unwrap_or_default().to_string(),
            None => format!("{} {}", head.method, head.path),
        };
        let body = match is_cbor {
            true => from_cbor(&ciborium::from_reader(&bytes[..]).expect("CBOR")),
            false => serde_json::from_slice(&bytes).unwrap_or_default(),
        };
        let before = {
            let mut counts = counts.lock().expect("the counts");
            let count = counts.entry(action.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let call = Call {
            action,
            region: head.region,
            body,
            before,
        };
        let (status, value) = match answer(&call) {
            Ok(value) => ("200 OK", value),
            Err((code, message)) => (
                "400 Bad Request",
                json!({ "__type": code, "message": message }),
            ),
        };
        let (kind, bytes) = match is_cbor {
            true => {
                let mut bytes = Vec::new();
                ciborium::into_writer(&to_cbor("", &value), &mut bytes).expect("CBOR");
                ("application/cbor\r\nsmithy-protocol: rpc-v2-cbor", bytes)
            }
            false => ("application/x-amz-json-1.0", value.to_string().into_bytes()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        );
        let sent = writer.write_all(head.as_bytes());
        if sent.and_then(|()| writer.write_all(&bytes)).is_err() {
            return;
        }
    }
}

#[derive(Default)]
struct Head {
    method: String,
    path: String,
    target: String,
    region: String,
}

/// The next request on a connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(Head, Vec<u8>)> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let mut head = Head {
        method: words.next()?.to_string(),
        path: words.next()?.to_string(),
        ..Head::default()
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "x-amz-target" => head.target = value.trim().to_string(),
            // Credential=ID/20261129/eu-west-1/dynamodb/aws4_request
            "authorization" => {
                head.region = value.split('/').nth(2).unwrap_or_default().to_string();
            }
            _ => {}
        }
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some((head, bytes))
}

fn from_cbor(value: &ciborium::Value) -> Value {
    match value {
        ciborium::Value::Integer(number) => json!(i128::from(*number) as i64),
        ciborium::Value::Float(number) => json!(number),
        ciborium::Value::Text(text) => json!(text),
        ciborium::Value::Bool(truth) => json!(truth),
        ciborium::Value::Tag(_, inner) => from_cbor(inner),
        ciborium::Value::Array(list) => list.iter().map(from_cbor).collect(),
        ciborium::Value::Map(entries) => {
            let entry = |(key, value): &(ciborium::Value, ciborium::Value)| {
                (
                    key.as_text().unwrap_or_default().to_string(),
                    from_cbor(value),
                )
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        _ => Value::Null,
    }
}

/// A value as CBOR; the members of `Timestamps` are times.
fn to_cbor(key: &str, value: &Value) -> ciborium::Value {
    match value {
        Value::Null => ciborium::Value::Null,
        Value::Bool(truth) => ciborium::Value::Bool(*truth),
        Value::Number(number) => {
            let number = ciborium::Value::Float(number.as_f64().unwrap_or_default());
            match key {
                "Timestamps" => ciborium::Value::Tag(1, Box::new(number)),
                _ => number,
            }
        }
        Value::String(text) => ciborium::Value::Text(text.clone()),
        Value::Array(list) => {
            ciborium::Value::Array(list.iter().map(|one| to_cbor(key, one)).collect())
        }
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                (ciborium::Value::Text(key.clone()), to_cbor(key, value))
            };
            ciborium::Value::Map(entries.iter().map(entry).collect())
        }
    }
}
