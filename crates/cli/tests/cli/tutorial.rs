//! The commands of the tutorial, as they stand in it.

use std::process::Command;

use autojit::{Array, autojit, numpy as np};

#[test]
fn each_command_of_the_tutorial_works() {
    let folder = std::env::temp_dir().join(format!("autojit-cli-tutorial-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let f = autojit(|x: Array| np::matmul(&x, np::transpose(&x, ..)));
    f.export(
        Array::from([[1.0, 2.0], [3.0, 5.0]]),
        folder.join("gram_schmidt.autojit"),
    )
    .unwrap();

    let commands = include_str!("../../../../docs/tutorial.md").lines();
    let commands: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("autojit "))
        .collect();
    assert_eq!(commands.len(), 5);
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_autojit"))
            .current_dir(&folder)
            .args(command.split_whitespace())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(folder.join("q.npy").exists() && folder.join("gram_schmidt.html").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
