//! The system's signals to a running program: to end, or to read the configuration again.

use std::io;

/// The wish of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End.
    Stop,
    /// Read the configuration again. Windows has no such signal.
    Reload,
}

/// The signals of this process, from [`Signals::listen`] on.
pub struct Signals(platform::Signals);

impl Signals {
    /// Takes the signals over from the system, which would end the program.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        platform::Signals::listen().map(Self)
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        self.0.next().await
    }

    /// Waits for the next signal to end. Signals to reload are ignored.
    pub async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}

#[cfg(unix)]
mod platform {
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use crate::signals::Signal;

    pub(super) struct Signals {
        terminate: unix::Signal,
        interrupt: unix::Signal,
        hang_up: unix::Signal,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.terminate.recv() => Signal::Stop,
                _ = self.interrupt.recv() => Signal::Stop,
                _ = self.hang_up.recv() => Signal::Reload,
            }
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;

    use tokio::signal::windows::{self, CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};

    use crate::signals::Signal;

    pub(super) struct Signals {
        interrupt: CtrlC,
        interrupt_hard: CtrlBreak,
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: windows::ctrl_c()?,
                interrupt_hard: windows::ctrl_break()?,
                close: windows::ctrl_close()?,
                shutdown: windows::ctrl_shutdown()?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.interrupt_hard.recv() => {}
                _ = self.close.recv() => {}
                _ = self.shutdown.recv() => {}
            }
            Signal::Stop
        }
    }
}
