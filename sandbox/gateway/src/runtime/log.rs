//! Everything that the functions write, line by line.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Logical id of the function, or `gateway` for the access log.
    pub source: String,
    /// The line, without its end.
    pub text: String,
}

/// Keeps every line in memory, and in a file if there is one. Clones share the lines.
#[derive(Debug, Clone, Default)]
pub struct LogSink(Arc<Sink>);

#[derive(Debug, Default)]
struct Sink {
    lines: watch::Sender<Vec<LogLine>>,
    file: Mutex<Option<File>>,
}

impl LogSink {
    /// A sink that also appends each line, with its source in front, to a file.
    pub fn with_file(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Arc::new(Sink {
            lines: watch::Sender::default(),
            file: Mutex::new(Some(file)),
        })))
    }

    /// Adds a line.
    pub fn push(&self, source: &str, text: &str) {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut()
            && writeln!(open, "[{source}] {text}").is_err()
        {
            *file = None; // a full disk must not stop the functions; memory keeps the lines
        }
        drop(file);
        let line = LogLine {
            source: source.to_owned(),
            text: text.to_owned(),
        };
        self.0.lines.send_modify(|lines| lines.push(line));
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<LogLine> {
        self.0.lines.borrow().clone()
    }

    /// The lines of one source.
    pub fn lines_of(&self, source: &str) -> Vec<String> {
        let lines = self.0.lines.borrow();
        let own = lines.iter().filter(|line| line.source == source);
        own.map(|line| line.text.clone()).collect()
    }

    /// All lines as one text, for a search.
    pub fn text(&self) -> String {
        let lines = self.0.lines.borrow();
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        texts.join("\n")
    }

    /// Waits for a line, written before or after the call.
    pub async fn wait_for(&self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        let mut changes = self.0.lines.subscribe();
        let mut seen = 0;
        loop {
            {
                let lines = changes.borrow_and_update();
                if let Some(line) = lines[seen..].iter().find(|line| wanted(line)) {
                    return line.clone();
                }
                seen = lines.len();
            }
            if changes.changed().await.is_err() {
                // The sender is in `self`; it cannot go away while this waits.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_found_whether_it_was_written_before_or_after() {
        let sink = LogSink::default();
        sink.push("A", "first");
        assert_eq!(sink.wait_for(|line| line.text == "first").await.source, "A");
        let waiting = sink.clone();
        let later = tokio::spawn(async move { waiting.wait_for(|line| line.source == "B").await });
        sink.push("B", "second");
        assert_eq!(later.await.unwrap().text, "second");
        assert_eq!(sink.lines_of("A"), ["first"]);
        assert_eq!(sink.text(), "first\nsecond");
    }

    #[test]
    fn the_file_has_the_same_lines_with_their_source() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("functions.log");
        LogSink::with_file(&path)
            .unwrap()
            .push("FlowsFunction", "hello");
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "[FlowsFunction] hello\n"
        );
    }
}
