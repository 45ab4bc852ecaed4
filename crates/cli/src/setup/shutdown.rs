//! Ends the process on signals: the first Ctrl-C (or SIGTERM) finishes what is under way, the second ends at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The exit code of a process that was ended by Ctrl-C.
const EXIT_INTERRUPTED: i32 = 130;

/// The signals that ask for the end. They count from when this is made, before there is anything to finish: without a
/// handler, one that came while a server starts would kill it, and be lost where it is the first process of a container.
pub(crate) struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    /// Listens from now on.
    pub(crate) fn listen() -> anyhow::Result<EndSignals> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(EndSignals { interrupt, terminate })
    }

    /// Waits for the first signal. From then on a second one ends the process at once.
    pub(crate) async fn asked(mut self) {
        either(&mut self.interrupt, &mut self.terminate).await;
        tokio::spawn(async move {
            either(&mut self.interrupt, &mut self.terminate).await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// A switch that stops listeners; dropping it stops them too.
#[derive(Debug, Clone)]
pub(crate) struct StopSwitch(watch::Sender<bool>);

impl StopSwitch {
    /// Not thrown yet.
    pub(crate) fn new() -> Self {
        StopSwitch(watch::Sender::new(false))
    }

    /// Stops all who wait.
    pub(crate) fn throw(&self) {
        self.0.send_replace(true);
    }

    /// Ready once the switch is thrown.
    pub(crate) fn thrown(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut switch = self.0.subscribe();
        async move {
            // An error means that the switch is gone, which is a stop as well.
            let _ = switch.wait_for(|thrown| *thrown).await;
        }
    }
}
