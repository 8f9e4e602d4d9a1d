//! Reading and making the file of master keys.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::DataKeyBytes;

/// Longest name of a master key; it is stored with every key it wraps.
const NAME_LENGTH: usize = 64;
/// Group members may read: Kubernetes mounts secrets that way for a service that does not run as root. Nobody else may
/// read, nobody but the owner write.
const FORBIDDEN_MODE: u32 = 0o037;

/// Why the file can't be used. Never repeats a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be read.
    #[error("read the key file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be written.
    #[error("write the key file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Other users of the machine can read or change it.
    #[error("the key file {} has mode {mode:o}: run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line is not a name and a key.
    #[error("line {line} of the key file {}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// It has no key at all.
    #[error("the key file {} has no key", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Makes a file with one new key, readable by its owner only. An existing file is left as it is, and nobody ever sees a
/// file that is not complete: several processes may start at once.
///
/// # Errors
/// When it can't be written.
pub fn create(path: &Path) -> Result<(), KeyFileError> {
    if path.exists() {
        return Ok(());
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let key = Zeroizing::new(BASE64_STANDARD.encode(DataKeyBytes::generate().expose()));
    let line = Zeroizing::new(format!("first {}\n", key.as_str()));
    // A link fails where a rename would replace what somebody else has just put there.
    let placed = write_private(&draft, line.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match placed {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.exists() => Ok(()),
        placed => placed.and(removed).map_err(|source| KeyFileError::Write {
            path: path.to_owned(),
            source,
        }),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Names and keys in the order of the file; at least one.
pub(super) fn read(path: &Path) -> Result<Vec<(String, DataKeyBytes)>, KeyFileError> {
    let failed = |source| KeyFileError::Read {
        path: path.to_owned(),
        source,
    };
    let mode = fs::metadata(path).map_err(failed)?.mode() & 0o777;
    if mode & FORBIDDEN_MODE != 0 {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    let keys = parse(&text).map_err(|(line, problem)| KeyFileError::Line {
        path: path.to_owned(),
        line,
        problem,
    })?;
    if keys.is_empty() {
        return Err(KeyFileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(keys)
}

fn parse(text: &str) -> Result<Vec<(String, DataKeyBytes)>, (usize, &'static str)> {
    let mut keys: Vec<(String, DataKeyBytes)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, key) = parse_line(line).map_err(|problem| (index + 1, problem))?;
        if keys.iter().any(|(other, _)| *other == name) {
            return Err((index + 1, "the name appears twice"));
        }
        keys.push((name, key));
    }
    Ok(keys)
}

fn parse_line(line: &str) -> Result<(String, DataKeyBytes), &'static str> {
    let (name, key) = line
        .split_once(char::is_whitespace)
        .ok_or("expected a name, a blank and 32 bytes in base64")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.len() > NAME_LENGTH || !name.bytes().all(plain) {
        return Err("a name has at most 64 letters, digits, dots, dashes and underscores");
    }
    let bytes = BASE64_STANDARD
        .decode(key.trim())
        .map(Zeroizing::new)
        .map_err(|_| "the key is not base64")?;
    // The obvious stand-ins: all bytes equal.
    if bytes.windows(2).all(|pair| pair[0] == pair[1]) {
        return Err("the key is not random");
    }
    let key = DataKeyBytes::from_slice(&bytes).ok_or("the key does not have 32 bytes")?;
    Ok((name.to_owned(), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    #[test]
    fn the_first_line_comes_first_and_comments_are_skipped() {
        let text = format!("# keys\n\nnew {KEY}\r\n old\t{KEY}\n");
        let names: Vec<_> = parse(&text)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["new", "old"]);
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        let cases = [
            (
                format!("a {KEY}\nb"),
                2,
                "expected a name, a blank and 32 bytes in base64",
            ),
            ("a !!!!".to_owned(), 1, "the key is not base64"),
            ("a c2hvcnQ=".to_owned(), 1, "the key does not have 32 bytes"),
            (
                format!("a {}", BASE64_STANDARD.encode([0; 32])),
                1,
                "the key is not random",
            ),
            (format!("a {KEY}\na {KEY}"), 2, "the name appears twice"),
            (
                format!("{} {KEY}", "n".repeat(65)),
                1,
                "a name has at most 64 letters, digits, dots, dashes and underscores",
            ),
        ];
        for (text, line, problem) in cases {
            assert_eq!(parse(&text).unwrap_err(), (line, problem));
        }
    }
}
