//! The health of one check from the results of its runs. Pure.

/// What is known of what a script checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// No run has ended yet.
    Pending,
    /// It is well.
    Healthy,
    /// It is not, or cannot be checked.
    Failing,
    /// A number that a file holds: it is multiplied by the weight.
    Value(i32),
    /// A reload has begun to track it, and nothing is known yet: it counts neither for nor against a router that
    /// was well without it.
    Awaited,
}

impl Health {
    /// "pending", "healthy", "failing" or "value": the word in log and status.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending | Self::Awaited => "pending",
            Self::Healthy => "healthy",
            Self::Failing => "failing",
            Self::Value(_) => "value",
        }
    }
}

/// Counts consecutive results, as keepalived does: one counter from 0 to `rise + fall - 1`, failing below
/// `rise`. A success while healthy restores all of it, a failure while failing empties it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    rise: u64,
    fall: u64,
    counter: u64,
    health: Health,
}

impl Check {
    /// A check before its first run. `rise` consecutive successes make a failing check healthy, `fall`
    /// consecutive failures a healthy one fail (0 counts as 1). With `init_fail` it begins as failing; else
    /// as pending, and the first result decides alone.
    pub fn new(rise: u32, fall: u32, init_fail: bool) -> Self {
        let (rise, fall) = (u64::from(rise.max(1)), u64::from(fall.max(1)));
        let (counter, health) = if init_fail { (0, Health::Failing) } else { (rise - 1, Health::Pending) };
        Self { rise, fall, counter, health }
    }

    /// A check that goes on under new settings: as keepalived has it, one that was healthy has every success that it
    /// needs, and fails after `fall` failures; any other begins anew.
    pub fn continued(self, before: Health) -> Self {
        match before {
            Health::Healthy => Self { counter: self.rise + self.fall - 1, health: Health::Healthy, ..self },
            _ => self,
        }
    }

    /// The health after the last recorded result.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Counts the result of a run; returns whether it changed the health.
    pub fn record(&mut self, success: bool) -> bool {
        let before = self.health;
        self.counter = self.count(success);
        self.health = if self.counter < self.rise { Health::Failing } else { Health::Healthy };
        self.health != before
    }

    fn count(&self, success: bool) -> u64 {
        let well = self.rise + self.fall - 1;
        match success {
            true if self.counter + 1 >= self.rise => well,
            true => self.counter + 1,
            false if self.counter > self.rise => self.counter - 1,
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results (`+` success, `-` failure) and the health after each (`H`, `F`), after the one before the
    /// first (`P` or `F`).
    fn check(rise: u32, fall: u32, init_fail: bool, results: &str, healths: &str) {
        let letter = |health| match health {
            Health::Pending => 'P',
            Health::Healthy => 'H',
            Health::Failing => 'F',
            Health::Value(_) | Health::Awaited => '?',
        };
        let mut check = Check::new(rise, fall, init_fail);
        let mut seen = letter(check.health()).to_string();
        for result in results.chars() {
            let before = check.health();
            let changed = check.record(result == '+');
            assert_eq!(changed, check.health() != before, "rise {rise} fall {fall}: {results}");
            seen.push(letter(check.health()));
        }
        assert_eq!(seen, healths, "rise {rise} fall {fall} init_fail {init_fail}: {results}");
    }

    #[test]
    fn one_result_is_enough_by_default() {
        check(1, 1, false, "+-+-", "PHFHF");
        check(1, 1, true, "+-", "FHF");
    }

    #[test]
    fn the_first_result_decides_alone() {
        check(3, 2, false, "+", "PH");
        check(3, 2, false, "-", "PF");
    }

    #[test]
    fn init_fail_needs_every_success_of_rise() {
        check(3, 1, true, "+++", "FFFH");
        check(3, 1, true, "++-+++", "FFFFFFH");
    }

    #[test]
    fn only_consecutive_results_count() {
        check(2, 3, false, "+--+--+---", "PHHHHHHHHHF");
        check(3, 1, false, "-++-+++", "PFFFFFFH");
        check(2, 2, false, "+---++--", "PHHFFFHHF");
    }

    #[test]
    fn what_was_healthy_goes_on_under_new_settings() {
        let mut check = Check::new(3, 2, true).continued(Health::Healthy);
        assert_eq!(
            [false, false].map(|success| (check.record(success), check.health())),
            [(false, Health::Healthy), (true, Health::Failing)]
        );
        assert_eq!(Check::new(3, 2, true).continued(Health::Failing), Check::new(3, 2, true));
    }

    #[test]
    fn zero_counts_as_one() {
        check(0, 0, false, "+-+", "PHFH");
        check(0, 0, true, "+", "FH");
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        check(u32::MAX, u32::MAX, false, "+--", "PHHH");
        check(u32::MAX, u32::MAX, true, "++-", "FFFF");
    }
}
