use std::path::PathBuf;

use super::*;

fn package(name: &str, group: Group) -> Package {
    Package {
        name: name.to_owned(),
        group,
        manifest: PathBuf::from("Cargo.toml"),
        uses: Vec::new(),
    }
}

fn allowed(from: (&str, Group), to: (&str, Group)) -> bool {
    asked(from, to, false)
}

fn allowed_in_tests(from: (&str, Group), to: (&str, Group)) -> bool {
    asked(from, to, true)
}

fn asked(from: (&str, Group), to: (&str, Group), in_tests: bool) -> bool {
    let used = Use {
        package: to.0.to_owned(),
        in_tests,
    };
    verdict(&package(from.0, from.1), &package(to.0, to.1), &used).is_ok()
}

#[test]
fn contracts_stay_pure_data() {
    assert!(allowed(
        ("proto", Group::Contracts),
        ("errors", Group::Contracts)
    ));
    assert!(!allowed(
        ("errors", Group::Contracts),
        ("proto", Group::Contracts)
    ));
    assert!(!allowed(("ids", Group::Contracts), ("db", Group::Platform)));
}

#[test]
fn platform_packages_are_independent_but_for_the_named_pairs() {
    assert!(allowed(("bus", Group::Platform), ("db", Group::Platform)));
    assert!(allowed(
        ("sb-http", Group::Platform),
        ("chassis", Group::Platform)
    ));
    assert!(allowed(
        ("vault", Group::Platform),
        ("clock", Group::Platform)
    ));
    assert!(!allowed(("db", Group::Platform), ("bus", Group::Platform)));
    assert!(!allowed(
        ("auth", Group::Platform),
        ("outbound", Group::Platform)
    ));
    assert!(!allowed(
        ("db", Group::Platform),
        ("messaging", Group::Services)
    ));
    assert!(!allowed(
        ("chassis", Group::Platform),
        ("proto", Group::Contracts)
    ));
}

#[test]
fn a_service_never_imports_a_service_not_even_in_tests() {
    assert!(!allowed(
        ("edge", Group::Services),
        ("messaging", Group::Services)
    ));
    assert!(!allowed_in_tests(
        ("edge", Group::Services),
        ("messaging", Group::Services)
    ));
}

#[test]
fn a_service_uses_only_its_own_third_party() {
    assert!(allowed(
        ("messaging", Group::Services),
        ("whatsapp", Group::Providers)
    ));
    assert!(!allowed(
        ("billing", Group::Services),
        ("whatsapp", Group::Providers)
    ));
}

#[test]
fn only_the_border_services_have_http() {
    assert!(allowed(
        ("edge", Group::Services),
        ("sb-http", Group::Platform)
    ));
    assert!(!allowed(
        ("messaging", Group::Services),
        ("sb-http", Group::Platform)
    ));
}

#[test]
fn test_support_is_for_tests() {
    assert!(allowed_in_tests(
        ("db", Group::Platform),
        ("testkit", Group::Dev)
    ));
    assert!(!allowed(
        ("messaging", Group::Services),
        ("testkit", Group::Dev)
    ));
    assert!(!allowed(
        ("switchboard", Group::Dev),
        ("testkit", Group::Dev)
    ));
    assert!(allowed(
        ("switchboard", Group::Dev),
        ("sandbox", Group::Dev)
    ));
}

#[test]
fn a_violation_names_both_packages_and_the_manifest() {
    let mut edge = package("edge", Group::Services);
    edge.manifest = PathBuf::from("crates/services/edge/Cargo.toml");
    edge.uses.push(Use {
        package: "messaging".to_owned(),
        in_tests: false,
    });
    let found = violations(&[edge, package("messaging", Group::Services)]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("crates/services/edge/Cargo.toml: edge may not use messaging: "),
        "{found:?}"
    );
}
