//! Serving HTTP/2: each request is a stream that is answered or reset on its own.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream, server};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::http::Headers;
use crate::perform::{AnswerHead, Delimiter, Ending, Output};
use crate::received::{HttpVersion, Received};
use crate::record::{Connection, Record};

/// Answers the streams of one connection until it ends.
pub(crate) async fn serve(socket: impl AsyncRead + AsyncWrite + Unpin, connection: &Connection) {
    let written = watch::Sender::new(Written::default());
    let leave = Arc::new(Leave::default());
    let observed = Observed {
        socket,
        frames: FrameReader::default(),
        written: written.clone(),
        leave: Arc::clone(&leave),
    };
    let Ok(mut client) = server::handshake(observed).await else {
        return;
    };
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            accepted = client.accept() => {
                let Some(Ok((request, respond))) = accepted else { break };
                let (record, number) = (Arc::clone(connection.record()), connection.number());
                let sending = Sending::new(respond, written.subscribe(), Arc::clone(&leave));
                streams.spawn(async move {
                    // An error is a client that leaves while it still sends its request.
                    if let Ok(request) = received(request, number).await {
                        answer(request, sending, &record).await;
                    }
                });
            }
            Some(_) = streams.join_next() => {}
            () = leave.rung.notified() => client.abrupt_shutdown(Reason::NO_ERROR),
        }
    }
    // The connection is over: every stream notices, and records that its client has left.
    drop(client);
    while streams.join_next().await.is_some() {}
}

async fn answer(request: Received, mut sending: Sending, record: &Record) {
    let (request, act) = record.received(request);
    let number = request.number;
    let plan = act.plan(&request);
    drop(request);

    let stream = Arc::clone(&sending.stream);
    let performance = async {
        match plan.perform(&mut sending).await? {
            Ending::Complete | Ending::Last => sending.end(),
            Ending::Cut | Ending::Reset => {
                sending.delivered().await;
                sending.reset(Reason::INTERNAL_ERROR);
                Ok(())
            }
            Ending::Refused => {
                sending.reset(Reason::REFUSED_STREAM);
                Ok(())
            }
            Ending::GoneAway => {
                sending.go_away();
                pending().await
            }
        }
    };
    let ending = tokio::select! {
        biased;
        ending = performance => ending,
        () = client_leaves(&stream) => Err(io::ErrorKind::BrokenPipe.into()),
    };
    match ending {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            lock(&stream).reset(Reason::INTERNAL_ERROR);
        }
        Err(_) => record.left(number),
    }
}

async fn received(request: Request<RecvStream>, connection: usize) -> Result<Received, h2::Error> {
    let (head, mut stream) = request.into_parts();
    let mut body = BytesMut::new();
    while let Some(piece) = stream.data().await {
        let piece = piece?;
        stream.flow_control().release_capacity(piece.len())?;
        body.extend_from_slice(&piece);
    }
    let trailers = stream.trailers().await?;
    let mut headers = header_list(&head.headers);
    if let Some(authority) = head.uri.authority() {
        headers.insert(0, ("host".to_owned(), authority.to_string()));
    }
    Ok(Received {
        number: 0,
        connection,
        at: Instant::now(),
        method: head.method.to_string(),
        target: head
            .uri
            .path_and_query()
            .map_or("*", |target| target.as_str())
            .to_owned(),
        version: HttpVersion::H2,
        headers,
        body: body.freeze(),
        trailers: trailers.as_ref().map(header_list).unwrap_or_default(),
    })
}

fn header_list(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}

/// Returns when the client resets the stream or closes the connection.
async fn client_leaves(stream: &Mutex<Stream>) {
    poll_fn(|context| match &mut *lock(stream) {
        Stream::Waiting(respond) => respond.poll_reset(context).map(|_| ()),
        Stream::Open(body) => body.poll_reset(context).map(|_| ()),
        Stream::Ended => Poll::Pending,
    })
    .await;
}

/// The sending side of a stream. Locked for a moment at a time: two futures of one task use it in
/// turn, one to send and one to notice that nobody listens.
enum Stream {
    Waiting(SendResponse<Bytes>),
    Open(SendStream<Bytes>),
    Ended,
}

impl Stream {
    fn reset(&mut self, reason: Reason) {
        match self {
            Self::Waiting(respond) => respond.send_reset(reason),
            Self::Open(body) => body.send_reset(reason),
            Self::Ended => {}
        }
        *self = Self::Ended;
    }
}

fn lock(stream: &Mutex<Stream>) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Sending {
    id: u32,
    stream: Arc<Mutex<Stream>>,
    sent: Amount,
    written: watch::Receiver<Written>,
    leave: Arc<Leave>,
}

impl Sending {
    fn new(
        respond: SendResponse<Bytes>,
        written: watch::Receiver<Written>,
        leave: Arc<Leave>,
    ) -> Self {
        Self {
            id: respond.stream_id().as_u32(),
            stream: Arc::new(Mutex::new(Stream::Waiting(respond))),
            sent: Amount::default(),
            written,
            leave,
        }
    }

    /// Ends the connection as if it had processed nothing.
    fn go_away(&self) {
        self.leave.is_leaving.store(true, Ordering::Relaxed);
        self.leave.rung.notify_one();
    }

    /// Waits until everything that was sent has left the queue: a reset would overtake it there.
    async fn delivered(&mut self) {
        let all =
            |written: &Written| written.get(&self.id).copied().unwrap_or_default() == self.sent;
        // Fails only if the connection is over, and then there is nothing to wait for.
        let _ = self.written.wait_for(all).await;
    }

    fn reset(&self, reason: Reason) {
        lock(&self.stream).reset(reason);
    }

