//! Measures small forms with a callback, against the sum of their parts: an upload, a signature, a round trip, each
//! measured alone.

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const CONNECTIONS: usize = 16;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let application = Peer::Application.start(&bench.instruments, &bench.data, &[])?;
    let port = application.address().rsplit(':').next().unwrap_or_default().to_owned();
    let allowed = format!("127.0.0.0/8:{port}");
    let url = format!("http://127.0.0.1:{port}/callback");
    let mut connections = Vec::new();
    let extra = ["--callback-allow", allowed.as_str()];
    let all = Turns { extra: &extra, ..Turns::of(bench, &[Peer::Countersign]) }.measure(|turn| {
        let seconds = bench.seconds;
        let post = format!("--operation post --connections {CONNECTIONS} --seconds {seconds}");
        turn.warm_up("--operation post --connections 4 --seconds 0.5 --prefix warm")?;
        turn.load("post 4 KiB ×16", &format!("{post} --prefix plain-"))?;
        turn.limit("rsa")?;
        let trip = format!(
            "--operation raw-post --path /callback --size 60 --connections {CONNECTIONS} --seconds {seconds}"
        );
        turn.load_at(&application, "round trip ×16", &trip)?;
        let before = application.connections()?;
        turn.load("post 4 KiB with callback ×16", &format!("{post} --prefix called- --callback-url {url}"))?;
        // The question itself came by a connection of its own.
        connections.push(application.connections()?.saturating_sub(before + 1));
        Ok(())
    });
    outcome.row(
        (
            "PostObject 4 KiB with a callback, 16 connections",
            "≥ 0.8 ÷ (upload + RSA-2048 signature + HTTP round trip, each alone)",
            Goal::AtLeast(0.8),
        ),
        beside_its_parts(&all),
    );
    outcome.medians(&all);
    let rsa = |name| all.limit("rsa", name).map_or("–".to_owned(), short);
    outcome.note(&format!(
        "RSA-2048 signatures: {} /s on one core, {} /s on all cores (the sum takes the latter, as the other two \
         parts have all cores too).",
        rsa("one_core_per_second"),
        rsa("all_cores_per_second")
    ));
    outcome
        .note(&format!("Connections that the store opened to the application, by round: {connections:?}."));
    Ok(())
}

/// The rate with a callback, times the time of its parts.
fn beside_its_parts(all: &Measurements) -> Result<(String, f64), String> {
    let rate = |peer, case| all.median(peer, case, |figures| figures.per_second);
    let called = rate(Peer::Countersign, "post 4 KiB with callback ×16")?;
    let (upload, trip) =
        (rate(Peer::Countersign, "post 4 KiB ×16")?, rate(Peer::Application, "round trip ×16")?);
    let signature = all.limit("rsa", "all_cores_per_second")?;
    let possible = 1.0 / (1.0 / upload + 1.0 / signature + 1.0 / trip);
    let told = format!(
        "{} of {} /s (parts: {}, {}, {} /s)",
        short(called),
        short(possible),
        short(upload),
        short(signature),
        short(trip)
    );
    Ok((told, called / possible))
}
