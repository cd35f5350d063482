//! The data that all handlers share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use zephyr_control::Control;

use super::feed::Feed;
use super::visitors::Visitors;
use crate::token::Token;

pub(super) struct Api {
    pub(super) control: Arc<dyn Control>,
    pub(super) feed: Feed,
    pub(super) token: Token,
    pub(super) visitors: Visitors,
    pub(super) has_page: bool,
    pub(super) port: u16,
    pub(super) shutdown: CancellationToken,
}
