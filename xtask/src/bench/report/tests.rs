//! The report of a run: rows, figures, and the part written by hand.

use super::*;

fn run_with(outcomes: Vec<Outcome>) -> Run {
    Run { command: "cargo xtask bench".to_owned(), machine: vec![], took: Duration::from_secs(60), outcomes }
}

fn outcome() -> Outcome {
    let mut outcome = Outcome::of("small");
    outcome.row(("post", "≥ 1.0 ×", Goal::AtLeast(1.0)), Ok(("20,000 of 19,000".to_owned(), 1.05)));
    outcome.row(("post again", "≤ 2 ×", Goal::AtMost(2.0)), Ok(("3 of 1".to_owned(), 3.0)));
    outcome.row(("other", "≥ 10 ×", Goal::AtLeast(10.0)), Err("garage | was\nnot measured".to_owned()));
    outcome
}

#[test]
fn what_is_written_by_hand_survives_a_run() {
    let by_hand =
        "## What was tried\n\n| idea | before | after |\n|---|---|---|\n| x | 1 | 2 |\n\n### More\n\ntext\n";
    let former = format!("# Performance\n\nold table\n\n{by_hand}");
    let written = document(&run_with(vec![outcome()]), &former);
    assert!(written.ends_with(by_hand));
    assert!(!written.contains("old table"));
    assert_eq!(document(&run_with(vec![outcome()]), &written), written, "a second run changes nothing more");
}

#[test]
fn a_document_that_is_not_there_yet_gets_the_heading() {
    assert!(document(&run_with(vec![]), "").ends_with("\n## What was tried\n"));
}

#[test]
fn a_row_says_whether_its_goal_was_met_or_why_it_was_not_measured() {
    let table = text(&[outcome()]);
    assert!(table.contains("| post | ≥ 1.0 × | 20,000 of 19,000 | 1.05 | yes |"), "{table}");
    assert!(table.contains("| post again | ≤ 2 × | 3 of 1 | 3.00 | **no** |"), "{table}");
    assert!(table.contains("| other | ≥ 10 × | – | – | garage / was not measured |"), "{table}");
}

#[test]
fn figures_have_three_digits_that_count() {
    let shown = [12_345.6, 123.4, 12.34, 1.234, 0.0123, 0.0, f64::NAN].map(short);
    assert_eq!(shown, ["12,346", "123", "12.3", "1.23", "0.012", "0.00", "–"]);
}
