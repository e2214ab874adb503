//! Pictures: the bytes of some, and what holds of all.
//!
//! `AUTOJIT_BLESS=1 cargo test --test api plot` writes `tests/golden/plots` anew; look at the pictures before you keep them.

use std::fs;
use std::path::PathBuf;

use autojit::ir::Graph;
use autojit::lazy::{self, Statistic};
use autojit::plot::{ColorBy, Drawing, FunctionsStyle, Plot};
use autojit::{Array, DType, cond, fori_loop, numpy as np};

fn gram_schmidt(n: usize) -> Array {
    let x = lazy::variable(&[n, n], DType::Float64);
    lazy::shared_intermediates(|| {
        let mut rows: Vec<Array> = Vec::new();
        for j in 0..n as i64 {
            let mut row = x.get(j);
            for q in &rows {
                row = &row - np::tensordot(np::conj(q), &row, 1) * q;
            }
            let norm = np::linalg::norm(&row, ..);
            rows.push(row / norm);
        }
        np::stack(&rows, 0)
    })
}

fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/plots")
        .join(name);
    if std::env::var_os("AUTOJIT_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(text.lines()).position(|(x, y)| x != y);
    assert!(
        expected == text,
        "{name} has changed, first in line {:?}",
        differs.map(|line| line + 1)
    );
}

fn pictures(node: &autojit::lazy::LazyArray) -> Vec<(&'static str, Plot)> {
    vec![
        ("circuit", node.plot()),
        ("graph", node.plot_graph()),
        ("size_footprint", node.plot_history_size_footprint()),
        (
            "scatter",
            node.plot_history_functions(FunctionsStyle::Scatter),
        ),
        ("lines", node.plot_history_functions(FunctionsStyle::Lines)),
        ("image", node.plot_history_functions(FunctionsStyle::Image)),
        ("stats", node.plot_history_stats(Statistic::Count)),
    ]
}

#[test]
fn gram_schmidt_is_drawn_as_it_was() {
    for n in [5, 20] {
        let q = gram_schmidt(n);
        let node = q.as_lazy().unwrap();
        for (name, plot) in pictures(node) {
            // The large ones of n = 20 say nothing that those of n = 5 do not.
            if n == 5 || matches!(name, "circuit" | "graph" | "size_footprint") {
                check(&format!("gram_schmidt_{n}_{name}.svg"), &plot.to_svg());
            }
        }
    }
    let q = gram_schmidt(2);
    let plot = q.as_lazy().unwrap().plot_graph();
    let without_lines = plot.to_dot().replace(file!(), "FILE");
    let columns = regex_free_lines(&without_lines);
    check("gram_schmidt_2.dot", &columns);
    check("gram_schmidt_2.mmd", &plot.to_mermaid());
}

/// Without the numbers of lines and columns of this file, which change.
fn regex_free_lines(text: &str) -> String {
    let mut parts = text.split("FILE:");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str("FILE");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':'));
    }
    out
}

/// Opening and closing tags, and the balance of them.
fn check_xml(text: &str, what: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag
            .split_once('>')
            .unwrap_or_else(|| panic!("{what}: <{tag}"));
        let name = tag
            .split([' ', '/'])
            .find(|word| !word.is_empty())
            .unwrap_or("");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{what}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{what}: {open:?}");
}

#[test]
fn pictures_are_well_formed_whatever_the_graph() {
    let x = lazy::variable(&[2], DType::Float64);
    let empty = lazy::variable(&[0, 3], DType::Int64);
    let two = np::linalg::svd(np::reshape(&x, [1, 2]), ..);
    let arrays = [
        x.clone(),
        np::sum(&empty, ..),
        lazy::array(&Array::from([1.0])) + 1.0,
        &x * &x,
        two.1,
        gram_schmidt(5),
    ];
    for array in &arrays {
        let node = array.as_lazy().unwrap();
        for (name, plot) in pictures(node) {
            for color in [ColorBy::Function, ColorBy::Variable, ColorBy::Id] {
                let svg = plot.clone().color_by(color).title("<&\">").to_svg();
                check_xml(&svg, name);
                assert!(svg.contains("&lt;&amp;&quot;&gt;"), "{name}");
                assert!(
                    !svg.contains("NaN") && !svg.contains("inf"),
                    "{name}: {svg}"
                );
                assert_eq!(svg, plot.clone().color_by(color).title("<&\">").to_svg());
            }
        }
    }
    let nothing: Graph = "return".parse().unwrap();
    check_xml(&Drawing::from(&nothing).graph().to_svg(), "nothing");
    check_xml(&Drawing::from(&nothing).circuit().to_svg(), "nothing");
    check_xml(
        &Drawing::from(&nothing).size_footprint().to_svg(),
        "nothing",
    );
}

