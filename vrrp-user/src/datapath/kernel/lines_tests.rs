//! Programs that log say what they judge, in our log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;
use vrrp_common::wire::Version;

use super::bench_tests::*;

/// A log in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is in our log after a good frame and one with a wrong checksum.
fn log_of(bench: &mut Bench, program: Program, scene: &Scene) -> String {
    let mut junk = scene.frame();
    set(scene.offset() + 2, &[151])(&mut junk);
    bench.reset(scene.family, scene.view);
    bench.run(program, &scene.frame());
    bench.run(program, &junk);
    let memory = Memory::default();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(memory.clone()).finish();
    tracing::subscriber::with_default(log, || bench.object.lines.as_mut().unwrap().flush());
    String::from_utf8(std::mem::take(&mut memory.0.lock().unwrap())).unwrap()
}

#[test]
fn what_is_judged_is_told_in_the_log() {
    let Some(mut bench) = Bench::load(true) else { return };
    for (scene, source) in [(Scene::v4(Version::V3), "192.0.2.1"), (Scene::v6(), "fe80::1")] {
        for program in [Program::Xdp, Program::Tc] {
            let log = log_of(&mut bench, program, &scene);
            let lines: Vec<&str> = log.lines().collect();
            let expected = [
                format!("kernel: VRID 51: an advertisement of priority 150 from {source} counts"),
                format!("kernel: VRID 51: a packet from {source} does not count, reason 11 (checksum)"),
            ];
            assert_eq!(lines.len(), 2, "{program:?}: {log}");
            for (line, expected) in lines.iter().zip(&expected) {
                assert!(line.ends_with(expected.as_str()), "{program:?}: {line}");
            }
            assert_eq!(bench.heard().accepted.count, 1, "{program:?}");
        }
    }
}
