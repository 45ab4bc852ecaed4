//! A throw-away instance for the tests of a Rust application: store and application server within the test's process.
//!
//! [`Instance::start`] makes one in a few milliseconds, on free ports of 127.0.0.1, with an access key, a callback key
//! and a clock of its own. Any number may run beside one another. Dropping it ends both servers and removes the data;
//! where the process is killed, or leaves an instance in a `static`, a waiting shell removes them.
//!
//! Each instance has threads of its own, so that a test may block or be async as it likes.
//!
//! ```
//! use countersign::testing::{Answer, Instance};
//! use reqwest::multipart::{Form, Part};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let instance = Instance::start()?;
//! // What the application answers to each upload; only callbacks that the store signed come here.
//! let callbacks = instance.receive_callbacks(|upload| match upload.facts.size {
//!     Some(0..=5) => Answer::accepting(&upload.facts),
//!     _ => Answer::refusal(http::StatusCode::FORBIDDEN, "TooLong", "five letters are enough"),
//! })?;
//! let client = reqwest::Client::builder().no_proxy().build()?;
//! for (text, said) in [("hello", "\"Status\":\"OK\""), ("good evening", "CallbackFailed")] {
//!     let signed: serde_json::Value = client.get(callbacks.signature_url()).send().await?.json().await?;
//!     let fields: Vec<(String, String)> = serde_json::from_value(signed["fields"].clone())?;
//!     let form = fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
//!     let form = form.part("file", Part::text(text).file_name("words.txt"));
//!     let host = signed["host"].as_str().ok_or("a host")?;
//!     let answer = client.post(host).multipart(form).send().await?.text().await?;
//!     assert!(answer.contains(said), "{answer}");
//! }
//! let keys: Vec<_> = callbacks.received().into_iter().map(|upload| upload.facts.key).collect();
//! assert_eq!(keys, [Some("user-dir/words.txt".to_owned()), Some("user-dir/words.txt".to_owned())]);
//! # Ok(())
//! # }
//! ```

mod callbacks;
mod test_clock;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_app::CallbackVerifier;
pub use countersign_app::{VerifiedCallback, answer::Answer};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

pub use self::callbacks::Callbacks;
use crate::environment::InstanceEnvironment;
use crate::instance::{InstanceOptions, RunningInstance};
use crate::wording;
use test_clock::ClockOffset;

/// How many threads answer requests.
const WORKERS: usize = 2;
/// How many threads may wait for the disk or hash at the same time.
const BLOCKING_THREADS_MAX: usize = 16;

/// What an instance is made of; the default is one bucket, `demo`.
#[derive(Debug, Clone, Default)]
pub struct InstanceSettings {
    /// The buckets; the application server signs for the first when nobody asks for another. None means those of the
    /// seed, else `demo`.
    pub buckets: Vec<String>,
    /// A folder whose folders are buckets and whose files are objects, as `countersign export` writes one.
    pub seed: Option<PathBuf>,
    /// The folder that the data folder is made in. Without one, `/dev/shm` where it is in memory and has room, else the
    /// folder for temporary files.
    pub within: Option<PathBuf>,
}

/// Why there is no instance, or no receiver of its callbacks.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The system gave no thread, or no port.
    #[error("the system refused what an instance needs: {0}")]
    System(#[from] std::io::Error),
    /// Keys, folder, store or servers could not be made.
    #[error("the instance could not be started: {reason}")]
    NotStarted {
        /// What went wrong, in one sentence.
        reason: String,
    },
}

/// A running instance; it ends when it is dropped.
#[derive(Debug)]
pub struct Instance {
    environment: InstanceEnvironment,
    verifier: CallbackVerifier,
    clock: ClockOffset,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread of an instance says once both servers answer.
type Started = Result<(InstanceEnvironment, CallbackVerifier, Handle), InstanceError>;

impl Instance {
    /// Starts an instance with one bucket, `demo`. Blocks until both servers answer.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub fn start() -> Result<Self, InstanceError> {
        Self::start_with(InstanceSettings::default())
    }

