//! The demo: the scenario's five steps on a live timeline, told by the hosts, the nodes and a client.

mod paint;
mod timeline;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Parser;

use self::{paint::Paint, timeline::Timeline};
use crate::{
    Lab,
    conf::ADDRESS,
    scenario::{Make, STEP_LIMIT, STEPS, Stage, Step},
};

/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a step goes on after its end, to show that nothing else comes.
const CALM: Duration = Duration::from_millis(700);

/// Two hosts share an address and follow their web servers, before your eyes.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
pub struct Demo {
    /// What castor runs
    #[arg(long, value_enum, default_value_t = Make::Xvrrp)]
    castor: Make,
    /// What pollux runs
    #[arg(long, value_enum, default_value_t = Make::Xvrrp)]
    pollux: Make,
}

/// What came of a step.
struct Outcome {
    title: &'static str,
    owners: String,
    answer: String,
    silence: Duration,
    good: bool,
}

impl Demo {
    /// Runs it; true if every step ended as it must.
    pub fn run(&self) -> Result<bool> {
        let lab = Lab::new("demo")?;
        let result = self.show(&lab);
        if result.is_err() {
            Paint::for_stdout().line(&lab.logs());
        }
        result
    }

    fn show(&self, lab: &Lab) -> Result<bool> {
        let paint = Paint::for_stdout();
        paint.line(&format!(
            "castor (192.0.2.1) and pollux (192.0.2.2) share {ADDRESS}; a client keeps asking http://{ADDRESS}/"
        ));
        let mut stage = Stage::new(lab, [self.castor, self.pollux])?;
        let mut timeline = Timeline::start(&stage, paint)?;
        let mut outcomes = Vec::new();
        for (number, step) in (1..).zip(&STEPS) {
            paint.title(&format!("{number}. {}", step.title));
            let outcome = play(&mut stage, &mut timeline, step)?;
            let good = outcome.good;
            paint.verdict(good, &format!("{} owns it, the client gets {}", outcome.owners, outcome.answer));
            outcomes.push(outcome);
            if !good {
                paint.line(&format!("{} should own it and answer: {}", step.owner, step.answer));
                break;
            }
        }
        summary(paint, &outcomes);
        Ok(outcomes.iter().all(|outcome| outcome.good))
    }
}

fn play(stage: &mut Stage<'_>, timeline: &mut Timeline, step: &Step) -> Result<Outcome> {
    timeline.begin_step();
    stage.perform(step)?;
    timeline.follow_routers(stage)?;
    let end = Instant::now() + STEP_LIMIT;
    while Instant::now() < end && !timeline.shows(step) {
        timeline.look()?;
        thread::sleep(LOOK_EVERY);
    }
    let calm = Instant::now() + CALM;
    while Instant::now() < calm {
        timeline.look()?;
        thread::sleep(LOOK_EVERY);
    }
    Ok(Outcome {
        title: step.title,
        owners: timeline.owners(),
        answer: timeline.answer().to_owned(),
        silence: timeline.silence(),
        good: timeline.shows(step) && stage.is_settled(step)?,
    })
}

fn summary(paint: Paint, outcomes: &[Outcome]) {
    paint.title("In short");
    paint.line(&format!("  {:<40} {:<8} {:<10} {}", "step", "owner", "answer", "no answer for"));
    for Outcome { title, owners, answer, silence, .. } in outcomes {
        paint.line(&format!("  {title:<40} {owners:<8} {answer:<10} {:.2} s", silence.as_secs_f64()));
    }
}
