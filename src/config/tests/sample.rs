//! The configurations that the manual shows are accepted, without a single warning.

use super::*;

#[test]
fn samples_are_clean() {
    let samples = [
        include_str!("../../../config/demo.json5"),
        include_str!("../../../config/samples/web.json5"),
        include_str!("../../../config/samples/database.json5"),
        include_str!("../../../config/samples/tasks.json5"),
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
