//! The data that all handlers share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use zephyr_control::Control;

use super::confirmations::Confirmations;
use super::feed::Feed;
use super::memory::Memories;
use super::visitors::Visitors;
use crate::token::AccessTokens;

pub(super) struct Api {
    pub(super) control: Arc<dyn Control>,
    pub(super) feed: Feed,
    pub(super) tokens: AccessTokens,
    pub(super) visitors: Visitors,
    pub(super) memories: Memories,
    pub(super) confirmations: Confirmations,
    pub(super) has_page: bool,
    pub(super) port: u16,
    pub(super) shutdown: CancellationToken,
}
