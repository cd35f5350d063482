//! The testkit against itself: what a scripted endpoint does is what a raw client sees.

mod broken;
mod endpoint;
mod ports;
mod proxy;
mod streams;
mod tls;

/// The body of a call that wants the whole message at once.
const WHOLE: &str = r#"{"model":"claude-haiku-5-5","max_tokens":100,"messages":[]}"#;

/// The body of a call that wants a stream.
const STREAMED: &str = r#"{"model":"claude-haiku-5-5","max_tokens":100,"stream":true}"#;
