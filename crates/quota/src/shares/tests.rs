//! The table of shares: which claim gives way, and that shares are max-min fair.

use proptest::prelude::*;

use super::*;

type Table = Shares<u8, Standing>;

fn claim(behind_ms: i64, yields: YieldsTo) -> Standing {
    Standing { behind_ms, yields, idle: false }
}

fn seat(table: &mut Table, holder: u8, standing: Standing) -> Seating<Standing> {
    table.seat(holder, standing, |standing| *standing)
}

const STEADY: Standing = Standing { behind_ms: 0, yields: YieldsTo::Smaller, idle: false };

#[test]
fn no_holder_is_limited_while_there_is_room() {
    let mut table = Table::new(5);
    for id in 0..5 {
        assert_eq!(seat(&mut table, 1, STEADY), Seating::Free(id));
    }
    assert_eq!(seat(&mut table, 1, STEADY), Seating::Full(STEADY));
}

#[test]
fn the_holder_with_most_gives_way_and_of_its_claims_the_one_furthest_behind() {
    let mut table = Table::new(4);
    for (holder, behind) in [(1, 10), (1, 30), (1, 20), (2, 999)] {
        seat(&mut table, holder, claim(behind, YieldsTo::Smaller));
    }
    assert_eq!(seat(&mut table, 3, STEADY), Seating::Instead(4, claim(30, YieldsTo::Smaller)));
    // 1 holds two, 2 and 3 one each: one that would then hold two takes nothing from anybody.
    assert_eq!(seat(&mut table, 2, STEADY), Seating::Full(STEADY));
    assert_eq!(seat(&mut table, 4, STEADY), Seating::Instead(5, claim(20, YieldsTo::Smaller)));
    assert_eq!(seat(&mut table, 5, STEADY), Seating::Full(STEADY), "all hold one");
}

#[test]
fn among_equals_only_a_claim_that_says_so_gives_way() {
    let mut table = Table::new(3);
    seat(&mut table, 1, claim(50, YieldsTo::Equal));
    seat(&mut table, 2, claim(70, YieldsTo::Own));
    seat(&mut table, 3, claim(900, YieldsTo::Smaller));
    assert_eq!(
        seat(&mut table, 1, STEADY),
        Seating::Full(STEADY),
        "it would hold most, and yields not to its own"
    );
    assert_eq!(seat(&mut table, 2, STEADY), Seating::Instead(3, claim(70, YieldsTo::Own)));
    assert_eq!(seat(&mut table, 4, STEADY), Seating::Instead(4, claim(50, YieldsTo::Equal)));
    assert_eq!(seat(&mut table, 4, STEADY), Seating::Full(STEADY));
}

#[test]
fn an_idle_claim_gives_way_first_also_of_a_holder_that_has_fewer() {
    let idle = Standing { idle: true, ..STEADY };
    let mut table = Table::new(5);
    for (holder, standing) in [(1, STEADY), (1, STEADY), (1, STEADY), (2, STEADY), (2, idle)] {
        seat(&mut table, holder, standing);
    }
    assert_eq!(seat(&mut table, 3, STEADY), Seating::Instead(5, idle));
    assert_eq!(seat(&mut table, 3, STEADY), Seating::Instead(6, STEADY));
    assert_eq!((table.held_by(&1), table.held_by(&2)), (2, 1));
}

#[test]
fn a_claim_that_moves_counts_to_its_new_holder() {
    let mut table = Table::new(4);
    let Seating::Free(first) = seat(&mut table, 1, STEADY) else { panic!("there is room") };
    seat(&mut table, 1, STEADY);
    table.rehome(first, 2);
    assert_eq!((table.held_by(&1), table.held_by(&2)), (1, 1));
    table.remove(first);
    assert_eq!((table.held_by(&1), table.held_by(&2), table.holdings.len()), (1, 0, 1));
}

/// What may happen to a table.
#[derive(Debug, Clone)]
enum Step {
    Seat(u8, Standing),
    Remove(ClaimId),
    Rehome(ClaimId, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let yields = prop_oneof![Just(YieldsTo::Smaller), Just(YieldsTo::Equal), Just(YieldsTo::Own)];
    let standing = (0..50_i64, yields).prop_map(|(behind, yields)| claim(behind, yields));
    prop_oneof![
        6 => (0..6_u8, standing).prop_map(|(holder, standing)| Step::Seat(holder, standing)),
        2 => (0..60_u64).prop_map(Step::Remove),
        1 => (0..60_u64, 0..6_u8).prop_map(|(id, holder)| Step::Rehome(id, holder)),
    ]
}

fn totals(table: &Table) -> BTreeMap<u8, u64> {
    let mut totals = BTreeMap::new();
    for claim in table.claims.values() {
        *totals.entry(claim.holder).or_default() += claim.weight;
    }
    totals
}

/// The index says what the claims say.
fn check_index(table: &Table) {
    let totals = totals(table);
    assert_eq!(table.taken, totals.values().sum::<u64>());
    assert!(table.taken <= table.room, "more is taken than there is");
    let held: BTreeMap<u8, u64> = table.holdings.iter().map(|(holder, held)| (*holder, held.total)).collect();
    assert_eq!(held, totals);
    assert_eq!(table.ranking, totals.iter().map(|(holder, total)| (*total, *holder)).collect());
}

fn check_seat(before: &BTreeMap<u8, u64>, room: u64, holder: u8, table: &Table, outcome: &Seating<Standing>) {
    let after = before.get(&holder).copied().unwrap_or(0) + 1;
    let most = before.values().max().copied().unwrap_or(0);
    let full = before.values().sum::<u64>() == room;
    match outcome {
        Seating::Free(_) => assert!(!full),
        // Whoever would still hold less than another is never refused.
        Seating::Full(_) => assert!(full && after >= most),
        Seating::Instead(_, gone) => {
            assert!(full);
            let now = totals(table);
            let lost: Vec<u8> = before.keys().copied().filter(|one| now.get(one) < before.get(one)).collect();
            match lost.as_slice() {
                [] => assert_eq!(gone.yields, YieldsTo::Own),
                [loser] => {
                    let had = before[loser];
                    assert!(had == most && had >= after, "it held {had} of at most {most}");
                    assert!(had > after || gone.yields >= YieldsTo::Equal);
                }
                more => panic!("{more:?} lost something"),
            }
        }
    }
}

proptest! {
    #[test]
    fn shares_are_max_min_whatever_comes(room in 1..9_u64, steps in prop::collection::vec(step(), 1..60)) {
        let mut table = Table::new(room);
        for step in steps {
            match step {
                Step::Seat(holder, standing) => {
                    let before = totals(&table);
                    let outcome = seat(&mut table, holder, standing);
                    check_seat(&before, room, holder, &table, &outcome);
                }
                Step::Remove(id) => { table.remove(id); }
                Step::Rehome(id, holder) => table.rehome(id, holder),
            }
            check_index(&table);
        }
    }
}
