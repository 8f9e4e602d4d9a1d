use proto::access::{self, RateClass, Rule};

#[test]
fn every_method_says_who_may_call_it() {
    let silent: Vec<_> = access::all()
        .iter()
        .filter(|method| method.rule == Rule::Missing)
        .map(|method| method.path)
        .collect();
    assert!(
        silent.is_empty(),
        "methods without an access option: {silent:?}"
    );
}

#[test]
fn every_public_method_that_takes_a_secret_has_the_login_class() {
    for method in access::all() {
        let takes_no_secret = ["/GetJwks", "/ListRevocations"]
            .iter()
            .any(|name| method.path.ends_with(name));
        if method.rule == Rule::Public && !takes_no_secret {
            assert_eq!(method.rate_class, RateClass::Login, "{}", method.path);
        }
    }
}

#[test]
fn a_path_that_is_not_ours_has_no_rule() {
    assert_eq!(access::find("/grpc.health.v1.Health/Check"), None);
    assert!(access::find("/switchboard.identity.v1.IdentityService/LogIn").is_some());
}
