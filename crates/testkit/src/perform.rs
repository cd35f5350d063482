//! How an act is carried out: the same for a raw socket and for a hyper stream.

use std::future::pending;
use std::io;

use bytes::Bytes;

use crate::encoding::{Encoder, Encoding};
use crate::http::Headers;
use crate::stream::{Step, event_bytes};

/// What an act means for one particular request.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What happens before the head: waiting, mostly.
    pub(crate) before: Vec<Step>,
    /// `None`: the payload is all there is, without a head or framing.
    pub(crate) head: Option<AnswerHead>,
    pub(crate) payload: Payload,
    pub(crate) encoding: Option<Encoding>,
    /// The size of the pieces in which the payload is written.
    pub(crate) piece: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) last: bool,
}

#[derive(Debug)]
pub(crate) enum Payload {
    /// Nothing, as in the answer to a HEAD request.
    None,
    Full(Bytes),
    Steps(Vec<Step>),
}

/// How the payload after a head is delimited.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delimiter {
    Length(usize),
    Chunks,
}

/// How an act ended for its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// The answer is complete; the next request may come.
    Complete,
    /// The answer is complete and was announced as the connection's last.
    Last,
    Cut,
    Reset,
    Refused,
    GoneAway,
}

/// Where an answer goes. An error means that nobody listens any more.
pub(crate) trait Output {
    async fn head(&mut self, head: &AnswerHead, delimiter: Delimiter) -> io::Result<()>;
    async fn data(&mut self, data: Bytes) -> io::Result<()>;
    /// Announces `data` and sends the first half of it.
    async fn torn(&mut self, data: Bytes) -> io::Result<()>;
    async fn finish(&mut self) -> io::Result<()>;
}

impl Plan {
    pub(crate) async fn perform(self, output: &mut impl Output) -> io::Result<Ending> {
        let complete = match &self.head {
            Some(head) if head.last => Ending::Last,
            Some(_) | None => Ending::Complete,
        };
        let mut payload = Writer {
            output,
            encoder: None,
            piece: self.piece,
        };
        for step in self.before {
            if let Some(ending) = payload.step(step, complete).await? {
                return Ok(ending);
            }
        }
        match self.payload {
            Payload::None => {
                if let Some(head) = &self.head {
                    payload.output.head(head, Delimiter::Length(0)).await?;
                }
            }
            Payload::Full(body) => {
                let body = match self.encoding {
                    Some(encoding) => encoding.compress(&body),
                    None => body,
                };
                if let Some(head) = &self.head {
                    let delimiter = Delimiter::Length(body.len());
                    payload.output.head(head, delimiter).await?;
                }
                payload.write(body).await?;
            }
            Payload::Steps(steps) => {
                if let Some(head) = &self.head {
                    payload.output.head(head, Delimiter::Chunks).await?;
                }
                payload.encoder = self.encoding.map(Encoder::new);
                for step in steps {
                    if let Some(ending) = payload.step(step, complete).await? {
                        return Ok(ending);
                    }
                }
                payload.end().await?;
            }
        }
        Ok(complete)
    }
}

struct Writer<'o, O> {
    output: &'o mut O,
    encoder: Option<Encoder>,
    piece: Option<usize>,
}

impl<O: Output> Writer<'_, O> {
    /// Carries out one step; `Some` if it was the last one.
    async fn step(&mut self, step: Step, complete: Ending) -> io::Result<Option<Ending>> {
        match step {
            Step::Event(name, data) => self.send(event_bytes(&name, &data)).await?,
            Step::Raw(bytes) => self.send(bytes).await?,
            Step::Torn(bytes) => {
                let bytes = self.encoded(bytes);
                self.output.torn(bytes).await?;
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Gate(gate) => gate.opened().await,
            Step::Cut => return Ok(Some(Ending::Cut)),
            Step::Reset => return Ok(Some(Ending::Reset)),
            Step::Refuse => return Ok(Some(Ending::Refused)),
            Step::GoAway => return Ok(Some(Ending::GoneAway)),
            Step::Stall => pending().await,
            Step::End => {
                self.end().await?;
                return Ok(Some(complete));
            }
        }
        Ok(None)
    }

    async fn end(&mut self) -> io::Result<()> {
        if let Some(encoder) = self.encoder.take() {
            self.write(encoder.finish()).await?;
        }
        self.output.finish().await
    }

    async fn send(&mut self, data: Bytes) -> io::Result<()> {
        let data = self.encoded(data);
        self.write(data).await
    }

    fn encoded(&mut self, data: Bytes) -> Bytes {
        match &mut self.encoder {
            Some(encoder) => encoder.piece(&data),
            None => data,
        }
    }

    async fn write(&mut self, mut data: Bytes) -> io::Result<()> {
        let size = self.piece.unwrap_or(data.len()).max(1);
        while !data.is_empty() {
            let piece = data.split_to(size.min(data.len()));
            self.output.data(piece).await?;
        }
        Ok(())
    }
}
