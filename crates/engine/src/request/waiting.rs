//! A request that waits for an endpoint to return.

use tokio::sync::oneshot;
use zephyr_core::fleet::{Journey, Ticket};

use super::traffic::Traffic;
use crate::engine::fleet_door::Turn;

/// A request that waits. Dropping it means that the client left, and gives up its place in the queue.
pub struct Waiter<'t> {
    ticket: Option<Ticket>,
    turn: oneshot::Receiver<Turn>,
    traffic: &'t Traffic,
}

impl<'t> Waiter<'t> {
    /// Begins to wait. `bytes`: what is kept of the request's body. `None`: waiting cannot help, or too many
    /// requests wait.
    pub fn begin(traffic: &'t Traffic, journey: &mut Journey, bytes: u64) -> Option<Self> {
        let (ticket, turn) = traffic.door.step(|state, now| {
            let ticket = state.fleet.wait(journey, bytes, now)?;
            Some((ticket, state.call_later(ticket)))
        })?;
        Some(Self {
            ticket: Some(ticket),
            turn,
            traffic,
        })
    }

    /// Waits for its turn. After [`Turn::Go`] the request must ask for an attempt again at once.
    pub async fn turn(&mut self) -> Turn {
        let turn = (&mut self.turn).await.unwrap_or(Turn::InVain);
        self.ticket = None;
        turn
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.traffic.counters.add_abandoned();
            self.traffic.door.step(|state, now| {
                state.forget_waiter(ticket);
                state.fleet.leave(ticket, now);
            });
        }
    }
}
