//! How results are judged and shown; the commands here are the shell's own.

use super::*;

const SHELL: Suite = Suite {
    name: "shell",
    about: "",
    folder: ".",
    environment: &[("COLOUR", "blue")],
    steps: &[],
    counting: Counting::Tests,
    minutes_max: 1,
    only_if: None,
    full_only: false,
};

fn outcome(steps: &'static [Step]) -> Outcome {
    outcome_of(&Suite { steps, ..SHELL }, Extent::Gate)
}

fn outcome_of(suite: &Suite, extent: Extent) -> Outcome {
    run_suite(&crate::repository_root().unwrap(), suite, extent)
}

#[test]
fn a_suite_counts_the_tests_its_runner_reports() {
    let outcome = outcome(&[Step::Run(&["sh", "-c", "echo '# pass 3'; echo '# fail 0'"])]);
    assert_eq!((outcome.verdict, outcome.tally), (SuiteResult::Passed, Tally { passed: 3, failed: 0 }));
}

#[test]
fn failures_are_believed_over_the_exit_code() {
    let outcome = outcome(&[Step::Run(&["sh", "-c", "echo '# pass 3'; echo '# fail 1'"])]);
    assert_eq!(outcome.verdict, SuiteResult::Failed("tests failed".to_owned()));
}

#[test]
fn a_suite_of_tests_that_ran_none_has_failed() {
    let outcome = outcome(&[Step::Run(&["true"])]);
    assert_eq!(outcome.verdict, SuiteResult::Failed("no test ran".to_owned()));
    assert_eq!(outcome.tally, Tally { passed: 0, failed: 1 });
}

#[test]
fn a_long_form_runs_in_the_full_run_only() {
    const STEPS: &[Step] =
        &[Step::Run(&["sh", "-c", "echo '# pass 1'"]), Step::Full(&["sh", "-c", "echo '# pass 20'"])];
    let passed = |extent| outcome_of(&Suite { steps: STEPS, ..SHELL }, extent).tally.passed;
    assert_eq!((passed(Extent::Gate), passed(Extent::Full)), (1, 21));
}

#[test]
fn the_first_step_that_fails_ends_its_suite() {
    let outcome = outcome(&[Step::Run(&["sh", "-c", "exit 4"]), Step::Run(&["sh", "-c", "echo '# pass 9'"])]);
    assert!(matches!(outcome.verdict, SuiteResult::Failed(_)));
    assert_eq!(outcome.tally, Tally { passed: 0, failed: 1 });
}

#[test]
fn a_program_that_is_not_there_fails_the_suite_and_not_the_run() {
    let outcome = outcome(&[Step::Run(&["no-such-program-of-ours"])]);
    assert!(matches!(outcome.verdict, SuiteResult::Failed(_)));
}

#[test]
fn what_is_there_is_not_installed_again() {
    let outcome = outcome(&[
        Step::Install { probe: &["true"], install: &["false"] },
        Step::Either { probe: &["false"], then: &["false"], otherwise: &["echo", "# pass 1"] },
    ]);
    assert_eq!(outcome.verdict, SuiteResult::Passed);
}

#[test]
fn a_suite_sees_its_environment() {
    let outcome = outcome(&[Step::Run(&["sh", "-c", "test \"$COLOUR\" = blue && echo '# pass 1'"])]);
    assert_eq!(outcome.verdict, SuiteResult::Passed);
}

#[test]
fn a_suite_without_its_condition_is_skipped_and_says_why() {
    let condition = Some(suites::Condition { probe: &["false"], otherwise: "not here" });
    let suite = Suite { steps: &[Step::Run(&["false"])], only_if: condition, ..SHELL };
    let outcome = outcome_of(&suite, Extent::Gate);
    assert_eq!((outcome.verdict, outcome.tally), (SuiteResult::Skipped("not here"), Tally::default()));
}

#[test]
fn a_command_that_takes_too_long_is_stopped() {
    let mut tally = Tally::default();
    let error =
        run_shown(Command::new("sleep").arg("60"), Duration::from_millis(50), &mut tally).unwrap_err();
    assert_eq!(error.to_string(), "stopped: it took longer than its time limit");
}

#[test]
fn the_last_line_holds_the_totals_alone() {
    let outcomes = [
        Outcome {
            name: "a",
            verdict: SuiteResult::Passed,
            tally: Tally { passed: 4, failed: 0 },
            took: Duration::ZERO,
        },
        Outcome {
            name: "b",
            verdict: SuiteResult::Failed("tests failed".to_owned()),
            tally: Tally { passed: 2, failed: 1 },
            took: Duration::from_millis(1500),
        },
    ];
    let (text, all_passed) = summary(&outcomes);
    assert_eq!(text.lines().last(), Some("6 passed, 1 failed"));
    assert!(text.contains("b                  1.5 s  FAILED   2 passed, 1 failed: tests failed"), "{text}");
    assert!(!all_passed);
}
