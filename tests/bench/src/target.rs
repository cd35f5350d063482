//! The programs that are measured, each in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::client::{Ask, once, request};

/// How long a program may take to answer for the first time.
const STARTING: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No proxy.
    Direct,
    /// The forwarder of this crate.
    Bare,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// `zephyr serve` as it is by default: its journal keeps a record of every request.
    Zephyr,
    /// The same, but it keeps records of failures only, of which there are none here.
    Unrecorded,
    /// The same, but it keeps bodies in full beside the records.
    WithBodies,
}

impl Kind {
    /// Those that are compared, in the order of the tables.
    pub(crate) const ALL: [Self; 5] = [
        Self::Direct,
        Self::Bare,
        Self::Nginx,
        Self::Haproxy,
        Self::Zephyr,
    ];

    /// Its name in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Bare => "bare hyper",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Zephyr => "Zephyr",
            Self::Unrecorded => "no records",
            Self::WithBodies => "with bodies",
        }
    }

    /// Whether it can be started here.
    pub(crate) fn is_installed(self) -> bool {
        let version = |program: &str, flag| {
            let mut command = Command::new(program);
            command
                .arg(flag)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        match self {
            Self::Direct | Self::Bare | Self::Zephyr | Self::Unrecorded | Self::WithBodies => true,
            Self::Nginx => version("nginx", "-v"),
            Self::Haproxy => version("haproxy", "-v"),
        }
    }
}

/// Where endpoints listen.
pub(crate) struct Endpoints {
    /// One for each listener.
    pub(crate) addresses: Vec<SocketAddr>,
    _process: Process,
}

impl Endpoints {
    /// Starts a process with so many listeners.
    pub(crate) fn start(count: usize) -> Result<Self> {
        let mut process = Process::of_ours(&["endpoint", &count.to_string()])?;
        let addresses = process.ports(count)?;
        Ok(Self {
            addresses,
            _process: process,
        })
    }

    /// Switches a listener to `good`, `reset` or a status; says how many requests it had since the last
    /// time.
    pub(crate) fn switch(&self, listener: usize, mode: &str) -> Result<u64> {
        use std::io::{Read, Write};

        let mut stream = std::net::TcpStream::connect(self.addresses[listener])?;
        write!(
            stream,
            "GET /bench/{mode} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let count = text.split("\r\n\r\n").nth(1).unwrap_or_default();
        count
            .parse()
            .with_context(|| format!("the endpoint says {text:?}"))
    }
}

/// A program that is up.
pub(crate) struct Target {
    /// Which.
    pub(crate) kind: Kind,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start to its first answer.
    pub(crate) took: Duration,
    process: Option<Process>,
}

impl Target {
    /// Starts a program in front of `endpoints` and waits for its first answer. With more than one
    /// endpoint, it is told to go on to the next where one fails.
    pub(crate) fn start(
        kind: Kind,
        endpoints: &[SocketAddr],
        zephyr: &Path,
        scratch: &Path,
    ) -> Result<Self> {
        let port = free_port()?;
        let folder = scratch.join(format!("{}-{port}", kind.name()));
        fs::create_dir_all(&folder)?;
        let started = Instant::now();
        let (address, process) = match kind {
            Kind::Direct => (endpoints[0], None),
            Kind::Bare => {
                let mut process = Process::of_ours(&["forwarder", &endpoints[0].to_string()])?;
                (process.ports(1)?[0], Some(process))
            }
            Kind::Nginx => {
                let file = write(&folder, "nginx.conf", &nginx(port, endpoints, &folder))?;
                let mut command = Command::new("nginx");
                command.arg("-c").arg(file).arg("-p").arg(&folder);
                (local(port), Some(Process::start(&mut command)?))
            }
            Kind::Haproxy => {
                let file = write(&folder, "haproxy.cfg", &haproxy(port, endpoints))?;
                let mut command = Command::new("haproxy");
                command.arg("-db").arg("-f").arg(file);
                (local(port), Some(Process::start(&mut command)?))
            }
            Kind::Zephyr | Kind::Unrecorded | Kind::WithBodies => {
                let mut config = zephyr_config(port, endpoints);
                config += match kind {
                    Kind::Unrecorded => "[logging]\nlog_request_types = \"failed\"\n",
                    Kind::WithBodies => {
                        "[logging]\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n"
                    }
                    Kind::Direct | Kind::Bare | Kind::Nginx | Kind::Haproxy | Kind::Zephyr => "",
                };
                let file = write(&folder, "config.toml", &config)?;
                let mut command = Command::new(zephyr);
                command
                    .args(["serve", "--config"])
                    .arg(file)
                    .env("ZEPHYR_DATA_DIR", folder.join("data"))
                    .env("ZEPHYR_BENCH_TOKEN", "sk-of-the-bench");
                (local(port), Some(Process::start(&mut command)?))
            }
        };
        await_answer(address, started)
            .with_context(|| format!("{} does not answer", kind.name()))?;
        Ok(Self {
            kind,
            address,
            took: started.elapsed(),
            process,
        })
    }

