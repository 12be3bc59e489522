//! The recorded session of README.md: it is recorded here, and what it shows still comes out.
//!
//! `tests/record` writes `config/session.svg` from what this test sees. Without it the test plays the session again and
//! looks for each line of the recording, numbers apart.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{PATIENCE, Pilot, Running, Signal, free_port, wait_until};

/// The end of the hook that runs at each change.
const HOOK: &str = "web.onChange.app exited: exit status 0";

/// What is typed, and the line that is waited for before the next one, in the answer or so many times in the log.
const STEPS: [(&str, &str, usize); 9] = [
    ("cat session.json5", "", 0),
    ("export CONTAINERPILOT=session.json5", "", 0),
    ("pilothouse &", "catalog: serving at", 1),
    ("pilothouse why web", "event unhealthy", 0),
    ("touch ready", HOOK, 1),
    ("pilothouse status", "registered", 0),
    ("rm ready", HOOK, 2),
    ("pilothouse why app", "event unhealthy", 0),
    ("kill %1", "app exited: signal: SIGTERM", 1),
];

/// Where the catalogue of the session listens.
const OWN_PLACE: &str = "127.0.0.1:8505";

/// The file to record to.
fn recording() -> Option<OsString> {
    std::env::var_os("PILOTHOUSE_RECORD")
}

/// What stands on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Typed,
    Answer,
    Log,
}

type Screen = Vec<(Kind, String)>;

fn place(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/config")).join(name)
}

fn config() -> String {
    fs::read_to_string(place("session.json5")).expect("the configuration of the session")
}

/// The session as somebody types it.
struct Player {
    pilot: Option<Running>,
    screen: Screen,
    /// Lines of the log that are on the screen.
    shown: usize,
}

impl Player {
    fn play() -> Screen {
        let mut player = Player {
            pilot: None,
            screen: Screen::new(),
            shown: 0,
        };
        for (typed, shows, count) in STEPS {
            player.catch_up();
            player.screen.push((Kind::Typed, typed.to_owned()));
            match typed {
                "cat session.json5" => player.answer(&config()),
                "pilothouse &" => player.start(),
                "kill %1" => player.end(),
                "touch ready" | "rm ready" => drop(player.shell(typed)),
                _ if typed.starts_with("pilothouse ") => player.look(typed, shows),
                _ => {}
            }
            if count > 0 {
                player.pilot().wait_for_lines(shows, count, PATIENCE);
                player.catch_up();
            }
        }
        player.screen
    }

    fn start(&mut self) {
        // The tests of this machine share its ports; a recording has what the file says.
        let place = match recording() {
            None => format!("127.0.0.1:{}", free_port()),
            Some(_) => OWN_PLACE.to_owned(),
        };
        assert!(config().contains(OWN_PLACE));
        let config = config().replace(OWN_PLACE, &place);
        let pilot = Pilot::command(&[])
            .env("CONTAINERPILOT", "session.json5")
            .file("session.json5", &config);
        self.pilot = Some(pilot.start());
    }

    fn end(&mut self) {
        self.pilot().signal(Signal::SIGTERM);
        let pilot = self.pilot.as_mut().expect("the program was started");
        assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    }

    fn pilot(&self) -> &Running {
        self.pilot.as_ref().expect("the program was started")
    }

    /// Asks until the answer shows what it will: a person would type it a moment later.
    fn look(&mut self, typed: &str, shows: &str) {
        let mut answer = String::new();
        wait_until(PATIENCE, typed, || {
            answer = self.shell(typed);
            answer.contains(shows)
        });
        self.answer(&answer);
    }

    /// What a shell answers that finds the built program on its path.
    fn shell(&self, command: &str) -> String {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_pilothouse"));
        let folder = program.parent().expect("a program is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", command])
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("CONTAINERPILOT", "session.json5")
            .current_dir(self.pilot().dir())
            .output()
            .expect("there is a shell");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn answer(&mut self, text: &str) {
        let lines = text.lines().map(|line| (Kind::Answer, line.to_owned()));
        self.screen.extend(lines);
    }

