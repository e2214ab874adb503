//! Pictures of computations: SVG, one interactive page of HTML, DOT and Mermaid.
//!
//! A [`Drawing`] is what pictures are made of: the nodes of a lazy graph, of a traced one, or of a file. A [`Plot`] is one
//! picture of it: the circuit (`circuit.rs`), the layered graph (`layers.rs`), or a chart (`chart.rs`). Each of them
//! is made as a `Scene` (`scene.rs`): marks with places, lines between them, and texts. `svg.rs` writes scenes, `page.rs`
//! puts them into a page.
//!
//! Invariants: what is drawn depends on the graph alone, so pictures of one graph are the same bytes; the work is linear
//! in nodes and edges, but for sorting; a picture never has more marks than a browser draws without effort, and says
//! so if it drew several nodes as one. Pages use nothing from a network.
//!
//! Source: the pictures are those of autoray's `LazyArray.plot*`, drawn anew.

mod chart;
mod circuit;
mod color;
mod drawing;
mod layers;
mod page;
mod scene;
mod statistics;
mod svg;
mod text;

use std::path::Path;

use autojit_ir::{Error, Result};
use scene::Scene;

pub use color::ColorBy;
pub use drawing::{Drawing, Item, Origin};
pub use statistics::{Statistic, footprint};
pub use svg::escape;

/// How [`Drawing::functions`] shows what each step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionsStyle {
    /// A point for each node: the step, and the size of the result.
    Scatter,
    /// A line for each function, through the sizes of its results.
    Lines,
    /// A square for each node, row by row, in the colour of its function.
    Image,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Circuit,
    Graph,
    SizeFootprint,
    Functions(FunctionsStyle),
    Stats(Statistic),
}

/// A picture of a computation. Print it as SVG, HTML, DOT or Mermaid, or [save](Plot::save) it.
///
/// ```
/// use autojit_ir::Graph;
/// use autojit_plot::Drawing;
///
/// let graph: Graph = "%x = input index=0 ty=f64[3,3]\n%y = matmul %x %x\n%z = tanh %y\nreturn %z".parse()?;
/// let plot = Drawing::from(&graph).graph();
/// assert!(plot.to_svg().starts_with("<svg "));
/// assert!(plot.to_dot().contains("label=\"matmul\\nf64[3,3]\""));
/// # Ok::<(), autojit_ir::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Plot {
    drawing: Drawing,
    kind: Kind,
    color: ColorBy,
    title: Option<String>,
}

impl Drawing {
    fn plot(&self, kind: Kind) -> Plot {
        Plot {
            drawing: self.clone(),
            kind,
            color: ColorBy::Function,
            title: None,
        }
    }

    /// One lane for each array that is alive, one column for each step.
    pub fn circuit(&self) -> Plot {
        self.plot(Kind::Circuit)
    }

    /// The graph in layers, inputs above users. More than 1 500 nodes are drawn as groups of one function and layer.
    pub fn graph(&self) -> Plot {
        self.plot(Kind::Graph)
    }

    /// How many elements are held after each step; see [`footprint`].
    pub fn size_footprint(&self) -> Plot {
        self.plot(Kind::SizeFootprint)
    }

    /// The functions in the order in which they run.
    pub fn functions(&self, style: FunctionsStyle) -> Plot {
        self.plot(Kind::Functions(style))
    }

    /// A statistic for each function, added up.
    pub fn stats(&self, statistic: Statistic) -> Plot {
        self.plot(Kind::Stats(statistic))
    }
}

impl Scene {
    /// One picture of a drawing.
    fn new(drawing: &Drawing, kind: Kind, color: ColorBy, title: Option<&str>) -> Self {
        let colors = color::Colors::new(drawing, color);
        let mut scene = match kind {
            Kind::Circuit => circuit::scene(drawing, &colors),
            Kind::Graph => layers::scene(drawing, &colors),
            Kind::SizeFootprint => chart::size_footprint(drawing),
            Kind::Functions(style) => chart::functions(drawing, &colors, style),
            Kind::Stats(statistic) => chart::stats(drawing, statistic),
        };
        if let Some(title) = title {
            title.clone_into(&mut scene.title);
        }
        scene
    }
}

impl Plot {
    /// The meaning of the colours of nodes; functions by default.
    pub fn color_by(mut self, color: ColorBy) -> Self {
        self.color = color;
        self
    }

    /// A line of text above the picture, in place of what it says by itself.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The picture as SVG, which browsers and documents show.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let title = self.title.as_deref();
        svg::document(&Scene::new(&self.drawing, self.kind, self.color, title))
    }

    /// An interactive page: this picture first, the others behind tabs. It works from a file, without a network.
    ///
    /// Drag and turn the wheel to move and zoom; point at a node for its operation, type, size and source line; click it
    /// to see its inputs and users; search for functions, types and lines. Details are kept for the first 20 000 nodes.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// The nodes in the language of Graphviz, whatever picture this is.
    #[must_use]
    pub fn to_dot(&self) -> String {
        text::dot(
            &self.drawing,
            &color::Colors::new(&self.drawing, self.color),
        )
    }

    /// The nodes as a flowchart in the language of Mermaid, which many viewers of Markdown draw.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        text::mermaid(
            &self.drawing,
            &color::Colors::new(&self.drawing, self.color),
        )
    }

    /// Writes the picture into a file: `.svg`, `.html`, `.dot` or `.mmd`.
    ///
    /// # Errors
    /// The name ends otherwise (`is_value`), or the file cannot be written (`is_file`).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let text = match ending {
            "svg" => self.to_svg(),
            "html" | "htm" => self.to_html(),
            "dot" | "gv" => self.to_dot(),
            "mmd" | "mermaid" => self.to_mermaid(),
            _ => {
                return Err(Error::value(format!(
                    "cannot draw into {}, expected a name that ends in .svg, .html, .dot or .mmd",
                    path.display()
                )));
            }
        };
        autojit_ir::file::write(path, text.as_bytes())
    }
}