#[test]
fn colors_say_what_they_mean() {
    let x = lazy::variable(&[2], DType::Float64);
    let c = np::exp(lazy::array(&Array::from([1.0, 2.0])));
    let node = &x * &c;
    let plot = node
        .as_lazy()
        .unwrap()
        .plot_graph()
        .color_by(ColorBy::Variable);
    let dot = plot.to_dot();
    let color_of = |what: &str| {
        let line = dot
            .lines()
            .find(|line| line.contains(&format!("label=\"{what}\\n")))
            .unwrap();
        line.split("fillcolor=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let colors = ["variable", "mul", "constant", "exp"].map(color_of);
    for (i, color) in colors.iter().enumerate() {
        assert!(!colors[..i].contains(color), "{colors:?}");
        // The legend has it.
        assert!(
            plot.to_svg()
                .contains(&format!("rx=\"3\" fill=\"{color}\"")),
            "{color}"
        );
    }
}

#[test]
fn large_graphs_are_drawn_as_groups_and_say_so() {
    let q = gram_schmidt(100);
    let node = q.as_lazy().unwrap();
    let marks = |svg: &str| svg.matches("class=\"mark\"").count();
    let graph = node.plot_graph().to_svg();
    assert!(
        graph.contains("15\u{2009}251 nodes are drawn as"),
        "no note"
    );
    assert!((10..=1500).contains(&marks(&graph)), "{}", marks(&graph));
    let circuit = node.plot_circuit().to_svg();
    assert!(
        circuit.contains("15\u{2009}251 steps are drawn as"),
        "no note"
    );
    assert!(
        (10..=3000).contains(&marks(&circuit)),
        "{}",
        marks(&circuit)
    );
    let html = node.plot_graph().to_html();
    assert!(html.len() < 8_000_000, "{} bytes", html.len());
    // No node is left out of either picture.
    let data = data_of(&html);
    for tab in 0..2 {
        let marks = data["graphs"][0]["marks"][tab].as_array().unwrap();
        let nodes: usize = marks
            .iter()
            .map(|mark| mark.as_array().unwrap().len())
            .sum();
        assert_eq!(nodes, 15_251);
    }
    for (name, plot) in pictures(node) {
        check_xml(&plot.to_svg(), name);
    }
}

/// The data that a page has of its nodes.
fn data_of(page: &str) -> serde_json::Value {
    let (_, json) = page.split_once("id=\"data\">").unwrap();
    let (json, _) = json.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn loops_and_branches_open_in_pages() {
    let step = |i: Array, x: Array| {
        let doubled = |x: Array| x * 2.0;
        let branch = cond(np::equal(i % 2, 0), |x: Array| np::sin(x) + 1.0, doubled, x);
        branch.unwrap()
    };
    let x = lazy::variable(&[3], DType::Float64);
    let both =
        fori_loop(0, 10, step, x.clone()).unwrap() + fori_loop(0, 10, step, x * 3.0).unwrap();
    let both = both.as_lazy().unwrap();
    for plot in [both.plot_graph(), both.plot_circuit()] {
        let page = plot.to_html();
        let data = data_of(&page);
        let graphs = data["graphs"].as_array().unwrap();
        // The whole, the body of both loops, which is one, and its two branches; five pictures of each.
        assert_eq!(graphs.len(), 4);
        assert_eq!(page.matches("<section data-graph=").count(), 4 * 5);
        let inside = |graph: usize| -> Vec<(String, u64)> {
            let nodes = graphs[graph]["nodes"].as_array().unwrap();
            let graphs = nodes.iter().flat_map(|node| node[7].as_array().unwrap());
            graphs
                .map(|g| (g[0].as_str().unwrap().to_owned(), g[1].as_u64().unwrap()))
                .collect()
        };
        let named = |name: &str, position| (name.to_owned(), position);
        assert_eq!(inside(0), [named("body", 1), named("body", 1)]);
        assert_eq!(inside(1), [named("branch 0", 2), named("branch 1", 3)]);
        let functions = |graph: usize| {
            let nodes = graphs[graph]["nodes"].as_array().unwrap();
            let names = nodes.iter().map(|node| node[0].as_str().unwrap());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(functions(2), "variable mul");
        assert_eq!(functions(3), "variable sin add");
        check_xml(&plot.to_svg(), "a loop");
    }
}

#[test]
fn pages_need_no_network_and_cannot_be_broken_out_of() {
    let q = gram_schmidt(5);
    let page = q
        .as_lazy()
        .unwrap()
        .plot_graph()
        .title("</script><b>")
        .to_html();
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        // The names of XML are no addresses that anybody visits.
        let found = page
            .replace("http://www.w3.org/2000/svg", "")
            .contains(outside);
        assert!(!found, "{outside}");
    }
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(page.matches("<b>").count(), 0);
    let data = data_of(&page);
    let graphs = data["graphs"].as_array().unwrap();
    assert_eq!(graphs.len(), 1);
    let nodes = graphs[0]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), &graphs[0]["total"]), (51, &51.into()));
    // The last node is the result, with its line.
    let last = nodes[50].as_array().unwrap();
    assert_eq!((&last[0], &last[6]), (&"stack".into(), &1.into()));
    assert!(last[4].as_str().unwrap().starts_with("tests/api/plot.rs:"));
    assert_eq!(last[5].as_array().unwrap().len(), 5);
    // Each node is drawn once in the circuit.
    let circuit = graphs[0]["marks"][0].as_array().unwrap();
    assert_eq!(
        circuit
            .iter()
            .map(|mark| mark.as_array().unwrap().len())
            .sum::<usize>(),
        51
    );
}

#[test]
fn files_are_written_by_their_ending() {
    let q = gram_schmidt(2);
    let plot = q.as_lazy().unwrap().plot();
    let folder = std::env::temp_dir().join(format!("autojit-plot-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, start) in [
        ("a.svg", "<svg "),
        ("a.html", "<!doctype html>"),
        ("a.dot", "digraph"),
        ("a.mmd", "flowchart"),
    ] {
        plot.save(folder.join(name)).unwrap();
        assert!(
            fs::read_to_string(folder.join(name))
                .unwrap()
                .starts_with(start)
        );
    }
    let error = plot.save(folder.join("a.png")).unwrap_err();
    assert!(error.is_value());
    assert!(
        error
            .to_string()
            .contains("expected a name that ends in .svg"),
        "{error}"
    );
    fs::remove_dir_all(&folder).unwrap();
    assert!(plot.save(folder.join("a.svg")).unwrap_err().is_file());
}
