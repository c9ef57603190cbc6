//! The pages that are made from the keyword tables are those in docs/.

use std::{fs, path::Path};

use vrrp_user::config::{differences_page, keywords_page};

#[test]
fn the_generated_pages_are_current() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, page) in [("keywords.md", keywords_page()), ("keepalived-differences.md", differences_page())]
    {
        let path = docs.join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "docs/{name} is old: UPDATE_DOCS=1 cargo test -p vrrp-user --test pages");
    }
}
