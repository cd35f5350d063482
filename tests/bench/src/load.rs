//! Latency, throughput and streams: slices of load on one target.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::client::{Ask, Line, Timing, request};
use crate::endpoint::{DELTA_BEGIN, unix_nanos};
use crate::process;
use crate::statistics::percentile;
use crate::target::Target;

/// Exchanges before a slice counts.
const WARM_UP: usize = 30;

/// Which end of an exchange is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// The answer's first byte of body.
    First,
    /// All of it.
    Whole,
}

/// One request after the other: p50 and p99 in microseconds, and processor time for each.
pub(crate) fn one_by_one(
    target: &Target,
    request: &[u8],
    count: usize,
    until: Until,
) -> Result<Vec<f64>> {
    let mut line = Line::open(target.address)?;
    for _ in 0..WARM_UP {
        line.exchange(request)?;
    }
    let cpu_before = cpu(target)?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let Timing {
            first,
            whole,
            status,
        } = line.exchange(request)?;
        ensure!(status == 200, "{} answered {status}", target.kind.name());
        times.push(micros(match until {
            Until::First => first,
            Until::Whole => whole,
        }));
    }
    let cpu = micros(cpu(target)?.saturating_sub(cpu_before)) / count as f64;
    let p50 = percentile(&mut times, 50.0);
    Ok(vec![p50, percentile(&mut times, 99.0), cpu])
}

/// So many connections at once, each with one request after the other: requests per second, and
/// processor time for each in microseconds.
pub(crate) fn at_once(
    target: &Target,
    connections: usize,
    body: usize,
    slice: Duration,
) -> Result<Vec<f64>> {
    let cpu_before = cpu(target)?;
    let (done, took) = client_runtime()?.block_on(flat_out(
        target.address,
        connections,
        body,
        Instant::now() + slice,
        usize::MAX,
    ))?;
    let cpu = micros(cpu(target)?.saturating_sub(cpu_before)) / done as f64;
    Ok(vec![done as f64 / took.as_secs_f64(), cpu])
}

/// So many requests in all, over so many connections.
pub(crate) fn many(target: &Target, connections: usize, body: usize, count: usize) -> Result<()> {
    let forever = Instant::now() + Duration::from_secs(86_400);
    let each = count / connections;
    client_runtime()?
        .block_on(flat_out(target.address, connections, body, forever, each))
        .map(drop)
}

async fn flat_out(
    address: SocketAddr,
    connections: usize,
    body: usize,
    until: Instant,
    each: usize,
) -> Result<(usize, Duration)> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let request = request(Ask::Message, body);
        tasks.spawn(async move {
            let mut stream = connect(address).await?;
            let mut buffer = vec![0; 16 * 1024];
            let mut done = 0;
            while done < each && Instant::now() < until {
                stream.write_all(&request).await?;
                let mut answer = Answer::new();
                while !answer.is_done() {
                    let length = stream.read(&mut buffer).await?;
                    ensure!(length > 0, "the connection ended within an answer");
                    answer.feed(&buffer[..length], |_| ())?;
                }
                ensure!(answer.status() == 200, "status {}", answer.status());
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok((done, begun.elapsed()))
}

/// Streams at once, each with so many events, one every `gap`: p50 and p99 of an event's way in
/// microseconds. Every stream must be whole. `meanwhile` is called while all of them are under way.
pub(crate) fn paced(
    address: SocketAddr,
    streams: usize,
    events: usize,
    gap: Duration,
    meanwhile: impl FnOnce() -> Result<()>,
) -> Result<Vec<f64>> {
    client_runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for index in 0..streams {
            // Spread over the gap, as streams of people are.
            let phase = gap.mul_f64(index as f64 / streams as f64);
            let request = request(Ask::Paced { events, gap, phase }, 1024);
            tasks.spawn(async move {
                let mut stream = connect(address).await?;
                stream.write_all(&request).await?;
                let mut delays = Delays::default();
                let mut answer = Answer::new();
                let mut buffer = vec![0; 8 * 1024];
                while !answer.is_done() {
                    let length = stream.read(&mut buffer).await?;
                    let now = unix_nanos();
                    ensure!(length > 0, "the connection ended within a stream");
                    answer.feed(&buffer[..length], |data| delays.take_in(data, now))?;
                }
                ensure!(
                    delays.micros.len() == events,
                    "{} of {events} events came",
                    delays.micros.len()
                );
                Ok(delays.micros)
            });
        }
        // Half of the events are out by then.
        tokio::time::sleep(gap.mul_f64(events as f64 / 2.0)).await;
        meanwhile()?;
        let mut delays = Vec::new();
        while let Some(task) = tasks.join_next().await {
            delays.extend(task??);
        }
        let p50 = percentile(&mut delays, 50.0);
        Ok(vec![p50, percentile(&mut delays, 99.0)])
    })
}

/// A stream of tiny events as fast as it goes: events per second, and processor time for each in
/// microseconds.
pub(crate) fn flood(target: &Target, events: usize) -> Result<Vec<f64>> {
    let cpu_before = cpu(target)?;
    let mut line = Line::open(target.address)?;
    let timing = line.exchange(&request(Ask::Flood { events }, 1024))?;
    if timing.status != 200 {
        bail!("{} answered {}", target.kind.name(), timing.status);
    }
    let spent = cpu(target)?.saturating_sub(cpu_before);
    let took = (timing.whole - timing.first).as_secs_f64();
    Ok(vec![events as f64 / took, micros(spent) / events as f64])
}

/// Reads from the events when they were sent.
#[derive(Default)]
struct Delays {
    micros: Vec<f64>,
    /// The event that has not ended.
    rest: Vec<u8>,
}

impl Delays {
    fn take_in(&mut self, data: &[u8], now: u128) {
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(line);
            if self.rest.ends_with(b"\n\n") {
                let sent = std::str::from_utf8(&self.rest)
                    .ok()
                    .and_then(|text| text.strip_prefix(DELTA_BEGIN))
                    .and_then(|text| text.split('"').next()?.parse::<u128>().ok());
                if let Some(sent) = sent {
                    self.micros.push(now.saturating_sub(sent) as f64 / 1000.0);
                }
                self.rest.clear();
            }
        }
    }
}

fn cpu(target: &Target) -> Result<Duration> {
    target.pid().map_or(Ok(Duration::ZERO), process::cpu_time)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn client_runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
