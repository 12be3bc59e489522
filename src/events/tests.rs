use super::*;

#[test]
fn signals_are_read_by_name_and_number() {
    for (text, number) in [
        ("TERM", 15),
        ("sigterm", 15),
        ("15", 15),
        ("RTMIN", 34),
        ("SIGRTMIN+3", 37),
        ("RTMAX-1", 63),
        ("64", 64),
    ] {
        assert_eq!(
            text.parse::<Signal>().map(Signal::number),
            Ok(number),
            "{text}"
        );
    }
    for text in [
        "", "0", "32", "33", "65", "-1", "RTMIN+31", "RTMIN-1", "RTMINx", "RTMIN+", "TERMX", "SIG",
    ] {
        assert!(text.parse::<Signal>().is_err(), "{text}");
    }
}

#[test]
fn every_signal_reads_its_own_name() {
    for number in 1..=64 {
        if let Some(signal) = Signal::from_number(number) {
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
    }
}

#[test]
fn a_status_is_the_shell_s() {
    assert_eq!(Exit::Code(0).status(), 0);
    assert_eq!(Exit::Code(255).status(), 255);
    assert_eq!(Exit::Signal(Signal::KILL).status(), 137);
    assert_eq!(StartFailure::NotFound.as_exit().status(), 127);
}

#[test]
fn event_names_are_unique_and_reversible() {
    for (name, code) in EventCode::NAMED {
        assert_eq!(EventCode::from_name(name), Some(code));
        assert_eq!(code.name(), name);
    }
    assert_eq!(EventCode::from_name("Healthy"), None);
}
