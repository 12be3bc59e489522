//! Signals to this process.

use super::*;

fn me() -> i32 {
    std::process::id().cast_signed()
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().enable_time().build().unwrap()
}

/// The next signals that arrive, at least one, those of children left out.
async fn receive(signals: &mut Signals) -> Vec<Received> {
    let mut got = Vec::new();
    while got.is_empty() {
        let waiting = signals.recv(&mut got);
        tokio::time::timeout(TOO_LONG, waiting)
            .await
            .unwrap()
            .unwrap();
        got.retain(|one| one.signal != Signal::CHLD);
    }
    got
}

alone!(
    signals_from_before_the_runtime_are_kept,
    Subreaper,
    |world| {
        for signal in [Signal::HUP, Signal::TERM, Signal::USR2] {
            sys::send(me(), signal).unwrap();
        }
        let mut got: Vec<Signal> = Vec::new();
        runtime().block_on(async {
            world.signals.attach().unwrap();
            while got.len() < 3 {
                for received in receive(&mut world.signals).await {
                    assert!(!received.by_kernel, "kill(2) is no terminal");
                    got.push(received.signal);
                }
            }
        });
        got.sort_unstable();
        assert_eq!(got, [Signal::HUP, Signal::USR2, Signal::TERM]);
    }
);

alone!(p09_what_is_forwarded_is_caught_once, Subreaper, |world| {
    let mut wanted: Vec<Signal> = (1..=64)
        .filter_map(Signal::from_number)
        .filter(|signal| signal.is_forwardable())
        .collect();
    if cfg!(target_env = "musl") {
        wanted.retain(|signal| signal.number() != 34);
    }
    world.signals.add(&wanted).unwrap();
    world.signals.add(&wanted).unwrap();
    // One after the other: a SIGCONT that is still on its way is dropped by a stop signal, and the other way round.
    runtime().block_on(async {
        world.signals.attach().unwrap();
        for signal in wanted {
            sys::send(me(), signal).unwrap();
            let by_kernel = false;
            let received = receive(&mut world.signals).await;
            assert_eq!(received, [Received { signal, by_kernel }]);
        }
    });
});

alone!(
    a_signal_that_cannot_be_caught_is_an_error,
    Subreaper,
    |world| {
        for number in [9, 19, 11, 4, 8] {
            let signal = Signal::from_number(number).unwrap();
            let error = world.signals.add(&[signal]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("cannot catch {signal}")),
                "{error}"
            );
        }
    }
);

alone!(waiting_can_be_given_up_without_loss, Subreaper, |world| {
    runtime().block_on(async {
        world.signals.attach().unwrap();
        let mut out = Vec::new();
        tokio::select! {
            biased;
            _ = world.signals.recv(&mut out) => panic!("nothing was sent"),
            () = tokio::task::yield_now() => {}
        }
        sys::send(me(), Signal::USR1).unwrap();
        world.signals.recv(&mut out).await.unwrap();
        let user = Signal::USR1;
        assert_eq!(
            out,
            [Received {
                signal: user,
                by_kernel: false
            }]
        );
        out.clear();
        // What was taken is not taken again.
        tokio::select! {
            biased;
            _ = world.signals.recv(&mut out) => panic!("nothing was sent: {out:?}"),
            () = tokio::task::yield_now() => {}
        }
    });
});

alone!(a_child_that_ends_wakes_the_loop, Subreaper, |world| {
    let (run, _) = world.start("exit 5");
    runtime().block_on(async {
        world.signals.attach().unwrap();
        let mut out = Vec::new();
        while world.exit(run).is_none() {
            world.signals.recv(&mut out).await.unwrap();
            world.processes.reap(64, &mut world.events);
        }
    });
    assert_eq!(world.exit(run), Some((Exit::Code(5), false)));
});

alone!(without_a_runtime_waiting_is_an_error, Subreaper, |world| {
    let waited = runtime().block_on(world.signals.recv(&mut Vec::new()));
    assert!(waited.is_err());
});
