//! What a registry refuses because it is not what its digest says: the client tells whose fault it is.

use std::io::{Seek as _, SeekFrom, Write as _};

use wharf_e2e::{Layout, Wharf};

use super::Goal;

#[test]
fn a_layer_that_is_damaged_in_its_layout_is_named_and_nothing_is_pushed() {
    let wharf = Wharf::start();
    let goal = Goal::wharfinger(&wharf, wharf.host());
    let layout = Layout::of_layers(&goal.sandbox.path("layout"), &[20]);
    let file = layout.file(&layout.layers[0]);
    let mut damaged = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    damaged.seek(SeekFrom::Start(1 << 20)).unwrap();
    damaged.write_all(b"not what it was").unwrap();
    let copy = goal.copy_from(&goal.sandbox.at("layout"));
    goal.sandbox.run(&copy).fails_with(&file.display().to_string());
    wharf.api().get("/v2/team/large/manifests/v1").expect(404);
    assert!(goal.notes().is_empty(), "notes stay: {:?}", goal.notes());
}
