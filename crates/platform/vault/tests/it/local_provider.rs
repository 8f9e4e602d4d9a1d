use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use vault::{
    DataKeyBytes, KeyContext, KeyProvider, Owner, Purpose,
    local::{self, KeyFileError, LocalKeys},
};

const CONTEXT: KeyContext = KeyContext {
    owner: Owner::Platform,
    purpose: Purpose::new("test"),
};

/// A folder of this test alone, removed by the next run.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn line(name: &str) -> String {
    format!(
        "{name} {}\n",
        BASE64_STANDARD.encode(DataKeyBytes::generate().expose())
    )
}

fn write(path: &PathBuf, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_created_file_is_private_works_and_is_never_replaced() {
    let path = folder("created").join("master.keys");
    local::create(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = fs::read(&path).unwrap();
    local::create(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    LocalKeys::read(&path).unwrap();
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let path = folder("exposed").join("master.keys");
    for (mode, accepted) in [
        (0o600, true),
        (0o400, true),
        (0o440, true),
        (0o644, false),
        (0o660, false),
        (0o604, false),
    ] {
        write(&path, &line("a"), mode);
        let read = LocalKeys::read(&path);
        assert_eq!(read.is_ok(), accepted, "{mode:o}");
        if let Err(error) = read {
            assert!(matches!(error, KeyFileError::Exposed { .. }), "{error}");
        }
    }
}

#[test]
fn a_missing_empty_or_broken_file_is_refused_without_showing_a_key() {
    let folder = folder("broken");
    assert!(matches!(
        LocalKeys::read(&folder.join("none")).unwrap_err(),
        KeyFileError::Read { .. }
    ));
    let path = folder.join("master.keys");
    write(&path, "# nothing\n", 0o600);
    assert!(matches!(
        LocalKeys::read(&path).unwrap_err(),
        KeyFileError::Empty { .. }
    ));
    write(&path, "name canary-key-material\n", 0o600);
    let error = LocalKeys::read(&path).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[tokio::test]
async fn after_a_rotation_the_new_key_wraps_and_the_old_one_still_unwraps() {
    let path = folder("rotation").join("master.keys");
    let old = line("old");
    write(&path, &old, 0o600);
    let before = LocalKeys::read(&path)
        .unwrap()
        .generate_data_key(CONTEXT)
        .await
        .unwrap();

    write(&path, &format!("{}{old}", line("new")), 0o600);
    let rotated = LocalKeys::read(&path).unwrap();
    let opened = rotated
        .decrypt_data_key(CONTEXT, &before.wrapped)
        .await
        .unwrap();
    assert_eq!(opened.expose(), before.plaintext.expose());
    let after = rotated.generate_data_key(CONTEXT).await.unwrap();
    assert!(after.wrapped.windows(3).any(|window| window == b"new"));

    write(&path, &line("new"), 0o600);
    let refused = LocalKeys::read(&path)
        .unwrap()
        .decrypt_data_key(CONTEXT, &before.wrapped)
        .await;
    assert!(refused.is_err(), "the master key is gone");
}

#[tokio::test]
async fn a_wrapped_key_is_bound_to_its_context_and_to_every_byte() {
    let keys = LocalKeys::ephemeral();
    let generated = keys.generate_data_key(CONTEXT).await.unwrap();
    let other = KeyContext {
        purpose: Purpose::new("other"),
        ..CONTEXT
    };
    assert!(
        keys.decrypt_data_key(other, &generated.wrapped)
            .await
            .is_err()
    );
    for position in 0..generated.wrapped.len() {
        let mut changed = generated.wrapped.clone();
        changed[position] ^= 0x10;
        assert!(
            keys.decrypt_data_key(CONTEXT, &changed).await.is_err(),
            "byte {position}"
        );
        assert!(
            keys.decrypt_data_key(CONTEXT, &generated.wrapped[..position])
                .await
                .is_err()
        );
    }
}

#[test]
fn nothing_secret_is_printed() {
    let key = DataKeyBytes::generate();
    assert_eq!(format!("{key:?}"), "DataKeyBytes(…)");
    assert_eq!(format!("{:?}", LocalKeys::ephemeral()), r#"["ephemeral"]"#);
}
