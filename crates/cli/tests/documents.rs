//! The documents show the scenario that runs, and it is as short as they say.

const LINES_MAX: usize = 25;

#[test]
fn the_pages_on_testing_show_the_scenario_that_runs() {
    let scenario = include_str!("upload.rs").split_once("\n\n").unwrap().1;
    let lines = scenario.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= LINES_MAX, "{lines} lines");
    for page in [include_str!("../../../docs/testing.md"), include_str!("../../../docs/testing.zh-CN.md")] {
        assert!(page.contains(&format!("```rust\n{scenario}```\n")), "the page shows another scenario");
    }
}