    /// As [`Instance::start`], with settings.
    ///
    /// # Errors
    /// [`InstanceError`]; also for a bucket whose name no bucket can have.
    pub fn start_with(settings: InstanceSettings) -> Result<Self, InstanceError> {
        let clock = ClockOffset::at_the_real_time();
        let options = InstanceOptions {
            buckets: settings.buckets,
            seed: settings.seed,
            within: settings.within,
            clock: clock.as_clock(),
        };
        let (stop, stopped) = oneshot::channel();
        let (told, started) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("countersign".to_owned())
            .spawn(move || run(options, &told, stopped))?;
        let not_told = || InstanceError::NotStarted { reason: "its thread ended at once".to_owned() };
        let (environment, verifier, runtime) = started.recv().map_err(|_| not_told())??;
        Ok(Self { environment, verifier, clock, runtime, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the store listens, as in `http://127.0.0.1:40001`; SDKs call it the endpoint.
    #[must_use]
    pub fn store_url(&self) -> &str {
        &self.environment.store_url
    }

    /// Where the application server listens: `/signature`, `/callback` and `/uploads`.
    #[must_use]
    pub fn app_url(&self) -> &str {
        self.environment.app_url.as_deref().unwrap_or_default()
    }

    /// Where an uploader asks for a signature. Further words of the query: `path`, `version`, `fields=1`; and in
    /// instances for tests `bucket` and `callback_url`.
    #[must_use]
    pub fn signature_url(&self) -> String {
        format!("{}/signature", self.app_url())
    }

    /// The address that callbacks name for the key they are signed with: what a receiver pins.
    #[must_use]
    pub fn callback_key_url(&self) -> &str {
        &self.environment.callback_key_url
    }

    /// The file with the public half of that key, PEM.
    #[must_use]
    pub fn callback_key_file(&self) -> &Path {
        Path::new(&self.environment.callback_key_file)
    }

    /// Knows that key, for an application's own `AppOptions` or layer.
    #[must_use]
    pub fn callback_verifier(&self) -> CallbackVerifier {
        self.verifier.clone()
    }

    /// The variables that `countersign exec` would set: addresses, region, bucket, access key, proxy exceptions.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.environment.variables(|name| std::env::var_os(name))
    }

    /// Moves the instance's clock forward: signatures expire, lifecycle rules come due.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Listens for callbacks on a port of its own; each that the store signed is kept, and answered as `answer` says.
    /// Uploads call it when they are signed at [`Callbacks::signature_url`].
    ///
    /// # Errors
    /// [`InstanceError::System`] when there is no port.
    pub fn receive_callbacks(
        &self,
        answer: impl Fn(&VerifiedCallback) -> Answer + Send + Sync + 'static,
    ) -> Result<Callbacks, InstanceError> {
        Ok(Callbacks::listen(&self.runtime, self.verifier.clone(), &self.signature_url(), answer)?)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // The thread ends also when it is not told but left alone.
        let _ended_already = self.stop.take().map(|stop| stop.send(()));
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

/// The life of an instance, on its own thread.
fn run(options: InstanceOptions, told: &std::sync::mpsc::Sender<Started>, stopped: oneshot::Receiver<()>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("countersign")
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(told.send(Err(error.into()))),
    };
    runtime.block_on(async {
        let instance = match RunningInstance::start(options).await {
            Ok(instance) => instance,
            Err(error) => {
                let reason = wording::sentence(&error);
                return drop(told.send(Err(InstanceError::NotStarted { reason })));
            }
        };
        let described = (instance.environment.clone(), instance.verifier.clone(), Handle::current());
        if told.send(Ok(described)).is_ok() {
            let _or_dropped = stopped.await;
        }
        if let Err(error) = instance.end().await {
            tracing::warn!("{}", wording::sentence(&error));
        }
    });
    runtime.shutdown_background();
}
