//! Servers of others on this machine that answer as AWS does, and the command with credentials.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server, which ends with the test.
pub struct Server {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(mut command: Command, port: &[&str]) -> Server {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let number = listener.local_addr().expect("an address").port();
        drop(listener);
        let child = command
            .args(port)
            .arg(number.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let server = Server {
            child,
            url: format!("http://127.0.0.1:{number}"),
        };
        for _ in 0..300 {
            if std::net::TcpStream::connect(("127.0.0.1", number)).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the server does not answer");
    }

    /// moto (PyPI, `moto[server]`), if the Python that `DYNAMETER_PYTHON` names has it.
    pub fn moto(test: &str) -> Option<Server> {
        let python = python();
        let has = Command::new(&python)
            .args(["-c", "import boto3, moto.server"])
            .stderr(Stdio::null())
            .status();
        if !has.is_ok_and(|status| status.success()) {
            let python = python.display();
            eprintln!("SKIPPED {test}: install boto3 and moto[server] for {python}");
            return None;
        }
        let mut command = Command::new(python);
        command.args(["-m", "moto.server"]);
        Some(Server::start(command, &["-p"]))
    }

    /// dynoxide (`cargo install dynoxide-rs`), an exact engine, if it is installed or
    /// `DYNAMETER_DYNOXIDE` names it.
    pub fn dynoxide(test: &str) -> Option<Server> {
        let program = std::env::var_os("DYNAMETER_DYNOXIDE");
        let program = program.unwrap_or_else(|| "dynoxide".into());
        let has = Command::new(&program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if !has.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED {test}: install dynoxide with `cargo install dynoxide-rs`");
            return None;
        }
        Some(Server::start(Command::new(program), &["--port"]))
    }

    /// Runs a script of the tests with this server's address.
    pub fn script(&self, path: &str, arguments: &[&str]) -> String {
        let output = Command::new(python())
            .arg(super::root().join(path))
            .arg(&self.url)
            .args(arguments)
            .output()
            .expect("Python");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{path}: {text}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn python() -> PathBuf {
    let python = std::env::var_os("DYNAMETER_PYTHON");
    python.unwrap_or_else(|| "python3".into()).into()
}

/// Runs the command with credentials, as a user who has them; AWS's services are at an address, if
/// one is given.
pub fn run_at(folder: &Path, url: Option<&str>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("dynameter").expect("the binary");
    command.env_remove("AWS_ENDPOINT_URL");
    if let Some(url) = url {
        command.env("AWS_ENDPOINT_URL", url);
    }
    command
        .current_dir(folder)
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none")
        .env_remove("AWS_REGION")
        .env_remove("AWS_PROFILE");
    super::ran(&mut command)
}
