//! The queue against a plain model of it.

use proptest::prelude::*;

use crate::logging::queue::Queue;

#[derive(Clone, Debug)]
enum Step {
    Add(usize),
    Write(prop::sample::Index),
    Rewind,
    Discard,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_usize).prop_map(Step::Add),
        4 => any::<prop::sample::Index>().prop_map(Step::Write),
        1 => Just(Step::Rewind),
        1 => Just(Step::Discard),
    ]
}

/// The start of the line that the byte at `at` belongs to.
fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1)
}

proptest! {
    #[test]
    fn lines_leave_in_order_and_whole(steps in prop::collection::vec(step(), 0..60)) {
        let mut queue = Queue::default();
        // Everything that was ever added, and how much of it is out.
        let mut text = Vec::new();
        let mut out = 0;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Add(length) => {
                    let mut line = format!("{number}").repeat(length).into_bytes();
                    line.push(b'\n');
                    queue.tail().put(&line);
                    text.extend_from_slice(&line);
                }
                Step::Write(count) => {
                    let count = count.index(text.len() - out + 1);
                    queue.advance(count);
                    out += count;
                }
                Step::Rewind => {
                    let start = line_start(&text, out);
                    prop_assert_eq!(queue.rewind(), start < out);
                    out = start;
                }
                Step::Discard => {
                    let lines = memchr::memchr_iter(b'\n', &text[out..]).count();
                    prop_assert_eq!(queue.discard(), lines as u64);
                    out = text.len();
                }
            }
            prop_assert_eq!(queue.unsent(), &text[out..]);
            prop_assert_eq!(queue.is_empty(), out == text.len());
            prop_assert_eq!(queue.at_line_start(), out == line_start(&text, out));
            prop_assert_eq!(queue.len(), text.len() - line_start(&text, out));
        }
    }
}
