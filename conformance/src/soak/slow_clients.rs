//! Slow clients: they send slowly, in each phase of a request, and stay connected until the end of the round.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::chance::Chance;
use super::record::BUCKETS;
use super::tally::Tally;
use crate::wire::connect;
use crate::{Form, PolicyText};

/// How many there are.
const SENDERS: usize = 12;

/// Lets them send a byte at a time.
pub(crate) fn begin(
    store: &str,
    stop: &Arc<AtomicBool>,
    tally: &Arc<Tally>,
    seed: u64,
) -> Vec<JoinHandle<()>> {
    let (store, stop, tally) = (store.to_owned(), Arc::clone(stop), Arc::clone(tally));
    let mut chance = Chance::new(seed);
    vec![std::thread::spawn(move || {
        let mut senders: Vec<(TcpStream, Vec<u8>)> =
            (0..SENDERS).filter_map(|number| beginning(&store, number, &mut chance)).collect();
        tally.add("slow senders", senders.len() as u64);
        while !stop.load(Ordering::SeqCst) && !senders.is_empty() {
            senders.retain_mut(|(stream, rest)| {
                let Some(byte) = rest.pop() else { return false };
                stream.write_all(&[byte]).is_ok()
            });
            std::thread::sleep(Duration::from_millis(50));
        }
    })]
}

/// A connection that has sent up to a place in the head, the fields or the file, and what it will never quite
/// bring to its end, last byte first.
fn beginning(store: &str, number: usize, chance: &mut Chance) -> Option<(TcpStream, Vec<u8>)> {
    let form =
        Form::signed(&format!("slow/{number}"), &PolicyText::open()).file("x", "a/b", vec![b'x'; 100_000]);
    let exchange = form.post(BUCKETS[0]);
    let (head, whole) = (exchange.head(), exchange.whole());
    let cut = match number % 3 {
        0 => chance.between(1, head.len() as u64),
        1 => head.len() as u64 + chance.between(1, 300),
        _ => whole.len() as u64 - chance.between(50_000, 90_000),
    };
    let cut = usize::try_from(cut).ok()?;
    let mut stream = connect(store).ok()?;
    stream.write_all(&whole[..cut]).ok()?;
    Some((stream, whole[cut..].iter().rev().copied().collect()))
}
