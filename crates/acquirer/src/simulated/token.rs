//! Tokens of the simulated acquirer. One says all that it has to know of a card or an account, so that
//! it keeps none of them.

use super::scenario::Scenario;
use ichae_domain::billing::Method;
use secrecy::SecretString;
use uuid::Uuid;

const PREFIX: &str = "sim_";
const SCENARIO_DIGITS: usize = 8;

/// What a token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    pub method: Method,
    pub scenario: Scenario,
}

impl Token {
    /// `sim_`, a letter for the method, eight digits for the scenario, 32 of a number of its own.
    pub fn make(self) -> SecretString {
        let (letter, scenario) = (letter(self.method), self.scenario.number());
        format!("{PREFIX}{letter}{scenario:08}{}", Uuid::now_v7().simple()).into()
    }

    /// `None` where it is none of ours.
    pub fn read(text: &str) -> Option<Token> {
        let rest = text.strip_prefix(PREFIX)?;
        let methods = [Method::Card, Method::Account];
        let (method, rest) =
            methods.into_iter().find_map(|m| Some((m, rest.strip_prefix(letter(m))?)))?;
        let (digits, own) = rest.split_at_checked(SCENARIO_DIGITS)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        let scenario = Scenario::from_number(plain.then(|| digits.parse().ok())??)?;
        let whole = own.len() == 32 && Uuid::try_parse(own).is_ok();
        whole.then_some(Token { method, scenario })
    }
}

fn letter(method: Method) -> char {
    match method {
        Method::Card => 'c',
        Method::Account => 'a',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_domain::billing::Reason;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_token_says_what_it_was_made_of_and_is_never_the_same() {
        let scenarios = [Scenario::Plain, Scenario::PayRefused(Reason(9999)), Scenario::Slow];
        for method in [Method::Card, Method::Account] {
            for scenario in scenarios {
                let token = Token { method, scenario };
                let (one, other) = (token.make(), token.make());
                assert_eq!(Token::read(one.expose_secret()), Some(token));
                assert_ne!(one.expose_secret(), other.expose_secret());
            }
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let own = "0196d3a0c0de7000800000000000cafe";
        assert!(Token::read(&format!("sim_c00000000{own}")).is_some());
        for text in [
            "",
            "sim_",
            "sim_c",
            "sim_c00000000",
            &format!("sim_x00000000{own}"),
            &format!("sim_c00000001{own}"),
            &format!("sim_c+0000000{own}"),
            &format!("sim_c0000000０{own}"),
            &format!("sim_c00000000{own}0"),
            &format!("tok_c00000000{own}"),
        ] {
            assert_eq!(Token::read(text), None, "{text}");
        }
    }
}
