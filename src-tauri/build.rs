//! Generates what Tauri needs at compile time, and the permission for the one command.

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(&["control"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json and capabilities/ are valid");
}
