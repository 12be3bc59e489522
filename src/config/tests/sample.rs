//! The configurations that the manual shows are accepted, without a single warning.

use super::*;

#[test]
fn samples_are_clean() {
    let samples = [
        include_str!("../../../config/demo.json5"),
        include_str!("../../../config/samples/web.json5"),
        include_str!("../../../config/samples/database.json5"),
        include_str!("../../../config/samples/tasks.json5"),
        include_str!("../../../config/samples/telemetry.json5"),
    ];
    for text in samples {
        let loaded = load(&Input {
            file: "sample",
            text,
            variables: &Variables::new(),
            addresses: Addresses::NotLookedUp,
            zones: Zones::NotLookedUp,
            app: None,
        });
        let loaded = loaded.unwrap_or_else(|report| panic!("{report}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

/// What the manual shows between its tables: members of a file, or a whole one.
#[test]
fn examples_of_the_manual_are_clean() {
    let manual = include_str!("../../../config/README.md");
    let blocks = manual.split("```json5\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for block in blocks {
        let text = if block.trim_start().starts_with('{') {
            block.to_owned()
        } else {
            format!("{{\n{block}}}")
        };
        let loaded = load(&Input {
            file: "example",
            text: &text,
            variables: &Variables::new(),
            addresses: Addresses::NotLookedUp,
            zones: Zones::NotLookedUp,
            app: None,
        });
        if let Err(report) = loaded {
            panic!("{report}\n{text}");
        }
        count += 1;
    }
    assert!(count > 3, "the manual has {count} examples");
}