    /// What the program has said since.
    fn catch_up(&mut self) {
        let Some(pilot) = &self.pilot else {
            return;
        };
        let log = pilot.stdout();
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let lines: Vec<String> = whole.lines().skip(self.shown).map(str::to_owned).collect();
        self.shown += lines.len();
        let lines = lines.into_iter().map(|line| (Kind::Log, line));
        self.screen.extend(lines);
    }
}

/// A line without what differs from one run to the next: words with a digit, but for the address of the service.
pub(crate) fn essence(line: &str) -> String {
    let word = |word: &str| {
        let differs = word.contains(|c: char| c.is_ascii_digit()) && word != "127.0.0.1:8000";
        if differs {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    line.split_whitespace()
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

const ENTITIES: [(&str, &str); 3] = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")];

/// A picture of the screen. It has a background of its own, so that it can be read on a light page and on a dark one.
fn picture(screen: &Screen) -> String {
    let columns = screen.iter().map(|(_, line)| line.chars().count()).max();
    let width = columns.unwrap_or_default() * 8 + 40;
    let height = screen.len() * 18 + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>A session with pilothouse</title>\n\
         <style>text {{ font: 13px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre }} \
         .Typed {{ fill: #7ee787; font-weight: bold }} .Answer {{ fill: #e6edf3 }} .Log {{ fill: #9fb4cc }}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#161b22\"/>\n"
    );
    for (number, (kind, line)) in screen.iter().enumerate() {
        let prompt = if *kind == Kind::Typed { "$ " } else { "" };
        let line = ENTITIES.iter().fold(line.clone(), |line, (plain, safe)| {
            line.replace(plain, safe)
        });
        let y = number * 18 + 32;
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"20\" y=\"{y}\" class=\"{kind:?}\" xml:space=\"preserve\">{prompt}{line}</text>"
        );
    }
    svg + "</svg>\n"
}

/// The screen of a picture.
fn screen(picture: &str) -> Screen {
    let line = |line: &str| {
        let (kind, text) = line.split_once("class=\"")?.1.split_once('"')?;
        let text = text.split_once('>')?.1.strip_suffix("</text>")?;
        let text = ENTITIES
            .iter()
            .rev()
            .fold(text.to_owned(), |text, (plain, safe)| {
                text.replace(safe, plain)
            });
        Some(match kind {
            "Typed" => (Kind::Typed, text.strip_prefix("$ ")?.to_owned()),
            "Answer" => (Kind::Answer, text),
            _ => (Kind::Log, text),
        })
    };
    picture.lines().filter_map(line).collect()
}

/// What was typed, each with its answer; and the log.
fn parts(screen: &Screen) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let mut typed: Vec<(String, Vec<String>)> = Vec::new();
    let mut log = Vec::new();
    for (kind, line) in screen {
        match (kind, typed.last_mut()) {
            (Kind::Typed, _) => typed.push((line.clone(), Vec::new())),
            (Kind::Answer, Some((typed, answer))) if typed.starts_with("cat ") => {
                answer.push(line.clone());
            }
            (Kind::Answer, Some((_, answer))) => answer.push(essence(line)),
            _ => log.push(essence(line)),
        }
    }
    (typed, log)
}

#[test]
fn the_recorded_session_still_happens() {
    let played = Player::play();
    if let Some(file) = recording() {
        fs::write(file, picture(&played)).expect("a place for the recording");
    }
    let recorded = fs::read_to_string(place("session.svg")).expect("the recording");
    let (recorded, recorded_log) = parts(&screen(&recorded));
    let (played, played_log) = parts(&played);
    assert_eq!(recorded.len(), STEPS.len(), "{recorded:?}");
    let record = "`tests/record` records it anew";
    for ((before, shown), (now, shows)) in recorded.iter().zip(&played) {
        assert_eq!(before, now, "{record}");
        assert!(
            shown.iter().all(|line| shows.contains(line)),
            "{record}\n{now}\nrecorded: {shown:#?}\nplayed: {shows:#?}"
        );
    }
    assert!(recorded_log.len() > 10, "{recorded_log:#?}");
    assert!(
        recorded_log.iter().all(|line| played_log.contains(line)),
        "{record}\nrecorded: {recorded_log:#?}\nplayed: {played_log:#?}"
    );
}
