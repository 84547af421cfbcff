use super::*;

#[test]
fn a_refusal_names_the_limit_and_says_when_to_come_back() {
    let hour = Duration::from_hours(1);
    assert_eq!(
        sentence(Class::ManifestPulls, Per::Anonymous, 1000, hour, Duration::from_millis(3600)),
        "too many manifest pulls: the limit manifest-pulls/anonymous allows 1000 in 1 hour to each address without \
         signing in; come back in 4 seconds, or sign in"
    );
    assert_eq!(
        sentence(Class::SignIns, Per::Caller, 10, Duration::from_mins(15), Duration::from_secs(90)),
        "too many wrong passwords for this user: the limit sign-ins/caller allows 10 in 15 minutes from one address; \
         come back in 90 seconds, or use a token"
    );
    for (seconds, said) in [(119, "119 seconds"), (7199, "120 minutes"), (13_919, "4 hours"), (172_801, "3 days")] {
        let told = sentence(Class::Pushes, Per::Caller, 1, hour, Duration::from_secs(seconds));
        assert!(told.ends_with(&format!("; come back in {said}")), "{told}");
    }
}

#[test]
fn names_go_there_and_back_and_others_are_refused_with_what_there_is() {
    for class in Class::ALL {
        assert_eq!(class.as_str().parse::<Class>().unwrap(), class);
    }
    for per in Per::ALL {
        assert_eq!(per.as_str().parse::<Per>().unwrap(), per);
    }
    assert!("pulls".parse::<Class>().unwrap_err().to_string().contains("manifest-pulls, blob-pulls"));
    assert!("user".parse::<Per>().unwrap_err().to_string().contains("caller, anonymous"));
}