    fn end(&self) -> io::Result<()> {
        let mut stream = lock(&self.stream);
        match &mut *stream {
            Stream::Open(body) => body
                .send_data(Bytes::new(), true)
                .map_err(io::Error::other)?,
            Stream::Waiting(_) => return Err(io::ErrorKind::Unsupported.into()),
            Stream::Ended => {}
        }
        *stream = Stream::Ended;
        Ok(())
    }
}

impl Output for Sending {
    async fn head(&mut self, head: &AnswerHead, delimiter: Delimiter) -> io::Result<()> {
        let mut response = Response::new(());
        *response.status_mut() = head.status.try_into().expect(VALID);
        for (name, value) in &head.headers {
            let name = HeaderName::try_from(name).expect(VALID);
            let value = HeaderValue::try_from(value).expect(VALID);
            response.headers_mut().append(name, value);
        }
        match delimiter {
            Delimiter::Length(length) => {
                response.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            Delimiter::Chunks => {}
        }
        let mut stream = lock(&self.stream);
        let Stream::Waiting(respond) = &mut *stream else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let body = respond.send_response(response, false);
        *stream = Stream::Open(body.map_err(io::Error::other)?);
        self.sent.heads += 1;
        Ok(())
    }

    async fn data(&mut self, mut data: Bytes) -> io::Result<()> {
        while !data.is_empty() {
            let sent = poll_fn(|context| match &mut *lock(&self.stream) {
                Stream::Waiting(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
                Stream::Ended => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                Stream::Open(body) => {
                    body.reserve_capacity(data.len());
                    let capacity = match body.capacity() {
                        0 => match ready!(body.poll_capacity(context)) {
                            Some(Ok(capacity)) => capacity,
                            Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                            None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                        },
                        capacity => capacity,
                    };
                    let piece = data.split_to(capacity.min(data.len()));
                    let length = piece.len();
                    let sent = body.send_data(piece, false).map_err(io::Error::other);
                    Poll::Ready(sent.map(|()| length))
                }
            })
            .await?;
            self.sent.bytes += sent;
        }
        Ok(())
    }

    async fn torn(&mut self, data: Bytes) -> io::Result<()> {
        self.data(data.slice(..data.len() / 2)).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const VALID: &str = "a script for HTTP/2 should have valid headers";

/// What was written to the socket, by stream.
type Written = HashMap<u32, Amount>;

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Amount {
    heads: usize,
    bytes: usize,
}

/// How a connection leaves before it has processed anything.
#[derive(Default)]
struct Leave {
    is_leaving: AtomicBool,
    rung: Notify,
}

/// Passes everything on and counts the frames that are written.
struct Observed<S> {
    socket: S,
    frames: FrameReader,
    written: watch::Sender<Written>,
    leave: Arc<Leave>,
}

impl<S> Observed<S> {
    /// A `GOAWAY` frame names the last stream that may have been processed, and h2 names those that it
    /// has seen: a connection that leaves names none.
    fn disowning(bytes: &[u8]) -> Option<Vec<u8>> {
        const HEAD: [u8; 9] = [0, 0, 8, 7, 0, 0, 0, 0, 0];
        let at = bytes.windows(HEAD.len()).position(|head| head == HEAD)?;
        let mut bytes = bytes.to_vec();
        bytes.get_mut(at + HEAD.len()..at + HEAD.len() + 4)?.fill(0);
        Some(bytes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let disowning = self.leave.is_leaving.load(Ordering::Relaxed);
        let disowning = disowning.then(|| Self::disowning(bytes)).flatten();
        let bytes = disowning.as_deref().unwrap_or(bytes);
        let length = ready!(Pin::new(&mut self.socket).poll_write(context, bytes))?;
        let this = &mut *self;
        this.written
            .send_modify(|written| this.frames.read(&bytes[..length], written));
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// Finds the frames in what is written: a head of nine bytes, then as much as it says (RFC 9113,
/// section 4.1).
#[derive(Default)]
struct FrameReader {
    head: BytesMut,
    /// How much is still to come of the frame whose head was read.
    left: usize,
}

impl FrameReader {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;

    /// Counts a head when it begins and data as far as they go.
    fn read(&mut self, mut bytes: &[u8], written: &mut Written) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let piece = self.left.min(bytes.len());
                bytes.advance(piece);
                self.left -= piece;
                if self.head[3] == Self::DATA {
                    written.entry(self.stream()).or_default().bytes += piece;
                }
            } else {
                self.head.put_u8(bytes.get_u8());
                if self.head.len() < 9 {
                    continue;
                }
                self.left = usize::from(self.head[0]) << 16
                    | usize::from(self.head[1]) << 8
                    | usize::from(self.head[2]);
                if self.head[3] == Self::HEADERS {
                    written.entry(self.stream()).or_default().heads += 1;
                }
            }
            if self.left == 0 {
                self.head.clear();
            }
        }
    }

    fn stream(&self) -> u32 {
        (&self.head[5..9]).get_u32() & 0x7fff_ffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_split() {
        let mut frames = Vec::new();
        frames.extend_from_slice(b"\0\0\0\x04\0\0\0\0\0");
        frames.extend_from_slice(b"\0\0\x02\x01\x04\0\0\0\x03hh");
        frames.extend_from_slice(b"\0\0\x05\0\0\0\0\0\x03hello");
        frames.extend_from_slice(b"\0\0\x01\0\0\0\0\0\x05!");
        for size in 1..frames.len() {
            let (mut reader, mut written) = (FrameReader::default(), Written::new());
            for piece in frames.chunks(size) {
                reader.read(piece, &mut written);
            }
            assert_eq!(written[&3], Amount { heads: 1, bytes: 5 });
            assert_eq!(written[&5], Amount { heads: 0, bytes: 1 });
        }
    }
}
