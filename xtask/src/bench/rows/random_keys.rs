//! Measures small forms whose keys rise beside such whose keys are as random as UUIDs, on a store that holds many objects
//! already, and what the block device writes for each byte stored. Random keys change pages all over the catalog's index.

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Measurements, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const CONNECTIONS: [usize; 2] = [16, 64];
const ORDERS: [(&str, &str); 2] = [("rising", ""), ("random", "--random-keys")];
/// A machine that takes longer than this for a fill is too busy to be measured.
const FILL_SECONDS_MAX: u64 = 200;

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let filled = if bench.quick { 2_000 } else { 200_000 };
    let all = Turns::of(bench, &[Peer::Countersign]).measure(|turn| {
        for (order, flag) in ORDERS {
            // So that what is measured has neighbours of its own kind.
            turn.warm_up(&format!(
                "--operation post --connections 64 --count {} --seconds {FILL_SECONDS_MAX} --prefix {order}- {flag}",
                filled / 2
            ))?;
        }
        let (mut first, seconds, folder) = (filled, bench.seconds, turn.running.folder().display().to_string());
        for connections in CONNECTIONS {
            for (order, flag) in ORDERS {
                let load = format!(
                    "--operation post --connections {connections} --seconds {seconds} --first {first} --prefix {order}- \
                     --device-of {folder} {flag}"
                );
                turn.load(&case(order, connections), &load)?;
                first += 10_000_000;
            }
        }
        Ok(())
    });
    for connections in CONNECTIONS {
        let work = format!("PostObject 4 KiB with random keys, {connections} connections");
        outcome
            .row((&work, "beside rising ones: stated", Goal::AtLeast(0.0)), beside_rising(&all, connections));
        for (order, _) in ORDERS {
            let work = format!("written ÷ stored, 4 KiB with {order} keys, {connections} connections");
            outcome.row((&work, "stated", Goal::AtLeast(0.0)), written(&all, &case(order, connections)));
        }
    }
    outcome.medians(&all);
    Ok(())
}

fn case(order: &str, connections: usize) -> String {
    format!("post 4 KiB ×{connections}, {order} keys")
}

fn beside_rising(all: &Measurements, connections: usize) -> Result<(String, f64), String> {
    let rate = |order| all.median(Peer::Countersign, &case(order, connections), |figures| figures.per_second);
    let (rising, random) = (rate("rising")?, rate("random")?);
    Ok((format!("{} of {} /s", short(random), short(rising)), random / rising))
}

fn written(all: &Measurements, case: &str) -> Result<(String, f64), String> {
    let times =
        all.median(Peer::Countersign, case, |figures| figures.written_per_stored.unwrap_or(f64::NAN))?;
    if times.is_nan() {
        return Err("the data lies on no block device that counts".to_owned());
    }
    Ok((format!("{} ×", short(times)), times))
}
