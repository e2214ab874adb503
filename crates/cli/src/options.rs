//! The arguments of the command.

use std::path::PathBuf;

use autojit::lazy::Statistic;
use autojit::plot::{ColorBy, FunctionsStyle};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Shows, draws, explains, runs and checks exported functions.
///
/// A function is a file that `f.export(&x, "f.autojit")` wrote, or a graph as text (`.graph`).
#[derive(Debug, Parser)]
#[command(name = "autojit", version, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  autojit show f.autojit                            the graph with its source lines
  autojit plot f.autojit -o f.html                  an interactive page
  autojit explain f.autojit                         passes, kernels, memory
  autojit run f.autojit x.npy y.npy -o result.npz   calls it with arrays of NumPy's
  autojit check f.autojit --random                  compares its backend with replay";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the graph: each operation with its type and its source line.
    #[command(after_help = "Examples:
  autojit show f.autojit
  autojit show f.autojit > f.graph       text that every command reads, too
  autojit show --json f.autojit | jq '.nodes | length'")]
    Show {
        /// The function.
        file: PathBuf,
        /// Prints it as JSON, without the elements of constants.
        #[arg(long)]
        json: bool,
    },
    /// Draws the graph: the kind of file follows from its ending (.svg, .html, .dot, .mmd).
    #[command(after_help = "Examples:
  autojit plot f.autojit -o f.html                   an interactive page with all pictures
  autojit plot f.autojit -o f.svg --picture graph --color id
  autojit plot f.autojit -o memory.svg --picture memory
  autojit plot f.autojit -o f.dot && dot -Tpdf f.dot -o f.pdf")]
    Plot {
        /// The function.
        file: PathBuf,
        /// The picture: .svg, .html, .dot or .mmd.
        #[arg(short, long)]
        output: PathBuf,
        /// Which picture.
        #[arg(long, default_value = "circuit", value_parser = picture, help = PICTURES)]
        picture: Picture,
        /// The meaning of colours.
        #[arg(long, value_enum, default_value_t = Color::Function)]
        color: Color,
        /// The line above the picture.
        #[arg(long)]
        title: Option<String>,
    },
    /// Says how a call is run: passes, kernels, what was fused and why not, memory.
    #[command(after_help = "Examples:
  autojit explain f.autojit
  autojit explain f.autojit --backend replay
  autojit explain f.autojit --html f.html
  autojit explain f.autojit --code                    the kernels as assembly
  autojit explain f.autojit --code --clif             and what Cranelift made them of
  autojit explain f.autojit --json | jq .report       all of it as data")]
    Explain {
        /// The function.
        file: PathBuf,
        /// The backend that runs it; an error if it does not support the graph.
        #[arg(long)]
        backend: Option<String>,
        /// Writes a page instead of printing text.
        #[arg(long)]
        html: Option<PathBuf>,
        /// Prints the machine code of each kernel as assembly (x86-64).
        #[arg(long, conflicts_with = "html")]
        code: bool,
        /// Prints Cranelift's intermediate form of each kernel that it made.
        #[arg(long, conflicts_with = "html")]
        clif: bool,
        /// Prints it as JSON: the fields of `Summary`.
        #[arg(long, conflicts_with_all = ["html", "code", "clif"])]
        json: bool,
    },
    /// Calls the function, and prints or writes its results.
    #[command(after_help = "Examples:
  autojit run f.autojit x.npy y.npy
  autojit run f.autojit inputs.npz -o results.npz     arrays in the order of the file
  autojit run f.autojit --random 7                    normal random numbers, by their seed")]
    Run {
        /// The function.
        file: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
        /// The backend that runs it; an error if it does not support the graph.
        #[arg(long)]
        backend: Option<String>,
        /// The file for the results: .npz, or .npy for one array.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Checks the file and the graph, and compares two backends on it; fails if they differ.
    #[command(after_help = "Examples:
  autojit check f.autojit x.npy
  autojit check f.autojit --random --backend cranelift --against replay")]
    Check {
        /// The function.
        file: PathBuf,
        #[command(flatten)]
        inputs: Inputs,
        /// The backend that runs it; an error if it does not support the graph.
        #[arg(long)]
        backend: Option<String>,
        /// The backend to compare with.
        #[arg(long, default_value = "replay")]
        against: String,
    },
    /// Prints the completions of a shell.
    #[command(after_help = "Examples:
  autojit completions bash > ~/.local/share/bash-completion/completions/autojit
  autojit completions zsh > ~/.zfunc/_autojit")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// The arrays of the arguments.
#[derive(Args, Debug)]
pub(crate) struct Inputs {
    /// Files of NumPy's: .npy for one array, .npz for several, in the order of the arguments.
    pub(crate) arrays: Vec<PathBuf>,
    /// Random numbers as arguments, from a seed: normal floats, integers from 0 to 9.
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "SEED", conflicts_with = "arrays")]
    pub(crate) random: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Picture {
    Circuit,
    Graph,
    Memory,
    Functions(FunctionsStyle),
    Stats(Statistic),
}

const PICTURES: &str =
    "Which picture: circuit, graph, memory, scatter, lines, image, count, sizein or sizeout";

fn picture(name: &str) -> Result<Picture, String> {
    Ok(match name {
        "circuit" => Picture::Circuit,
        "graph" => Picture::Graph,
        "memory" => Picture::Memory,
        "scatter" => Picture::Functions(FunctionsStyle::Scatter),
        "lines" => Picture::Functions(FunctionsStyle::Lines),
        "image" => Picture::Functions(FunctionsStyle::Image),
        "count" | "sizein" | "sizeout" => {
            Picture::Stats(name.parse().map_err(|e: autojit::Error| e.to_string())?)
        }
        _ => {
            return Err(format!(
                "expected one of {}",
                &PICTURES["Which picture: ".len()..]
            ));
        }
    })
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// The function that computes a node.
    Function,
    /// Variables, constants, and what is computed from them.
    Variable,
    /// The number of a node.
    Id,
}

impl From<Color> for ColorBy {
    fn from(color: Color) -> Self {
        match color {
            Color::Function => Self::Function,
            Color::Variable => Self::Variable,
            Color::Id => Self::Id,
        }
    }
}
