//! The body of what a client gets: an answer of our own, or the answer of an endpoint as it passes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::relay::{Aborted, Relay};
use super::request_id::RequestId;
use crate::clients::reply;

pub enum Answer {
    Whole(Option<Bytes>),
    Relayed(Box<Relay>),
}

impl Answer {
    /// Puts the request's id into an error of our own.
    pub fn name(&mut self, id: RequestId) {
        if let Self::Whole(Some(body)) = self {
            *body = reply::naming(body, id);
        }
    }
}

pub fn own(response: Response<Bytes>) -> Response<Answer> {
    response.map(|body| Answer::Whole(Some(body)))
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Relayed(relay) => relay.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Relayed(relay) => relay.has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Self::Relayed(_) => SizeHint::default(),
        }
    }
}
