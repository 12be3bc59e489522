//! The result: rows by supervisor, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::supervisors::{Kind, Supervisor};

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    Lower,
    Higher,
    /// A fact, not a contest.
    Neither,
}

/// What is known of one supervisor in one row.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    values: Vec<f64>,
    /// Text in the place of figures.
    text: Option<&'static str>,
    remark: Option<String>,
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    title: String,
    better: Better,
    with_p95: bool,
    cells: BTreeMap<Kind, Cell>,
}

impl Row {
    pub(super) fn new(title: impl Into<String>, better: Better) -> Self {
        Self {
            title: title.into(),
            better,
            with_p95: false,
            cells: BTreeMap::new(),
        }
    }

    /// Shows the 95th percentile beside the median.
    pub(super) fn with_p95(mut self) -> Self {
        self.with_p95 = true;
        self
    }

    pub(super) fn add(&mut self, kind: Kind, value: f64) {
        self.cell(kind).values.push(value);
    }

    pub(super) fn say(&mut self, kind: Kind, text: &'static str) {
        self.cell(kind).text = Some(text);
    }

    /// Explains a figure, or why there is none.
    pub(super) fn remark(&mut self, kind: Kind, remark: impl Into<String>) {
        self.cell(kind).remark = Some(remark.into());
    }

    /// Says why there is no figure, or fewer.
    pub(super) fn failed(&mut self, kind: Kind, why: &str) {
        self.remark(kind, format!("failed: {why}"));
        let cell = self.cell(kind);
        if cell.values.is_empty() {
            cell.text = Some("failed");
        }
    }

    fn cell(&mut self, kind: Kind) -> &mut Cell {
        self.cells.entry(kind).or_default()
    }

    fn median(&self, kind: Kind) -> Option<f64> {
        quantile(&self.cells.get(&kind)?.values, 0.5)
    }
}

/// The value below which a share of all lies; `None` without values.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a few dozen values"
    )]
    let (below, part) = {
        let place = last as f64 * share;
        (place.floor() as usize, place.fract())
    };
    let above = sorted[(below + 1).min(last)];
    Some(sorted[below] + (above - sorted[below]) * part)
}

/// Three digits that mean something, thousands apart.
fn figure(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    if text.contains('.') {
        return text.strip_suffix(".00").unwrap_or(&text).to_owned();
    }
    let mut grouped = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// All rows with their remarks below, then ours as a multiple of each peer.
pub(super) fn markdown(rows: &[Row], supervisors: &[Supervisor]) -> String {
    let kinds: Vec<Kind> = supervisors.iter().map(|it| it.kind).collect();
    let mut remarks: Vec<&str> = Vec::new();
    let mut text = heading(&kinds);
    for row in rows {
        let _ = write!(text, "| {} |", row.title);
        for kind in &kinds {
            let _ = write!(text, " {} |", shown(row, *kind, &mut remarks));
        }
        text.push('\n');
    }
    if !remarks.is_empty() {
        text.push_str("\nRemarks:\n\n");
    }
    for (number, remark) in remarks.iter().enumerate() {
        let _ = writeln!(text, "{}. {remark}", number + 1);
    }
    if kinds.contains(&Kind::Ours) {
        text.push_str(&ratios(rows, &kinds));
    }
    text
}

fn heading(kinds: &[Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    format!(
        "| | {} |\n|---|{}\n",
        names.join(" | "),
        "---:|".repeat(kinds.len())
    )
}

fn shown<'a>(row: &'a Row, kind: Kind, remarks: &mut Vec<&'a str>) -> String {
    let Some(cell) = row.cells.get(&kind) else {
        return "n/a".to_owned();
    };
    let mut text = match (cell.text, row.median(kind)) {
        (_, Some(median)) => figure(median),
        (Some(text), None) => text.to_owned(),
        (None, None) => "n/a".to_owned(),
    };
    if row.with_p95
        && let Some(p95) = quantile(&cell.values, 0.95)
    {
        let _ = write!(text, " ({})", figure(p95));
    }
    if let Some(remark) = &cell.remark {
        let known = remarks.iter().position(|it| it == remark);
        let number = known.unwrap_or_else(|| {
            remarks.push(remark);
            remarks.len() - 1
        });
        let _ = write!(text, " [{}]", number + 1);
    }
    text
}

/// Ours as a multiple of each peer, best in bold when it is ours.
fn ratios(rows: &[Row], kinds: &[Kind]) -> String {
    let peers: Vec<Kind> = kinds
        .iter()
        .copied()
        .filter(|kind| !matches!(kind, Kind::Ours | Kind::None))
        .collect();
    let mut text = format!(
        "\nOurs as a multiple of each peer (bold: ours is the better one):\n\n{}",
        heading(&peers)
    );
    for row in rows.iter().filter(|row| row.better != Better::Neither) {
        let Some(ours) = row.median(Kind::Ours) else {
            continue;
        };
        let sign = if row.better == Better::Lower {
            "↓"
        } else {
            "↑"
        };
        let _ = write!(text, "| {sign} {} |", row.title);
        for peer in &peers {
            let theirs = row.median(*peer).filter(|value| *value > 0.0);
            let shown = theirs.map_or("n/a".to_owned(), |theirs| ratio(ours / theirs, row.better));
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    }
    text
}

fn ratio(value: f64, better: Better) -> String {
    let text = format!("{}×", figure(value));
    let is_better = (value < 1.0) == (better == Better::Lower);
    if is_better {
        format!("**{text}**")
    } else {
        text
    }
}