    /// Its process, unless there is none.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.0.id())
    }
}

/// A process that ends with its owner.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        Ok(Self(child))
    }

    /// This program, as an endpoint or a forwarder.
    fn of_ours(arguments: &[&str]) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(arguments))
    }

    /// The ports that it prints.
    fn ports(&mut self, count: usize) -> Result<Vec<SocketAddr>> {
        let stdout = self.0.stdout.take().context("ports are read once")?;
        let lines = BufReader::new(stdout).lines().take(count);
        let ports: Vec<SocketAddr> = lines
            .map(|line| Ok(local(line?.trim().parse()?)))
            .collect::<Result<_>>()?;
        if ports.len() != count {
            bail!("a part of the bench ended before it began");
        }
        Ok(ports)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // If it has ended already, so much the better.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn await_answer(address: SocketAddr, started: Instant) -> Result<()> {
    let request = request(Ask::Message, 1024);
    loop {
        match once(address, &request) {
            Ok(timing) if timing.status == 200 => return Ok(()),
            Ok(_) | Err(_) if started.elapsed() < STARTING => {
                std::thread::sleep(Duration::from_micros(200));
            }
            Ok(timing) => bail!("its status is {}", timing.status),
            Err(error) => return Err(error),
        }
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, text)?;
    Ok(file)
}

/// Alone as fast as it goes: nothing is collected before it is passed on. With several endpoints it must
/// keep the body for the next one, and may send a POST twice.
fn nginx(port: u16, endpoints: &[SocketAddr], folder: &Path) -> String {
    let folder = folder.display();
    let servers: String = endpoints
        .iter()
        .map(|address| format!("server {address} max_fails=1 fail_timeout=10s;\n"))
        .collect();
    let body = if endpoints.len() > 1 {
        "client_body_buffer_size 2m;
         proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;"
    } else {
        "proxy_request_buffering off;"
    };
    format!(
        "daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log /dev/null;
         events {{ worker_connections 8192; }}
         http {{
           access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 300s;
           client_max_body_size 0;
           client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
           fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
           upstream endpoints {{ {servers} keepalive 256; keepalive_requests 1000000000; }}
           server {{
             listen 127.0.0.1:{port};
             location / {{
               proxy_pass http://endpoints; proxy_http_version 1.1; proxy_set_header Connection \"\";
               proxy_buffering off; proxy_read_timeout 600s; {body}
             }}
           }}
         }}\n"
    )
}

fn haproxy(port: u16, endpoints: &[SocketAddr]) -> String {
    let several = endpoints.len() > 1;
    let servers: String = endpoints
        .iter()
        .enumerate()
        .map(|(index, address)| {
            let role = if index > 0 { " backup" } else { "" };
            let watched = if several {
                " check inter 2s observe layer7 error-limit 3 on-error mark-down"
            } else {
                ""
            };
            format!("  server s{index} {address}{role}{watched}\n")
        })
        .collect();
    let retries = if several {
        "  retries 3\n  option redispatch 1\n  retry-on all-retryable-errors 500\n"
    } else {
        ""
    };
    format!(
        "global\n  nbthread 1\n  maxconn 8192\n\
         defaults\n  mode http\n  option http-keep-alive\n  option http-no-delay\n  http-reuse always\n  timeout connect 5s\n  \
         timeout client 600s\n  timeout server 600s\n\
         frontend f\n  bind 127.0.0.1:{port}\n  default_backend b\n\
         backend b\n{retries}{servers}"
    )
}

/// Default settings but for the ports, which must be free.
fn zephyr_config(port: u16, endpoints: &[SocketAddr]) -> String {
    let endpoints: String = endpoints
        .iter()
        .enumerate()
        .map(|(index, address)| {
            format!("  {{ name = \"e{index}\", url = \"http://{address}\" }},\n")
        })
        .collect();
    format!(
        "[server]\nport = {port}\n\n[web_admin]\nport = 0\n\n\
         [[groups]]\nname = \"bench\"\ndefault = true\nauth_type = \"auth_token\"\n\
         auth_token_env = \"ZEPHYR_BENCH_TOKEN\"\nendpoints = [\n{endpoints}]\n"
    )
}
