//! Statuses that a job calls a success.

use super::world::*;
use crate::events::{EventCode, Exit, Signal, StartFailure};
use crate::jobs::{Essential, JobSpec, Outcome, Restarts};

fn lenient() -> JobSpec {
    let mut spec = job("app");
    spec.attributes.success = vec![0, 143];
    spec
}

#[test]
fn a_named_status_is_a_success_to_those_who_hear_and_to_the_container() {
    for exit in [Exit::Code(0), Exit::Code(143), Exit::Signal(Signal::TERM)] {
        for essential in [Essential::No, Essential::Yes] {
            let mut world = World::started(vec![JobSpec {
                essential,
                ..lenient()
            }]);
            world.end(world.main(0), exit);
            assert_eq!(world.announced(on(EventCode::ExitSuccess, 0)), 1, "{exit}");
            assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 0, "{exit}");
            assert_eq!(world.outcome(), Some(Outcome::End(0)), "{exit}");
        }
    }
}

#[test]
fn s14_the_same_status_is_a_failure_where_nobody_named_it() {
    let mut world = World::started(vec![job("app")]);
    world.exit(0, 143);
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(143)));
    // A list says all of it: what is not in it fails, 0 as well.
    let mut strict = lenient();
    strict.attributes.success = vec![3];
    let mut world = World::started(vec![strict]);
    world.exit(0, 0);
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 1);
    assert_eq!(world.outcome(), Some(Outcome::End(1)));
}

#[test]
fn p17_a_refused_attribute_counts_as_126_with_back_off() {
    let mut world = World::started(vec![restarting("a", Restarts::Limited(2))]);
    world.fail_spawn(world.main(0), StartFailure::Attributes);
    world.fail_spawn(world.main(0), StartFailure::Attributes);
    assert!(!world.runs(0), "the second restart waits");
    world.advance(ms(130));
    world.fail_spawn(world.main(0), StartFailure::Attributes);
    assert_eq!(world.announced(on(EventCode::ExitFailed, 0)), 3);
    assert_eq!(world.outcome(), Some(Outcome::End(126)));
}
