//! Serving HTTP/1.1 on a raw socket, with or without TLS: every byte is as the act says.

use std::io;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::act::{Act, Reading};
use crate::http::{Framing, Head, Headers, Wire, reason};
use crate::perform::{AnswerHead, Delimiter, Ending, Output};
use crate::received::{HttpVersion, Received};
use crate::record::Connection;

/// A connection that can be reset.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Answers the requests of one connection until it ends.
pub(crate) async fn serve(socket: impl Socket, connection: &Connection) {
    let mut wire = Wire::new(socket);
    // An error is the peer's leaving or its nonsense: either way the connection ends.
    while let Ok(Some(head)) = wire.head().await {
        match exchange(&mut wire, head, connection).await {
            Ok(Ending::Complete) => {}
            Ok(Ending::Last) => {
                // Over TLS, a proper end has to be announced. Fails only if nobody listens.
                let _ = wire.socket.shutdown().await;
                break;
            }
            Ok(Ending::Cut | Ending::GoneAway) | Err(_) => break,
            Ok(Ending::Reset | Ending::Refused) => {
                // Fails only on a socket that is gone already.
                let _ = wire.socket.tcp().set_zero_linger();
                break;
            }
        }
    }
}

/// Receives the rest of one request and answers it.
async fn exchange(
    wire: &mut Wire<impl Socket>,
    head: Head,
    connection: &Connection,
) -> io::Result<Ending> {
    let framing = head.request_framing()?;
    let record = connection.record();
    if let Some(act) = record.early_act() {
        let request = received(head, connection.number(), Bytes::new(), Headers::new())?;
        let number = record.received_early(request.clone());
        return answer_early(wire, framing, act, Received { number, ..request }).await;
    }
    let expects = head
        .header("expect")
        .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    if expects {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        wire.socket.write_all(interim).await?;
        wire.socket.flush().await?;
    }
    let (body, trailers) = wire.body(framing).await?;
    let request = received(head, connection.number(), body, trailers)?;
    let (request, act) = record.received(request);
    let number = request.number;
    let plan = act.plan(&request);
    drop(request);

    let Wire { socket, ahead } = wire;
    let (mut reading, writing) = split(socket);
    let mut output = Http1 {
        socket: writing,
        chunked: false,
    };
    let ending = tokio::select! {
        biased;
        ending = plan.perform(&mut output) => ending,
        () = peer_leaves(&mut reading, ahead) => Err(io::ErrorKind::BrokenPipe.into()),
    };
    if ending.is_err() {
        record.left(number);
    }
    ending
}

async fn answer_early(
    wire: &mut Wire<impl Socket>,
    framing: Framing,
    act: Act,
    request: Received,
) -> io::Result<Ending> {
    let reading = act.reading();
    let mut output = Http1 {
        socket: &mut wire.socket,
        chunked: false,
    };
    let ending = act.plan(&request).perform(&mut output).await?;
    if reading == Reading::AfterAnswer {
        wire.socket.shutdown().await?;
        wire.body(framing).await?;
        while wire.socket.read_buf(&mut wire.ahead).await? > 0 {
            wire.ahead.clear();
        }
    }
    Ok(ending)
}

fn received(head: Head, connection: usize, body: Bytes, trailers: Headers) -> io::Result<Received> {
    let mut words = head.start.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    Ok(Received {
        number: 0,
        connection,
        at: Instant::now(),
        method: method.to_owned(),
        target: target.to_owned(),
        version: HttpVersion::Http11,
        headers: head.headers,
        body,
        trailers,
    })
}

/// Reads ahead until the peer closes; what it sends meanwhile is its next request.
async fn peer_leaves(socket: &mut (impl AsyncRead + Unpin), ahead: &mut BytesMut) {
    while matches!(socket.read_buf(ahead).await, Ok(1..)) {}
}

struct Http1<S> {
    socket: S,
    chunked: bool,
}

impl<S: AsyncWrite + Unpin> Http1<S> {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }
}

impl<S: AsyncWrite + Unpin> Output for Http1<S> {
    async fn head(&mut self, head: &AnswerHead, delimiter: Delimiter) -> io::Result<()> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", head.status, reason(head.status));
        for (name, value) in &head.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        match delimiter {
            Delimiter::Length(length) => text.push_str(&format!("content-length: {length}\r\n")),
            Delimiter::Chunks => {
                self.chunked = true;
                text.push_str("transfer-encoding: chunked\r\n");
            }
        }
        if head.last {
            text.push_str("connection: close\r\n");
        }
        text.push_str("\r\n");
        self.write(text.as_bytes()).await
    }

    async fn data(&mut self, data: Bytes) -> io::Result<()> {
        if !self.chunked {
            return self.write(&data).await;
        }
        let mut chunk = BytesMut::from(format!("{:x}\r\n", data.len()).as_bytes());
        chunk.extend_from_slice(&data);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    async fn torn(&mut self, data: Bytes) -> io::Result<()> {
        let mut chunk = BytesMut::new();
        if self.chunked {
            chunk.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
        }
        chunk.extend_from_slice(&data[..data.len() / 2]);
        self.write(&chunk).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        if self.chunked {
            self.write(b"0\r\n\r\n").await?;
        }
        Ok(())
    }
}
